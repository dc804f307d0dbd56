"""The access event under a real server: what it tells, and how the ends of requests differ."""

import asyncio
import contextlib
import json
import logging
import socket
import time

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from starlette.routing import Mount, Route, Router

import flowery_logging
from flowery_logging import trace
from flowery_logging.ecs import plan
from flowery_logging.ecs.document import Placer
from flowery_logging.integrations import fastapi
from flowery_logging.integrations.asgi import RequestMiddleware
from flowery_logging.integrations.options import Options
from flowery_logging.integrations.peers import domain

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


def lifespan_only(app):
    """Answer the lifespan messages, so that `app` sees requests alone."""

    async def answering(scope, receive, send):
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.complete"})

    return answering


async def start(send, status=200):
    await send({"type": "http.response.start", "status": status, "headers": []})


async def body(send, data=b"", more=False):
    await send({"type": "http.response.body", "body": data, "more_body": more})


async def receive():
    return {"type": "http.request"}


def extra(line):
    return vars(line.record)


@pytest.fixture
def ask(serve, collector):
    """Serve a plain ASGI application behind the middleware, GET once, return the access events."""

    def asking(app, path="/x", options=None, **request):
        url = serve(RequestMiddleware(lifespan_only(app), **(options or {})))
        with contextlib.suppress(httpx.HTTPError):  # what the server has cut off
            answers.append(httpx.get(url + path, **request))
        serve.stop()
        return collector.access()

    return asking


answers: list[httpx.Response] = []


def test_it_tells_the_whole_request(tmp_path, serve):
    app = FastAPI()

    @app.get("/orders/{order_id}")
    async def order(order_id: int):
        flowery_logging.bind(order_id=order_id)

        async def chunks():
            yield "꽃" * 100
            await asyncio.sleep(0.03)
            yield "end"

        return StreamingResponse(chunks())

    fastapi.instrument(app, proxies=["127.0.0.0/8"])
    flowery_logging.setup(service="shop", directory=tmp_path, output="file", redact=["coupon"])
    begun = time.perf_counter_ns()
    try:
        httpx.get(
            f"{serve(app)}/orders/7?a=1&token=s3cret&coupon=x&%74oken=s3cret&c",
            headers={
                "traceparent": TRACEPARENT,
                "X-Request-ID": "r-7",
                "User-Agent": "Agent/1",
                "X-Forwarded-For": "6.6.6.6, 2001:db8::7",
            },
        )
        serve.stop()
    finally:
        flowery_logging.shutdown()
    whole = time.perf_counter_ns() - begun
    lines = [json.loads(li) for p in tmp_path.glob("*") for li in p.read_text().splitlines()]
    (event,) = [line for line in lines if line["log"]["logger"] == "flowery_logging.access"]
    assert event["message"] == "GET /orders/7 200"
    assert event["log.level"] == "info"
    assert event["trace"]["id"] == TRACE
    assert event["http"] == {
        "version": "1.1",
        "request": {"method": "GET", "id": "r-7"},
        "response": {"status_code": 200, "body": {"bytes": 303}},
    }
    assert event["url"] == {
        "path": "/orders/7",
        "query": "a=1&token=[redacted]&coupon=[redacted]&%74oken=[redacted]&c",
        "domain": "127.0.0.1",
    }
    assert event["client"] == {"ip": "2001:db8::7"}
    assert event["user_agent"] == {"original": "Agent/1"}
    assert event["labels"] == {"http_route": "/orders/{order_id}"}
    assert event["parent"] == {"id": "00f067aa0ba902b7"}
    told = event["event"]
    assert (told["kind"], told["category"], told["type"]) == ("event", ["web"], ["access"])
    assert (told["action"], told["outcome"]) == ("http-request", "success")
    assert 30_000_000 <= told["duration"] < whole
    numbers = event["numeric_labels"]
    assert numbers["order_id"] == 7
    assert 0 < numbers["time_to_first_byte"] < told["duration"] - 20_000_000


@pytest.mark.parametrize(
    ("status", "level", "outcome"),
    [(200, "INFO", "success"), (302, "INFO", "success"), (404, "WARNING", "success"),
     (500, "ERROR", "failure"), (503, "ERROR", "failure")],
)  # fmt: skip
def test_the_level_follows_the_status(ask, status, level, outcome):
    async def app(scope, receive, send):
        await start(send, status)
        await body(send)

    (line,) = ask(app)
    assert (line.record.levelname, extra(line)["event.outcome"]) == (level, outcome)
    assert extra(line)["http.response.status_code"] == status


