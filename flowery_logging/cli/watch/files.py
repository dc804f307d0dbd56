"""A look at log files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from flowery_logging.cli.audit.reading import take_account
from flowery_logging.cli.reading.directories import list_files
from flowery_logging.cli.reading.events import of_all, wanted_lines
from flowery_logging.cli.reading.fields import first_of, text_of, values_of
from flowery_logging.cli.reading.times import moment_of
from flowery_logging.cli.reading.wanted import LEVELS, Wanted
from flowery_logging.cli.stats.kinds import group_of
from flowery_logging.cli.watch.observation import MEMORY_SECONDS, Observation
from flowery_logging.files.reader import Kind, Line, Record, is_in_use

SETTLED_SECONDS = 60.0


@dataclass
class _Process:
    """How one process stands."""

    service: str  # of its last record: a second setup() may have named another
    sequence: int = 0
    has_closed: bool = False  # its last record is the closing one, and no signal ended it
    running: bool = False


def look(directories: list[Path], now: float) -> Observation:
    """Return what the files tell of the last day. Raises OSError, click.UsageError."""
    seen = Observation()
    since = datetime.fromtimestamp(now - MEMORY_SECONDS, timezone.utc)
    wanted = Wanted(since=since)
    processes: dict[str, _Process] = {}
    for file in list_files(directories, wanted.selection):
        for line in of_all([file], lambda file: wanted_lines(file, wanted)):
            if line.kind is Kind.EVENT:
                _note(seen, processes, line)
        process = processes.get(file.name.entity)
        if process is not None:
            process.running = process.running or is_in_use(file)
    for name, service in seen.services.items():
        own = [one for one in processes.values() if one.service == name]
        service.has_ended = all(one.has_closed and not one.running for one in own)
    return seen


def _note(seen: Observation, processes: dict[str, _Process], line: Line) -> None:
    record = line.record
    found = moment_of(line.timestamp)
    if found is None:
        return
    name, moment = text_of(record, "service.name"), found.timestamp()
    service = seen.service(name)
    service.last = max(service.last, moment)
    service.events += 1
    if LEVELS.get(text_of(record, "log.level").lower(), 0) >= LEVELS["error"]:
        service.errors[int(moment // 60)] += 1
    kind = text_of(record, "error.type")
    if kind:
        seen.note_error(group_of(record), kind, text_of(record, "error.message"), name, moment)
    _note_process(processes.setdefault(line.entity, _Process(name)), line)
    if text_of(record, "event.action") == "log-recovered":
        note_dropped(seen, record)


def _note_process(process: _Process, line: Line) -> None:
    if line.sequence >= process.sequence:
        process.sequence = line.sequence
        process.service = text_of(line.record, "service.name")
        closed = text_of(line.record, "event.action") == "log-closed"
        process.has_closed = closed and not text_of(line.record, "event.reason")


def note_dropped(seen: Observation, record: Record) -> None:
    """Take note of a record that announces dropped events."""
    numbers = ", ".join(map(str, values_of(record, "dropped_sequences")))
    if numbers:
        name = text_of(record, "service.name")
        identity = str(first_of(record, "event.id"))
        seen.dropped[identity] = f"{name} dropped events {numbers} while the disk took none"


def note_lost(seen: Observation, directories: list[Path], now: float) -> None:
    """Add the numbers that no file has and nothing announces. Raises OSError."""
    accounts = take_account(
        directories, datetime.fromtimestamp(now - SETTLED_SECONDS, timezone.utc)
    )
    for process in accounts.processes.values():
        missing = process.absent(accounts.removals).lost
        count = len(missing) + process.clashes
        if count:
            numbers = str(missing | process.clashing)
            seen.lost[f"{process.entity}:{numbers}"] = (
                f"{process.service} lost {count} events: numbers {numbers} of process "
                f"{process.entity} (flowery-logging audit tells where)"
            )
