"""uWSGI forks its workers in C, after the application was imported: no fork hook of Python runs."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.files.conftest import Logs

UWSGI = Path(sys.executable).with_name("uwsgi")
DEADLINE_SECONDS = 300

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not UWSGI.exists(), reason="uWSGI is not installed for this Python"),
]

APP = """
import logging, os, threading, time
import flowery_logging
flowery_logging.setup("svc", directory={directory!r}, output="file")
log = logging.getLogger("app")
log.info("imported")
def application(environ, start_response):
    number = environ["PATH_INFO"].strip("/")
    log.info("request %s", number)
    thread = threading.Thread(target=log.info, args=("thread %s", number))
    thread.start()
    thread.join()
    time.sleep(0.02)  # meanwhile another worker takes the next one
    start_response("200 OK", [])
    return [str(os.getpid()).encode()]
"""


@contextmanager
def served(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A uWSGI with three workers, and its address; ended by SIGINT, which it takes for a stop."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with (folder / "uwsgi.log").open("wb") as out:
        server = subprocess.Popen(
            [
                str(UWSGI), "--http-socket", address, "--master", "--processes", "3",
                "--enable-threads", "--wsgi-file", str(folder / "app.py"), *options,
            ],
            stdout=out, stderr=out, cwd=folder,
        )  # fmt: skip
        try:
            yield server, f"http://{address}"
        finally:
            stop(server)


def stop(server: subprocess.Popen[bytes]) -> None:
    """End it. Between the loading of the application and its own loop it hears no signal."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while server.poll() is None:
        assert time.monotonic() < deadline, "uWSGI goes on"
        server.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            server.wait(30)


def get(url: str) -> str:
    """The answer, as soon as there is one."""
    end = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=DEADLINE_SECONDS) as answer:
                return str(answer.read().decode())
        except OSError:
            assert time.monotonic() < end, "no answer"
            time.sleep(0.1)


def wait_until_loaded(folder: Path, times: int) -> None:
    """A worker that a signal interrupts as it imports stays, without the application."""
    end = time.monotonic() + DEADLINE_SECONDS
    while (folder / "uwsgi.log").read_text().count("WSGI app 0 (mountpoint='') ready in") < times:
        assert time.monotonic() < end, (folder / "uwsgi.log").read_text()
        time.sleep(0.05)


@pytest.mark.parametrize("options", [(), ("--lazy-apps",), ("--threads", "4")], ids=str)
def test_each_worker_is_a_process_of_its_own(
    logs: Logs, tmp_path: Path, options: tuple[str, ...]
) -> None:
    (tmp_path / "app.py").write_text(APP.format(directory=str(logs.directory)))
    asked = 0
    loads = 3 if options == ("--lazy-apps",) else 1
    with served(tmp_path, *options) as (server, url), ThreadPoolExecutor(12) as clients:
        for reloads in (1, 2):
            workers: set[str] = set()
            while len(workers) < 2:
                urls = [f"{url}/{number}" for number in range(asked, asked + 60)]
                asked += len(urls)
                workers.update(clients.map(get, urls))
            wait_until_loaded(tmp_path, loads * reloads)
            server.send_signal(signal.SIGHUP)  # a graceful reload: new workers
            assert get(f"{url}/reload")
        wait_until_loaded(tmp_path, loads * 3)
    logs.check_sequences(ordered=False)
    written = Counter(logs.messages())
    for number in range(asked):
        assert (written[f"request {number}"], written[f"thread {number}"]) == (1, 1)
    assert all(
        {record["process"]["entity_id"] for record in Logs.records_of(path)} == {path.name[-36:-12]}
        for path in logs.files()
    )
    assert len(logs.by_process()) >= 4
    shutil.rmtree(logs.directory)


FAILING = """
import flowery_logging
flowery_logging.setup("svc", directory={directory!r}, output="file")
from flowery_logging.integrations.wsgi import RequestMiddleware
@RequestMiddleware
def application(environ, start_response):
    if environ["PATH_INFO"] == "/boom":
        raise ValueError("boom")
    start_response("200 OK", [])
    return [b"ok"]
"""


def test_an_exception_that_the_server_prints_is_told_once(logs: Logs, tmp_path: Path) -> None:
    """It hands the exception to `sys.excepthook`, though the process goes on."""
    (tmp_path / "app.py").write_text(FAILING.format(directory=str(logs.directory)))
    with served(tmp_path) as (_, url):
        get(url)
        with suppress(OSError):  # it closes the connection
            urllib.request.urlopen(f"{url}/boom", timeout=DEADLINE_SECONDS)
        get(url)
    assert (tmp_path / "uwsgi.log").read_text().count("ValueError: boom") == 1
    assert sum("error" in record for record in logs.records()) == 1
