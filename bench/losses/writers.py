"""The writers: processes that log the same events at full speed, each by one of the libraries."""

from __future__ import annotations

import logging
import logging.handlers
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from bench.losses.caller import Caller

MAX_BYTES: Final = 100_000
KEEP_FILES: Final = 10_000  # so many that none is deleted: only losses of other kinds count

SetUp = Callable[[Path], None]


@dataclass(frozen=True)
class Contender:
    """What sets a library up in a process, the pattern of its files' names, what must be there."""

    name: str
    set_up: SetUp
    pattern: str
    modules: tuple[str, ...] = ()

    def is_installed(self) -> bool:
        """Whether the modules that it needs can be imported."""
        return all(find_spec(module) is not None for module in self.modules)


def _ours(directory: Path) -> None:
    import flowery_logging

    flowery_logging.setup(service="losses", directory=directory, output="file", max_bytes=MAX_BYTES)


def _stdlib(directory: Path) -> None:
    handler = logging.handlers.RotatingFileHandler(
        directory / "app.log", maxBytes=MAX_BYTES, backupCount=KEEP_FILES, encoding="utf-8"
    )
    _use(handler)


def _concurrent(directory: Path) -> None:
    from concurrent_log_handler import ConcurrentRotatingFileHandler

    handler = ConcurrentRotatingFileHandler(
        str(directory / "app.log"), maxBytes=MAX_BYTES, backupCount=KEEP_FILES, encoding="utf-8"
    )
    _use(handler)


def _use(handler: logging.Handler) -> None:
    import ecs_logging

    handler.setFormatter(ecs_logging.StdlibFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.raiseExceptions = False  # what a handler cannot write is counted, not printed


CONTENDERS: Final = (
    Contender("flowery_logging", _ours, "*.ndjson"),
    Contender("RotatingFileHandler + ecs-logging", _stdlib, "app.log*", ("ecs_logging",)),
    Contender(
        "concurrent-log-handler + ecs-logging",
        _concurrent,
        "app.log*",
        ("ecs_logging", "concurrent_log_handler"),
    ),
)


def write(set_up: SetUp, directory: Path, tallies: Path, processes: int, events: int) -> float:
    """Let all processes log so many events each; from the common start to the last end, in seconds.

    Raises `RuntimeError` if a process fails. The callers' own counts are in `tallies`.
    """
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(processes + 1)
    arguments = (set_up, directory, tallies, events, start)
    running = [context.Process(target=_write, args=arguments) for _ in range(processes)]
    for process in running:
        process.start()
    start.wait()
    began = time.perf_counter()
    for process in running:
        process.join()
    if any(process.exitcode for process in running):
        raise RuntimeError(f"a writer ended with {[process.exitcode for process in running]}")
    return time.perf_counter() - began


def _write(set_up: SetUp, directory: Path, tallies: Path, events: int, start: Any) -> None:
    set_up(directory)
    caller = Caller(tallies, "losses")
    start.wait()
    caller.call(events)
