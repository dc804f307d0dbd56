"""Runs a script or module that runs unittest, with the library set up, and notes the outcomes.

`python -m suite_unittest runtests.py ARGUMENT …`, `python -m suite_unittest unittest MODULE …`
"""

import runpy
import sys
import unittest
from collections.abc import Callable
from typing import Any

import suite_mode

OUTCOMES = {
    "addSuccess": "passed",
    "addExpectedFailure": "passed",
    "addSkip": "skipped",
    "addError": "failed",
    "addFailure": "failed",
    "addUnexpectedSuccess": "failed",
}


def noting(method: Callable[..., None], outcome: str) -> Callable[..., None]:
    """Return a method of `unittest.TestResult` that notes an outcome before it does its work."""

    def note(self: Any, test: Any, *why: Any) -> None:
        suite_mode.note(test.id(), outcome, _why(why))
        method(self, test, *why)

    return note


def noting_parts(method: Callable[..., None]) -> Callable[..., None]:
    """Return an `addSubTest` that notes the failure of a part as that of its test."""

    def note(self: Any, test: Any, part: Any, failure: Any) -> None:
        if failure is not None:
            suite_mode.note(test.id(), "failed", _why((failure,)))
        method(self, test, part, failure)

    return note


def _why(given: tuple[Any, ...]) -> str:
    """Return the reason of a skip, or the exception of a failure, as one text."""
    found = given[0] if given else ""
    return f"{found[0].__name__}: {found[1]}" if isinstance(found, tuple) else str(found)


def main() -> None:
    """Run the program that stands in the arguments."""
    result = unittest.TestResult
    for name, outcome in OUTCOMES.items():
        setattr(result, name, noting(getattr(result, name), outcome))
    result.addSubTest = noting_parts(result.addSubTest)  # type: ignore[method-assign]
    suite_mode.begin()
    del sys.argv[0]
    program = sys.argv[0]
    if program.endswith(".py"):
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