def test_it_is_written_at_the_last_body_byte_and_not_after_what_follows(serve, collector):
    async def app(scope, receive, send):
        await start(send)
        await body(send, b"x")
        moments.append(time.perf_counter_ns())
        await asyncio.sleep(0.05)
        logging.getLogger("app").info("afterwards")

    async def timed(scope, receive, send):
        moments.append(time.perf_counter_ns())
        await RequestMiddleware(app)(scope, receive, send)

    moments: list[int] = []
    httpx.get(serve(lifespan_only(timed)))
    serve.stop()
    (line,) = collector.access()
    begun, sent = moments
    assert extra(line)["event.duration"] <= sent - begun
    (after,) = collector.named("afterwards")
    assert collector.lines.index(line) < collector.lines.index(after)
    assert after.fields["trace.id"] == line.fields["trace.id"]


def test_an_exception_before_the_response_is_a_500(ask, collector):
    async def app(scope, receive, send):
        raise ValueError("꽃")

    (line,) = ask(app)
    assert answers[-1].status_code == 500
    assert line.message == "GET /x 500"
    assert extra(line)["event.outcome"] == "failure"
    (error,) = collector.errors()
    assert error.fields["trace.id"] == line.fields["trace.id"]


def test_an_exception_in_the_middle_of_the_response_is_a_failure(ask, collector):
    async def app(scope, receive, send):
        await start(send)
        await body(send, b"abc", more=True)
        raise ValueError("꽃")

    (line,) = ask(app)
    assert (line.record.levelname, extra(line)["event.outcome"]) == ("ERROR", "failure")
    assert extra(line)["event.reason"] == "response cut off by an exception"
    assert extra(line)["http.response.status_code"] == 200
    assert extra(line)["http.response.body.bytes"] == 3
    assert len(collector.errors()) == 1


def test_an_application_that_never_answers_is_a_failure(ask):
    async def app(scope, receive, send):
        pass

    (line,) = ask(app)
    assert (line.message, line.record.levelname) == ("GET /x 500", "ERROR")  # uvicorn's answer
    assert extra(line)["event.reason"] == "no response"


def disconnect(url, path="/"):
    """Ask, read the first bytes, and go away."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        connection.recv(1)


def test_a_client_that_goes_away_is_told_apart(serve, collector):
    app = FastAPI()

    @app.get("/")
    async def endless():
        async def chunks():
            while True:
                yield "x" * 1000
                await asyncio.sleep(0.01)

        return StreamingResponse(chunks())

    fastapi.instrument(app)
    disconnect(serve(app))
    deadline = time.monotonic() + 300
    while not collector.access() and time.monotonic() < deadline:
        time.sleep(0.01)
    serve.stop()
    (line,) = collector.access()
    assert line.message == "GET / client disconnected"
    assert line.record.levelname == "INFO"
    assert extra(line)["event.outcome"] == "unknown"
    assert extra(line)["event.reason"] == "client disconnected"
    assert extra(line)["http.response.status_code"] == 200
    assert collector.errors() == []


def test_what_cancels_a_request_is_the_server(collector):
    async def app(scope, receive, send):
        await start(send)
        await asyncio.sleep(10)

    async def main():
        async def send(message):
            pass

        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        task = asyncio.create_task(RequestMiddleware(app)(scope, receive, send))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    (line,) = collector.access()
    assert extra(line)["event.reason"] == "cancelled by the server"
    assert (line.record.levelname, extra(line)["event.outcome"]) == ("ERROR", "failure")
    assert collector.errors() == []


@pytest.mark.parametrize(
    ("quiet", "status", "written"),
    [(["/health"], 200, 0), ({"/health": 0}, 404, 0), ({"/health": 1}, 200, 1),
     (["/health"], 503, 1), (["/other"], 200, 1)],
)  # fmt: skip
def test_health_checks_may_be_left_out_but_never_their_failures(ask, quiet, status, written):
    async def app(scope, receive, send):
        await start(send, status)
        await body(send)

    assert len(ask(app, "/health", {"quiet": quiet})) == written


def test_a_fraction_of_the_health_checks_may_stay(collector):
    async def app(scope, receive, send):
        await start(send)
        await body(send)

    async def main():
        async def send(message):
            pass

        middleware = RequestMiddleware(app, quiet={"/health": 0.25})
        for _ in range(2000):
            await middleware({"type": "http", "path": "/health", "headers": []}, receive, send)

    asyncio.run(main())
    assert 350 < len(collector.access()) < 650


def test_without_the_access_event_the_servers_line_stays(ask, collector):
    async def app(scope, receive, send):
        await start(send)
        await body(send)

    assert ask(app, options={"access_log": False}) == []
    assert [line for line in collector.lines if line.record.name == "uvicorn.access"]


@pytest.fixture
def unseen(collector):
    """Give the root logger the level that Python gives it; uvicorn's configuration sets its own."""
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").setLevel(logging.INFO)
    yield collector
    logging.getLogger("uvicorn.access").setLevel(logging.NOTSET)


