"""A plugin of pytest for mutants.py: the tests that enter a function go first, the fastest first.

One run of all tests records what each enters and how long it takes (see entered.py). The order
decides nothing but how soon a mutant dies: tests that do not enter the function still follow.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from scripts import entered

FIRST: Final = "MUTANTS_FIRST"
"""The variable that names the file with the tests that go first, one a line."""


class Record(NamedTuple):
    """What one run of all tests has shown."""

    tests: dict[str, dict[int, set[str]]]
    """By module and first line of a function: the tests that enter it."""
    seconds: dict[str, float]
    """By test: what it takes, with what its module has to set up."""

    def tests_of(self, path: str, line: int) -> list[str]:
        """Return the tests that enter the function in which a line stands, the fastest first."""
        begins = [first for first in self.tests.get(path, {}) if first <= line]
        found = self.tests[path][max(begins)] if begins else set()
        return sorted(found & self.seconds.keys(), key=self.seconds.__getitem__)


def read(path: Path) -> Record:
    """Return what a run has recorded."""
    tests: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    calls: dict[str, float] = {}
    setups: dict[str, float] = defaultdict(float)
    for row in path.read_text("utf-8").splitlines():
        test, what, value = row.split("\t")
        module = test.partition("::")[0]
        if what == "setup":
            setups[module] = max(setups[module], float(value))
        elif what == "call":
            calls[test] = float(value)
        else:
            tests[what][int(value)].add(test)
    seconds = {test: lasted + setups[test.partition("::")[0]] for test, lasted in calls.items()}
    return Record(tests, seconds)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what is named."""
    if FIRST in os.environ:
        named = Path(os.environ[FIRST]).read_text("utf-8").splitlines()
        place = {test: number for number, test in enumerate(named)}
        items.sort(key=lambda item: place.get(item.nodeid, len(place)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin to record a test; the one before may have traced something itself."""
    if entered.RECORD in os.environ:
        entered.begin(item.nodeid)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note how long a test takes."""
    if entered.RECORD in os.environ and report.when != "teardown":
        entered.note(report.nodeid, report.when, report.duration)
