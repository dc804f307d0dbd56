"""Servers that fork: each worker has its own file, and none loses its request logs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.files.conftest import Logs

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")

WSGI = """
import logging, os, flowery_logging
flowery_logging.setup("svc", directory={directory!r}, output="file")
logging.getLogger("app").info("loaded")
def app(environ, start_response):
    logging.getLogger("app").info("request %s", environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""

ASGI = """
import logging, os, flowery_logging
flowery_logging.setup("svc", directory={directory!r}, output="file")
logging.getLogger("app").info("loaded")
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    logging.getLogger("app").info("request %s", scope["path"])
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    await send({{"type": "http.response.body", "body": str(os.getpid()).encode()}})
"""

CELERY = """
import os, logging, flowery_logging
flowery_logging.setup("svc", directory={directory!r}, output="file")
from celery import Celery, signals
app = Celery("tasks", broker="filesystem://", backend="cache+memory://")
app.conf.broker_transport_options = {{
    "data_folder_in": {queue!r}, "data_folder_out": {queue!r}, "control_folder": {queue!r},
}}
app.conf.worker_hijack_root_logger = False
@signals.setup_logging.connect
def keep(**_): pass
@app.task
def work(n):
    logging.getLogger("app").info("task %d", n)
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def server(folder: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "server.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def ask(port: int, requests: int, server_log: Path) -> set[str]:
    """Send requests until so many are answered; return the workers' process IDs."""
    pids: set[str] = set()
    answered = 0
    deadline = time.monotonic() + 40
    while answered < requests:
        assert time.monotonic() < deadline, server_log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{answered}", timeout=5) as reply:
                pids.add(reply.read().decode())
                answered += 1
        except OSError:
            time.sleep(0.05)
    return pids


def check(logs: Logs, pids: set[str], requests: int) -> None:
    logs.check_sequences()
    messages = logs.messages()
    assert sorted(m for m in messages if m.startswith("request")) == sorted(
        f"request /{n}" for n in range(requests)
    )
    for records in logs.by_process().values():
        own = {r["process"]["pid"] for r in records}
        assert len(own) == 1, "a process wrote under another's identity"
    writers = {
        str(r["process"]["pid"]) for r in logs.records() if r["message"].startswith("request")
    }
    assert writers == pids


@pytest.mark.parametrize("preload", [True, False])
def test_gunicorn(logs: Logs, tmp_path: Path, preload: bool) -> None:
    (tmp_path / "main.py").write_text(WSGI.format(directory=str(logs.directory)))
    port = free_port()
    options = ["--workers", "3", "--bind", f"127.0.0.1:{port}", *(["--preload"] if preload else [])]
    with server(tmp_path, "gunicorn", "main:app", *options):
        pids = ask(port, 60, tmp_path / "server.log")
    check(logs, pids, 60)


def test_uvicorn_workers(logs: Logs, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(ASGI.format(directory=str(logs.directory)))
    port = free_port()
    options = ["--workers", "2", "--port", str(port), "--host", "127.0.0.1"]
    with server(tmp_path, "uvicorn", "main:app", *options):
        pids = ask(port, 60, tmp_path / "server.log")
    check(logs, pids, 60)


def test_celery_prefork(logs: Logs, tmp_path: Path) -> None:
    queue = tmp_path / "queue"
    queue.mkdir()
    (tmp_path / "tasks.py").write_text(
        CELERY.format(directory=str(logs.directory), queue=str(queue))
    )
    send = "import tasks\nfor n in range(40): tasks.work.apply_async((n,), ignore_result=True)"
    subprocess.run([sys.executable, "-c", send], cwd=tmp_path, check=True)
    options = ["worker", "--pool", "prefork", "--concurrency", "3", "--loglevel", "WARNING"]
    with server(tmp_path, "celery", "-A", "tasks", *options):
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            done = [m for p in logs.files() for m in p.read_text().split("\n") if '"task ' in m]
            if len(done) == 40:
                break
            time.sleep(0.1)
    logs.check_sequences()
    assert sorted(m for m in logs.messages() if m.startswith("task ")) == sorted(
        f"task {n}" for n in range(40)
    )


LONG_TRACES = """
import logging, os, flowery_logging
flowery_logging.setup("svc", output="stdout")
def fail(depth):
    if depth == 0:
        raise ValueError("the bottom " + "x" * 3000)
    fail_again(depth - 1)
def fail_again(depth):
    fail(depth)
def app(environ, start_response):
    try:
        fail(int(environ["PATH_INFO"][1:]) % 40)
    except ValueError:
        logging.getLogger("app").exception("request %s", environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""


def test_gunicorn_workers_that_share_a_pipe_with_long_traces(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(LONG_TRACES)
    port = free_port()
    command = ["gunicorn", "main:app", "--workers", "3", "--threads", "4", "--bind"]
    process = subprocess.Popen(
        [sys.executable, "-m", *command, f"127.0.0.1:{port}"], cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    lines: list[bytes] = []
    assert process.stdout is not None
    stdout = process.stdout
    reader = threading.Thread(target=lambda: lines.extend(stdout))
    reader.start()
    try:
        clients = [
            threading.Thread(target=ask, args=(port, 60, tmp_path / "main.py")) for _ in range(4)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        reader.join()
        stdout.close()
    records = [json.loads(line) for line in lines]
    requests = [r for r in records if r["message"].startswith("request")]
    assert len(requests) == 240
    assert sum(len(line) > 4096 for line in lines) > 100
