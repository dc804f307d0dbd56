"""The child process of one contender: sets it up, then writes events as often as it is asked.

    python -m bench.worker NAME DIRECTORY [CPU [THREADS]]

It says `ready` (or `missing <what>`), then answers each number of events on standard input with a
line `<wall ns> <CPU ns> <bytes>`, and ends with its input.
"""

from __future__ import annotations

import os
import sys
from contextvars import copy_context
from pathlib import Path
from threading import Thread
from time import perf_counter_ns, process_time_ns
from typing import Final

from bench.contenders import by_name
from bench.event import Run

WARM_UP: Final = 50
"""Events before the clock starts, each time: the processor's caches held somebody else's data."""


def main(name: str, directory: str, cpu: str = "", threads: str = "1") -> None:
    """Serve one contender."""
    if cpu:
        os.sched_setaffinity(0, {int(cpu)})
    try:
        run = by_name(name).start(Path(directory))
    except ImportError as error:
        print("missing", error.name, flush=True)
        return
    if int(threads) > 1:
        run = in_threads(run, int(threads))
    run(WARM_UP)
    print("ready", flush=True)
    for request in sys.stdin:
        print(*measure(run, int(request), Path(directory)), flush=True)


def in_threads(run: Run, threads: int) -> Run:
    """Return what shares the events out to new threads, each in a copy of this context."""

    def run_all(count: int) -> None:
        share = -(-count // threads)
        crowd = [Thread(target=copy_context().run, args=(run, share)) for _ in range(threads)]
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join()

    return run_all


def measure(run: Run, count: int, directory: Path) -> tuple[int, int, int]:
    """Write so many events; return wall and CPU time in ns, and the bytes written."""
    run(WARM_UP)
    before = _bytes(directory)
    wall, cpu = perf_counter_ns(), process_time_ns()
    run(count)
    cpu, wall = process_time_ns() - cpu, perf_counter_ns() - wall
    return wall, cpu, _bytes(directory) - before


def _bytes(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.iterdir())


if __name__ == "__main__":
    main(*sys.argv[1:])
