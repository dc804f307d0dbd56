"""What must not be shown: the one place that all of a line's texts, numbers and keys go through.

`suspects` is a quick look, for each event; `find` looks with care, at the texts that it names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple, Protocol

import orjson

from flowery_logging.kept import Kept
from flowery_logging.late import late
from flowery_logging.redaction import (
    alike,
    commands,
    escapes,
    families,
    forms,
    numbers,
    outlines,
    pairs,
    prose,
    schemes,
    sql,
    structures,
    tables,
    urls,
)
from flowery_logging.redaction.assignments import Assignments
from flowery_logging.redaction.names import KEY_CHARS, Names
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.quotes import whole_end
from flowery_logging.redaction.suspicion import (
    ADDRESSES,
    FURTHER,
    NAMED,
    NUMBERS,
    SCHEMES,
    TOKENS,
    Suspicion,
)
from flowery_logging.redaction.values import is_sentence, is_shown

BY_NAME: Final = "value"
"""The kind of a secret of which only the name is known."""

MARKER: Final = "[redacted]"
_NAME: Final = late(r"[A-Za-z][\w-]{0,64}")
_SHORT: Final = 12
"""Parameters, and lengths of their values, that hold no secret if their name is no secret's."""

_OBJECTS: Final = 1024
_MOST_KEYS: Final = 32
"""Objects whose keys are known, and how many keys one of them has at most."""

_SAYING: Final = late(r"[^\W_]")
_IS_MARKER: Final = late(r"\[redacted(?::\w{1,32})?\]?")


class Counting(Protocol):
    """Where it is counted what was hidden."""

    def add(self, name: str, amount: int = 1) -> None:
        """Raise a count."""
        ...

    def add_all(self, amounts: Mapping[str, int]) -> None:
        """Raise some counts, by their names."""
        ...


class _Nowhere:
    def add(self, name: str, amount: int = 1) -> None:
        """Take no note."""

    def add_all(self, amounts: Mapping[str, int]) -> None:
        """Take no note."""


UNCOUNTED: Final[Counting] = _Nowhere()
"""For who looks at what nobody writes."""


class Kind(NamedTuple):
    """A further kind of what is to be hidden.

    Args:
        name: what the marker and the count say, e.g. `phone`.
        find: yields where it stands in a text, as (start, end).
        sign: the quick look, taken at each event: tells, also wrongly, but cheaply, whether a text
            may hold one, given as UTF-8 and perhaps as it stands in JSON.
        is_name: tells of a key (one part of a dotted name) whether its value is of this kind.
    """

    name: str
    find: Callable[[str], Iterable[tuple[int, int]]]
    sign: Callable[[bytes], Any]
    is_name: Callable[[str], bool]


Make = Callable[[Any, Counting], Any]
"""Makes what is shown instead of a scalar; what it hides is counted."""


@cache
def marker(kind: str) -> str:
    """Return what stands for a secret of a kind; by its name alone, no kind is known."""
    return f"[redacted:{kind}]" if kind != BY_NAME else MARKER


def kind_of_marker(marker: str) -> str:
    """Return the kind of the secret that a marker stands for."""
    return marker.strip("[]").partition(":")[2] or BY_NAME


def is_marker(value: object) -> bool:
    """Tell whether a value is what stands for a secret."""
    return type(value) is str and _IS_MARKER.fullmatch(value) is not None


def _stars(match: re.Match[str]) -> str:
    return "*" * len(match[0])


def replaced(text: str, spans: Iterable[Span]) -> str:
    """Return the text with a marker for each of the spans, which are in order."""
    kept: list[str] = []
    position = 0
    for start, end, kind in spans:
        kept += (text[position:start], marker(kind))
        position = end
    kept.append(text[position:])
    return "".join(kept)


