"""Reads the files of directories into the accounts of their processes, in one pass."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from flowery_logging.cli.audit.account import (
    FileAccount,
    Place,
    ProcessAccount,
    Removals,
)
from flowery_logging.cli.audit.clashes import tell_clashes
from flowery_logging.files.names import MAX_LINE_BYTES
from flowery_logging.files.order import newest_of_series
from flowery_logging.files.reader import (
    OPENING_SECONDS,
    Kind,
    Line,
    LogFile,
    find,
    is_in_use,
    read,
    wait_for_opening,
)
from flowery_logging.files.search import search
from flowery_logging.library_code import OWN_LOGGER

Advance = Callable[[int], object]
"""Called with the number of bytes read since the last call."""

_ADVANCE_BYTES = 1024 * 1024
_REMOVED = b'"log-files-removed"'
_ATTEMPTS = 20
_ANNOUNCED_SECONDS = 0.05
"""Within so short a time retention announces what it has removed, so many attempts at most."""


@dataclass
class Accounts:
    """What the files of directories hold."""

    processes: dict[str, ProcessAccount] = field(default_factory=dict)  # by entity
    removals: Removals = field(default_factory=Removals)
    files: int = 0
    size: int = 0  # bytes
    foreign: int = 0  # lines that are no events


def list_files(directories: Iterable[Path]) -> list[LogFile]:
    """Return the log files of all directories, by their names. Raises OSError."""
    files = [file for directory in dict.fromkeys(directories) for file in find(directory)]
    return sorted(files, key=lambda file: file.name)


def take_account(
    directories: list[Path], horizon: datetime, advance: Advance = lambda _: None
) -> Accounts:
    """Read all log files once; then what announces those that retention has removed meanwhile.

    `horizon`: events logged at this time or later are young. Memory grows with the number of
    files and of gaps, not with their size. Raises OSError if a file cannot be read.
    """
    reading = _Reading(horizon, advance)
    accounts = reading.read(list_files(directories))
    for _ in range(_ATTEMPTS):
        if reading.vanished <= accounts.removals.files:
            break
        time.sleep(_ANNOUNCED_SECONDS)
        reading.read_announcements(list_files(directories))
    return accounts


class _Reading:
    def __init__(self, horizon: datetime, advance: Advance) -> None:
        self._accounts = Accounts()
        self._horizon = horizon.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._advance = advance
        self.vanished: set[str] = set()  # names of files that were removed before they were read
        self._ends: dict[str, int] = {}  # how far each file was read, by path

    def read(self, files: list[LogFile]) -> Accounts:
        # Before their lines are read: a process that ends meanwhile has not ended uncleanly.
        running = {file.path for file in _held(newest_of_series(files))}
        for file in files:
            self._read_file(file, running=file.path in running)
        for process in self._accounts.processes.values():
            process.put_in_order()
            if process.repeated:
                tell_clashes(process)
        return self._accounts

    def read_announcements(self, files: list[LogFile]) -> None:
        """Read what has been written since, for what it says of removed files alone.

        To read all again would never end where files are removed faster than they are read.
        """
        for file in files:
            end = self._ends.get(file.path, 0)
            if file.size > end:
                with suppress(FileNotFoundError):
                    self._note_removals(file, max(0, end - MAX_LINE_BYTES))

    def _note_removals(self, file: LogFile, start: int) -> None:
        """Note what a file announces from an offset on, which may lie within a line."""
        for raw in search(file, (_REMOVED,), start):
            line = raw.line()
            log = line.record.get("log")
            if type(log) is dict and log.get("logger") == OWN_LOGGER:
                self._accounts.removals.note(line)

    def _process(self, entity: str, file: LogFile) -> ProcessAccount:
        process = self._accounts.processes.get(entity)
        if process is None:
            process = ProcessAccount(entity, service=file.name.service, start=_start_of(file))
            self._accounts.processes[entity] = process
        return process

    def _read_file(self, file: LogFile, *, running: bool) -> None:
        is_known = file.name.entity in self._accounts.processes
        owner = self._process(file.name.entity, file)
        try:
            self._read_lines(file, owner, running=running)
        except FileNotFoundError:
            self.vanished.add(str(file.name))
            if not is_known:
                del self._accounts.processes[file.name.entity]
            return
        owner.start = min(owner.start, _start_of(file))
        owner.running = owner.running or running
        self._accounts.files += 1

    def _read_lines(self, file: LogFile, owner: ProcessAccount, *, running: bool) -> None:  # noqa: C901 - one pass over millions of lines
        places: dict[str, tuple[ProcessAccount, FileAccount]] = {}
        entity, reported, end = "", 0, 0
        for line in read(file):
            if line.kind is Kind.EVENT:
                if line.entity != entity:
                    entity = line.entity
                    process, account = self._place(places, line)
                    numbers = account.numbers
                process.events += 1
                account.latest = line.sequence
                if not numbers.add(line.sequence):
                    process.repeat(line.sequence)
                record = line.record
                if record["@timestamp"] >= self._horizon:
                    process.young_from = min(process.young_from or line.sequence, line.sequence)
                log = record.get("log")
                if type(log) is dict and log.get("logger") == OWN_LOGGER:
                    process.note(line, account)
                    self._accounts.removals.note(line)
            elif line.kind is Kind.FOREIGN:
                self._accounts.foreign += 1
            elif not running or line.data.endswith(b"\n"):
                owner.torn.append(Place(file.path, line.offset))
            end = line.end
            if end - reported > _ADVANCE_BYTES:
                self._advance(end - reported)
                reported = end
        self._ends[file.path] = end
        self._advance(end - reported)
        self._accounts.size += end
        for process, account in places.values():
            process.end_file(account)

    def _place(
        self, places: dict[str, tuple[ProcessAccount, FileAccount]], line: Line
    ) -> tuple[ProcessAccount, FileAccount]:
        """Return the accounts of a line's process and of the part of it that lies in this file."""
        if line.entity not in places:
            process = self._process(line.entity, line.file)
            process.identify(line)
            places[line.entity] = (process, process.begin_file(line))
        return places[line.entity]


def _held(files: list[LogFile]) -> list[LogFile]:
    """Return the files that a process holds.

    What was opened a moment ago and is empty counts as held. Only a moment later it can be told
    from the file of a process that has ended without writing a line, as on a full disk.
    """
    until = time.monotonic() + OPENING_SECONDS
    for file in files:
        wait_for_opening(file, until)
    return [file for file in files if is_in_use(file)]


def _start_of(file: LogFile) -> str:
    return file.name.start.strftime("%Y-%m-%dT%H:%M:%SZ")
