"""What the log files tell about the services that write them, gathered in one pass."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from flowery_logging.cli.reading.fields import value_at
from flowery_logging.event_parts import LABELS
from flowery_logging.files.reader import Kind, Line, LogFile, Record, is_in_use, read
from flowery_logging.library_code import OWN_LOGGER

SAME_START_SECONDS: Final = 60.0
"""Workers of one deployment start within this time."""

MAX_NAMES: Final = 4096
"""So many names of labels are remembered of each process."""


@dataclass
class Process:
    """One process of a service."""

    entity: str
    service: str
    started: float  # seconds since the epoch, from the file's name
    running: bool = False
    pid: int = 0
    host: str = ""
    sequence: int = 0  # of its last event
    path: str = ""  # of the file that it holds
    labels: set[str] = field(default_factory=set)
    warnings: list[Record] = field(default_factory=list)  # of the library's own

    def is_here(self) -> bool:
        """Tell whether it runs on this machine."""
        return self.running and self.host == socket.gethostname()


@dataclass
class Service:
    """What one service writes."""

    name: str
    size: int = 0  # bytes of its files
    read: int = 0  # bytes of the lines that were read
    first: str = ""  # the earliest @timestamp
    last: str = ""
    streams: set[tuple[str, str]] = field(default_factory=set)  # dataset, namespace
    removals: list[Record] = field(default_factory=list)
    recoveries: list[Record] = field(default_factory=list)


@dataclass
class Overview:
    """What all files tell."""

    files: list[LogFile]
    processes: dict[str, Process] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    foreign: Counter[str] = field(default_factory=Counter)  # lines that are no events, by file

    def current(self) -> Iterator[Process]:
        """Yield the processes that run, and those of each service's newest start.

        What earlier ones complained about may have been mended.
        """
        newest: dict[str, float] = {}
        for process in self.processes.values():
            newest[process.service] = max(newest.get(process.service, 0.0), process.started)
        for process in self.processes.values():
            recent = newest[process.service] - process.started <= SAME_START_SECONDS
            if process.running or recent:
                yield process


def look_through(files: Iterable[LogFile]) -> Overview:
    """Return what the files tell; those that vanish meanwhile are passed over. Raises OSError."""
    overview = Overview(list(files))
    for file in overview.files:
        try:
            _read_file(overview, file)
        except FileNotFoundError:  # noqa: PERF203 - the others go on
            continue
    return overview


def _read_file(overview: Overview, file: LogFile) -> None:
    name = file.name
    started = name.start.timestamp()
    fresh = Process(name.entity, name.service, started)
    process = overview.processes.setdefault(name.entity, fresh)
    process.started = min(process.started, started)
    if is_in_use(file):
        process.running, process.path = True, file.path
    service: Service | None = None
    for line in read(file):
        if line.kind is not Kind.EVENT:
            overview.foreign[file.path] += line.kind is Kind.FOREIGN
            continue
        service = _note(overview, process, line)
    if service is not None:
        service.size += file.size


def _note(overview: Overview, process: Process, line: Line) -> Service:
    record = line.record
    name = str(value_at(record, "service.name") or process.service)
    service = overview.services.get(name)
    if service is None:
        service = overview.services[name] = Service(name)
    if line.sequence >= process.sequence:  # a second setup() may have named another service
        process.sequence, process.service = line.sequence, name
    time = line.timestamp
    service.first = min(service.first or time, time)
    service.last = max(service.last, time)
    service.read += len(line.data)
    if value_at(record, "log.logger") == OWN_LOGGER:
        _note_own(service, process, record)
    else:
        _note_labels(process, record)
    return service


def _note_labels(process: Process, record: Record) -> None:
    for box in LABELS:
        found = record.get(box)
        if isinstance(found, dict) and len(process.labels) < MAX_NAMES:
            process.labels.update(found)


def _note_own(service: Service, process: Process, record: Record) -> None:
    """Take over what the library says of itself."""
    action = value_at(record, "event.action")
    if action == "log-file-opened":
        pid = value_at(record, "process.pid")
        process.pid = pid if isinstance(pid, int) else 0
        process.host = str(value_at(record, "host.name") or "")
        stream = record.get("data_stream")
        if isinstance(stream, dict):
            service.streams.add((str(stream.get("dataset")), str(stream.get("namespace"))))
    elif action == "log-files-removed":
        service.removals.append(record)
    elif action == "log-recovered":
        service.recoveries.append(record)
    elif value_at(record, "log.level") == "warning":
        process.warnings.append(record)
