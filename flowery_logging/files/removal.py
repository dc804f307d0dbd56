"""What is removed when the files of a service grow too many or too old.

Only files that have a name of ours, belong to this very service, are held by no process and were
closed a minute ago or earlier: a shipper looks for new files every ten seconds. Oldest first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final, NamedTuple

import orjson

from flowery_logging.files import descriptors, locks, names, platform
from flowery_logging.files.faults import is_ours
from flowery_logging.system import System

GRACE_SECONDS: Final = 60.0
AHEAD_SECONDS: Final = 86_400.0
"""A file that is so much newer than now is one of a time when the clock was wrong, and older than
what was written since."""

STEP_ENTRIES: Final = 20_000
STEP_FILES: Final = 1_000
"""Entries of a directory that are read at once, and files of ours that are looked up at once, so
that a huge one never stalls a log call."""

STEP_REMOVALS: Final = 32
"""Files removed at once: one record names them all."""

STEP_BYTES: Final = 64_000_000
"""About so many bytes at once: a file system frees them, some 30 ms, while the caller waits."""

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


class Removal:
    """Removes old files step by step; each step is bounded in work.

    What is removed is noted before, so that it is announced whatever a signal handler raises.
    """

    def __init__(self, settings: RetentionSettings) -> None:
        self._settings = settings
        self._part = names.service_part(settings.service)
        self._work: Iterator[None] | None = None
        self._in_use, self._now = "", 0.0
        self._removed: list[Removed] = []  # and not announced
        self._removed_before: list[list[Removed]] = []  # each for a record of its own

    def step(self, in_use: str, now: float, *, is_urgent: bool = False) -> list[Removed]:
        """Read on in the directory and remove what is too old; at its end, what is too much.

        `in_use` is the name of our own file; `now` is in seconds since the epoch, by the file
        system's clock; `is_urgent`: go on although what was removed is not announced yet. Returns
        what was removed and is to be announced: whoever does so empties the list. Never raises an
        OSError of ours.
        """
        if self.unannounced() and not is_urgent:
            return self.unannounced()
        if len(self._removed) >= STEP_REMOVALS:
            self._removed_before = [*filter(None, self._removed_before), self._removed]
            self._removed = []
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
        return self.unannounced()

    def unannounced(self) -> list[Removed]:
        """Return what was removed and is to be announced, as `step` does."""
        return next(filter(None, self._removed_before), self._removed)

    def is_under_way(self) -> bool:
        """Tell whether there is more to read or to remove."""
        return self._work is not None

    def hurry(self, until: float) -> None:
        """Begin anew, at any place, and judge by what is known at a time.

        `until` is on the monotonic clock. No process comes to the end of a directory of hundreds of
        thousands of files, and each one is to see others of them.
        """
        self._work = self._steps(until)

    def _steps(self, until: float = float("inf")) -> Iterator[None]:
        """Do the work; each `yield` ends a step. Raises OSError.

        What is too old goes as soon as it is read: a process may end long before it has come to the
        end of a large directory, and each one begins anew.
        """
        kept: list[_Found] = []
        start, is_hurried = 0, until < float("inf")
        is_read = False
        while not is_read:
            entries, is_read = self._read(start, None if is_hurried else STEP_ENTRIES)
            if is_hurried and entries:
                turn = hash(self._in_use) % len(entries)
                entries = entries[turn:] + entries[:turn]
            start += STEP_ENTRIES
            for at in range(0, len(entries) or 1, STEP_FILES):
                yield from self._remove_old(entries[at : at + STEP_FILES], kept)
                if System.monotonic() >= until:
                    break
                if not is_read or at + STEP_FILES < len(entries):
                    yield
        yield from self._remove_excess(kept)

    def _remove_old(self, entries: list[os.DirEntry[str]], kept: list[_Found]) -> Iterator[None]:
        for file in sorted(_looked_up(entries)):
            if self._is_too_old(file) and self._has_removed(file):
                yield from self._end_of_step()
            else:
                kept.append(file)

    def _remove_excess(self, kept: list[_Found]) -> Iterator[None]:
        total = sum(file.size for file in kept)
        for file in sorted(kept, key=self._by_age) if locks.HAS_LOCKS else ():
            if total <= self._settings.keep_bytes:
                break
            if self._has_removed(file):
                total -= file.size
                yield from self._end_of_step()
            elif not self._is_there(file):
                total -= file.size  # another process was faster

    def _by_age(self, file: _Found) -> tuple[bool, _Found]:
        return file.modified <= self._now + AHEAD_SECONDS, file

    def _is_there(self, file: _Found) -> bool:
        try:
            System.stat(self._path(file), follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def _path(self, file: _Found) -> str:
        return f"{self._settings.directory}{os.sep}{file.name}"

    def _end_of_step(self) -> Iterator[None]:
        freed = sum(file.size for file in self._removed)
        if len(self._removed) >= STEP_REMOVALS or freed >= STEP_BYTES:
            yield

    def _read(self, start: int, most: int | None) -> tuple[list[os.DirEntry[str]], bool]:
        """Read entries from a place on; return our files, and whether the end is reached.

        No stream is held from one step to the next: who closes all descriptors would get its
        number for a file of his own, and it would be closed with that one behind it.
        """
        with System.scandir(self._settings.directory) as entries:
            read = list(islice(entries, start, None if most is None else start + most))
        found = [entry for entry in read if names.is_of(self._part, entry.name)]
        return found, most is None or len(read) < most

    def _is_too_old(self, file: _Found) -> bool:
        return self._now - file.modified > self._settings.keep_seconds

    def _has_removed(self, file: _Found) -> bool:
        if abs(self._now - file.modified) < GRACE_SECONDS or file.name == self._in_use:
            return False
        return names.parse(file.name) is not None and self._remove_file(file)

    def _remove_file(self, file: _Found) -> bool:
        """Remove one file, unless it is in use, not ours or changed meanwhile; tell whether."""
        path = self._path(file)
        noted = len(self._removed)
        try:
            descriptor = System.open(path, platform.READ_FLAGS)
            try:
                removed = self._look_into(descriptor, file)
                if removed is None:
                    return False
                self._removed.append(removed)
                System.unlink(path)
            finally:
                descriptors.close(descriptor)
        except OSError as error:
            if not is_ours(error):
                raise
            del self._removed[noted:]
            return False
        return True

    def _look_into(self, descriptor: int, file: _Found) -> Removed | None:
        """Tell what is removed with a file; None if that must not be. Raises OSError."""
        is_held = locks.is_held(descriptor)
        if is_held is None:  # where nobody can hold a file, only its age tells
            is_held = not self._is_too_old(file)
        if is_held or System.fstat(descriptor).st_size != file.size:
            return None
        head = platform.read_at(descriptor, TAIL_BYTES, 0).splitlines()[:2]
        if _service(head) not in {None, self._settings.service}:
            return None
        tail = platform.read_at(descriptor, TAIL_BYTES, max(0, file.size - TAIL_BYTES))
        last = _sequence(_record(tail.rstrip(b"\n").rpartition(b"\n")[2]))
        return Removed(file.name, file.size, self._now - file.modified, _first(head), last)


def _looked_up(entries: list[os.DirEntry[str]]) -> Iterator[_Found]:
    for entry in entries:
        if entry.is_file(follow_symlinks=False):
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # another process was faster
            yield _Found(status.st_mtime, entry.name, status.st_size)


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
        # The audit goes by it: older files are gone too, whoever has announced them.
        "removed_newest_days": round(min(file.age for file in removed) / 86_400, 6),
    }


def _entity(file: Removed) -> str:
    name = names.parse(file.name)
    return "" if name is None else name.entity
