"""Servers as people start them, in processes of their own, and how each of their processes ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from examples.shop.ports import free_port
from flowery_logging.cli.audit.reading import take_account

ROOT = Path(__file__).parents[2]
UWSGI = str(Path(sys.executable).parent / "uwsgi")
DEADLINE = float(os.environ.get("DEADLINE", "300"))
"""Seconds that anything may take on a loaded machine."""

SETUP = """
import logging, os, sys
import flowery_logging
flowery_logging.setup("svc", directory=os.environ["LOGS"], output="file")
log = logging.getLogger("app")
"""
ASGI = (
    SETUP
    + """
from flowery_logging.integrations.asgi import RequestMiddleware

async def bare(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    log.info("request")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})

app = RequestMiddleware(bare)
log.info("loaded")
"""
)
WSGI = (
    SETUP
    + """
from flowery_logging.integrations.wsgi import RequestMiddleware

def bare(environ, start_response):
    log.info("request")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]

app = RequestMiddleware(bare)
log.info("loaded")
"""
)


class Kind(NamedTuple):
    """How a server is started.

    `command` is what follows `python`; {port}, {folder} and {python} are filled in. `loaded` is the number of
    processes that have logged when it is up. `done` is what it prints when the process {pid} has
    come to the end of a request, for a server that ends differently before.
    """

    command: str
    app: str
    loaded: int = 1
    serves: bool = True
    configuration: str = ""  # gunicorn's
    answering: int = 1  # how many processes must have answered before it is up
    done: str = ""


class Running:
    """A server that runs."""

    def __init__(
        self, folder: Path, kind: Kind, process: subprocess.Popen[bytes], port: int
    ) -> None:
        self.folder, self.kind, self.process, self.port = folder, kind, process, port

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def ask(self) -> int:
        """Return the ID of the process that answers, when one does."""
        found: list[int] = []

        def answered() -> bool:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=60) as reply:
                    found.append(int(reply.read()))
            except (OSError, ValueError):
                return False
            return True

        self.until(answered)
        return found[0]

    def answers(self) -> bool:
        """Tell whether a request is answered, with whatever status."""
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=60).close()
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            return False
        return True

    def until(self, true: Callable[[], Any]) -> None:
        """Wait for a condition while the server runs."""
        deadline = time.monotonic() + DEADLINE
        while not true():
            assert time.monotonic() < deadline, self.output()
            assert self.process.poll() is None, self.output()
            time.sleep(0.05)

    def loaded(self) -> int:
        """Return how many processes have logged that they are up."""
        files = list(self.logs.glob("*.ndjson")) if self.logs.exists() else []
        return sum(b'"loaded"' in path.read_bytes() for path in files)

    def up(self, processes: int) -> None:
        """Wait until so many processes have logged, and one answers."""
        self.until(lambda: self.loaded() >= processes)
        if self.kind.serves:
            pids = self.answering()
            for pid in pids if self.kind.done else ():
                self.until(partial(self.has_done, pid))

    def answering(self, but: frozenset[int] = frozenset()) -> frozenset[int]:
        """Wait until as many processes have answered as shall, others than `but`; return their IDs."""
        pids = {self.ask()} - but
        while len(pids) < self.kind.answering:  # at once: else one may answer all of them
            with ThreadPoolExecutor(8) as clients:
                pids.update(set(clients.map(lambda _: self.ask(), range(8))) - but)
        return frozenset(pids)

    def has_done(self, pid: int) -> bool:
        """Tell whether a process has come to the end of a request, and waits for the next."""
        return self.kind.done.format(pid=pid) in self.output() and sleeps(pid)

    def end(self, number: int) -> None:
        """Send a signal (SIGKILL to all processes of the server) and wait for the end."""
        if number == signal.SIGKILL:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        self.process.wait(DEADLINE)
        deadline = time.monotonic() + DEADLINE
        while is_alive(self.process.pid):
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.05)

    def output(self) -> str:
        return (self.folder / "output").read_text(errors="replace")


def sleeps(pid: int) -> bool:
    """Tell whether a process waits for something."""
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "S"


def is_alive(group: int) -> bool:
    """Tell whether a process of a server is still there."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def running(folder: Path, kind: Kind, **environment: str) -> Iterator[Running]:
    """Run a server until it has ended."""
    (folder / "main.py").write_text(kind.app)
    if kind.configuration:
        (folder / "gunicorn.conf.py").write_text(kind.configuration)
    port = free_port()
    command = [
        part.format(port=port, folder=folder, python=sys.executable)
        for part in kind.command.split()
    ]
    command = [sys.executable, *command] if command[0] != "uwsgi" else [UWSGI, *command[1:]]
    output = (folder / "output").open("wb")
    process = subprocess.Popen(
        command, cwd=folder, stdout=output, stderr=output, start_new_session=True,
        env={**os.environ, "LOGS": str(folder / "logs"), "PYTHONPATH": f"{folder}:{ROOT}", **environment},
    )  # fmt: skip
    try:
        yield Running(folder, kind, process, port)
    finally:
        output.close()
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def ends(logs: Path) -> list[str]:
    """Return how each process of a directory ended, as the audit says; nothing may be lost."""
    accounts = take_account([logs], datetime.now(timezone.utc))
    for process in accounts.processes.values():
        assert not process.torn
        assert not process.repeats
        assert not process.absent(accounts.removals).lost
    return sorted(process.end.value for process in accounts.processes.values())
