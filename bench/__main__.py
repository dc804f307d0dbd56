"""`python -m bench`: measure all contenders side by side and print a table a group."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench import report
from bench.contenders import GROUPS, Contender
from bench.measure import Result, measure, one_cpu

CACHE: Final = Path(__file__).parents[1] / ".cache" / "bench"


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=_positive, default=40, help="default: 40")
    parser.add_argument("--events", type=_positive, default=500, help="a round; default: 500")
    parser.add_argument("--only", metavar="NAME", help="contenders (or groups) with this in a name")
    parser.add_argument("--json", type=Path, default=CACHE / "results.json", metavar="PATH")
    parser.add_argument("--directory", type=Path, help="keep the log files, in this new directory")
    return parser.parse_args(given)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def _chosen(only: str | None) -> dict[str, list[Contender]]:
    """Return the contenders to measure by group; the first of a group stays as its reference."""
    groups: dict[str, list[Contender]] = {}
    for group, (reference, *others) in GROUPS.items():
        found = [one for one in others if only is None or only in one.name or only in group]
        if found or (only is not None and only in reference.name):
            groups[group] = [reference, *found]
    return groups


def _run(options: argparse.Namespace, root: Path) -> dict[str, list[Result]]:
    """Measure all groups at once, as one set of children, and print the tables."""
    groups = _chosen(options.only)
    everyone = {one.name: one for contenders in groups.values() for one in contenders}
    results, missing = measure(
        list(everyone.values()), options.rounds, options.events, root, _progress(options.rounds)
    )
    found = {result.name: result for result in results}
    measured: dict[str, list[Result]] = {}
    for group, contenders in groups.items():
        measured[group] = [found[one.name] for one in contenders if one.name in found]
        print(report.table(group, measured[group]), end="\n\n")
    for name, package in missing.items():
        print(f"left out: {name} ({package} is not installed)")
    return measured


def _progress(rounds: int):
    """Return what shows the round: on a terminal each in place, else every tenth on a line."""
    lines = not sys.stderr.isatty()

    def show(number: int) -> None:
        if not lines:
            end = "\n" if number == rounds else ""
            print(f"\rround {number} of {rounds}", end=end, file=sys.stderr, flush=True)
        elif number % 10 == 0:
            print(f"round {number} of {rounds}", file=sys.stderr, flush=True)

    return show


def main(given: Sequence[str] | None = None) -> int:
    """Measure, print, save; 2 if no contender has such a name."""
    options = _arguments(given)
    if not _chosen(options.only):
        print(f"no contender or group has {options.only!r} in its name", file=sys.stderr)
        return 2
    if options.directory is not None:
        options.directory.mkdir(parents=True)
        measured = _run(options, options.directory)
    else:
        CACHE.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=CACHE) as root:
            measured = _run(options, Path(root))
    settings = {"rounds": options.rounds, "events": options.events, "cpu": one_cpu()}
    report.save(options.json, report.document(measured, **settings))
    print(f"{options.rounds} rounds of {options.events} events; saved to {options.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
