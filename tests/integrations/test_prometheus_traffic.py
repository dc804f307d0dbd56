"""Requests and calls as metrics: exactly those that the access and client events tell."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI, HTTPException, WebSocket
from fastapi.responses import StreamingResponse
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from flowery_logging.integrations import fastapi, prometheus
from flowery_logging.integrations.httpx import instrument, uninstrument
from tests.integrations import exposed
from tests.integrations.exposed import CLIENT, SERVER, Exposed

DURATIONS = "http_server_request_duration_seconds"
CALLS = "http_client_request_duration_seconds"


@pytest.fixture
def registry(logged):
    found = CollectorRegistry()
    prometheus.instrument(found)
    yield found
    prometheus.uninstrument()


@pytest.fixture
def app(registry):
    found = FastAPI()

    @found.get("/orders/{order_id}")
    async def order(order_id: int):
        if order_id == 404:
            raise HTTPException(404)
        if order_id == 500:
            raise ValueError("no flowers")
        return {"order_id": order_id}

    @found.get("/stream")
    async def stream():
        async def pieces():
            for _ in range(3):
                await asyncio.sleep(0)
                yield b"x"

        return StreamingResponse(pieces())

    @found.get("/health")
    async def health():
        return {}

    @found.websocket("/ws")
    async def websocket(socket: WebSocket):
        await socket.accept()
        await socket.send_text("hello")
        await socket.close()

    @found.websocket("/rooms/{room}")
    async def room(socket: WebSocket, room: int):
        await socket.accept()
        await socket.receive()  # what the peer closes with

    found.add_route("/metrics", prometheus.asgi_app(registry))
    fastapi.instrument(found, quiet=["/health", "/metrics"])
    return found


def scrape(registry):
    return Exposed(prometheus.exposition("", registry)[0].decode())


def test_requests_are_those_of_the_access_events(logged, registry, app):
    client = TestClient(app, raise_server_exceptions=False)
    for path in ("/orders/1", "/orders/2", "/orders/404", "/orders/500", "/orders/x", "/stream"):
        client.get(path)
        client.post(path)
    client.request("FLOWER", "/orders/1")
    client.get("/nowhere/7")
    found = scrape(registry)
    counts, seconds = exposed.requests(logged.events())
    counts = {(*k[:2], k[2].replace("FLOWER", "_OTHER"), *k[3:]): n for k, n in counts.items()}
    assert found.of(f"{DURATIONS}_count", SERVER) == counts
    assert sum(counts.values()) == 14
    assert sum(found.of(f"{DURATIONS}_sum", SERVER).values()) == pytest.approx(
        sum(seconds.values()), rel=1e-12
    )
    failed = {key[:4] for key in counts if key[4]}
    assert failed == {("/orders/{order_id}", "shop", "GET", "500")}
    assert found.of("http_server_active_requests", ["service_name"]) == {}


def test_the_endpoint_of_a_route_is_scraped_and_quiet_requests_are_counted(logged, registry, app):
    client = TestClient(app)
    client.get("/health")
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = Exposed(answer.text)
    routes = found.of(f"{DURATIONS}_count", ["http_route"])
    assert routes == {("/health",): 1}
    assert found.of("http_server_active_requests", ["http_request_method"]) == {("GET",): 1}
    assert exposed.requests(logged.events())[0] == {}


def test_a_websocket_is_no_slow_request(logged, registry, app):
    with TestClient(app).websocket_connect("/ws") as socket:
        assert socket.receive_text() == "hello"
    found = scrape(registry)
    assert found.of(f"{DURATIONS}_count", SERVER) == {}
    name = "flowery_websocket_duration_seconds_count"
    assert found.of(name, ["http_route"]) == {("/ws",): 1}
    assert found.of("http_server_active_requests", ["service_name"]) == {}


def test_calls_are_those_of_the_client_events(logged, registry):
    def answer(request):
        if request.url.path == "/down":
            raise httpx.ConnectError("refused")
        return httpx.Response(503 if request.url.path == "/busy" else 200)

    instrument()
    try:
        with httpx.Client(transport=httpx.MockTransport(answer)) as client:
            for path in ("/ok", "/ok", "/busy"):
                client.post(f"http://orders.internal{path}")
            with pytest.raises(httpx.ConnectError):
                client.get("http://stock.internal/down")
    finally:
        uninstrument()
    counts, seconds = exposed.calls(logged.events())
    found = scrape(registry)
    by_host = ["server_address", "http_request_method", "http_response_status_code"]
    told = {(k[0], k[2], k[3]): n for k, n in counts.items()}
    assert found.of(f"{CALLS}_count", by_host) == told
    assert sum(told.values()) == 4
    total = sum(found.of(f"{CALLS}_sum", CLIENT).values())
    assert total == pytest.approx(sum(seconds.values()), rel=1e-12)


def test_what_a_peer_says_as_it_closes_is_no_label(logged, registry, app):
    for number in range(30):
        with TestClient(app).websocket_connect(f"/rooms/{number}") as socket:
            socket.close(4000, f"any text {number}")
    found = scrape(registry).of(
        "flowery_websocket_duration_seconds_count", ["http_route", "error_type"]
    )
    assert found == {("/rooms/{room}", "_OTHER"): 30}
    reasons = [e["event"].get("reason") for e in logged.events() if "reason" in e["event"]]
    assert "any text 7" in reasons  # the event has it
