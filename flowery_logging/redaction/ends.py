"""A text that is too long to be searched: its ends, without the secrets in them.

A line shows no more of it. A call that searched megabytes would take seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from flowery_logging.redaction.left_out import note
from flowery_logging.redaction.markers import replaced
from flowery_logging.redaction.numbers import Span

MARGIN: Final = 16_000
"""Characters that are searched beyond what is shown: so long may a secret be that is cut there."""

Find = Callable[[str], list[Span]]
"""Returns where secrets stand in a text, in order, none over another."""


class End(NamedTuple):
    """One end of a text, and the secrets in it."""

    text: str
    spans: list[Span]


def longest(shown: int) -> int:
    """Return how long a text is at most that is searched as a whole, if a line shows so much."""
    return 2 * (shown + MARGIN)


def head(text: str, shown: int, find: Find) -> End:
    """Return so many characters of the beginning, and the secrets that begin there."""
    spans = [span for span in find(text[: shown + MARGIN]) if span.start < shown]
    return End(text[:shown], spans)


def tail(text: str, shown: int, find: Find) -> End:
    """Return so many characters of the end, or more: a secret that ends there is in it, whole."""
    part = text[-(shown + MARGIN) :]
    spans = [span for span in find(part) if span.end > MARGIN]
    start = min(MARGIN, spans[0].start) if spans else MARGIN
    return End(part[start:], [Span(s.start - start, s.end - start, s.kind) for s in spans])


def together(text: str, first: End, last: End) -> str:
    """Return both ends of a text without their secrets, and a note of what is left out."""
    left_out = len(text) - len(first.text) - len(last.text)
    return f"{replaced(*first)}{note(left_out)}{replaced(*last)}"