def _make_whole(text: str, spans: list[Span], first: int) -> None:
    """Let spans, from one on, go to the ends of their values, which may have quotes inside."""
    for index in range(first, len(spans)):
        start, end, kind = spans[index]
        whole = whole_end(text, start, end)
        if whole != end:
            spans[index] = Span(start, whole, kind)


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield one span for each group of overlapping ones, with the kind that is known best."""
    current: Span | None = None
    for span in sorted(spans):
        if current is None or span.start >= current.end:
            if current is not None:
                yield current
            current = span
        else:
            kind = current.kind if current.kind != BY_NAME else span.kind
            current = Span(current.start, max(current.end, span.end), kind)
    if current is not None:
        yield current


class Redaction:
    """Hides nothing: for records of the library's own, whose numbers must not be mistaken."""

    by_path = False
    """Whether more than one part of a dotted name may have to be known."""

    has_further = False
    """Whether there are further kinds: then no value is harmless by its form."""

    def kind_of(self, name: str) -> str | None:  # noqa: ARG002
        """Return the kind that the value of a key (one part of a dotted name) is; None: shown."""
        return None

    def kind_at(self, path: str, *, of_object: bool = False) -> str | None:  # noqa: ARG002
        """Return the kind that the value of a dotted name is by one of its parts; None: shown.

        `of_object`: the value is one whose entries have names of their own.
        """
        for kind in map(self.kind_of, path.split(".")):
            if kind is not None:
                return kind
        return None

    def maker(self, path: str) -> Make | None:  # noqa: ARG002
        """Return what makes what stands for a scalar of a dotted name; None: nothing does."""
        return None

    def shows(self, name: str, value: object) -> bool:  # noqa: ARG002
        """Tell whether a value is shown, although its name is a secret's: `auth="oauth2"`."""
        return False

    def hides(self, name: str) -> bool:
        """Tell whether the value of a key (one part of a dotted name) is a secret by its name."""
        return self.kind_of(name) is not None

    def are_plain(self, names: tuple[str, ...]) -> bool:  # noqa: ARG002
        """Tell, quickly, that the keys of an object hide nothing of it; False: perhaps they do."""
        return False

    def find(self, text: str) -> list[Span]:  # noqa: ARG002
        """Return where secrets stand in a text, in order, none over another."""
        return []

    def suspects(self, text: str) -> int:  # noqa: ARG002
        """Tell, quickly, what `find` may find in a text: kinds of secrets as bits, or 0."""
        return 0

    def suspects_json(self, encoded: bytes) -> int:  # noqa: ARG002
        """Tell as `suspects` of one or many texts in UTF-8, also as they stand in JSON."""
        return 0

    def asker(self) -> Callable[[bytes], int]:
        """Return another `suspects_json`, for texts that come from one call."""
        return self.suspects_json

    def clean(self, text: str, counts: Counting | None = None) -> str:  # noqa: ARG002
        """Return a text with a marker in place of each secret in it, which is counted."""
        return text

    def clean_suspected(self, text: str, kinds: int, counts: Counting | None = None) -> str:  # noqa: ARG002
        """Return what `clean` does of a text of which `suspects` has told these kinds."""
        return text

    def clean_name(self, name: str) -> str:
        """Return the name of a field without secrets: a card number may be the key of a dict."""
        return name

    def clean_items(self, items: list[str], counts: Counting | None = None) -> list[str]:
        """Return texts without secrets; those of a command tell of one another."""
        return [self.clean(item, counts) for item in items]

    def clean_query(self, query: str, counts: Counting | None = None) -> str:  # noqa: ARG002
        """Return the query of a URL, without its question mark, without the secrets in it."""
        return query

    def is_simple_query(self, query: str) -> bool:  # noqa: ARG002
        """Tell of the query of a URL, quickly, that it needs not be cleaned; False: perhaps."""
        return True

    def clean_number(self, value: float, counts: Counting | None = None) -> Any:  # noqa: ARG002
        """Return a number, or the marker if it is a card or resident number."""
        return value

    def hide(self, kind: str, counts: Counting) -> str:
        """Return what stands for the value of a secret's name, which is counted."""
        counts.add_all(_counted_alone(kind))
        return marker(kind)


