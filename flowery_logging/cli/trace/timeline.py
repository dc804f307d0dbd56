"""What happened in a hop, in the order of time: its lines, what hangs below it, and long gaps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from flowery_logging.cli.trace.hops import Hop, Record, time_of
from flowery_logging.cli.trace.tree import Trace

_LEAST_GAP: Final = 1_000_000  # nanoseconds
_PART: Final = 10
"""A gap is told if it is at least a tenth of the whole trace."""


class Gap(NamedTuple):
    """A time in which a hop logged nothing and nothing below it ran, in nanoseconds."""

    begin: int
    duration: int


Item = Record | Hop | Gap


def timeline(hop: Hop, trace: Trace) -> Iterator[Item]:
    """Yield what happened in a hop; the event that tells its end is not among it."""
    least = max(_LEAST_GAP, (trace.end - trace.begin) // _PART)
    last = hop.begin
    for begin, end, item in sorted(_items(hop), key=lambda found: found[:2]):
        yield from _gap(last, min(begin, hop.end), least)
        yield item
        last = max(last, end)
    if hop.closing is not None and last > hop.begin:
        yield from _gap(last, hop.end, least)


def _gap(begin: int, end: int, least: int) -> Iterator[Gap]:
    if end - begin >= least:
        yield Gap(begin, end - begin)


def _items(hop: Hop) -> Iterator[tuple[int, int, Record | Hop]]:
    for record in hop.lines:
        moment = time_of(record)
        yield moment, moment, record
    for child in hop.children:
        yield child.begin, child.end if child.kind != "task" else child.begin, child