def test_before_setup_the_servers_line_stays_where_nobody_gets_the_access_event(ask, unseen):
    async def app(scope, receive, send):
        await start(send)
        await body(send)

    assert ask(app) == []
    assert [line for line in unseen.lines if line.record.name == "uvicorn.access"]


def test_only_our_own_requests_lines_are_left_out_of_the_servers(ask, collector):
    async def app(scope, receive, send):
        await start(send)
        await body(send)

    assert len(ask(app)) == 1
    assert not [line for line in collector.lines if line.record.name == "uvicorn.access"]
    logging.getLogger("uvicorn.access").info("of another application")
    assert collector.named("of another application")


def test_the_route_of_a_mounted_application_has_its_prefix(ask):
    async def endpoint(scope, receive, send):
        await start(send)
        await body(send)

    class Endpoint:
        async def __call__(self, scope, receive, send):
            await endpoint(scope, receive, send)

    app = Router([Mount("/shop", routes=[Route("/items/{item}", Endpoint())])])
    (line,) = ask(app, "/shop/items/rose")
    assert extra(line)["http.route"] == "/shop/items/{item}"


def test_its_level_can_be_set_as_any_loggers(ask):
    async def app(scope, receive, send):
        await start(send)
        await body(send)

    logger = logging.getLogger("flowery_logging.access")
    logger.setLevel(logging.WARNING)
    try:
        assert ask(app) == []
    finally:
        logger.setLevel(logging.NOTSET)


def test_several_request_id_headers_are_accepted_and_the_first_is_sent_back(ask):
    async def app(scope, receive, send):
        await start(send)
        await body(send)

    names = ["X-Correlation-ID", "X-Request-ID"]
    (line,) = ask(app, options={"request_id_header": names}, headers={"X-Request-ID": "r-1"})
    assert line.fields["http.request.id"] == "r-1"
    assert answers[-1].headers["x-correlation-id"] == "r-1"


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "expected"),
    [
        ("192.0.2.1", "6.6.6.6", [], "192.0.2.1"),
        ("192.0.2.1", "6.6.6.6", ["10.0.0.0/8"], "192.0.2.1"),
        ("10.0.0.1", "6.6.6.6, 192.0.2.7", ["10.0.0.0/8"], "192.0.2.7"),
        ("10.0.0.1", "6.6.6.6, 192.0.2.7, 10.0.0.2", ["10.0.0.0/8"], "192.0.2.7"),
        ("10.0.0.1", "192.0.2.7:1234", ["10.0.0.0/8"], "192.0.2.7"),
        ("10.0.0.1", "[2001:db8::1]:80", ["10.0.0.0/8"], "2001:db8::1"),
        ("10.0.0.1", "2001:db8::1", ["10.0.0.0/8"], "2001:db8::1"),
        ("10.0.0.1", "unknown", ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", "", ["10.0.0.0/8"], "10.0.0.1"),
        ("::1", "192.0.2.7", ["::1", "10.0.0.0/8"], "192.0.2.7"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", ["10.0.0.0/8"], "10.0.0.3"),
        ("", "192.0.2.7", [], None),
        ("unix:", "192.0.2.7", [], None),
        ("", "192.0.2.7", ["10.0.0.0/8"], None),
        ("", "6.6.6.6, 192.0.2.7", ["unix"], "192.0.2.7"),
        ("localhost", "6.6.6.6, 192.0.2.7, 10.0.0.2", ["unix", "10.0.0.0/8"], "192.0.2.7"),
        ("unix:", "", ["unix"], None),
        ("192.0.2.1", "6.6.6.6", ["unix"], "192.0.2.1"),
        ("::ffff:10.0.0.1", "192.0.2.7", ["10.0.0.0/8"], "192.0.2.7"),
        ("::ffff:10.0.0.1", "192.0.2.7", ["::ffff:10.0.0.0/104"], "192.0.2.7"),
        ("::ffff:10.0.0.1", "192.0.2.7", ["::ffff:10.0.0.1"], "192.0.2.7"),
        ("10.0.0.1", "6.6.6.6, 192.0.2.7, ::ffff:10.0.0.2", ["10.0.0.0/8"], "192.0.2.7"),
        ("::ffff:192.0.2.1", "6.6.6.6", ["10.0.0.0/8"], "192.0.2.1"),
    ],
)
def test_the_clients_address_is_the_last_that_is_no_proxy_of_ours(
    peer, forwarded, proxies, expected
):
    trusted = Options(proxies=proxies).trusted
    assert trusted.client_ip(peer, {"x-forwarded-for": forwarded}) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [("a.b:80", "a.b"), ("a.b", "a.b"), ("[::1]:80", "::1"), ("[::1", "::1"), ("", "")],
)
def test_the_domain_is_the_host_without_its_port(host, expected):
    assert domain(host) == expected


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"proxies": ["10.0.0.0/99"]}, ValueError),
        ({"quiet": {"/": 2}}, ValueError),
        ({"request_id_header": ""}, ValueError),
        ({"request_id_header": []}, ValueError),
        ({"trace_formats": ["b4"]}, ValueError),
        ({"unknown": 1}, TypeError),
    ],
    ids=str,
)
def test_an_option_that_cannot_be_used_is_refused_at_once(options, error):
    with pytest.raises(error):
        RequestMiddleware(lifespan_only(None), **options)


