"""The pytest plugin: a fixture with the events of a test, and tests that fail on errors in the log.

It stands outside of the package, and imports that only where it is used: pytest loads it at each
start, in projects and runs that never log.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from flowery_logging.testing import CapturedLogs

_OPTION: Final = "flowery_fail_on_error"
_FAIL: Final = "flowery_fail_on_error"
_EXPECTED: Final = "flowery_expected_errors"
_MARKERS: Final = (
    f"{_FAIL}: the test fails if it logs an error that it does not expect",
    f"{_EXPECTED}(*messages): errors are expected, or those that one of the expressions finds",
)
_SECTION: Final = "Captured flowery_logging events"

_logs: Final = pytest.StashKey["CapturedLogs"]()
_told: Final = pytest.StashKey[int]()
"""How many unexpected errors a test has failed for already, once it has passed otherwise."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--flowery-fail-on-error`, and the same for a configuration file."""
    text = "fail each test that logs an error (level ERROR and above) which it does not expect"
    group = parser.getgroup("flowery_logging")
    group.addoption("--flowery-fail-on-error", action="store_true", dest=_OPTION, help=text)
    parser.addini(_OPTION, text, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known, and register what needs a place of its own among the hooks."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    config.pluginmanager.register(_After(), f"{__name__}.after")


@pytest.fixture
def flowery_logs(request: pytest.FixtureRequest) -> Iterator[CapturedLogs]:
    """Yield the test's events as ECS documents: `flowery_logs.has("order placed", order_id=7)`.

    Of `logging` and `get_logger()`, of all threads and tasks, from level INFO on unless
    `flowery_logging.set_level("DEBUG")` is called. No file is written, and what the test sets up is
    undone. It may be iterated and indexed; `where()`, `one()`, `errors()` and `trace()` return some
    of the events (see `flowery_logging.testing.Events`).
    """
    from flowery_logging.testing import captured

    with captured() as logs:
        request.node.stash[_logs] = logs
        yield logs
        if _told in request.node.stash:
            _check(request.node, "after the test")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let a test that is to fail on errors have the fixture, before all others."""
    names = getattr(item, "fixturenames", None)
    if names is not None and "flowery_logs" not in names and _fails_on_error(item):
        names.insert(0, "flowery_logs")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Undo what the test itself has set up, when it has run."""
    del item
    runtime = _runtime()
    before = None if runtime is None else runtime.standing()
    yield
    runtime = _runtime()
    if runtime is not None:
        runtime.return_to(before or runtime.NOTHING)


class _After:
    """What is called behind pytest's own `pytest_runtest_call`, if the test has passed there."""

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Fail a test that has logged an error which it does not expect."""
        if _fails_on_error(item):
            item.stash[_told] = 0
            _check(item, "in the test")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Show the events below a failure."""
    outcome = yield
    report = outcome.get_result()
    logs = item.stash.get(_logs, None)
    if report.failed and logs is not None and len(logs):
        report.sections.append((_SECTION, logs.text()))


def _runtime() -> Any:
    """Return the module that knows what is set up, if anybody has imported it."""
    return sys.modules.get("flowery_logging.runtime")


def _fails_on_error(item: pytest.Item) -> bool:
    if item.get_closest_marker(_FAIL) is not None:
        return True
    config = item.config
    return bool(config.getoption(_OPTION, False) or config.getini(_OPTION))


def _expected(item: pytest.Item) -> Sequence[str] | None:
    """Return the expressions of the errors that are expected; None: all of them."""
    markers = list(item.iter_markers(_EXPECTED))
    if any(not marker.args for marker in markers):
        return None
    return [str(message) for marker in markers for message in marker.args]


def _check(item: pytest.Item, when: str) -> None:
    """Fail for errors that are not expected, each time for new ones only."""
    logs = item.stash.get(_logs, None)
    if logs is None:
        return
    found = logs.unexpected_errors(_expected(item))
    new = found[item.stash[_told] :]
    item.stash[_told] = len(found)
    if new:
        number = f"{len(new)} unexpected error{'s'[: len(new) > 1]}"
        pytest.fail(f"{number} logged {when}:\n{new.text()}", pytrace=False)
