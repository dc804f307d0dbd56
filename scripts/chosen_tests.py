"""A plugin of pytest for mutants.py: of all tests those that enter a function, the fastest first.

One run of all tests records what each enters and how long it takes (see entered.py). Where what a
function returned is kept for other tests, one that would notice may be left out: the mutant then
counts as alive, and somebody looks at it.
"""

from __future__ import annotations

import ast
import os
from collections import defaultdict
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from scripts import entered

CHOSEN: Final = "MUTANTS_CHOSEN"
"""The variable that names the file with the tests that run, in their order, one a line."""


NO_TEST: Final = ""
"""What stands for the import of modules, which comes before the tests."""


class Record(NamedTuple):
    """What one run of all tests has shown."""

    tests: dict[str, dict[int, set[str]]]
    """By module and first line of a function: the tests that enter it, and the files of tests that
    do so as they set up something, which may be for all tests of the file."""
    seconds: dict[str, float]
    """By test: what it takes, with what its module has to set up."""

    def tests_of(self, path: str, line: int, source: str) -> list[str]:
        """Return the tests that enter the function in which a line stands, the fastest first.

        None of them where all have to be asked: it stands in no function, or in one that is entered
        as modules are imported.
        """
        begins = [first for first, last in _functions(source) if first <= line <= last]
        found = self.tests.get(path, {}).get(max(begins), set()) if begins else set()
        named = [test for test in self.seconds if {test, test.partition("::")[0]} & found]
        return [] if NO_TEST in found else sorted(named, key=self.seconds.__getitem__)


def _functions(source: str) -> list[tuple[int, int]]:
    """Return the first and the last line of each function, as its code tells the first."""
    return [
        (min([node.lineno, *(d.lineno for d in node.decorator_list)]), node.end_lineno or 0)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]


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
    """Leave what is named; all where nothing is."""
    named = Path(os.environ[CHOSEN]).read_text("utf-8").splitlines() if CHOSEN in os.environ else []
    if named:
        found = {item.nodeid: item for item in items}
        items[:] = [found[test] for test in named]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin to record what is set up; the test before may have traced something itself."""
    if entered.RECORD in os.environ:
        entered.begin(item.nodeid.partition("::")[0])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Begin to record a test."""
    if entered.RECORD in os.environ:
        entered.begin(item.nodeid)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note how long a test takes."""
    if entered.RECORD in os.environ and report.when != "teardown":
        entered.note(report.nodeid, report.when, report.duration)