def test_a_header_cannot_inject_a_line(ask, tmp_path):
    async def app(scope, receive, send):
        await start(send)
        await body(send)

    given = {"User-Agent": 'a"}\u2028\x85{"b', "X-Request-ID": 'r" x', "Host": 'h"\\'}
    flowery_logging.setup(service="shop", directory=tmp_path, output="file")
    try:
        headers = {name: value.encode() for name, value in given.items()}
        assert ask(app, '/x"%0a%0d{}', headers=headers) == []  # nobody else gets it
    finally:
        flowery_logging.shutdown()
    (path,) = tmp_path.glob("*.ndjson")
    events = [json.loads(row) for row in path.read_bytes().splitlines()]
    (event,) = [event for event in events if "url" in event]
    assert event["url"]["path"] == '/x"\n\r{}'
    assert len(event["http"]["request"]["id"]) == 32


async def answer(scope, receive, send):
    await start(send)
    await body(send, b"tea")


def request(app):
    """Send one request to an ASGI application, without a server."""

    async def sent(message):
        pass

    headers = [(b"traceparent", TRACEPARENT.encode()), (b"x-request-id", b"r-1")]
    scope = {"type": "http", "method": "GET", "path": "/x", "headers": headers}
    asyncio.run(app(scope, receive, sent))


@pytest.mark.parametrize("bound", [{}, {"order_id": 7}, {"http.request.id": "mine"}])
def test_what_others_log_while_it_is_written_has_the_same_ids(logged, bound):
    """A filter of somebody's may log itself, and be the first to do so in the request."""

    async def app(scope, receive, send):
        flowery_logging.bind(**bound)
        await answer(scope, receive, send)

    def telling(record):
        logging.getLogger("shop").info("an access event", extra={"step": 1})
        return True

    access = logging.getLogger("flowery_logging.access")
    access.addFilter(telling)
    try:
        request(RequestMiddleware(app))
    finally:
        access.removeFilter(telling)
    theirs, ours = logged.events()
    assert theirs["message"] == "an access event"
    assert ours["http"]["response"]["status_code"] == 200
    for event in (theirs, ours):
        assert event["trace"]["id"] == TRACE
        assert event["http"]["request"]["id"] == bound.get("http.request.id", "r-1")
        assert event.get("numeric_labels", {}).get("order_id") == bound.get("order_id")


def test_two_requests_in_a_row_tell_of_themselves(logged):
    for _ in range(3):
        request(RequestMiddleware(answer))
    first, *others = logged.events()
    hops = {event["transaction"]["id"] for event in logged.events()}
    assert len(hops) == 3
    for event in others:
        assert event.keys() == first.keys()
        assert event["http"] == first["http"]
        assert event["event"]["duration"] > 0
        assert event["numeric_labels"]["time_to_first_byte"] > 0


@pytest.mark.parametrize("bound", [{}, {"order_id": 7, "user.id": "u-1"}])
def test_it_is_composed_without_a_look_at_each_field(logged, monkeypatch, bound):
    """Once requests of its shape are known; else an access event costs three times as much."""
    monkeypatch.setattr(trace, "_random_id", lambda size: "ab" * size)  # never like a card number

    async def app(scope, receive, send):
        flowery_logging.bind(**bound)
        await answer(scope, receive, send)

    around = RequestMiddleware(app)
    for _ in range(plan.LEARNT_AFTER):
        request(around)
    placed: list[object] = []
    monkeypatch.setattr(Placer, "place", lambda *given: placed.append(given))
    request(around)
    assert not placed
    first, *_, second = logged.events()
    for event in (first, second):
        for part in ("id", "sequence", "duration"):
            del event["event"][part]
        del event["@timestamp"], event["numeric_labels"]["time_to_first_byte"]
    assert first == second
