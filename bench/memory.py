"""`python -m bench.memory`: whether memory stays flat over many events.

Each way of logging runs in a process of its own; its resident memory is read when all that is
cached for ordinary events is there, and at the end. The hostile ways bring a name with each event
that was never seen before. Linux only, as it reads /proc.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench import event, report

CACHE: Final = Path(__file__).parents[1] / ".cache" / "bench"
STEPS: Final = 10
"""Memory is read so many times; the first reading comes after one step of warming up."""

FLAT: Final = 1024
"""Growth in KiB, from the second reading to the last, that still counts as flat."""


def _ordinary(number: int) -> None:
    extra = {"order_id": number, "customer": event.CUSTOMER, "amount": 12.5, "express": True}
    logging.getLogger(event.LOGGER).info("order %s placed", number, extra=extra)


def _logger_names(number: int) -> None:
    """Names of loggers; as records, since `logging` itself never forgets a logger."""
    fields = {"name": f"tenant-{number}", "msg": "placed", "levelno": 20, "levelname": "INFO"}
    logging.getLogger().handle(logging.makeLogRecord(fields))


def _structlog_names(number: int) -> None:
    import flowery_logging

    flowery_logging.get_logger(f"tenant-{number}").info("placed", order_id=number)


def _field_names(number: int) -> None:
    logging.getLogger(event.LOGGER).info("placed", extra={f"field_{number}": number})


def _call_sites(number: int) -> None:
    """New code for each event, as templates and notebooks make it."""
    scope: dict[str, Any] = {"log": logging.getLogger(event.LOGGER)}
    exec(compile("log.info('placed')", f"cell-{number}.py", "exec"), scope)


def _requests(number: int) -> None:
    """A request each, with its own IDs and a bound field."""
    import flowery_logging

    with flowery_logging.continue_trace({}, order_id=number):
        flowery_logging.get_logger(event.LOGGER).info("placed")


WAYS: Final[dict[str, Callable[[int], None]]] = {
    "ordinary events": _ordinary,
    "a new logger name each": _logger_names,
    "a new name for get_logger each": _structlog_names,
    "a new field name each": _field_names,
    "a new call site each": _call_sites,
    "a new request each": _requests,
}


def _child(way: str, events: int, directory: Path) -> None:
    """Log so many events and print the resident memory, in KiB, after each step."""
    import flowery_logging

    with redirect_stderr(StringIO()):  # the line that says where the logs are
        flowery_logging.setup("bench", directory=directory, output="file", max_bytes=8_000_000)
    log = WAYS[way]
    for step in range(STEPS):
        for number in range(step * events // STEPS, (step + 1) * events // STEPS):
            log(number)
            if number % 10_000 == 0:
                _remove_old(directory)
        gc.collect()
        print(_resident(), flush=True)


def _remove_old(directory: Path) -> None:
    """Free the disk: of all files only the one that is written is kept."""
    for path in sorted(directory.iterdir())[:-1]:
        path.unlink()


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def readings(way: str, events: int) -> list[int]:
    """Return the resident memory, in KiB, after each step of so many events in all.

    Raises CalledProcessError if the process fails.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=CACHE) as directory:
        command = [sys.executable, "-m", "bench.memory", "--child", way, directory]
        done = subprocess.run(
            [*command, "--events", str(events)], stdout=subprocess.PIPE, text=True, check=True
        )
    return [int(line) for line in done.stdout.split()]


def main(given: Sequence[str] | None = None) -> int:
    """Measure, print, save; 1 if memory grows."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="default: a million")
    parser.add_argument("--only", metavar="NAME", default="", help="ways with this in their name")
    parser.add_argument("--json", type=Path, default=CACHE / "memory.json", metavar="PATH")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(given)
    if options.child is not None:
        _child(options.child[0], options.events, Path(options.child[1]))
        return 0
    results = {}
    print(f"{'KiB after 1/10, 2/10, 10/10 of the events':<48}{'':>30}{'growth':>10}")
    for way in (way for way in WAYS if options.only in way):
        found = results[way] = readings(way, options.events)
        growth = found[-1] - found[1]
        print(f"{way:<48}{found[0]:>10}{found[1]:>10}{found[-1]:>10}{growth:>10}", flush=True)
    report.save(options.json, {"events": options.events, "resident_kib": results})
    return int(any(found[-1] - found[1] > FLAT for found in results.values()))


if __name__ == "__main__":
    sys.exit(main())
