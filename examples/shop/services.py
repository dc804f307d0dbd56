"""The shop's services as processes: started on free ports, awaited, and always stopped."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from examples.shop.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 60.0  # seconds
STOPPED_WITHIN = 30.0
DELIVERED_WITHIN = 60.0
DEAD_WITHIN = 5.0


class ServiceError(Exception):
    """A service did not start, or ended before it was told to."""


@dataclass
class Service:
    """One running service. Its output and its count of events lie beside the logs.

    The courier listens nowhere: its port is None. `metrics` is the port of its metrics, if it shows
    any.
    """

    name: str
    port: int | None
    process: subprocess.Popen[bytes]
    output: Path
    tally: Path
    metrics: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def check(self) -> None:
        """Raise `ServiceError` with what the service said last, if it runs no more."""
        code = self.process.poll()
        if code is not None:
            said = "\n".join(self.output.read_text("utf-8", "replace").splitlines()[-20:])
            raise ServiceError(f"{self.name} ended with exit code {code}:\n{said or '(no output)'}")

    def events(self) -> int:
        """Return how many events the service says it logged."""
        return int(json.loads(self.tally.read_text())["events"])


@asynccontextmanager
async def shop(directory: Path, *, metrics: bool = False) -> AsyncIterator[dict[str, Service]]:
    """Run courier, orders and gateway; they log to `directory`, and have stopped at the end.

    With `metrics` each shows them to Prometheus (the extra `prometheus`).
    """
    queue = directory / "queue"
    async with AsyncExitStack() as stack:
        shown = [free_port() if metrics else None for _ in range(3)]
        courier = _running("courier", directory, None, shown[0], SHOP_QUEUE=str(queue))
        orders = _running("orders", directory, free_port(), shown[1], SHOP_QUEUE=str(queue))
        services = {"courier": await stack.enter_async_context(courier)}
        await stack.enter_async_context(_delivered(queue, services["courier"]))
        services["orders"] = await stack.enter_async_context(orders)
        url = services["orders"].url
        gateway = _running("gateway", directory, free_port(), shown[2], SHOP_ORDERS_URL=url)
        services["gateway"] = await stack.enter_async_context(gateway)
        for service in services.values():
            await _ready(service)
        yield {name: services[name] for name in ("gateway", "orders", "courier")}


async def check_for_dead(services: Iterable[Service]) -> None:
    """Raise `ServiceError` if one of the services has ended, or does so within `DEAD_WITHIN`.

    A process that is killed closes its connections before it can be waited for: who saw one close
    may ask too early.
    """
    watched, deadline = list(services), time.monotonic() + DEAD_WITHIN
    while time.monotonic() < deadline:
        for service in watched:
            service.check()
        await asyncio.sleep(0.05)


@asynccontextmanager
async def _running(
    name: str, directory: Path, port: int | None, metrics: int | None, **environment: str
) -> AsyncIterator[Service]:
    service = _start(name, directory, port, metrics, environment)
    try:
        yield service
    finally:
        await _stop(service.process)


def _start(
    name: str, directory: Path, port: int | None, metrics: int | None, environment: dict[str, str]
) -> Service:
    output, tally = directory / f"{name}.output", directory / f"{name}.tally.json"
    environment |= {
        "FLOWERY_LOG_DIR": str(directory),
        "FLOWERY_LOG_OUTPUT": "file",
        "SHOP_PORT": str(port or ""),
        "SHOP_METRICS": str(metrics or ""),
        "SHOP_TALLY": str(tally),
    }
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", f"examples.shop.{name}"],
            cwd=ROOT,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,  # a terminal's Ctrl-C comes to us alone, and we stop it
        )
    return Service(name, port, process, output, tally, metrics)


async def _ready(service: Service) -> None:
    """Wait until the service takes connections, or has begun to log; no request, so no event."""
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        service.check()
        if await _answers(service):
            return
        await asyncio.sleep(0.05)
    raise ServiceError(f"{service.name} was not ready within {READY_WITHIN:.0f} seconds")


async def _answers(service: Service) -> bool:
    if service.port is None:
        return service.tally.exists() and service.tally.stat().st_size > 0
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", service.port)
    except OSError:
        return False
    writer.close()
    return True


@asynccontextmanager
async def _delivered(queue: Path, courier: Service) -> AsyncIterator[None]:
    """After a block that ends well, wait until the courier has taken the last task and is still."""
    yield
    deadline, before = time.monotonic() + DELIVERED_WITHIN, -1
    while courier.process.poll() is None and time.monotonic() < deadline:
        idle = _is_empty(queue) and courier.tally.exists()
        now = courier.events() if idle else -1
        if idle and now == before:
            return
        before = now
        await asyncio.sleep(0.3)


def _is_empty(queue: Path) -> bool:
    return not any(queue.glob("*.msg"))


async def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the process gracefully, or in the end by force; no cancellation leaves it running."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    await asyncio.shield(asyncio.to_thread(_wait_or_kill, process))


def _wait_or_kill(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOPPED_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
