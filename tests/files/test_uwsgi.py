"""uWSGI forks its workers in C, after the application was imported: no fork hook of Python runs."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
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
import logging, os, threading
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
            server.send_signal(signal.SIGINT)
            server.wait(DEADLINE_SECONDS)


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


@pytest.mark.parametrize("options", [(), ("--lazy-apps",), ("--threads", "4")], ids=str)
def test_each_worker_is_a_process_of_its_own(
    logs: Logs, tmp_path: Path, options: tuple[str, ...]
) -> None:
    (tmp_path / "app.py").write_text(APP.format(directory=str(logs.directory)))
    numbers = iter(range(1_000_000))
    asked: list[int] = []
    with served(tmp_path, *options) as (server, url):
        for _ in range(2):
            workers: set[str] = set()
            while len(workers) < 2 or len(asked) % 60:
                asked.append(next(numbers))
                workers.add(get(f"{url}/{asked[-1]}"))
            server.send_signal(signal.SIGHUP)  # a graceful reload: new workers
            reloaded = get(f"{url}/reload")
            assert reloaded
    logs.check_sequences(ordered=False)
    messages = logs.messages()
    for number in asked:
        assert messages.count(f"request {number}") == messages.count(f"thread {number}") == 1
    assert all(
        {record["process"]["entity_id"] for record in Logs.records_of(path)} == {path.name[-36:-12]}
        for path in logs.files()
    )
    assert len(logs.by_process()) >= 4
    shutil.rmtree(logs.directory)
