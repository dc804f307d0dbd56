"""Compares the outcomes of a suite without the library and with it, by the table."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from tests.suites.differences import Difference
from tests.suites.run import Outcomes

NOT_RUN: Final = ("not run", "")


@dataclass(frozen=True)
class Finding:
    """Something that must not be: an outcome that differs, or one that no longer does."""

    test: str
    text: str


def differing(without: Outcomes, with_us: Outcomes) -> set[str]:
    """Return the tests whose outcomes differ."""
    tests = without.keys() | with_us.keys()
    return {t for t in tests if without.get(t, NOT_RUN)[0] != with_us.get(t, NOT_RUN)[0]}


def allowed(table: Iterable[Difference], suite: str, mode: str) -> set[str]:
    """Return the tests of a suite that the table lets differ in a mode."""
    rows = (row for row in table if row.suite == suite and mode in row.modes)
    return {test for row in rows for test in row.tests}


def findings(without: Outcomes, with_us: Outcomes, table: set[str]) -> Iterator[Finding]:
    """Find the differences that the table does not have, and what it has that is none."""
    different = differing(without, with_us)
    for test in sorted(different - table):
        was, _ = without.get(test, NOT_RUN)
        now, why = with_us.get(test, NOT_RUN)
        yield Finding(test, f"{was} without the library, {now} with it. {why}".rstrip())
    for test in sorted(table - different):
        outcome, _ = with_us.get(test, NOT_RUN)
        yield Finding(test, f"{outcome} without the library and with it: strike it off the table")
