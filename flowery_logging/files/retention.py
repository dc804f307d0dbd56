"""What is removed when the files of a service grow too many or too old.

Only files that have a name of ours, belong to this very service, are held by no process and were
closed a minute ago or earlier: a shipper looks for new files every ten seconds. Oldest first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import orjson

from flowery_logging.files import names, platform
from flowery_logging.files.faults import is_ours
from flowery_logging.system import System

GRACE_SECONDS: Final = 60.0
STEP_ENTRIES: Final = 2_000
"""Entries of a directory that are read at once, so that a huge one never stalls a log call."""

STEP_REMOVALS: Final = 32
"""Files removed at once: one record names them all."""

TAIL_BYTES: Final = 65_536


class RetentionSettings(NamedTuple):
    """What is left of one service's files in one directory."""

    directory: str
    service: str
    keep_bytes: int
    keep_seconds: float


class Removed(NamedTuple):
    """A file that retention has removed."""

    name: str
    size: int
    age: float  # seconds since it was last written
    first: int | None  # sequence numbers, as far as they can be read
    last: int | None


class _Found(NamedTuple):
    modified: float  # seconds since the epoch
    name: str
    size: int


class Retention:
    """Removes old files step by step; each step is bounded in work.

    What is removed is noted before, so that it is announced whatever a signal handler raises.
    """

    def __init__(self, settings: RetentionSettings) -> None:
        self._settings = settings
        self._part = names.service_part(settings.service)
        self._work: Iterator[None] | None = None
        self._in_use, self._now = "", 0.0
        self._removed: list[Removed] = []  # and not announced

    def step(self, in_use: str, now: float) -> list[Removed]:
        """Read on in the directory and remove what is too old; at its end, what is too much.

        `in_use` is the name of our own file; `now` is in seconds since the epoch, by the file
        system's clock. Returns what was removed and is to be announced: whoever does so empties the
        list. Never raises an OSError of ours.
        """
        if self._removed:
            return self._removed
        self._in_use, self._now = in_use, now
        work = self._work = self._work or self._steps()
        try:
            next(work)
        except StopIteration:
            self._work = None
        except BaseException as error:  # a signal handler's too: the next step begins again
            self._work = None
            if not isinstance(error, OSError) or not is_ours(error):
                raise
        return self._removed

    def is_under_way(self) -> bool:
        """Tell whether there is more to read or to remove."""
        return self._work is not None

    def _steps(self) -> Iterator[None]:
        """Do the work; each `yield` ends a step. Raises OSError.

        What is too old goes as soon as it is read: a process may end long before it has come to the
        end of a large directory, and each one begins anew.
        """
        kept: list[_Found] = []
        entries = System.scandir(self._settings.directory)
        is_read = False
        while not is_read:
            found, is_read = self._read_on(entries)
            for file in sorted(found):
                is_too_old = self._now - file.modified > self._settings.keep_seconds
                if is_too_old and self._has_removed(file):
                    yield from self._end_of_step()
                else:
                    kept.append(file)
            if not is_read:
                yield
        total = sum(file.size for file in kept)
        for file in sorted(kept) if platform.HAS_LOCKS else ():
            if total <= self._settings.keep_bytes:
                break
            if self._has_removed(file):
                total -= file.size
                yield from self._end_of_step()

    def _end_of_step(self) -> Iterator[None]:
        if len(self._removed) >= STEP_REMOVALS:
            yield

    def _read_on(self, entries: Iterator[os.DirEntry[str]]) -> tuple[list[_Found], bool]:
        """Read so many entries; return the files among them, and whether these are the last."""
        found: list[_Found] = []
        for _ in range(STEP_ENTRIES):
            entry = next(entries, None)
            if entry is None:
                return found, True
            if not names.is_of(self._part, entry.name):
                continue
            if not entry.is_file(follow_symlinks=False):
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # another process was faster
            found.append(_Found(status.st_mtime, entry.name, status.st_size))
        return found, False

    def _has_removed(self, file: _Found) -> bool:
        if abs(self._now - file.modified) < GRACE_SECONDS or file.name == self._in_use:
            return False
        return names.parse(file.name) is not None and self._remove_file(file, self._now)

    def _remove_file(self, file: _Found, now: float) -> bool:
        """Remove one file, unless it is in use, not ours or changed meanwhile; tell whether."""
        path = f"{self._settings.directory}{os.sep}{file.name}"
        noted = len(self._removed)
        try:
            descriptor = System.open(path, platform.READ_FLAGS)
            try:
                removed = self._look_into(descriptor, file, now)
                if removed is None:
                    return False
                self._removed.append(removed)
                System.unlink(path)
            finally:
                platform.close(descriptor)
        except OSError as error:
            if not is_ours(error):
                raise
            del self._removed[noted:]
            return False
        return True

    def _look_into(self, descriptor: int, file: _Found, now: float) -> Removed | None:
        """Tell what is removed with a file; None if that must not be. Raises OSError."""
        if platform.is_held(descriptor) or System.fstat(descriptor).st_size != file.size:
            return None
        head = platform.read_at(descriptor, TAIL_BYTES, 0).splitlines()[:2]
        if _service(head) not in {None, self._settings.service}:
            return None
        tail = platform.read_at(descriptor, TAIL_BYTES, max(0, file.size - TAIL_BYTES))
        last = _sequence(_record(tail.rstrip(b"\n").rpartition(b"\n")[2]))
        return Removed(file.name, file.size, now - file.modified, _first(head), last)


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return record if isinstance(record, dict) else {}


def _service(head: list[bytes]) -> str | None:
    """Return the service that a file's header names; None where it cannot be read."""
    service = _record(head[0]).get("service") if head else None
    return service.get("name") if isinstance(service, dict) else None


def _first(head: list[bytes]) -> int | None:
    """Return the lowest sequence number: after a fault, lines that waited follow the header."""
    numbers = [number for line in head if (number := _sequence(_record(line))) is not None]
    return min(numbers, default=None)


def _sequence(record: dict[str, Any]) -> int | None:
    event = record.get("event")
    number = event.get("sequence") if isinstance(event, dict) else None
    return number if isinstance(number, int) else None


def facts(removed: list[Removed]) -> dict[str, Any]:
    """Return the fields of the record that announces what was removed."""
    return {
        "event.reason": "retention: beyond keep_bytes or keep_days",
        "removed_files": [file.name for file in removed],
        "removed_sequences": [f"{_entity(file)}:{file.first}-{file.last}" for file in removed],
        "removed_bytes": sum(file.size for file in removed),
        "removed_oldest_days": round(max(file.age for file in removed) / 86_400, 3),
    }


def _entity(file: Removed) -> str:
    name = names.parse(file.name)
    return "" if name is None else name.entity
