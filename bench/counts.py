"""`python -m bench.counts`: what one event does, counted and not timed.

A count is the same on every machine, loaded or not, so a test can hold it
(tests/test_hot_path.py). Counted are, an event:

- `python`: the Python functions that were called, `logging`'s and structlog's too;
- `c`: the functions in C that these called;
- `clocks`: how often any of them has asked for the time;
- `writes`: calls of `os.write`;
- `locks`: locks taken that were made after this program had started;

and over all events `kept`: the memory blocks that are left behind, the garbage collector being off.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any, Final

HERE: Final = str(Path(__file__).parent) + os.sep
WARM_UP: Final = 200
COUNTED: Final = 20
ROUNDS: Final = 25
"""How often events are counted; the least counts, as a new second costs a call or two more.

The rounds are short: on a busy machine a long one never ends in the second in which it began."""
KEPT_AFTER: Final = 1000
NAMES: Final = (
    "flowery_logging, stdlib",
    "flowery_logging, get_logger",
    "flowery_logging, stdlib, debug",
    "flowery_logging, get_logger, debug",
)
_CLOCKS: Final = frozenset(
    getattr(time, name) for name in dir(time) if name.removesuffix("_ns") in {
        "time", "monotonic", "perf_counter", "process_time", "thread_time", "clock_gettime",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Counts:
    """What one event did (`kept`: what a thousand left behind), and by name what was called."""

    python: float
    c: float
    clocks: float
    writes: float
    locks: float
    kept: int
    called: dict[str, float]


class _CountedLock:
    """A lock that counts how often any of its kind is taken."""

    taken = 0

    def __init__(self, make: Any) -> None:
        self._lock = make()

    def acquire(self, *how: Any, **named: Any) -> Any:
        _CountedLock.taken += 1
        return self._lock.acquire(*how, **named)

    def __enter__(self) -> Any:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lock, name)


def _count_locks() -> None:
    """Have all locks that are made from now on counted."""
    lock, reentrant = threading.Lock, threading.RLock
    threading.Lock = lambda: _CountedLock(lock)  # type: ignore[assignment, return-value]
    threading.RLock = lambda: _CountedLock(reentrant)  # type: ignore[assignment, return-value]


class _Profile:
    """Notes each call while it is set as the profile function of this thread."""

    def __init__(self) -> None:
        self.python: Counter[str] = Counter()
        self.c: Counter[str] = Counter()
        self.clocks = 0
        self.writes = 0

    def __call__(self, frame: FrameType, what: str, argument: Any) -> None:
        code = frame.f_code
        if code.co_filename.startswith(HERE):
            return  # what writes the events, and the counted lock
        if what == "call":
            self.python[f"{Path(code.co_filename).name}:{code.co_name}"] += 1
        elif what == "c_call":
            self.c[_c_name(argument)] += 1
            self.clocks += argument in _CLOCKS or _is_datetime_clock(argument)
            self.writes += argument is os.write

    def calls(self) -> int:
        """Return how many functions were called."""
        return self.python.total() + self.c.total()


def _is_datetime_clock(function: Any) -> bool:
    return function.__qualname__ in {"datetime.now", "datetime.utcnow", "date.today"}


def _c_name(function: Any) -> str:
    return f"{function.__module__ or ''} {function.__qualname__}".strip()


def _counts(name: str, directory: Path) -> Counts:
    """Count the events of a contender in this process, of which it must be the only one."""
    _count_locks()
    from bench.contenders import by_name

    run = by_name(name).start(directory)
    run(WARM_UP)
    before = _CountedLock.taken
    run(COUNTED)
    locks = _CountedLock.taken - before
    profile = _profiled(run)
    return Counts(
        python=sum(profile.python.values()) / COUNTED,
        c=sum(profile.c.values()) / COUNTED,
        clocks=profile.clocks / COUNTED,
        writes=profile.writes / COUNTED,
        locks=locks / COUNTED,
        kept=_kept(run),
        called={**_each(profile.python), **_each(profile.c)},
    )


def _profiled(run: Any) -> _Profile:
    return min((_one_profile(run) for _ in range(ROUNDS)), key=_Profile.calls)


def _one_profile(run: Any) -> _Profile:
    profile = _Profile()
    sys.setprofile(profile)
    try:
        run(COUNTED)
    finally:
        sys.setprofile(None)
    return profile


def _zoo(directory: Path) -> dict[str, dict[str, float]]:
    """Count the zoo's events, those with secrets too, in this process, through `get_logger`."""
    from bench import zoo

    run = zoo.start(zoo.OURS[1], directory, 2)
    found: dict[str, dict[str, float]] = {}
    for name, shape in {**zoo.SHAPES, **zoo.SECRETS}.items():
        run([shape] * WARM_UP)
        profile = _profiled(lambda count, shape=shape: run([shape] * count))
        calls = sum(profile.python.values()) / COUNTED, sum(profile.c.values()) / COUNTED
        found[name] = {"python": calls[0], "c": calls[1], "writes": profile.writes / COUNTED}
    return found


def zoo_counts() -> dict[str, dict[str, float]]:
    """Return by shape of the zoo what an event does, counted in a new process.

    Raises RuntimeError with its last words if the process fails.
    """
    found: dict[str, dict[str, float]] = json.loads(_said("--zoo"))
    return found


def _each(calls: Counter[str]) -> dict[str, float]:
    return {name: number / COUNTED for name, number in calls.most_common()}


def _kept(run: Any) -> int:
    """Return how many memory blocks the events leave; cycles too, as nobody collects them."""
    gc.collect()
    gc.disable()
    for _ in range(3):  # the collector has emptied the interpreter's free lists
        run(KEPT_AFTER)
    before = sys.getallocatedblocks()
    run(KEPT_AFTER)
    after = sys.getallocatedblocks()
    gc.enable()
    return after - before


def counts(name: str) -> Counts:
    """Return the counts of one contender, counted in a new process.

    Raises RuntimeError with its last words if the process fails.
    """
    return Counts(**json.loads(_said("--child", name)))


def _said(*arguments: str) -> str:
    """Return what a process of this program prints, which is given a directory too."""
    with TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "bench.counts", *arguments, directory]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{arguments}:\n{done.stderr[-2000:]}")
    return done.stdout


def main(given: Sequence[str] | None = None) -> int:
    """Count and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.counts", description=__doc__)
    parser.add_argument("--calls", action="store_true", help="name what was called too")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--zoo", help=argparse.SUPPRESS)
    options = parser.parse_args(given)
    if options.zoo is not None:
        print(json.dumps(_zoo(Path(options.zoo))))
        return 0
    if options.child is not None:
        print(json.dumps(asdict(_counts(options.child[0], Path(options.child[1])))))
        return 0
    columns = ("python", "c", "clocks", "writes", "locks", "kept")
    print(f"{'':<40}" + "".join(f"{column:>8}" for column in columns))
    for name in NAMES:
        found = counts(name)
        print(f"{name:<40}" + "".join(f"{getattr(found, column):>8g}" for column in columns))
        for called, number in found.called.items() if options.calls else ():
            print(f"{number:>12g}  {called}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
