"""A watcher of files that logs what it sees does not see what it logs."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.files.conftest import Logs

DEADLINE = 120

watchfiles = logging.getLogger("watchfiles.main")
watchdog = logging.getLogger("watchdog.observers.inotify_buffer")

_log = {"__name__": "watchfiles.main", "logger": watchfiles}
exec("def report(changes): logger.info('%d changes detected', len(changes))", _log)


def detect(*paths: Path) -> None:
    """Log as watchfiles does."""
    _log["report"]({(1, str(path)) for path in paths})  # type: ignore[operator]


def test_a_report_of_our_own_files_is_left_out_and_counted(logged, counted):
    detect(logged.directory / "x.ndjson")
    detect(logged.directory / "x.ndjson", logged.directory / "y.ndjson")
    logging.getLogger("app").info("event")
    detect(logged.directory / "x.ndjson")
    assert [e["message"] for e in logged.events()] == ["event"]
    assert counted("own_changes") == 3


def test_a_report_of_other_files_is_written(logged, counted, tmp_path):
    detect(tmp_path / "main.py")
    detect(tmp_path / "main.py", logged.directory / "x.ndjson")
    detect(tmp_path / "main.py")
    assert len(logged.events()) == 3
    assert counted("own_changes") == 0


def test_watchdog_names_the_file_on_its_record(logged, counted, tmp_path):
    watchdog.debug("in-event %s", f"<InotifyEvent: src_path={logged.directory}/x.ndjson>")
    watchdog.debug("in-event %s", f"<InotifyEvent: src_path={tmp_path}/main.py>")
    assert [e["message"].rpartition("/")[2] for e in logged.events()] == ["main.py>"]
    assert counted("own_changes") == 1


def test_a_report_without_paths_does_not_follow_another_one(logged, counted):
    for _ in range(2):
        logging.getLogger("app").info("event")
        for _ in range(3):
            watchfiles.info("1 change detected")
    messages = [e["message"] for e in logged.events()]
    assert messages == ["event", "1 change detected"] * 2
    assert counted("own_changes") == 4


def test_warnings_of_a_watcher_are_written(logged, counted):
    for _ in range(3):
        watchfiles.warning("cannot watch %s", logged.directory / "x.ndjson")
    assert len(logged.events()) == 3


def test_other_handlers_get_every_report(logged):
    seen: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.getMessage())  # type: ignore[method-assign]
    watchfiles.addHandler(handler)
    try:
        detect(logged.directory / "x.ndjson")
        watchfiles.info("1 change detected")
        watchfiles.info("1 change detected")
    finally:
        watchfiles.removeHandler(handler)
    assert len(seen) == 3


MAIN = """
import flowery_logging; flowery_logging.setup(service="svc", level="{level}")
import uvicorn
async def app(scope, receive, send): ...
if __name__ == "__main__":
    uvicorn.run("main:app", port=0, reload=True, lifespan="off", log_config=None)
"""


@pytest.mark.slow
@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_the_reloader_of_uvicorn_beside_our_files_comes_to_rest(tmp_path: Path, level: str) -> None:
    pytest.importorskip("watchfiles", reason="uvicorn's other reloader looks at *.py files alone")
    (tmp_path / "main.py").write_text(MAIN.format(level=level))
    process = subprocess.Popen(
        [sys.executable, "main.py"], cwd=tmp_path, stderr=subprocess.DEVNULL, start_new_session=True
    )
    logs = Logs(tmp_path / "logs")

    def lines(text: bytes) -> int:
        return sum(path.read_bytes().count(text) for path in logs.files())

    try:
        until = time.monotonic() + DEADLINE
        changes = 0
        while not lines(b"Reloading..."):
            assert process.poll() is None
            assert time.monotonic() < until
            changes += 1
            (tmp_path / "main.py").write_text(f"{MAIN.format(level=level)}# {changes}\n")
            time.sleep(1)
        time.sleep(5)  # enough for many rounds of 50 ms
        assert 0 < lines(b"watchfiles.main") <= 5 * changes
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(DEADLINE)
