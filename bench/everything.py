"""`python -m bench.everything` (`make bench`): all measurements, and the pages that show them.

Each part is a program of its own (`python -m bench.startup`, …), run one after the other, so that
none disturbs another. What they find is saved in `bench/results.json`, and the tables of
docs/speed.md and docs/comparison.md, the lines of the README and docs/redaction.md and the plot are
made from it anew, in both languages. With `--quick` each part is short, nothing is counted under
valgrind, and no page is touched.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench import published, report

ROOT: Final = Path(__file__).parents[1]
QUICK: Final = ROOT / ".cache" / "bench" / "everything.json"


@dataclass(frozen=True)
class Part:
    """One program: what it measures, its arguments, and those for a quick look (None: none)."""

    name: str
    module: str
    what: str
    arguments: tuple[str, ...]
    quick: tuple[str, ...] | None


PARTS: Final = (
    Part("events", "bench", "events beside the peers",
         ("--rounds", "100"), ("--rounds", "10")),
    Part("zoo", "bench.zoo", "events of every kind that services log",
         ("--rounds", "21", "--shapes", "all"), ("--rounds", "3", "--shapes", "all")),
    Part("beside", "bench.beside", "OpenTelemetry and Sentry beside us",
         ("--rounds", "15"), ("--rounds", "2", "--events", "50")),
    Part("crowd", "bench.crowd", "threads and processes at once",
         ("--rounds", "7"), ("--rounds", "3", "--events", "1000")),
    Part("startup", "bench.startup", "import and setup()",
         ("--rounds", "20"), ("--rounds", "5")),
    Part("memory", "bench.memory", "memory over many events",
         ("--events", "300000"), ("--events", "50000")),
    Part("instructions", "bench.instructions", "instructions under callgrind",
         (), None),
)  # fmt: skip


def _run(part: Part, arguments: Sequence[str], place: Path) -> tuple[Any, int]:
    """Run one part; return what it has found and its exit code: 1 is a finding of its own.

    Raises CalledProcessError if it fails.
    """
    path = place / f"{part.name}.json"
    command = [sys.executable, "-m", part.module, *arguments, "--json", str(path)]
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode > 1 or not path.exists():
        raise subprocess.CalledProcessError(done.returncode, command)
    return json.loads(path.read_text()), done.returncode


def _measure(*, quick: bool) -> tuple[dict[str, Any], int]:
    """Run all parts and return their findings, and 1 if one of them has found a fault."""
    results: dict[str, Any] = {}
    worst, start = 0, time.monotonic()
    with TemporaryDirectory() as directory:
        for number, part in enumerate(PARTS, 1):
            arguments = part.quick if quick else part.arguments
            print(f"\n=== {number} of {len(PARTS)}: {part.what}", flush=True)
            if arguments is None or (part.name == "instructions" and not shutil.which("valgrind")):
                print("left out:", "quick" if quick else "valgrind is not installed", flush=True)
                results[part.name] = None
                continue
            results[part.name], code = _run(part, arguments, Path(directory))
            worst = max(worst, code)
            print(f"({time.monotonic() - start:.0f} s so far)", flush=True)
    return results, worst


def main(given: Sequence[str] | None = None) -> int:
    """Measure all, save, publish; 1 if memory grows."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.everything",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="a short look; no page is touched")
    options = parser.parse_args(given)
    results, code = _measure(quick=options.quick)
    path = QUICK if options.quick else published.RESULTS
    report.save(path, results)
    if not options.quick:
        published.publish()
        pages = ", ".join(str(page.relative_to(ROOT)) for page in published.PAGES)
        print(f"\nwritten from {path.relative_to(ROOT)}: {pages}, the plots")
    return code


if __name__ == "__main__":
    sys.exit(main())
