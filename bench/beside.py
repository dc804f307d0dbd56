"""`python -m bench.beside`: what our events cost more with others in the process.

OpenTelemetry's API imported and not set up, as it comes with FastAPI's instrumentation or a client;
code inside an active span of its SDK; Sentry with its handler beside ours. Each is a process of its
own that writes in turn with one that is alone: shown is the CPU time as a ratio to that one, and to
a plain-text line, over the shapes of the zoo; the median of the rounds. Such a line costs more
beside others too: Sentry makes a breadcrumb of each event.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import geometric_mean
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench import zoo

SETTINGS: Final = ("OpenTelemetry imported", "an active span", "Sentry")
WAYS: Final = (zoo.PLAIN, *zoo.OURS)
ALONE: Final = "nobody"


def name_of(way: str, setting: str) -> str:
    """Return the contender that is one of ours beside something."""
    return f"{way}{zoo.BESIDE}{setting}"


def ratios(times: dict[str, dict[str, list[float]]], one: str, other: str) -> list[float]:
    """Return by shape what an event of one contender costs, as a ratio to another's."""
    return [zoo.ratio(found[one], found[other]) for found in times.values()]


def summed_up(times: dict[str, dict[str, list[float]]]) -> dict[str, dict[str, dict[str, float]]]:
    """Return by setting and way, over all shapes: ratios to plain text, and to itself, alone."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for setting in (ALONE, *SETTINGS):
        for way in WAYS:
            name = way if setting == ALONE else name_of(way, setting)
            more = ratios(times, name, way)
            found.setdefault(setting, {})[way] = {
                "plain": geometric_mean(ratios(times, name, zoo.PLAIN)),
                "more": geometric_mean(more),
                "worst": max(more),
            }
    return found


def main(given: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.beside",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=15, help="default: 15")
    parser.add_argument("--events", type=int, default=200, help="of a shape in a round")
    parser.add_argument("--json", type=Path, metavar="PATH", help="save the ratios")
    options = parser.parse_args(given)
    chosen: Any = argparse.Namespace(**vars(options), bound=2, burst=0, shapes="shapes")
    names = [*WAYS, *(name_of(way, setting) for setting in SETTINGS for way in WAYS)]
    with TemporaryDirectory(dir=zoo.cache()) as root:
        found = summed_up(zoo.measure(names, Path(root), chosen))
    for setting, ways in found.items():
        for way, row in ways.items():
            told = "  ".join(f"{what} {ratio:.3f}" for what, ratio in row.items())
            print(f"{setting:<24}{way:<30}{told}")
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
