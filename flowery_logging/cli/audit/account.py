"""What the files tell about one process: its numbers, its gaps, its end.

The rules (docs/audit.md): a process numbers its events 1, 2, 3 …; what it drops and what
retention removes is announced in records of its own; a clean end leaves a closing record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from os.path import dirname
from typing import NamedTuple

from flowery_logging.cli.audit.ranges import Ranges, parse
from flowery_logging.cli.reading.fields import value_at
from flowery_logging.cli.reading.times import moment_of
from flowery_logging.files.names import LogName, parse as parse_name
from flowery_logging.files.order import series_of
from flowery_logging.files.reader import Line, LogFile, Record

_MOST_DAYS = 36_500


class End(Enum):
    """How a process ended, as far as its files tell."""

    RUNNING = "running"  # its file is held
    CLEAN = "clean"  # its last record is the closing one, with the right count
    SIGNAL = "signal"  # the same, and the closing record names the signal
    UNCLEAN = "unclean"  # neither: killed, or the machine stopped


class Closing(NamedTuple):
    """A closing record."""

    sequence: int
    events: int  # as the record counts them, itself included
    reason: str  # "SIGTERM"; "" without a signal


class Place(NamedTuple):
    """A line that is not an event."""

    file: str
    offset: int


@dataclass
class FileAccount:
    """The numbers that lie in one file."""

    file: LogFile
    begun: str = ""  # the timestamp of its first event
    service: str = ""  # service.name of its first event
    numbers: Ranges = field(default_factory=Ranges)
    latest: int = 0  # the number of its last line; 0 if that is its header


@dataclass(frozen=True)
class Absent:
    """The numbers that are missing from the files of one process, by their reason."""

    lost: Ranges  # nothing announces them
    dropped: Ranges  # announced: the disk took none and memory was full
    removed: Ranges  # announced by retention
    waiting: Ranges  # the process runs and has them in memory, for the disk to come back


@dataclass
class ProcessAccount:
    """What the files hold of one process."""

    entity: str  # process.entity_id
    service: str = ""
    host: str = ""
    pid: int = 0
    start: str = ""  # RFC 3339, UTC, seconds, from the file's name
    running: bool = False
    events: int = 0  # whole lines, repeated ones too
    young_from: int = 0  # the lowest number logged at the horizon or later; 0: none
    written: float = 0.0  # when its files last changed, seconds since the epoch
    files: list[FileAccount] = field(default_factory=list)
    numbers: Ranges = field(default_factory=Ranges)
    repeated: Ranges = field(default_factory=Ranges)
    repeats: int = 0  # lines too many
    clashing: Ranges = field(default_factory=Ranges)  # different events have these numbers
    clashes: int = 0  # events too many for their numbers: Elasticsearch keeps one of each ID
    torn: list[Place] = field(default_factory=list)
    dropped: Ranges = field(default_factory=Ranges)
    closing: Closing | None = None  # the last one, in whichever file it lies
    _identified: int = field(default=0, init=False)  # by the event of this number

    def identify(self, line: Line) -> None:
        """Take over who the process is from an event, unless a later one has told it."""
        if line.sequence < self._identified:
            return
        record, self._identified = line.record, line.sequence
        self.service = str(value_at(record, "service.name") or self.service)
        self.host = str(value_at(record, "host.name") or "")
        pid = value_at(record, "process.pid")
        self.pid = pid if isinstance(pid, int) else 0

    def begin_file(self, first: Line) -> FileAccount:
        """Add a file in which events of this process lie, from that one on."""
        service = str(value_at(first.record, "service.name") or "")
        account = FileAccount(first.file, first.timestamp, service)
        self.files.append(account)
        self.written = max(self.written, first.file.modified)
        return account

    def put_in_order(self) -> None:
        """Order the files as they were written: of each, the last number is its own."""
        self.files.sort(key=lambda file: file.numbers.last)

    def last_before(self, number: int) -> int:
        """Return the last number of the files that end before a number; 0 if none does."""
        return max((f.numbers.last for f in self.files if f.numbers.last < number), default=0)

    def end_file(self, account: FileAccount) -> None:
        """Count a file's numbers with the others; those already there are repeated."""
        overlap = self.numbers & account.numbers
        self.repeated.update(overlap)
        self.repeats += len(overlap)
        self.numbers.update(account.numbers)

    def repeat(self, number: int) -> None:
        """Count one number that stands in one file twice."""
        self.repeated.add(number)
        self.repeats += 1

    def clash(self, number: int, lines: int, events: int) -> None:
        """Take over that so many lines with one number are so many different events."""
        self.clashing.add(number)
        self.clashes += events - 1
        self.repeats -= events - 1
        if lines == events:
            self.repeated = self.repeated - Ranges([(number, number)])

    def note(self, line: Line, account: FileAccount) -> None:
        """Take over what a record of the writer's own says about its process."""
        action = value_at(line.record, "event.action")
        if action == "log-closed":
            events = value_at(line.record, "numeric_labels.events")
            reason = str(value_at(line.record, "event.reason") or "")
            if self.closing is None or line.sequence >= self.closing.sequence:
                self.closing = Closing(line.sequence, _whole(events), reason)
        elif action == "log-recovered":
            self.dropped.update(parse(str(value_at(line.record, "labels.dropped_sequences"))))
        elif action == "log-file-opened":
            account.latest = 0

    @property
    def end(self) -> End:
        """How it ended."""
        if self.running:
            return End.RUNNING
        closing = self.closing
        if closing is None or not closing.sequence == closing.events == self.numbers.last:
            return End.UNCLEAN
        return End.SIGNAL if closing.reason.startswith("SIG") else End.CLEAN

    def absent(self, removed: Removals) -> Absent:
        """Tell the numbers below the last one that no file holds, by their reason."""
        missing = Ranges([(1, self.numbers.last)]) - self.numbers
        dropped = missing & self.dropped
        gone = (missing & removed.of(self)) - dropped
        rest = missing - dropped - gone
        waiting = rest & self._in_memory()
        return Absent(rest - waiting, dropped, gone, waiting)

    def _in_memory(self) -> Ranges:
        """Tell what a running process may still hold: headers go before lines that wait.

        So a number above that of the last other line, if it is missing, has yet to come.
        """
        if not self.running:
            return Ranges()
        latest = next((file.latest for file in reversed(self.files) if file.latest), 0)
        return Ranges([(latest + 1, self.numbers.last)])


