"""Runs a suite in a process of its own, without the library or with it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.suites import sources
from tests.suites.catalogue import Suite

INSIDE: Final = Path(__file__).with_name("inside")
LIMIT: Final = 1200
"""Seconds after which a suite is taken to hang."""

Outcomes = dict[str, tuple[str, str]]
"""Test → "passed", "failed" or "skipped", and why."""


@dataclass(frozen=True)
class Run:
    """What a suite's tests did, and how many events the library has written meanwhile."""

    outcomes: Outcomes
    events: int


class NoOutcomesError(Exception):
    """A suite did not get as far as to say what its tests did."""


def run(suite: Suite, mode: str) -> Run:
    """Run a suite in one mode, or "without" the library.

    Raises NoOutcomesError with the file of what it printed.
    """
    name = f"{suite.name}-{mode}"
    results, printed = (sources.CACHE / "runs" / f"{name}.{kind}" for kind in ("json", "txt"))
    folder = sources.folder_of(suite)
    results.parent.mkdir(exist_ok=True)
    results.unlink(missing_ok=True)
    environment = _environment(mode, results)
    with printed.open("wb") as output:
        subprocess.run(
            (sys.executable, *suite.arguments),
            cwd=folder, env=environment, timeout=LIMIT, check=False,
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    found = json.loads(results.read_text()) if results.exists() else {}
    if not found.get("outcomes"):
        raise NoOutcomesError(f"no outcome of any test; see {printed}")
    tests = {test: (outcome, why) for test, (outcome, why) in found["outcomes"].items()}
    return Run(tests, found["events"])


def _environment(mode: str, results: Path) -> dict[str, str]:
    """Return the environment of a run: the same for all modes, but for the mode."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FLOWERY_", "OTEL_", "ELASTIC_", "SENTRY_", "PYTEST_", "MAKE"))
    }
    path = os.pathsep.join(map(str, (INSIDE, sources.helpers())))
    own = {"PYTHONPATH": path, "SUITE_MODE": mode, "SUITE_RESULTS": str(results)}
    return {**kept, **own, "PYTHONHASHSEED": "0"}  # tests are named after members of sets
