"""What this process says of its own logging, and how several processes say it together."""

from __future__ import annotations

import os
from _thread import RLock  # a real one also where gevent has patched `threading`
from collections.abc import Iterator

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from flowery_logging import process, runtime
from flowery_logging.config import Config
from flowery_logging.files import complaints
from flowery_logging.files.mirrors import STANDARD_LEVELS
from flowery_logging.files.reader import Selection, find, is_in_use
from flowery_logging.files.tally import Count, Tally
from flowery_logging.integrations.prometheus.board import Board, Key, boards, is_alive
from flowery_logging.integrations.prometheus.families import collected, key_of, merged, write_keys
from flowery_logging.system import System

_DAY_SECONDS = 86_400
_NOT_COUNTED = ("events", "waiting", "redacted")  # of `stats()`: shown in other ways
_MAKES_WAIT = ("write_errors", "dropped")


def multiprocess_directory() -> str | None:
    """Return where the processes of one server share their metrics, as prometheus-client has it."""
    return os.environ.get("PROMETHEUS_MULTIPROC_DIR") or None


class LogMetrics(Collector):
    """Collects the metrics of logging: of this process, or of all that share a directory."""

    def __init__(self) -> None:
        self._tally = runtime.count_lines()
        self._shared = Shared(self._tally) if multiprocess_directory() else None

    @property
    def service(self) -> str:
        """The service's name now, or what it was last; "" before `setup()`."""
        return self._tally.service

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics; called by the registry at each scrape."""
        numbers = own_numbers(self._tally) if self._shared is None else self._shared.numbers()
        return collected(numbers | directory_numbers(runtime.current_config()))

    def describe(self) -> list[Metric]:
        """Return nothing: the names are this module's alone."""
        return []

    def close(self) -> None:
        """Count no more."""
        if self._shared is not None:
            self._shared.close()
        runtime.stop_counting_lines()


def own_numbers(tally: Tally) -> dict[Key, float]:
    """Return the numbers of this process."""
    numbers = _from_zero(tally.service)
    for count in tally:
        events, size = keys_of(count)
        numbers |= {events: count.events, size: count.size}
    stats, name = runtime.stats(), tally.service
    writes = [*tally.writes.classes, tally.writes.seconds]
    numbers |= dict(zip(write_keys(name), writes, strict=True))
    for counted, number in stats.items():
        if counted not in _NOT_COUNTED:
            numbers[key_of(counted, name)] = number
    return numbers | process_numbers(name)


def _from_zero(name: str) -> dict[Key, float]:
    """Return a count of 0 for each usual level: a series that begins at 1 shows no increase."""
    kinds = (keys_of(Count(name, level)) for level in STANDARD_LEVELS)
    return {key: 0.0 for keys in kinds for key in keys}


def keys_of(count: Count) -> tuple[Key, Key]:
    """Return what the lines of one service and level, and their bytes, are called."""
    level = count.level.decode("utf-8", "replace")
    return ("flowery_log_events", count.service, level), ("flowery_log_bytes", count.service, level)


def process_numbers(name: str) -> dict[Key, float]:
    """Return what changes in a process and does not only grow."""
    names, limit = runtime.label_names()
    return {
        ("flowery_log_waiting_events", name): runtime.stats()["waiting"],
        ("flowery_log_label_names", name): names,
        ("flowery_log_label_names_limit", name): limit,
    }


def directory_numbers(config: Config | None) -> dict[Key, float]:
    """Return how many files of this service lie in its directory, and what retention leaves."""
    if config is None or config.directory is None:
        return {}
    try:
        files = find(config.directory, Selection(service=config.service))
    except OSError:
        files = []  # no event yet, or a disk that is gone: the counts of faults tell that
    numbers: dict[str, float] = {
        "flowery_log_files": len(files),
        "flowery_log_files_bytes": sum(file.size for file in files),
        "flowery_log_open_files": sum(map(is_in_use, files)),
        "flowery_log_keep_bytes": config.keep_bytes,
        "flowery_log_keep_seconds": config.keep_days * _DAY_SECONDS,
    }
    if files:
        numbers["flowery_log_last_write_timestamp_seconds"] = max(f.modified for f in files)
    return {(name, config.service): number for name, number in numbers.items()}


class Shared:
    """The board of this process, kept up to date, and those of the others.

    A child of a fork makes a board of its own when it has something to show.
    """

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._lock = RLock()
        self._board: Board | None = None
        self._opened = False  # or it could not be opened
        self._waited = False  # the board says that events wait
        self._keys: dict[Count, tuple[Key, Key]] = {}
        self._write_keys: dict[str, list[Key]] = {}
        tally.listener = self._line
        runtime.counters().listener = self._count
        process.renew_in_children(self)
        if runtime.current_sink().ready:
            self._put({})

    def start_child(self) -> None:
        """Leave the parent's board to the parent."""
        self._lock = RLock()
        self._board, self._opened, self._waited = None, False, False
        self._keys = {}

    def _put(self, numbers: dict[Key, float]) -> None:
        if not self._opened:
            with self._lock:
                self._open()
        if self._board is not None:
            for key, number in numbers.items():
                self._board.put(key, number)

    def _open(self) -> None:
        """Make the board, with all numbers that there are: a series begins before its first one."""
        if self._opened:
            return  # by another thread, or by the frame that a signal handler interrupts
        self._opened = True
        try:
            self._board = Board(multiprocess_directory() or "", System.urandom(6).hex())
        except OSError as error:
            complaints.complain(f"cannot share metrics in PROMETHEUS_MULTIPROC_DIR: {error}")
            return
        self._put(own_numbers(self._tally))

    def _line(self, count: Count) -> None:
        events, size = self._keys.get(count) or self._keys.setdefault(count, keys_of(count))
        keys, writes = self._write_keys.get(count.service), self._tally.writes
        if keys is None:
            keys = self._write_keys[count.service] = write_keys(count.service)
        last, seconds = writes.classes[writes.last], writes.seconds
        self._put(
            {events: count.events, size: count.size, keys[writes.last]: last, keys[-1]: seconds}
        )
        if self._waited:
            self._show_waiting()

    def _count(self, name: str, number: int) -> None:
        if name not in _NOT_COUNTED:
            self._put({key_of(name, self._tally.service): number})
        if name in _MAKES_WAIT:
            self._show_waiting()

    def _show_waiting(self) -> None:
        service = self._tally.service  # another thread may change it meanwhile
        numbers = process_numbers(service)
        self._waited = numbers["flowery_log_waiting_events", service] > 0
        self._put(numbers)

    def numbers(self) -> dict[Key, float]:
        """Return the numbers of all processes as one."""
        own = runtime.current_sink()
        if own.ready:
            self._put(process_numbers(self._tally.service))
        try:
            found = [
                (is_alive(pid), numbers) for pid, numbers in boards(multiprocess_directory() or "")
            ]
        except OSError:
            return {}
        return merged(found)

    def close(self) -> None:
        """Show nothing any more."""
        self._tally.listener = None
        runtime.counters().listener = None
        if self._board is not None:
            self._board.remove()
