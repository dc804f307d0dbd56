"""FastAPI under hypercorn: streamed responses; with Trio, tasks of a request beside each other."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from examples.shop.ports import free_port
from tests.integrations.conftest import written

pytestmark = pytest.mark.slow

Ask = Callable[[httpx.AsyncClient], Awaitable[None]]

ROOT = Path(__file__).parents[2]
APP = """
import logging
from pathlib import Path
import anyio
import flowery_logging
from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from flowery_logging.integrations import fastapi

flowery_logging.setup("shop", directory=Path(__file__).parent / "logs", output="file")
app = FastAPI()
fastapi.instrument(app)
log = logging.getLogger("shop")

@app.get("/ready")
def ready():
    return "ready"

async def item(number, many):
    flowery_logging.bind(item=f"{many} {number}")
    await anyio.sleep(0.001)
    with flowery_logging.bound(step=f"{many} {number}"):
        await anyio.to_thread.run_sync(log.info, "packing")
        await anyio.sleep(0.001)
    log.info("packed")

@app.get("/orders/{order}")
async def order(order: str):
    flowery_logging.bind(order=order)
    async with anyio.create_task_group() as group:
        for number in range(5):
            group.start_soon(item, number, order)
    log.info("done")

@app.get("/stream")
async def stream():
    async def pieces():
        for _ in range(3):
            yield b"piece"

    return StreamingResponse(pieces())

def customer(order: str):
    flowery_logging.bind(customer=order)

@app.get("/plain/{order}")
def plain(order: str, _: None = Depends(customer)):
    log.info("plain")
"""


def served(tmp_path, worker, ask):
    """Serve the application while `ask` asks; return what the server has said."""
    (tmp_path / "main.py").write_text(APP)
    port = free_port()
    command = [sys.executable, "-m", "hypercorn", "main:app", "-k", worker, "-w", "0",
               "--bind", f"127.0.0.1:{port}"]  # fmt: skip
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    server = subprocess.Popen(
        command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        asyncio.run(_send(f"http://127.0.0.1:{port}", server, ask))
    finally:
        server.send_signal(signal.SIGTERM)
        said, _ = server.communicate(timeout=300)
    return said.decode()


@pytest.mark.parametrize("worker", ["asyncio", "trio"])
@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_a_streamed_response_that_the_client_has_got_is_whole(tmp_path, worker, connection):
    async def ask(client):
        for _ in range(3):
            answer = await client.get("/stream", headers={"Connection": connection})
            assert answer.text == "piece" * 3
        # The client has all of it before the server's task goes on: what ends that ends its event.
        deadline = time.monotonic() + 300
        while len(streamed()) < 3 and time.monotonic() < deadline:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.01)

    def streamed():
        return [e for e in written(tmp_path / "logs") if e.get("url", {}).get("path") == "/stream"]

    said = served(tmp_path, worker, ask)
    assert [(e["message"], e["event"]["outcome"]) for e in streamed()] == [
        ("GET /stream 200", "success")
    ] * 3, said


def test_no_line_shows_what_another_task_has_bound(tmp_path):
    async def ask(client):
        orders = (client.get(f"/orders/o{number}") for number in range(20))
        plain = (client.get(f"/plain/p{number}") for number in range(20))
        answers = await asyncio.gather(*orders, *plain)
        assert {answer.status_code for answer in answers} == {200}

    said = served(tmp_path, "trio", ask)
    events = [e for e in written(tmp_path / "logs") if e["log"]["logger"] == "shop"]
    by_message = {
        message: [e for e in events if e["message"] == message]
        for message in ("packing", "packed", "done", "plain")
    }
    assert [len(found) for found in by_message.values()] == [100, 100, 20, 20], said
    traces = {e["labels"]["order"]: e["trace"]["id"] for e in by_message["done"]}
    assert len(set(traces.values())) == 20
    for event in by_message["packing"] + by_message["packed"]:
        labels = event["labels"]
        assert event["trace"]["id"] == traces[labels["order"]]
        assert labels["item"].split()[0] == labels["order"]
        assert labels.get("step", labels["item"]) == labels["item"]
        assert ("step" in labels) == (event["message"] == "packing")
    assert len({e["labels"]["item"] for e in by_message["packed"]}) == 100
    assert all(e["labels"]["customer"] for e in by_message["plain"])


async def _send(url: str, server: "subprocess.Popen[bytes]", ask: Ask) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=300) as client:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            assert server.poll() is None
            try:
                await client.get("/ready")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.1)
        await ask(client)
