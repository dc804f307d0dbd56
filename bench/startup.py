"""`python -m bench.startup`: what `import flowery_logging` and `setup()` cost a process.

Each program runs in new processes, in turn; the clock runs inside them, so that the start of the
interpreter is not in the numbers. All run from byte code, as an installed package does, wherever
the environment forbids to write it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from bench import report

ROOT: Final = Path(__file__).parents[1]
REFERENCE: Final = "import structlog, orjson"
PROGRAMS: Final = (
    REFERENCE,
    "import flowery_logging",
    "import flowery_logging; flowery_logging.setup('bench', directory='.', output='file')",
    "import logging",
    "import loguru",
)
TIMED: Final = (
    "import sys, time; before = len(sys.modules); start = time.perf_counter_ns(); {program}; "
    "print(time.perf_counter_ns() - start, len(sys.modules) - before)"
)


def timed(program: str, directory: str) -> tuple[int, int]:
    """Run a program in a new process; return its time in ns and the modules it has imported.

    Its logs and the byte code of what it imports lie in the directory. Raises CalledProcessError
    if it fails.
    """
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": directory}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
         + TIMED.format(program=program)],
        cwd=directory, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    time, modules = map(int, done.stdout.split())
    return time, modules


def main(given: Sequence[str] | None = None) -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m bench.startup", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="default: 20")
    results = ROOT / ".cache" / "bench" / "startup.json"
    parser.add_argument("--json", type=Path, default=results, metavar="PATH")
    options = parser.parse_args(given)
    times: dict[str, list[int]] = {program: [] for program in PROGRAMS}
    modules: dict[str, int] = {}
    with TemporaryDirectory() as directory:
        for program in PROGRAMS:
            timed(program, directory)
        for _ in range(options.rounds):
            for program, found in times.items():
                time, modules[program] = timed(program, directory)
                found.append(time)
    print(f"{'':<88}{'ms':>8}{'ratio':>8}{'modules':>9}")
    rows = {}
    for program, found in times.items():
        ratio = median(a / b for a, b in zip(found, times[REFERENCE], strict=True))
        rows[program] = {"ms": median(found) / 1e6, "ratio": ratio, "modules": modules[program]}
        print(f"{program:<88}{median(found) / 1e6:>8.1f}{ratio:>8.2f}{modules[program]:>9}")
    report.save(options.json, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