class Redactor(Redaction):
    """Decides what must not be shown.

    Args:
        secret: more names of secrets, compared without case and separators, as whole names.
        safe: names that are shown although a rule would hide them.
        kinds: further kinds of what is to be hidden.
    """

    def __init__(
        self, secret: Iterable[str] = (), safe: Iterable[str] = (), kinds: Iterable[Kind] = ()
    ) -> None:
        secret, safe, self._further = tuple(secret), tuple(safe), tuple(kinds)
        self._judge = Names(secret, safe).judge
        self._kinds: Kept[str, str | None] = Kept()  # by name
        self._harmless: Kept[str, bool] = Kept()  # by parameter of a query
        self._plain: Kept[tuple[str, ...], bool] = Kept(_OBJECTS)  # by the keys of an object
        self._clean_names: Kept[str, str] = Kept()
        self._assignments = Assignments(self.kind_of)
        self.has_further = bool(self._further)
        self._suspicion = Suspicion(secret, safe, self._further)
        self._shapes = alike.Shapes(self._suspicion)
        self._places = self._suspicion.places
        self._outlines = outlines.Outlines()
        self.suspects_json = self.asker()  # type: ignore[method-assign, assignment]

    def asker(self) -> Callable[[bytes], int]:
        """Return another `suspects_json`, for texts that come from one call."""
        call = alike.Call(self._suspicion, self._shapes)
        # A bound method: calling an object with __call__ costs a lookup more.
        return call.look_for_all if self.has_further else call.look

    def kind_of(self, name: str) -> str | None:
        """Return the kind that the value of a key (one part of a dotted name) is; None: shown."""
        try:
            return self._kinds[name]
        except KeyError:
            pass
        kind = BY_NAME if self._judge(name) else None
        if kind is None:
            kind = next((one.name for one in self._further if one.is_name(name)), None)
        if len(name) <= KEY_CHARS:
            self._kinds.keep(name, kind)
        return kind

    def are_plain(self, names: tuple[str, ...]) -> bool:
        """Tell, quickly, that the keys of an object hide nothing of it; False: perhaps they do."""
        known = self._plain.get(names)
        if known is None:
            known = not (any(map(self.hides, names)) or any(map(structures.is_value, names)))
            if len(names) <= _MOST_KEYS and max(map(len, names), default=0) <= KEY_CHARS:
                self._plain.keep(names, known)
        return known

    def shows(self, name: str, value: object) -> bool:
        """Tell whether a value is shown, although its name is a secret's: `auth="oauth2"`."""
        if type(value) is str:
            return is_shown(name.rpartition(".")[2], value)
        # What a form says of its field: `{"password": ["This field may not be blank."]}`.
        return (
            isinstance(value, (list, tuple))
            and len(value) > 0
            and all(isinstance(item, str) and is_sentence(item) for item in value)
        )

    def find(self, text: str) -> list[Span]:
        """Return where secrets stand in a text, in order, none over another."""
        kinds = self.suspects(text)
        return self._find(text, kinds) if kinds else []

    def _find(self, text: str, kinds: int, *, form: bool = False) -> list[Span]:
        """Return where secrets of these kinds stand; `form`: a plus sign of the text is a blank."""
        if "[redacted" in text:  # what is clean stays as it is
            text = _IS_MARKER.sub(_stars, text)
        is_escaped = form or "\\" in text or "%" in text or ("&" in text and ";" in text)
        inner = [*escapes.layers(text, form=form)] if is_escaped else []
        # What a number is is told by what stands before it, perhaps in escapes.
        spans = self._found(text, kinds & ~NUMBERS if inner else kinds)
        for layer, places in inner:
            spans += [
                Span(places[start], places[end], kind)
                for start, end, kind in self._found(layer, kinds)
                if _SAYING.search(layer, start, end)  # escapes of signs have digits
            ]
        if kinds & ~(NUMBERS | TOKENS) or inner:
            spans = [span for span in spans if _SAYING.search(text, span[0], span[1])]
        return [*_merged(spans)] if len(spans) > 1 else spans

    def _found(self, text: str, kinds: int) -> list[Span]:
        """Return all secrets of some kinds (see `suspicion`) in a text, overlapping ones too."""
        found: list[Span] = []
        if kinds & NUMBERS:
            found += numbers.find(numbers.normal(text))
        if kinds & TOKENS:
            found += forms.find(text)
        if kinds & (ADDRESSES | NAMED) and "@" in text:
            found += urls.find(text)
        if kinds & NAMED:
            self._add_named(text, found)
        elif kinds & SCHEMES:
            found += schemes.find(text, text.lower(), self.kind_of)
        if kinds & FURTHER:
            for kind in self._further:
                found += [Span(start, end, kind.name) for start, end in kind.find(text)]
        return found

    def _add_named(self, text: str, found: list[Span]) -> None:
        """Add the secrets that are told by a name."""
        places, kind_of, first = self._places(text), self.kind_of, len(found)
        if places:
            found += self._assignments.find(text, places)
        lower = text.lower()
        if "=" in text and (places or urls.may_be_named(text, lower)):
            found += urls.parameters(text, places, kind_of)
        asked = families.of(text, lower)
        if asked & families.SCHEMES:
            found += schemes.find(text, lower, kind_of)
        if asked & families.PROSE:
            found += prose.find(text, lower)
        if asked & families.PAIRS:
            found += pairs.find(text, lower, kind_of)
        if asked & families.COMMANDS:
            found += commands.find(text, kind_of)
        if asked & families.SQL:
            found += sql.find(text, lower, kind_of)
        if asked & families.TABLES:
            found += tables.find(text, kind_of)
        if "'" in text or '"' in text or "`" in text:
            _make_whole(text, found, first)

    def suspects(self, text: str) -> int:
        """Tell, quickly, what `find` may find in a text: kinds of secrets as bits, or 0."""
        return self.suspects_json(_as_json(text))

    def clean(self, text: str, counts: Counting | None = None) -> str:
        """Return a text with a marker in place of each secret in it, which is counted."""
        return self.clean_suspected(text, self.suspects(text), counts)

    def clean_suspected(self, text: str, kinds: int, counts: Counting | None = None) -> str:
        """Return what `clean` does of a text of which `suspects` has told these kinds."""
        if not kinds:
            return text
        if kinds & ~outlines.PLACED:
            return self._clean(text, self._find(text, kinds), counts)
        known = self._outlines.clean(text, kinds)
        if known is None:
            return self._clean(text, self._learn(text, kinds), counts)
        if counts is not None:
            counts.add_all(known[1])
        return known[0]

    def _learn(self, text: str, kinds: int) -> list[Span]:
        """Return the secrets of a text by the rules, and keep them for others of its outline."""
        spans = self._find(text, kinds)
        markers = [marker(span.kind) for span in spans]
        self._outlines.keep(text, kinds, spans, markers, _counted_in(spans))
        return spans

    def _clean(self, text: str, spans: list[Span], counts: Counting | None) -> str:
        if not spans:
            return text
        if counts is not None:
            counts.add_all(_counted_in(spans))
        return replaced(text, spans)

    def clean_name(self, name: str) -> str:
        """Return the name of a field without secrets: a card number may be the key of a dict."""
        known = self._clean_names.get(name)
        if known is None:
            known = self.clean(name)
            if len(name) <= KEY_CHARS:
                self._clean_names.keep(name, known)
        return known

    def clean_items(self, items: list[str], counts: Counting | None = None) -> list[str]:
        """Return texts without secrets; those of a command tell of one another."""
        if not structures.is_command(items):
            return super().clean_items(items, counts)
        spans = self.find(" ".join(items))
        if counts is not None and spans:
            counts.add_all(_counted_in(spans))
        found = structures.split_spans(items, spans)
        return [replaced(item, own) for item, own in zip(items, found, strict=True)]

    def clean_query(self, query: str, counts: Counting | None = None) -> str:
        """Return the query of a URL, without its question mark, without the secrets in it."""
        if self.is_simple_query(query):
            return query
        text = f"?{query}"
        kinds = self.suspects(text.replace("+", " "))
        if not kinds:
            return query
        return self._clean(text, self._find(text, kinds, form=True), counts)[1:]

    def is_simple_query(self, query: str) -> bool:
        """Tell of a simple query, `page=2&sort=name`, that no parameter is a secret's.

        Of others `clean_query` has to be asked.
        """
        for part in query.split("&"):
            name, _, value = part.partition("=")
            if not (self._harmless.get(name) or self._learn_parameter(name)):
                return False
            if len(value) > _SHORT or not (value.isalnum() or not value):
                return False
        return True

    def _learn_parameter(self, name: str) -> bool:
        verdict = _NAME.fullmatch(name) is not None and not (
            self.hides(name) or urls.may_let_in(name) or self.find(name)
        )
        if len(name) <= KEY_CHARS:
            self._harmless.keep(name, verdict)
        return verdict

    def clean_number(self, value: float, counts: Counting | None = None) -> Any:
        """Return a number, or the marker if it is a card or resident number."""
        if type(value) is int and numbers.SMALLEST <= value < 10**19:
            kind = numbers.kind_of_digits(str(value))
            if kind is not None:
                if counts is not None:
                    counts.add_all(_counted_alone(kind))
                return marker(kind)
        return value


def _as_json(text: str) -> bytes:
    try:
        return orjson.dumps(text)
    except TypeError:  # a lone surrogate
        return orjson.dumps(text.encode("utf-8", "replace").decode())


def find(text: str) -> list[Span]:
    """Return where secrets stand in a text, by the rules that apply without configuration."""
    return _DEFAULT.find(text)


_DEFAULT: Final = Redactor()


def _counted(kinds: Iterable[str]) -> Mapping[str, int]:
    """Return what is counted where these are hidden: `redacted`, and by kind `redacted_card`, …."""
    amounts = {"redacted": 0}
    for kind in kinds:
        name = "redacted_by_name" if kind == BY_NAME else f"redacted_{kind}"
        amounts["redacted"] += 1
        amounts[name] = amounts.get(name, 0) + 1
    return amounts


def _counted_in(spans: list[Span]) -> Mapping[str, int]:
    return _counted_alone(spans[0].kind) if len(spans) == 1 else _counted(s.kind for s in spans)


_counted_alone: Final = cache(lambda kind: _counted([kind]))
"""What is counted where one secret is hidden, as mostly."""
