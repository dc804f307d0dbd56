"""The search with care: where secrets of the kinds stand that the quick look has told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction import (
    commands,
    escapes,
    families,
    forms,
    numbers,
    pairs,
    prose,
    schemes,
    sql,
    tables,
    urls,
)
from flowery_logging.redaction.assignments import Assignments
from flowery_logging.redaction.flat import Place
from flowery_logging.redaction.markers import BY_NAME, merged, without_markers
from flowery_logging.redaction.names import KindOf
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.quotes import whole_end
from flowery_logging.redaction.redaction import Kind
from flowery_logging.redaction.suspicion import ADDRESSES, FURTHER, NAMED, NUMBERS, SCHEMES, TOKENS

_SAYING: Final = late(r"[^\W_]")


class Search:
    """Finds secrets.

    Args:
        kind_of: tells of which kind the value of a name is; None: it is shown.
        places: tells where names that may be a secret's stand before a sign, in order.
        further: other kinds than the built-in ones.
    """

    def __init__(
        self, kind_of: KindOf, places: Callable[[str], list[Place]], further: Iterable[Kind]
    ) -> None:
        self._kind_of = kind_of
        self._places = places
        self._further = tuple(further)
        self._assignments = Assignments(kind_of)

    def find(self, text: str, kinds: int, *, form: bool = False) -> list[Span]:
        """Return where secrets of these kinds stand, in order, none over another.

        `form`: a plus sign of the text is a blank.
        """
        if "[redacted" in text:
            text = without_markers(text)
        is_escaped = (
            form
            or "\\" in text
            or "\x1b" in text
            or "%" in text
            or ("&" in text and ";" in text)
            or "\0" in text
            or not text.isascii()
        )
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
        return [*merged(spans)] if len(spans) > 1 else spans

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
            found += schemes.find(text, text.lower(), self._kind_of)
        if kinds & FURTHER:
            for kind in self._further:
                found += [Span(start, end, kind.name) for start, end in kind.find(text)]
        return found

    def _add_named(self, text: str, found: list[Span]) -> None:
        """Add the secrets that are told by a name."""
        places, kind_of, first = self._places(text), self._kind_of, len(found)
        if places:
            found += self._assignments.find(text, places)
        # As long as the text: what is found here is looked at there.
        lower = text.replace("\u0130", "i").lower()
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


def _make_whole(text: str, spans: list[Span], first: int) -> None:
    """Let spans, from one on, go to the ends of their values, which may have quotes inside."""
    last = Span(0, 0, BY_NAME)
    for index in range(first, len(spans)):
        start, end, kind = spans[index]
        if last.start <= start and end <= last.end:
            continue  # each would be followed to the end of all
        whole = whole_end(text, start, end)
        if whole != end:
            last = spans[index] = Span(start, whole, kind)
