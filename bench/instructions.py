"""`python -m bench.instructions`: how many machine instructions an event takes, under callgrind.

Instructions hardly vary from run to run, so a regression of a per cent shows even on a machine
too noisy for a clock. What the kernel does (the `write()`) is not in them. Each contender runs in
a process of its own, which calls `getppid()` before and after the events that count: callgrind
writes down at each such call what it has counted since the last one.

Ours are counted step by step too (see steps.py), to tell where the instructions go.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench import report, steps
from bench.contenders import GROUPS, by_name
from bench.event import Run

WARM_UP: Final = 200
EVENTS: Final = 1000
DEFAULT: Final = (
    "stdlib FileHandler, plain text",
    "stdlib NullHandler (writes nothing)",
    "orjson + os.write of an equal line",
    "structlog, its fastest",
    "ecs-logging, stdlib",
    "flowery_logging, stdlib",
    "flowery_logging, get_logger",
)
CONTENDERS: Final = {one.name: one for group in GROUPS.values() for one in group}
RESULTS: Final = Path(__file__).parents[1] / ".cache" / "bench" / "instructions.json"


def per_event(name: str, events: int = EVENTS) -> float:
    """Return how many instructions one event of this contender takes, outside the kernel.

    Raises RuntimeError with valgrind's last words if the program fails.
    """
    (count,) = _under_callgrind(name, 1, events)
    return count


def by_step(way: str, events: int = EVENTS) -> dict[str, float]:
    """Return how many instructions each step of an event takes, for one of `steps.WAYS`.

    Raises RuntimeError with valgrind's last words if the program fails.
    """
    names = steps.WAYS[way]
    sums = _under_callgrind(way, len(names), events, "--steps")
    differences = (more - less for less, more in zip([0.0, *sums], sums, strict=False))
    return dict(zip(names, differences, strict=True))


def _under_callgrind(name: str, runs: int, events: int, *options: str) -> list[float]:
    """Return the instructions an event takes in each of the runs that a child makes."""
    events = max(1, events // CONTENDERS[name].weight)
    with TemporaryDirectory() as root:
        dumps, logs = Path(root, "callgrind"), Path(root, "logs")
        logs.mkdir()
        program = [sys.executable, "-m", "bench.instructions", *options, "--events", str(events)]
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={dumps}",
             "--dump-before=getppid", *program, "--child", name, str(logs)],
            capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONHASHSEED": "0"},  # the same order in every dict and set
        )  # fmt: skip
        marks = sorted(Path(root).glob("callgrind.*"), key=lambda path: int(path.suffix[1:]))
        totals = [_total(path) for path in marks]
    if done.returncode or len(totals) != 2 * runs:
        last = done.stderr[-2000:]
        raise RuntimeError(f"{name}: {len(totals)} of {2 * runs} marks under valgrind:\n{last}")
    return [total / events for total in totals[1::2]]


def _total(dump: Path) -> int:
    found = re.search(r"^totals: (\d+)", dump.read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def _child(runs: Iterable[Run], events: int) -> None:
    for run in runs:
        run(min(WARM_UP, events))
        os.getppid()
        run(events)
        os.getppid()


def _names(only: str | None) -> list[str]:
    return list(DEFAULT) if only is None else [name for name in CONTENDERS if only in name]


def main(given: Sequence[str] | None = None) -> int:
    """Count, print, save; 2 if there is nothing to count (with)."""
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="contenders with this in their name")
    parser.add_argument("--events", type=int, default=EVENTS, help=f"default: {EVENTS}")
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="PATH")
    parser.add_argument("--steps", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--child", nargs=2, metavar="NAME", help=argparse.SUPPRESS)
    options = parser.parse_args(given)
    if options.child is not None:
        name, directory = options.child[0], Path(options.child[1])
        start = steps.runs if options.steps else _alone
        _child(start(name, directory), options.events)
        return 0
    names = _names(options.only)
    if not names or shutil.which("valgrind") is None:
        what = "valgrind is not installed" if names else f"no contender has {options.only!r}"
        print(what, file=sys.stderr)
        return 2
    report.save(options.json, _measure(names, options.events))
    return 0


def _alone(name: str, directory: Path) -> Iterable[Run]:
    yield by_name(name).start(directory)


def _measure(names: Sequence[str], events: int) -> dict[str, dict[str, Any]]:
    """Count contenders, then the steps of ours, and print each as soon as it is there."""
    counts = {}
    for name, count in _at_once(lambda name: per_event(name, events), names):
        counts[name] = count
        print(f"{name:<56}{count:>12,.0f}", flush=True)
    ways = [way for way in steps.WAYS if way in names or names == list(DEFAULT)]
    shares = {}
    for way, found in _at_once(lambda way: by_step(way, events), ways):
        shares[way] = found
        print(f"\n{way}, by step", flush=True)
        for step, count in found.items():
            print(f"{step:<56}{count:>12,.0f}", flush=True)
    return {"instructions_an_event": counts, "steps": shares}


def _at_once(count: Callable[[str], Any], names: Sequence[str]) -> Iterable[tuple[str, Any]]:
    """Count on all processors: unlike times, counts do not mind; yield in the order of names."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from zip(names, pool.map(count, names), strict=True)


if __name__ == "__main__":
    sys.exit(main())
