"""The pytest plugin, in runs of pytest as users start them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ENVIRONMENT = {
    **{
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "FLOWERY"))
    },
    "PYTHONPATH": str(Path(__file__).parent.parent),
}
# As its entry point loads it; where that is installed, it is loaded once.
PLUGIN = ["-p", "pytest_flowery_logging", "-p", "no:randomly", "-p", "no:cacheprovider"]


def run(directory: Path, text: str, *arguments: str) -> tuple[dict[str, int], str]:
    """Run pytest on a file; return how many tests had which outcome, and what it printed."""
    (directory / "test_orders.py").write_text(text)
    (directory / "pytest.ini").touch()
    command = [
        sys.executable,
        "-m",
        "pytest",
        *PLUGIN,
        "--strict-markers",
        "-W",
        "error",
        *arguments,
    ]
    done = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    last = done.stdout.splitlines()[-1] if done.stdout else done.stderr
    return {word.rstrip("s"): int(n) for n, word in re.findall(r"(\d+) (\w+)", last)}, done.stdout


HEAD = """
import asyncio, logging, os, threading
import pytest
import flowery_logging
log = logging.getLogger("shop")
slog = flowery_logging.get_logger("shop")
"""

EVENTS = f"""{HEAD}
def test_events(flowery_logs):
    log.info("order placed", extra={{"order_id": 7}})
    thread = threading.Thread(target=lambda: slog.warning("in a thread"))
    thread.start(); thread.join()
    async def main():
        slog.info("in a task")
    asyncio.run(main())
    assert flowery_logs.has(message="order placed", order_id=7)
    assert flowery_logs.messages == ["order placed", "in a thread", "in a task"]
    assert not flowery_logs.errors()
    assert os.listdir() == BEFORE

def test_it_begins_empty(flowery_logs):
    assert len(flowery_logs) == 0

def test_setup_inside(flowery_logs):
    flowery_logging.setup("orders", directory="logs", level="DEBUG")
    flowery_logging.bind(user="kim")
    log.debug("low")
    assert flowery_logs.one("low", user="kim")["service"]["name"] == "orders"

def test_setup_without_the_fixture():
    flowery_logging.setup("orders", output="none", level="DEBUG")
    flowery_logging.bind(user="kim")
    assert log.isEnabledFor(10)

def test_nothing_is_left():
    assert logging.getLogger().level == logging.WARNING
    assert not [h for h in logging.getLogger().handlers if "flowery" in type(h).__module__]
    assert "flowery" not in logging.Logger._log.__module__
    assert "user" not in flowery_logging.context.fields()
    assert os.listdir() == BEFORE

BEFORE = os.listdir()
"""


@pytest.mark.parametrize(
    "arguments", [(), ("-p", "no:logging"), ("-n", "2"), ("-p", "no:warnings")]
)
@pytest.mark.slow
def test_the_fixture_has_the_events_and_nothing_is_left(tmp_path, arguments):
    counts, printed = run(tmp_path, EVENTS, *arguments)
    assert counts.get("passed") == 5, printed
    assert "failed" not in counts


OTHERS = f"""{HEAD}
import unittest
def test_caplog(flowery_logs, caplog):
    slog.info("by structlog", order_id=7)
    log.info("by logging")
    assert caplog.messages == ["by structlog", "by logging"]
    assert flowery_logs.messages == caplog.messages
    with caplog.at_level("DEBUG"):
        log.debug("low")
    assert caplog.messages[-1] == "low"

class Orders(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _logs(self, flowery_logs):
        self.logs = flowery_logs

    def test_assert_logs(self):
        with self.assertLogs("shop", "INFO") as seen:
            slog.info("by structlog")
        assert [record.getMessage() for record in seen.records] == ["by structlog"]
        assert self.logs.has("by structlog")

def test_warnings(flowery_logs):
    with pytest.warns(UserWarning, match="old"):
        import warnings
        warnings.warn("old")
"""


@pytest.mark.slow
def test_caplog_and_assert_logs_go_on_working(tmp_path):
    counts, printed = run(tmp_path, OTHERS)
    assert counts.get("passed") == 3, printed
    assert "failed" not in counts


FAILING = f"""{HEAD}
def test_fails(flowery_logs):
    slog.error("payment refused", order_id=7)
    assert flowery_logs.has("order placed")
"""


@pytest.mark.parametrize("arguments", [(), ("-n", "1"), ("-p", "no:logging")])
@pytest.mark.slow
def test_a_failure_shows_the_lines(tmp_path, arguments):
    counts, printed = run(tmp_path, FAILING, *arguments)
    assert counts.get("failed") == 1
    _, _, section = printed.partition("Captured flowery_logging events")
    assert re.search(r"\d\d:\d\d:\d\d\.\d{3} error   \S+ payment refused  order_id=7", section)


ERRORS = f"""{HEAD}
def test_error():
    log.error("boom")

def test_quiet():
    log.warning("only a warning")

@pytest.mark.flowery_expected_errors
def test_expected():
    log.error("boom")

@pytest.mark.flowery_expected_errors("^bo+m", "crash")
def test_expected_by_message():
    log.critical("booom 7")

@pytest.mark.flowery_expected_errors("crash")
def test_another_than_expected():
    log.error("boom")

def test_in_a_thread():
    thread = threading.Thread(target=slog.error, args=("boom",))
    thread.start(); thread.join()

@pytest.fixture
def closing():
    yield
    log.error("at the end")

def test_while_it_is_torn_down(closing):
    pass

@pytest.mark.xfail
def test_fails_anyhow():
    log.error("boom")
    assert False
"""


@pytest.mark.slow
def test_each_test_fails_that_logs_an_unexpected_error(tmp_path):
    counts, printed = run(tmp_path, ERRORS, "--flowery-fail-on-error", "-rfE")
    assert counts == {"failed": 3, "passed": 4, "xfailed": 1, "error": 1}, printed
    assert "1 unexpected error logged in the test:" in printed
    for name in ("test_error", "test_another_than_expected", "test_in_a_thread"):
        assert f"FAILED test_orders.py::{name}" in printed
    assert "ERROR test_orders.py::test_while_it_is_torn_down" in printed


@pytest.mark.slow
def test_the_same_by_the_configuration_file_and_by_a_marker(tmp_path):
    assert run(tmp_path, ERRORS)[0] == {"passed": 7, "xfailed": 1}
    counts, printed = run(tmp_path, ERRORS, "-o", "flowery_fail_on_error=true", "-n", "2")
    assert counts == {"failed": 3, "passed": 4, "xfailed": 1, "error": 1}, printed
    marked = f"{HEAD}\n@pytest.mark.flowery_fail_on_error\ndef test_error(): log.error('boom')\n"
    assert run(tmp_path, marked)[0] == {"failed": 1}


@pytest.mark.slow
def test_a_run_that_does_not_log_imports_nothing(tmp_path):
    text = """
import sys
def test_modules():
    assert not [name for name in sys.modules if name.split(".")[0] in {"flowery_logging", "structlog", "orjson"}]
"""
    counts, printed = run(tmp_path, text)
    assert counts == {"passed": 1}, printed


def test_the_plugin_imports_pytest_alone():
    code = "import pytest, sys; before = set(sys.modules); import pytest_flowery_logging; print(set(sys.modules) - before)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT
    )
    assert done.stdout.strip() == "{'pytest_flowery_logging'}"
