"""The metrics of the services whose files lie in a directory: they are read when they are asked."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from flowery_logging.cli.exporter import records
from flowery_logging.files.follow import Follower
from flowery_logging.files.reader import Kind, Line, LogFile, find, is_in_use
from flowery_logging.integrations.prometheus.board import Key
from flowery_logging.integrations.prometheus.families import collected, key_of
from flowery_logging.integrations.prometheus.traffic import Traffic
from flowery_logging.library_code import ACCESS_LOGGER, CLIENT_LOGGER, OWN_LOGGER, TASK_LOGGER


class Following(Collector):
    """Counts what is new in the files at each scrape, and what lies there.

    So what a scrape shows is what the files hold at that moment. One that cannot read them fails:
    Prometheus then takes the exporter for down.
    """

    def __init__(self, directory: str, registry: CollectorRegistry) -> None:
        self._directory = directory
        self._follower = Follower(directory, from_start=True)
        self._traffic = Traffic()
        self._numbers: defaultdict[Key, float] = defaultdict(float)
        self._names: dict[str, str] = {}  # of services, by how file names have them
        self._lock = threading.Lock()
        registry.register(self)

    def describe(self) -> list[Metric]:
        """Return nothing: the names are this module's alone."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics as of now."""
        with self._lock:
            self.read()
            yield from collected(self._numbers | self._files())
            for metric in self._traffic.collectors():
                yield from metric.collect()

    def read(self) -> None:
        """Count the lines that are new. Raises OSError where the files cannot be read."""
        for line in self._follower.look():
            self._count(line)

    def _count(self, line: Line) -> None:
        if line.kind is not Kind.EVENT:
            name = self._name(line.file)
            self._numbers["flowery_log_foreign_lines", name, line.kind.value] += 1
            return
        record = line.record
        service = records.service_of(record)
        self._names[line.file.name.service] = service
        level = str(record.get("log.level", ""))
        self._numbers["flowery_log_events", service, level] += 1
        self._numbers["flowery_log_bytes", service, level] += len(line.data)
        self._count_event(service, line)

    def _count_event(self, service: str, line: Line) -> None:
        record, logger = line.record, records.logger_of(line.record)
        if logger == OWN_LOGGER:
            for name, number in records.own_counts(record).items():
                self._numbers[key_of(name, service)] += number
        elif logger in {ACCESS_LOGGER, CLIENT_LOGGER}:
            self._count_exchange(service, line, called=logger == CLIENT_LOGGER)
        elif logger == TASK_LOGGER:
            run = records.task_of(record)
            if run is not None:
                self._traffic.task_ended(service, run)
        if records.is_minimal(record):
            self._numbers[key_of("fallbacks", service)] += 1

    def _count_exchange(self, service: str, line: Line, *, called: bool) -> None:
        ended = records.exchange_of(line.record)
        if ended is None:
            return
        if called:
            self._traffic.call_ended(service, ended)
        else:
            self._traffic.request_ended(service, ended, active=False)

    def _name(self, file: LogFile) -> str:
        return self._names.get(file.name.service, file.name.service)

    def _files(self) -> dict[Key, float]:
        """Return how many files of each service lie there, how large they are, how old."""
        found: defaultdict[Key, float] = defaultdict(float)
        with suppress(FileNotFoundError):  # the directory may come later
            for file in find(self._directory):
                name = self._name(file)
                found["flowery_log_files", name] += 1
                found["flowery_log_files_bytes", name] += file.size
                found["flowery_log_open_files", name] += is_in_use(file)
                last = "flowery_log_last_write_timestamp_seconds", name
                found[last] = max(found[last], file.modified)
        return found
