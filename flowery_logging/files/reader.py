"""Reads log files back: finds those of a directory, and takes them apart line by line.

`find` lists files by service, process and time, `read` yields the lines of one. The order in which
a process wrote its files: order.py; lines that hold a text: search.py; those of several processes
in the order of time: merge.py; lines as they are written: follow.py.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final, NamedTuple

import orjson

from flowery_logging.files import locks, names, platform
from flowery_logging.files.names import MAX_LINE_BYTES, LogName

OPENING_SECONDS: Final = 5.0
"""Within this time a writer has locked the file that it has opened."""

COARSE_SECONDS: Final = 2.0
"""So much older than its last event a file's time may be: kernels and file systems round down."""

_LOOK_SECONDS: Final = 0.05

CHUNK_BYTES: Final = 256 * 1024
_OUR_BEGINNING: Final = b'{"@timestamp":'

Record = dict[str, Any]
"""One event as it stands in the file, decoded: nested objects, `log.level` and `ecs.version`."""


class Kind(Enum):
    """What a line of a file is."""

    EVENT = "event"  # whole, with its process's identity and its number
    TORN = "torn"  # begins as one of ours does and has no right end
    FOREIGN = "foreign"  # somebody else's


class LogFile(NamedTuple):
    """A log file as `find` has found it."""

    path: str
    name: LogName
    size: int  # bytes
    modified: float  # seconds since the epoch


class Line(NamedTuple):
    """One line of a log file. Only an event has a record, an entity and a sequence number."""

    file: LogFile
    offset: int  # of its first byte in the file
    data: bytes  # as it lies there, with its line end if it has one
    kind: Kind
    record: Record
    entity: str  # process.entity_id
    sequence: int  # event.sequence

    @property
    def end(self) -> int:
        """The offset of the byte behind the line."""
        return self.offset + len(self.data)

    @property
    def timestamp(self) -> str:
        """`@timestamp`: RFC 3339, UTC, microseconds (so it sorts as text); "" if not an event."""
        return str(self.record.get("@timestamp", ""))


@dataclass(frozen=True)
class Selection:
    """Which files are wanted; None means any."""

    service: str | None = None  # service.name, as given to `setup()`
    entity: str | None = None  # process.entity_id
    since: datetime | None = None  # files that were written to at this time or later
    until: datetime | None = None  # files of processes that had started by then

    def admits(self, file: LogFile) -> bool:
        """Tell whether a file may hold a line that is wanted."""
        name = file.name
        return (
            (self.service is None or name.service == names.service_part(self.service))
            and (self.entity is None or name.entity == self.entity)
            and (self.since is None or file.modified + COARSE_SECONDS >= self.since.timestamp())
            and (self.until is None or name.start <= self.until)
        )


EVERYTHING: Final = Selection()


def find(directory: str | os.PathLike[str], selection: Selection = EVERYTHING) -> list[LogFile]:
    """Return the log files of a directory, ordered by service, start, process and number.

    Only regular files with a name of ours. Raises OSError if the directory cannot be read.
    """
    with os.scandir(os.path.abspath(directory)) as entries:
        found = (file for entry in entries if (file := _look_at(entry)) is not None)
        return sorted(filter(selection.admits, found), key=lambda file: file.name)


def _look_at(entry: os.DirEntry[str]) -> LogFile | None:
    name = names.parse(entry.name)
    if name is None or not entry.is_file(follow_symlinks=False):
        return None
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None  # retention was faster
    return LogFile(entry.path, name, status.st_size, status.st_mtime)


def is_in_use(file: LogFile) -> bool:
    """Tell whether a process still writes to a file; False where there are no file locks.

    A new empty file counts as in use: its writer may be between opening and locking it, and our
    look must not stand in its way.
    """
    try:
        descriptor = os.open(file.path, platform.READ_FLAGS)
    except OSError:
        return False
    try:
        return _is_new(os.fstat(descriptor)) or bool(locks.is_held(descriptor))
    except OSError:
        return False
    finally:
        os.close(descriptor)


def wait_for_opening(file: LogFile, until: float) -> None:
    """Wait while nobody can tell whether a new empty file is held; `until` is a monotonic time."""
    with suppress(OSError):
        while _is_new(os.stat(file.path, follow_symlinks=False)) and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)


def _is_new(status: os.stat_result) -> bool:
    return status.st_size == 0 and abs(time.time() - status.st_mtime) < OPENING_SECONDS


def read(file: LogFile, start: int = 0) -> Iterator[Line]:
    """Yield the lines of a file from an offset on; memory does not depend on its size.

    A line longer than any event of ours (`MAX_LINE_BYTES`) comes in pieces, which are foreign.
    A last line without its end is yielded as torn: whoever reads a file in use may find it whole
    a moment later, at the same offset. Raises OSError if the file cannot be opened or read
    (FileNotFoundError: retention has removed it), but for nothing that lies in it.
    """
    descriptor = os.open(file.path, platform.READ_FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return
        os.lseek(descriptor, start, os.SEEK_SET)
        offset, rest, cut = start, b"", False
        while chunk := os.read(descriptor, CHUNK_BYTES):
            lines = (rest + chunk).split(b"\n")
            rest = lines.pop()
            for line in lines:
                yield line_of(file, offset, line + b"\n", cut=cut)
                offset += len(line) + 1
                cut = False
            if len(rest) > MAX_LINE_BYTES:
                yield line_of(file, offset, rest, cut=cut)
                offset, rest, cut = offset + len(rest), b"", True
        if rest:
            yield line_of(file, offset, rest, cut=cut)
    finally:
        os.close(descriptor)


def line_of(file: LogFile, offset: int, data: bytes, *, cut: bool) -> Line:
    """Take a line apart; `cut` says that it is the rest of a longer one."""
    if not cut and data.endswith(b"\n"):
        try:
            record = orjson.loads(data)
            entity, sequence = record["process"]["entity_id"], record["event"]["sequence"]
            told = type(sequence) is int and type(entity) is str
            if told and type(record["@timestamp"]) is str:
                return Line(file, offset, data, Kind.EVENT, record, entity, sequence)
            return Line(file, offset, data, Kind.FOREIGN, {}, "", 0)
        except orjson.JSONDecodeError:
            pass
        except (KeyError, TypeError, IndexError):
            return Line(file, offset, data, Kind.FOREIGN, {}, "", 0)
    head = data[: len(_OUR_BEGINNING)].rstrip(b"\n")
    ours = head and not cut and _OUR_BEGINNING.startswith(head)
    return Line(file, offset, data, Kind.TORN if ours else Kind.FOREIGN, {}, "", 0)