class _Unread(NamedTuple):
    """A removed file whose numbers could not be read."""

    name: LogName
    directory: str  # of the file that announces it


class Removals:
    """What retention's records announce, of any process of the directory."""

    def __init__(self) -> None:
        self._ranges: dict[str, Ranges] = {}
        self._unread: dict[str, set[_Unread]] = {}  # by entity
        self._until: dict[str, datetime] = {}  # by service: when the newest file was last written
        self.files: set[str] = set()

    def note(self, line: Line) -> None:
        """Take over what one record says."""
        record = line.record
        labels = record.get("labels")
        if value_at(record, "event.action") != "log-files-removed" or not isinstance(labels, dict):
            return
        names = _texts(labels.get("removed_files"))
        self.files.update(names)
        self._note_newest(record)
        for text, sequences in zip(names, _texts(labels.get("removed_sequences")), strict=False):
            entity, _, numbers = sequences.partition(":")
            found, name = parse(numbers), parse_name(text)
            if found:
                self._ranges.setdefault(entity, Ranges()).update(found)
            elif name is not None:
                unread = _Unread(name, dirname(line.file.path))
                self._unread.setdefault(entity, set()).add(unread)

    def of(self, process: ProcessAccount) -> Ranges:
        """Tell the numbers of a process that are announced as removed.

        Retention removes the oldest file of a service first. So what lies before a removed
        beginning, or is older than another file that was removed, was removed earlier, by an
        announcement that may have been removed since.
        """
        removed = Ranges(self._ranges.get(process.entity, ()))
        for unread in self._unread.get(process.entity, ()):
            behind = _first_behind(process, unread)
            removed.add_range(process.last_before(behind) + 1, behind - 1)
        for first in _beginnings(process):
            number = first.numbers.first
            if number - 1 in removed or self._is_older(first):
                removed.add_range(process.last_before(number) + 1, number - 1)
        return removed

    def _note_newest(self, record: Record) -> None:
        age = value_at(record, "numeric_labels.removed_newest_days")
        moment = moment_of(record["@timestamp"])
        if moment is not None and isinstance(age, (int, float)) and abs(age) < _MOST_DAYS:
            service = str(value_at(record, "service.name") or "")
            until = moment - timedelta(days=age)
            self._until[service] = max(until, self._until.get(service, until))

    def _is_older(self, first: FileAccount) -> bool:
        """Tell whether the files that are missing before the first one left are older.

        Before a file of the number 1 none of its service is missing. What another service had
        before, retention has removed only if it says so.
        """
        until = self._until.get(first.service)
        if first.file.name.number == 1 or until is None:
            return False
        begun = moment_of(first.begun)
        return begun is not None and begun <= until


def _beginnings(process: ProcessAccount) -> list[FileAccount]:
    """Return the first file that is left of each service and directory in which it wrote."""
    latest_first = sorted(process.files, key=lambda file: file.file.name.number, reverse=True)
    return list({series_of(file.file): file for file in latest_first}.values())


def _first_behind(process: ProcessAccount, unread: _Unread) -> int:
    """Return the number with which the files go on behind a removed one; 0 if that is not known.

    A file of the same name may lie in each directory in which the process wrote.
    """
    name = unread.name
    same = [file for file in process.files if file.file.name[:3] == name[:3]]
    own = [file for file in same if dirname(file.file.path) == unread.directory] or same
    behind = [file.numbers.first for file in own if file.file.name.number > name.number]
    if not behind:
        last = max((file.numbers.last for file in own), default=0)
        others = [file for file in process.files if file.file.name.start >= name.start]
        behind = [file.numbers.first for file in others if file.numbers.first > last]
    return min(behind, default=0)


def _whole(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) else 0


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)] * bool(value)
