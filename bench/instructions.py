"""`python -m bench.instructions`: how many machine instructions an event takes, under callgrind.

Instructions hardly vary from run to run, so a regression of a per cent shows even on a machine
too noisy for a clock. What the kernel does (the `write()`) is not in them. Each contender runs
twice, with fewer and with more events; the difference is what the events took, without the start.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench import report
from bench.contenders import GROUPS, by_name

FEWER: Final = 200
MORE: Final = 1200
DEFAULT: Final = (
    "stdlib FileHandler, plain text",
    "structlog, its fastest",
    "flowery_logging, stdlib",
    "flowery_logging, get_logger",
)
RESULTS: Final = Path(__file__).parents[1] / ".cache" / "bench" / "instructions.json"


def per_event(name: str) -> float:
    """Return how many instructions one event of this contender takes, outside the kernel.

    Raises RuntimeError with valgrind's last words if the program fails.
    """
    return (_total(name, MORE) - _total(name, FEWER)) / (MORE - FEWER)


def _total(name: str, events: int) -> int:
    with TemporaryDirectory() as directory:
        options = ["--tool=callgrind", "--callgrind-out-file=/dev/null"]
        program = [sys.executable, "-m", "bench.instructions", "--child", name, directory]
        done = subprocess.run(
            ["valgrind", *options, *program, str(events)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONHASHSEED": "0"},  # the same order in every dict and set
        )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or found is None:
        raise RuntimeError(f"{name} under valgrind:\n{done.stderr[-2000:]}")
    return int(found[1])


def _child(name: str, directory: str, events: str) -> None:
    by_name(name).start(Path(directory))(int(events))


def _names(only: str | None) -> list[str]:
    everyone = dict.fromkeys(one.name for group in GROUPS.values() for one in group)
    return list(DEFAULT) if only is None else [name for name in everyone if only in name]


def main(given: Sequence[str] | None = None) -> int:
    """Count, print, save; 2 if there is nothing to count (with)."""
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="contenders with this in their name")
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="PATH")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(given)
    if options.child is not None:
        _child(*options.child)
        return 0
    names = _names(options.only)
    if not names or shutil.which("valgrind") is None:
        what = "valgrind is not installed" if names else f"no contender has {options.only!r}"
        print(what, file=sys.stderr)
        return 2
    counts = {}
    for name in names:
        counts[name] = per_event(name)
        print(f"{name:<52}{counts[name]:>12,.0f}", flush=True)
    report.save(options.json, {"instructions_an_event": counts})
    return 0


if __name__ == "__main__":
    sys.exit(main())
