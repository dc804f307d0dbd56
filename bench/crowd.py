"""`python -m bench.crowd`: many threads of one process, and many processes, writing at once.

Here nobody is pinned. concurrent-log-handler has one file for all processes, as it is meant to
have; so has nobody else. What counts is the throughput of all together.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from bench import report
from bench.contenders import by_name
from bench.measure import Child

CACHE: Final = Path(__file__).parents[1] / ".cache" / "bench"
NAMES: Final = (
    "concurrent-log-handler, ecs-logging",
    "flowery_logging, stdlib",
    "flowery_logging, get_logger",
)
SETTINGS: Final = ((1, 1), (1, 8), (4, 1))
"""Processes, and threads in each."""


def throughput(
    name: str, processes: int, threads: int, rounds: int, events: int, directory: Path
) -> float:
    """Return the events a second that all write together: the median of the rounds.

    A round lasts as long as the slowest process. Raises RuntimeError if one dies, or if the
    package is missing.
    """
    contender = by_name(name)
    with ExitStack() as stack:
        children = [Child(contender, directory, None, threads) for _ in range(processes)]
        for child in children:
            stack.callback(child.close)
        for child in children:
            child.await_ready()
            if child.missing:
                raise RuntimeError(f"{name}: {child.missing} is not installed")
        for _ in range(rounds):
            for child in children:
                child.begin(events)
            for child in children:
                child.finish()
    of_rounds = zip(*(child.result.wall for child in children), strict=True)
    slowest: list[float] = [max(walls) for walls in of_rounds]
    return processes * 1e9 / median(slowest)


def main(given: Sequence[str] | None = None) -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.crowd", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="default: 7")
    parser.add_argument("--events", type=int, default=4000, help="a process; default: 4000")
    parser.add_argument("--json", type=Path, default=CACHE / "crowd.json", metavar="PATH")
    options = parser.parse_args(given)
    CACHE.mkdir(parents=True, exist_ok=True)
    results: dict[str, dict[str, float]] = {}
    print(f"{os.cpu_count()} processors; events a second, and how many times the first row")
    for processes, threads in SETTINGS:
        setting = f"processes: {processes}, threads in each: {threads}"
        print(f"\n{setting}")
        results[setting] = {}
        for name in NAMES:
            with TemporaryDirectory(dir=CACHE) as directory:
                place = Path(directory)
                rate = throughput(name, processes, threads, options.rounds, options.events, place)
            results[setting][name] = rate
            first = results[setting][NAMES[0]]
            print(f"{name:<40}{rate:>12,.0f}{rate / first:>8.1f}", flush=True)
    report.save(options.json, {"processors": os.cpu_count(), "events_a_second": results})
    return 0


if __name__ == "__main__":
    sys.exit(main())
