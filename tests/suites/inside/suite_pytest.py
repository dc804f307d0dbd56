"""A pytest plugin: the library is set up before the collection, and outcomes are noted."""

import pytest
import suite_mode


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    suite_mode.begin()


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        suite_mode.note(report.nodeid, "failed", report.longrepr)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or not report.passed:
        suite_mode.note(report.nodeid, report.outcome, report.longrepr or "")
