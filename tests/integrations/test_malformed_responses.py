"""Responses that break ASGI or PEP 3333: the server judges them, and no call of ours raises."""

from __future__ import annotations

import asyncio
import http
from typing import Any

import pytest

from flowery_logging.integrations import asgi, wsgi

STATUSES = [
    ("weird", None),
    ("", None),
    ("20", None),
    ("2000 Many", None),
    ("²⁰⁰", None),
    ("200", 200),
    ("404 Not Found", 404),
    (b"503 Busy", 503),
    (200, 200),
    (http.HTTPStatus.NOT_FOUND, 404),
    (-1, None),
    (10**30, None),
    (True, None),
    (None, None),
    ([], None),
]
HEADERS: list[Any] = [None, 7, [7], ["a"], [("a", 1, 2)], [(None, None)]]


def the_event(collector: Any) -> Any:
    (line,) = collector.access()
    return vars(line.record)


def run_wsgi(app: Any) -> tuple[list[Any], list[Any]]:
    """What the server gets: the arguments of `start_response`, and the pieces of the body."""
    started: list[Any] = []

    def start_response(*args: Any) -> Any:
        started.append(args)
        return lambda data: started.append(data)

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}
    body = wsgi.RequestMiddleware(app)(environ, start_response)
    pieces = list(body)
    body.close()  # type: ignore[attr-defined]
    return started, pieces


def run_asgi(*messages: dict[str, Any], kind: str = "http") -> list[Any]:
    """What the server gets of an application that sends these messages."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": f"{kind}.request"}

    scope: dict[str, Any] = {"type": kind, "method": "GET", "path": "/", "headers": []}
    scope["extensions"] = {"websocket.http.response": {}}
    asyncio.run(asgi.RequestMiddleware(app)(scope, receive, send))
    return sent


@pytest.mark.parametrize(("status", "number"), STATUSES)
def test_a_status_of_wsgi(collector: Any, status: Any, number: int | None) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response(status, [])
        return [b"body"]

    ((given, *_),), pieces = run_wsgi(app)
    assert given is status
    assert pieces == [b"body"]
    assert the_event(collector).get("http.response.status_code") == number


@pytest.mark.parametrize("headers", HEADERS)
def test_headers_of_wsgi(collector: Any, headers: Any) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", headers)
        return [b"body"]

    ((_, given),), _ = run_wsgi(app)
    assert given is headers
    assert the_event(collector)["http.response.status_code"] == 200


def test_a_body_of_wsgi(collector: Any) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", [])
        write(None)
        return [b"ab", None, 7, b"c"]

    (_, written), pieces = run_wsgi(app)
    assert (written, pieces) == (None, [b"ab", None, 7, b"c"])
    assert the_event(collector)["http.response.body.bytes"] == 3


@pytest.mark.parametrize(("status", "number"), STATUSES)
def test_a_status_of_asgi(collector: Any, status: Any, number: int | None) -> None:
    start = {"type": "http.response.start", "status": status, "headers": []}
    sent = run_asgi(start, {"type": "http.response.body", "body": b"body"})
    assert sent[0]["status"] is status
    assert sent[1]["body"] == b"body"
    assert the_event(collector).get("http.response.status_code") == number


@pytest.mark.parametrize("headers", [*HEADERS[1:], [("a", "b")], [("content-length", "4")]])
def test_headers_of_asgi(collector: Any, headers: Any) -> None:
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    sent = run_asgi(start, {"type": "http.response.body", "body": b"body", "more_body": True})
    assert sent[0] is start
    assert the_event(collector)["http.response.status_code"] == 200


def test_messages_of_asgi(collector: Any) -> None:
    messages: list[dict[str, Any]] = [
        {},
        {"type": None},
        {"type": "http.response.start"},
        {"type": "http.response.body", "body": None, "more_body": True},
        {"type": "http.response.body", "body": 7},
    ]
    sent = run_asgi(*messages)
    assert [message.get("type") for message in sent] == [one.get("type") for one in messages]
    assert "http.response.status_code" not in the_event(collector)


@pytest.mark.parametrize(("status", "number"), STATUSES)
def test_the_answer_of_a_websocket_that_is_refused(
    collector: Any, status: Any, number: int | None
) -> None:
    start = {"type": "websocket.http.response.start", "status": status, "headers": [(None, None)]}
    sent = run_asgi({}, start, {"type": "websocket.http.response.body"}, kind="websocket")
    assert sent[1] is start
    assert the_event(collector).get("http.response.status_code") == number
