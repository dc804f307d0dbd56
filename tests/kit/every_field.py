"""Writes an event of every kind that the library has: `python -m tests.kit.every_field DIRECTORY`."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import warnings
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

import flowery_logging
from flowery_logging.integrations import fastapi, httpx as calls, wsgi

TRACEPARENT = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}


def log_of_all_kinds() -> None:
    log = logging.getLogger("shop")
    log.info("plain", extra={"order_id": 7})
    flowery_logging.get_logger("shop").warning("structured", order_id=7)
    with flowery_logging.bound(user_id="u-1"), flowery_logging.continue_trace(TRACEPARENT):
        log.info("in a trace")
    try:
        raise ValueError("refused")
    except ValueError:
        log.exception("failed")
    warnings.warn("old", stacklevel=1)
    thread = threading.Thread(target=lambda: 1 // 0)
    thread.start()
    thread.join()


async def answer(request: Request) -> PlainTextResponse:
    if request.url.path == "/broken":
        raise RuntimeError("broken")
    return PlainTextResponse("ok")


def plain_application(_: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [b"ok"]


def ask_servers() -> None:
    routes = [Route(path, answer, methods=["GET", "POST"]) for path in ("/orders", "/broken")]
    app = Starlette(routes=routes)
    fastapi.instrument(app)
    client = TestClient(app, raise_server_exceptions=False)
    headers = {**TRACEPARENT, "User-Agent": "test", "Referer": "https://flowery.kr/"}
    client.post("/orders?token=x&page=2", content=b"{}", headers=headers)
    client.get("/broken", headers=headers)
    wrapped = wsgi.RequestMiddleware(plain_application)
    httpx.Client(transport=httpx.WSGITransport(app=wrapped), base_url="http://shop").get("/x")


async def call_servers() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(503, text="later"))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://bank.example:8443"
    ) as client:
        calls.instrument(client)
        with flowery_logging.continue_trace(TRACEPARENT):
            await client.post("/pay?card=1", content=b"{}")


def main() -> None:
    flowery_logging.setup(
        service="fields", version="1.0", environment="test", level="DEBUG", directory=sys.argv[1],
        output="file", max_bytes=20_000,
    )  # fmt: skip
    log_of_all_kinds()
    ask_servers()
    asyncio.run(call_servers())
    flowery_logging.shutdown()


if __name__ == "__main__":
    main()
