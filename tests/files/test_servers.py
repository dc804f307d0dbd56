"""Servers that fork: each worker has its own file, and none loses its request logs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.files.conftest import Logs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform"),
]

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

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
from examples.shop import broker
app = Celery("tasks", broker=broker.URL, backend="cache+memory://")
app.conf.broker_transport_options = {{
    "data_folder_in": {queue!r}, "data_folder_out": {queue!r}, "control_folder": {queue!r},
    "polling_interval": 0.05,
}}
app.conf.worker_hijack_root_logger = False
app.conf.worker_timer_precision = 0.1  # seconds; its end waits for it
@signals.setup_logging.connect
def keep(**_): pass
@app.task
def work(n):
    logging.getLogger("app").info("task %d", n)
"""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket that a server inherits: nobody else can take its port, and requests wait in it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@contextmanager
def server(
    folder: Path, *command: str, stdout: int | None = None, listener: socket.socket | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; it must then end by itself."""
    with (folder / "server.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, stdout=stdout or output, stderr=output,
            start_new_session=True, env=ENVIRONMENT, pass_fds=[] if listener is None else [listener.fileno()],
        )  # fmt: skip
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            process.wait(300)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def ask(listener: socket.socket, requests: int) -> set[str]:
    """Send so many requests; return the workers' process IDs."""
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    pids = set()
    for number in range(requests):
        with urllib.request.urlopen(f"{url}/{number}", timeout=300) as reply:
            pids.add(reply.read().decode())
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
def test_gunicorn(logs: Logs, tmp_path: Path, listener: socket.socket, preload: bool) -> None:
    (tmp_path / "main.py").write_text(WSGI.format(directory=str(logs.directory)))
    at = f"fd://{listener.fileno()}"
    options = ["--workers", "3", "--bind", at, *(["--preload"] if preload else [])]
    with server(tmp_path, "gunicorn", "main:app", *options, listener=listener):
        pids = ask(listener, 60)
    check(logs, pids, 60)


def test_uvicorn_workers(logs: Logs, tmp_path: Path, listener: socket.socket) -> None:
    (tmp_path / "main.py").write_text(ASGI.format(directory=str(logs.directory)))
    options = ["--workers", "2", "--fd", str(listener.fileno())]
    with server(tmp_path, "uvicorn", "main:app", *options, listener=listener):
        pids = ask(listener, 60)
    check(logs, pids, 60)


def test_celery_prefork(logs: Logs, tmp_path: Path) -> None:
    queue = tmp_path / "queue"
    queue.mkdir()
    (tmp_path / "tasks.py").write_text(
        CELERY.format(directory=str(logs.directory), queue=str(queue))
    )
    send = "import tasks\nfor n in range(40): tasks.work.apply_async((n,), ignore_result=True)"
    subprocess.run([sys.executable, "-c", send], cwd=tmp_path, check=True, env=ENVIRONMENT)
    options = ["worker", "--pool", "prefork", "--concurrency", "3", "--loglevel", "WARNING"]
    with server(tmp_path, "celery", "-A", "tasks", *options):
        deadline = time.monotonic() + 300
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


def test_gunicorn_workers_that_share_a_pipe_with_long_traces(
    tmp_path: Path, listener: socket.socket
) -> None:
    (tmp_path / "main.py").write_text(LONG_TRACES)
    options = ["--workers", "3", "--threads", "4", "--bind", f"fd://{listener.fileno()}"]
    lines: list[bytes] = []
    running = server(
        tmp_path, "gunicorn", "main:app", *options, stdout=subprocess.PIPE, listener=listener
    )
    with ThreadPoolExecutor(5) as pool, running as process:
        assert process.stdout is not None
        reader = pool.submit(lines.extend, process.stdout)
        list(pool.map(lambda _: ask(listener, 60), range(4)))
    reader.result()
    process.stdout.close()
    records = [json.loads(line) for line in lines]
    requests = [r for r in records if r["message"].startswith("request")]
    assert len(requests) == 240
    assert sum(len(line) > 4096 for line in lines) > 100
