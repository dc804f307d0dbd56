"""Real servers on loopback, and what was logged together with the fields bound at that moment."""

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
import uvicorn

from flowery_logging import context

ACCESS = "flowery_logging.access"


def written(directory: Path) -> list[dict[str, Any]]:
    """Every event in the files of a directory, also while they are written: whole lines only."""
    texts = (path.read_bytes() for path in sorted(directory.glob("*.ndjson")))
    return [json.loads(line) for text in texts for line in text.split(b"\n")[:-1]]


@pytest.fixture(autouse=True, scope="session")
def patience() -> None:
    """Let httpx wait longer than its five seconds, for a machine that has other things to do."""
    for library in (httpx, httpx2):
        waits = library._config.DEFAULT_TIMEOUT_CONFIG
        waits.connect = waits.read = waits.write = waits.pool = 300


@dataclass
class Line:
    """One record, and the context's fields when it was logged."""

    record: logging.LogRecord
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        return self.record.getMessage()


class Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(Line(record, dict(context.fields())))

    def named(self, message: str) -> list[Line]:
        return [line for line in self.lines if line.message == message]

    def errors(self) -> list[Line]:
        """Return the errors, but for access events of requests that failed."""
        return [
            line
            for line in self.lines
            if line.record.levelno >= logging.ERROR and line.record.name != ACCESS
        ]

    def access(self) -> list[Line]:
        return [line for line in self.lines if line.record.name == ACCESS]


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Collect every record that reaches the root logger, at INFO and above."""
    handler, root = Collector(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield handler
    root.setLevel(before)
    root.removeHandler(handler)


class Server(uvicorn.Server):
    """A server that ends when it is told to: uvicorn itself looks up ten times a second."""

    async def main_loop(self) -> None:
        await self.on_tick(0)
        while not self.should_exit:  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(0.005)


@contextmanager
def running(app: Any) -> Iterator[str]:
    """Serve `app` with uvicorn in a thread; the value is its base URL."""
    config = uvicorn.Config(app, log_config=None, lifespan="on")
    server = Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        deadline = time.monotonic() + 300
        while not server.started and thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.005)
        assert server.started
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(300)
            assert not thread.is_alive()


class Serve:
    """Serve applications until `stop()`: only then has every line of every request come.

    A server answers with 500 before it and the middleware log the exception.
    """

    def __init__(self) -> None:
        self._running = ExitStack()

    def __call__(self, app: Any) -> str:
        return self._running.enter_context(running(app))

    def stop(self) -> None:
        self._running.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers = Serve()
    yield servers
    servers.stop()


@pytest.fixture(scope="module")
def serve_all() -> Iterator[Serve]:
    """Serve one application to all tests of a module."""
    servers = Serve()
    yield servers
    servers.stop()
