"""The lines that were asked for: of whole files in the order of time, and the last ones of all."""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple, TypeVar

from flowery_logging.cli.reading.times import timestamp
from flowery_logging.cli.reading.wanted import Wanted
from flowery_logging.files import platform
from flowery_logging.files.merge import merge
from flowery_logging.files.names import MAX_LINE_BYTES
from flowery_logging.files.reader import (
    CHUNK_BYTES,
    COARSE_SECONDS,
    Kind,
    Line,
    LogFile,
)
from flowery_logging.files.search import Raw, search

EARLIER: Final = timedelta(minutes=10)
"""An event may stand so far behind younger ones: what the flight recorder has kept, a line that
waited for the disk."""

T = TypeVar("T")

Ends = Mapping[str, int]
"""By path, the offset at which the reading of a file stops; others are read to their end."""

_BEGINNING: Final = b'\n{"@timestamp":"'
_TIME = re.compile(rb'\{"@timestamp":"([^"\\]{20,32})"')


def wanted_lines(
    file: LogFile,
    wanted: Wanted,
    start: int | None = None,
    end: int | None = None,
    texts: Sequence[bytes] = (),
) -> Iterator[Line]:
    """Yield the lines of a file that are wanted, in its order. Raises OSError.

    `texts`: only lines that hold one of them; () are those that `wanted` asks for.
    `start`: None is where the time that was asked for begins. A line that is no event counts at the
    time of the event before it, and has that as its `timestamp`.
    """
    if not wanted.admits_file(file):
        return
    texts = texts or wanted.texts()
    if start is None:
        start = offset_since(file, wanted)
    time = "" if texts else None  # of the event before; "": some lines are not seen
    for raw in search(file, texts, start, end):
        line = raw.line() if wanted.may_admit(raw) else None
        if line is not None and line.kind is not Kind.EVENT:
            line = _at(line, time or _time_before(raw))
        if line is not None and wanted.admits(line):
            yield line
        if not texts:
            head = _TIME.match(raw.data)
            time = head[1].decode("ascii", "replace") if head else time


def of_all(files: Iterable[LogFile], lines: Callable[[LogFile], Iterable[T]]) -> Iterator[T]:
    """Yield what `lines` has of each file; one that is gone by then is passed over. Raises OSError.

    Retention may be faster than who reads.
    """
    for file in files:
        try:
            yield from lines(file)
        except FileNotFoundError:  # noqa: PERF203 - the others go on
            continue


def merged(files: Iterable[LogFile], wanted: Wanted, ends: Ends | None = None) -> Iterator[Line]:
    """Yield the wanted lines of all files in the order of time. Raises OSError."""
    ends = ends or {}
    chosen = [file for file in files if not _is_later(file, wanted)]
    return merge(chosen, lambda file: wanted_lines(file, wanted, end=ends.get(file.path)))


def last_lines(
    files: Iterable[LogFile], wanted: Wanted, count: int, ends: Ends | None = None
) -> list[Line]:
    """Return the last `count` wanted lines of all files, in the order of time.

    Files are read from their ends, the youngest first, and no further than need be. Raises OSError.
    """
    if count <= 0:
        return []
    found: dict[LogFile, list[Line]] = {}
    latest: list[str] = []  # a heap of the times of the last lines seen
    for file in sorted(files, key=lambda file: file.modified, reverse=True):
        if len(latest) == count and _modified(file) < latest[0]:
            break
        lines = _last_of(file, wanted, count, (ends or {}).get(file.path, file.size))
        found[file] = lines
        for line in lines:
            heapq.heappush(latest, line.timestamp)
            if len(latest) > count:
                heapq.heappop(latest)
    return [*merge(found, lambda file: found[file])][-count:]


def _last_of(file: LogFile, wanted: Wanted, count: int, end: int) -> list[Line]:
    """Return the last wanted lines of one file, in its order."""
    lines: list[Line] = []
    if not wanted.admits_file(file):
        return lines
    earliest = timestamp(wanted.since - EARLIER) if wanted.since else ""
    texts = wanted.texts()
    try:
        for part in _backwards(file, end):
            if earliest and "" < part.latest() < earliest:
                break
            if texts and not any(text in part.data for text in texts):
                continue
            lines = [*wanted_lines(file, wanted, part.start, part.end), *lines]
            if len(lines) >= count:
                break
    except FileNotFoundError:
        pass  # retention was faster
    return lines[-count:]


def offset_since(file: LogFile, wanted: Wanted) -> int:
    """Return where in a file the reading begins: all before is older than what was asked for."""
    if wanted.since is None:
        return 0
    earliest = timestamp(wanted.since - EARLIER)
    if _first_time(file) >= earliest:
        return 0
    for part in _backwards(file, file.size):
        if "" < part.latest() < earliest:
            return part.end
    return 0


class _Part(NamedTuple):
    """Whole lines of a file."""

    start: int  # offset of the first one
    end: int
    data: bytes

    def latest(self) -> str:
        """Return the latest time of its events; "" if there is none."""
        times = (part.partition(b'"')[0] for part in (b"\n" + self.data).split(_BEGINNING)[1:])
        return max(times, default=b"").decode("ascii", "replace")


def _backwards(file: LogFile, end: int) -> Iterator[_Part]:
    """Yield the parts of a file before an offset, the last one first."""
    descriptor = os.open(file.path, platform.READ_FLAGS)
    try:
        while end > 0:
            part = _part_before(descriptor, end)
            yield part
            end = part.start
    finally:
        os.close(descriptor)


def _part_before(descriptor: int, end: int) -> _Part:
    """Return the whole lines that end at an offset, some hundred of them."""
    size = CHUNK_BYTES
    while True:
        start = max(0, end - size)
        os.lseek(descriptor, start, os.SEEK_SET)
        data = os.read(descriptor, end - start)
        first = data.find(b"\n", 0, -1) + 1 if start else 0
        if first or not start or size > MAX_LINE_BYTES:
            return _Part(start + first, end, data[first:])
        size *= 2


def _time_before(raw: Raw) -> str:
    """Return the time of the event before a line in its file; "" if none is near."""
    for part in _backwards(raw.file, raw.offset):
        return part.latest()
    return ""


def _is_later(file: LogFile, wanted: Wanted) -> bool:
    """Tell whether a file was begun after the time that was asked for."""
    return wanted.until is not None and _first_time(file) > timestamp(wanted.until + EARLIER)


def _first_time(file: LogFile) -> str:
    """Return the time of a file's first event; "" if its first line is none, or cannot be read."""
    try:
        with open(file.path, "rb", opener=_opener) as stream:
            first = _TIME.match(stream.read(64))
    except OSError:
        return ""  # the reading itself tells it
    return first[1].decode("ascii", "replace") if first else ""


def _opener(path: str, _: int) -> int:
    return os.open(path, platform.READ_FLAGS)


def _at(line: Line, time: str) -> Line:
    return line._replace(record={"@timestamp": time})


def _modified(file: LogFile) -> str:
    """Return the latest time that an event of a file can have."""
    return timestamp(datetime.fromtimestamp(file.modified + COARSE_SECONDS, timezone.utc))
