"""Lines of many processes in the order of time.

Within a process the order is by sequence, and timestamps, taken before the writer's lock, may step
back by milliseconds. So each process's lines first pass a bounded window that
puts them in order; then the processes are merged by the times of their next lines. A file is open
only from its process's start to its end, so memory and descriptors grow with the processes that
ran at one time, not with the number or the size of the files.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from flowery_logging.files.order import by_process
from flowery_logging.files.reader import Kind, Line, LogFile, read

WINDOW_LINES: Final = 256
"""How many lines of one process are held back to wait for one with a lower number."""

Reader = Callable[[LogFile], Iterable[Line]]


def merge(files: Iterable[LogFile], read_file: Reader = read) -> Iterator[Line]:
    """Yield the lines of all files in the order of time; each process's in its own order.

    Torn and foreign lines come at the time of the event before them. Files that have been removed
    meanwhile are passed over. Raises OSError if a file cannot be read.
    """
    groups = by_process(files)
    starts = sorted((_start(group), index) for index, group in enumerate(groups))
    waiting = iter(starts)
    upcoming = next(waiting, None)
    heap: list[tuple[str, int, Line, Iterator[Line]]] = []
    while heap or upcoming is not None:
        if upcoming is not None and (not heap or upcoming[0] <= heap[0][0]):
            _push(heap, upcoming[1], _ordered(_lines(groups[upcoming[1]], read_file)))
            upcoming = next(waiting, None)
            continue
        _, index, line, stream = heap[0]
        yield line
        following = next(stream, None)
        if following is None:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (following.timestamp, index, following, stream))


def _push(
    heap: list[tuple[str, int, Line, Iterator[Line]]], index: int, stream: Iterator[Line]
) -> None:
    line = next(stream, None)
    if line is not None:
        heapq.heappush(heap, (line.timestamp, index, line, stream))


def _start(files: list[LogFile]) -> str:
    """Return the earliest time at which a process can have logged, as `@timestamp` has it."""
    return min(file.name.start for file in files).strftime("%Y-%m-%dT%H:%M:%S")


def _lines(files: list[LogFile], read_file: Reader) -> Iterator[Line]:
    for file in files:
        try:
            yield from read_file(file)
        except FileNotFoundError:  # noqa: PERF203 - the others go on
            continue


def _ordered(lines: Iterable[Line]) -> Iterator[Line]:
    """Hold back lines that come before a lower number, `WINDOW_LINES` at most."""
    last = 0
    early: list[tuple[int, int, Line]] = []
    for place, line in enumerate(lines):
        if line.kind is not Kind.EVENT or (line.sequence <= last + 1 and not early):
            yield line
            last = max(last, line.sequence)
            continue
        heapq.heappush(early, (line.sequence, place, line))
        while early and (early[0][0] <= last + 1 or len(early) > WINDOW_LINES or last == 0):
            lowest = heapq.heappop(early)[2]
            yield lowest
            last = max(last, lowest.sequence)
    yield from (line for _, _, line in sorted(early))
