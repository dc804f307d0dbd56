"""Websockets under a real server: an event when one opens, one when it closes, on one trace."""

import logging

import pytest
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from flowery_logging.context import bind
from flowery_logging.integrations import fastapi

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "X-Request-ID": "w-1"}


@pytest.fixture
def url(serve, collector):
    app = FastAPI()

    @app.websocket("/echo")
    async def echo(websocket: WebSocket):
        await websocket.accept()
        bind(user=7)
        try:
            while True:
                await websocket.send_text(await websocket.receive_text())
        except WebSocketDisconnect:
            logging.getLogger("app").info("gone")

    @app.websocket("/boom")
    async def boom(websocket: WebSocket):
        await websocket.accept()
        raise ValueError("꽃")

    @app.websocket("/refused")
    async def refused(websocket: WebSocket):
        await websocket.close()

    @app.websocket("/closed")
    async def closed(websocket: WebSocket):
        await websocket.accept()
        await websocket.close(4000, "enough")

    fastapi.instrument(app)
    return serve(app).replace("http", "ws")


def test_it_opens_and_closes_on_its_trace(url, collector, serve):
    with connect(f"{url}/echo?a=1", additional_headers=HEADERS, open_timeout=300) as websocket:
        assert websocket.response is not None
        assert websocket.response.headers["x-request-id"] == "w-1"
        for number in range(3):
            websocket.send(str(number))
            assert websocket.recv() == str(number)
    serve.stop()
    opened, closed = collector.access()
    assert opened.message == "websocket /echo opened"
    assert closed.message == "websocket /echo closed"
    for line in (opened, closed):
        assert line.fields["trace.id"] == TRACE
        assert line.fields["http.request.id"] == "w-1"
        assert vars(line.record)["url.query"] == "a=1"
    assert closed.fields["user"] == 7
    told = vars(closed.record)
    assert (told["messages_received"], told["messages_sent"]) == (3, 3)
    assert (told["websocket_close_code"], told["event.outcome"]) == (1000, "success")
    assert told["event.duration"] > 0
    assert collector.named("gone")[0].fields["trace.id"] == TRACE


def test_an_application_that_fails_closes_it_with_an_error(url, collector, serve):
    with connect(f"{url}/boom", open_timeout=300) as websocket, pytest.raises(ConnectionClosed):
        websocket.recv()
    serve.stop()
    _, closed = collector.access()
    assert closed.record.levelname == "ERROR"
    assert vars(closed.record)["websocket_close_code"] == 1011
    assert len(collector.errors()) == 1


def test_a_refused_handshake_is_an_access_event(url, collector, serve):
    with pytest.raises(InvalidStatus):
        connect(f"{url}/refused", open_timeout=300)
    serve.stop()
    (line,) = collector.access()
    assert line.message == "GET /refused 403"
    assert line.record.levelname == "WARNING"


def test_the_application_may_close_with_a_code_and_a_reason(url, collector, serve):
    with connect(f"{url}/closed", open_timeout=300) as websocket, pytest.raises(ConnectionClosed):
        websocket.recv()
    serve.stop()
    told = vars(collector.access()[1].record)
    assert (told["websocket_close_code"], told["event.reason"]) == (4000, "enough")
    assert told["event.outcome"] == "unknown"
