"""A text that is too long to be searched: its ends, without the secrets in them.

A line shows no more of it. A call that searched megabytes would take seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from flowery_logging.redaction.left_out import note
from flowery_logging.redaction.markers import merged, replaced
from flowery_logging.redaction.numbers import Span

MARGIN: Final = 16_000
"""Characters that are searched beyond what is shown: so long may a secret be that is cut there."""

_REACH: Final = 4_096
_BETWEEN: Final = ("\n", "\\n", "), (", "),(", "}, {", "},{", "; ", ", ", ",", "&", " ")
"""What stands between the rows and items of a text, and how far from its parts it is looked for."""

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
    """Return the first characters of a text, and the secrets that begin in them."""
    return _head(text, shown, find(text[: shown + MARGIN]))


def without_secrets(text: str, shown: int, find: Find) -> tuple[str, list[Span]]:
    """Return both ends of a text without secrets, and which these are.

    Of the end more is shown where a secret begins before it: so it is in it, whole.
    """
    before, behind = text[: shown + MARGIN], text[-(shown + MARGIN) :]
    first, rest = _joint(before, behind)
    found = find(before[:first] + behind[rest:])
    head = _head(text, shown, found)
    moved = [_moved(span, first, rest - first) for span in found if span.end > first]
    tail = _tail(behind, [*merged([*moved, *find(behind)])])
    left_out = len(text) - len(head.text) - len(tail.text)
    clean = f"{replaced(*head)}{note(left_out)}{replaced(*tail)}"
    return clean, [*head.spans, *tail.spans]


def _head(text: str, shown: int, found: list[Span]) -> End:
    return End(text[:shown], [span for span in found if span.start < shown])


def _joint(before: str, behind: str) -> tuple[int, int]:
    """Return where two parts of a text are joined, so that rows and items stay whole.

    What stands in the first part says of the other that it is a secret: a column of a table or of
    an INSERT, a name, a quote that is open.
    """
    size = len(before)
    for sign in _BETWEEN:
        first, rest = before.rfind(sign, size - _REACH), behind.find(sign, 0, _REACH)
        if first >= 0 and rest >= 0:
            return first, rest
    return size, 0


def _moved(span: Span, least: int, by: int) -> Span:
    return Span(max(span.start, least) + by, span.end + by, span.kind)


def _tail(part: str, found: list[Span]) -> End:
    spans = [span for span in found if span.end > MARGIN]
    start = min(MARGIN, spans[0].start) if spans else MARGIN
    return End(part[start:], [_moved(span, 0, -start) for span in spans])
