"""What must not be shown: the one place that all of a line's texts, numbers and keys go through.

`suspects` is a quick look, for each event; `find` looks with care, at the texts that it names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Final

import orjson

from flowery_logging.kept import Kept
from flowery_logging.late import late
from flowery_logging.redaction import (
    alike,
    ends,
    numbers,
    outlines,
    structures,
    urls,
)
from flowery_logging.redaction.alike import UNTOLD
from flowery_logging.redaction.counting import Counting, counted_alone, counted_in
from flowery_logging.redaction.left_out import note
from flowery_logging.redaction.markers import BY_NAME, marker, replaced
from flowery_logging.redaction.names import KEY_CHARS, Names
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.redaction import Kind, Redaction
from flowery_logging.redaction.search import Search
from flowery_logging.redaction.sentences import is_said
from flowery_logging.redaction.suspicion import (
    PLACED,
    Suspicion,
)
from flowery_logging.redaction.values import is_shown

_NAME: Final = late(r"[A-Za-z][\w-]{0,64}")
_SHORT: Final = 12
"""Parameters, and lengths of their values, that hold no secret if their name is no secret's."""

_OBJECTS: Final = 1024
_MOST_KEYS: Final = 32
"""Objects whose keys are known, and how many keys one of them has at most."""


class Redactor(Redaction):
    """Decides what must not be shown.

    Args:
        secret: more names of secrets, compared without case and separators, as whole names.
        safe: names that are shown although a rule would hide them.
        kinds: further kinds of what is to be hidden.
        shown: how many characters a line shows of a text, at most; of one that is much longer,
            both ends are looked at.
    """

    def __init__(
        self,
        secret: Iterable[str] = (),
        safe: Iterable[str] = (),
        kinds: Iterable[Kind] = (),
        shown: int = 32_000,
    ) -> None:
        secret, safe, self._further = tuple(secret), tuple(safe), tuple(kinds)
        self._judge = Names(secret, safe).judge
        self._kinds: Kept[str, str | None] = Kept()  # by name
        self._harmless: Kept[str, bool] = Kept()  # by parameter of a query
        self._plain: Kept[tuple[str, ...], bool] = Kept(_OBJECTS)  # by the keys of an object
        self._clean_names: Kept[str, str] = Kept()
        self.has_further = bool(self._further)
        self._suspicion = Suspicion(secret, safe, self._further)
        self._shapes = alike.Shapes(self._suspicion)
        self._search = Search(self.kind_of, self._suspicion.places, self._further)
        self._outlines = outlines.Outlines()
        self._shown = shown
        self._longest = ends.longest(shown)
        self.suspects_json = self._asker()  # type: ignore[method-assign, assignment]
        self._suspects_text = self._asker()  # texts of all kinds make no list look new
        # What is of a further kind is not told by an outline.
        alone = self._suspects_text if self.has_further else self._asker(alike.untold)
        self.suspects_alone = alone  # type: ignore[method-assign, assignment]

    def asker(self) -> Callable[[bytes], int]:
        """Return another `suspects_json`, for texts that come from one call; or `UNTOLD`."""
        return self._asker(often=math.inf if self.has_further else alike.OFTEN)

    def _asker(
        self, look: alike.Look | None = None, often: float = math.inf
    ) -> Callable[[bytes], int]:
        suspicion = self._suspicion
        call = alike.Call(look or suspicion.look, suspicion.further_in, self._shapes, often)
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
            and all(isinstance(item, str) and is_said(item) for item in value)
        )

    def find(self, text: str) -> list[Span]:
        """Return where secrets stand in a text, in order, none over another."""
        kinds = self.suspects(text)
        return self._search.find(text, kinds) if kinds else []

    def suspects(self, text: str) -> int:
        """Tell, quickly, what `find` may find in a text: kinds of secrets as bits, or 0."""
        return self._suspects_text(_as_json(text))

    def clean(self, text: str, counts: Counting | None = None) -> str:
        """Return a text with a marker in place of each secret in it, which is counted.

        Of one that is far longer than a line, what lies between its ends is left out.
        """
        if len(text) > self._longest:
            return self._clean_ends(text, self.find, counts)
        return self.clean_suspected(text, self.suspects(text), counts)

    def clean_head(self, text: str, shown: int, counts: Counting | None = None) -> str:
        """Return what `clean` does of a text of which no more than the first characters are shown.

        Of a long one the rest is left out, with a note.
        """
        if len(text) <= shown + ends.MARGIN:
            return self.clean(text, counts)
        head = ends.head(text, shown, self.find)
        return self._clean(head.text, head.spans, counts) + note(len(text) - shown)

    def clean_suspected(self, text: str, kinds: int, counts: Counting | None = None) -> str:
        """Return what `clean` does of a text of which `suspects` has told these kinds.

        Of what is `UNTOLD` the outline is looked up first: that takes less than to look.
        """
        if len(text) > self._longest:
            return self._clean_ends(text, self.find, counts)
        if not kinds:
            return text
        if kinds != UNTOLD and kinds & ~PLACED:
            return self._clean(text, self._search.find(text, kinds), counts)
        known = self._outlines.clean(text, kinds)
        if known is None:
            if kinds == UNTOLD:
                return self.clean_suspected(text, self.suspects(text), counts)
            return self._clean(text, self._learn(text, kinds), counts)
        if counts is not None:
            counts.add_all(known[1])
        return known[0]

    def _learn(self, text: str, kinds: int) -> list[Span]:
        """Return the secrets of a text by the rules, and keep them for others of its outline."""
        spans = self._search.find(text, kinds)
        markers = [marker(span.kind) for span in spans]
        self._outlines.keep(text, kinds, spans, markers, counted_in(spans))
        return spans

    def _clean(self, text: str, spans: list[Span], counts: Counting | None) -> str:
        if not spans:
            return text
        if counts is not None:
            counts.add_all(counted_in(spans))
        return replaced(text, spans)

    def _clean_ends(self, text: str, find: ends.Find, counts: Counting | None) -> str:
        clean, spans = ends.without_secrets(text, self._shown, find)
        if counts is not None and spans:
            counts.add_all(counted_in(spans))
        return clean

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
        if len(items) < 2 or not structures.is_command(items):
            return super().clean_items(items, counts)
        spans = self.find(" ".join(items))
        if counts is not None and spans:
            counts.add_all(counted_in(spans))
        found = structures.split_spans(items, spans)
        return [replaced(item, own) for item, own in zip(items, found, strict=True)]

    def clean_query(self, query: str, counts: Counting | None = None) -> str:
        """Return the query of a URL, without its question mark, without the secrets in it."""
        if self.is_simple_query(query):
            return query
        text = f"?{query}"
        if len(text) > self._longest:
            return self._clean_ends(text, self._find_in_query, counts)[1:]
        return self._clean(text, self._find_in_query(text), counts)[1:]

    def _find_in_query(self, text: str) -> list[Span]:
        kinds = self.suspects(text.replace("+", " "))
        return self._search.find(text, kinds, form=True) if kinds else []

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
                    counts.add_all(counted_alone(kind))
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
