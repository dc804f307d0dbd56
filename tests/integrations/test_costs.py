"""What has made a request slow: the time of its calls, its CPU time, its time in queue."""

import asyncio
import http.server
import math
import re
import threading
import time
from pathlib import Path
from typing import Any

import aiohttp
import greenlet
import httpx
import pytest
import requests
from fastapi import FastAPI

import flowery_logging
from flowery_logging import spent
from flowery_logging.integrations import (
    aiohttp as flowery_aiohttp,
    asgi,
    calls,
    cpu,
    fastapi,
    httpx as flowery_httpx,
    queue_time,
    requests as flowery_requests,
    validation,
    wsgi,
)

BURNT = 50_000_000
"""Nanoseconds of CPU time that a test spends."""


def access_events(logged):
    return [e for e in logged.events() if e["log"]["logger"] == "flowery_logging.access"]


def access(logged):
    (event,) = access_events(logged)
    return event


def numbers(logged):
    return access(logged).get("numeric_labels", {})


def calls_of(logged):
    return [e for e in logged.events() if e["log"]["logger"] == "flowery_logging.client"]


def milliseconds(events):
    return sum(round(e["event"]["duration"] / 1e6, 3) for e in events)


async def answer(send, status=200):
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def ask(app, headers=None, client=("127.0.0.1", 50000), path="/"):
    """Send one request to an ASGI application, without a server."""

    async def main():
        transport = httpx.ASGITransport(app, client=client)
        async with httpx.AsyncClient(transport=transport, base_url="http://it") as asking:
            return await asking.get(path, headers=headers)

    return asyncio.run(main())


def ask_wsgi(app, headers=None, peer="127.0.0.1"):
    transport = httpx.WSGITransport(app, remote_addr=peer)
    with httpx.Client(transport=transport, base_url="http://it") as client:
        return client.get("/", headers=headers)


# Calls


def test_the_time_of_calls_is_the_sum_also_of_those_at_once(logged):
    async def app(scope, receive, send):
        begun, all_begun = [], asyncio.Event()

        async def call(number):
            with calls.calling(calls.Target("GET", "orders", f"/{number}"), {}, None) as one:
                begun.append(number)
                if len(begun) == 3:
                    all_begun.set()
                await all_begun.wait()
                one.status = 200

        await asyncio.gather(*(call(number) for number in range(3)))
        await answer(send)

    ask(asgi.RequestMiddleware(app))
    made = calls_of(logged)
    assert len(made) == 3
    assert numbers(logged)["outgoing_calls"] == 3
    assert numbers(logged)["outgoing_calls_sum_ms"] == pytest.approx(milliseconds(made), abs=0.01)


def test_a_request_without_calls_tells_none(logged):
    async def app(scope, receive, send):
        await answer(send)

    ask(asgi.RequestMiddleware(app))
    assert set(numbers(logged)) == {"time_to_first_byte"}


class Redirecting(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/":
            self.send_response(302)
            self.send_header("Location", "/there")
        else:
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def elsewhere():
    """The address of a server that redirects once."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def with_requests(url):
    with requests.Session() as session:
        flowery_requests.instrument(session)
        session.get(url)


def with_httpx(url):
    with httpx.Client(follow_redirects=True) as client:
        flowery_httpx.instrument(client)
        client.get(url)


def with_aiohttp(url):
    async def main():
        async with aiohttp.ClientSession() as session:
            flowery_aiohttp.instrument(session)
            async with session.get(url) as response:
                await response.read()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("get", "is_nested"), [(with_requests, True), (with_httpx, False), (with_aiohttp, False)]
)
def test_a_redirect_inside_a_call_is_in_the_time_of_that_call_alone(
    logged, elsewhere, get, is_nested
):
    def app(environ, start_response):
        get(elsewhere)
        start_response("200 OK", [])
        return [b""]

    ask_wsgi(wsgi.RequestMiddleware(app))
    made = calls_of(logged)
    outermost = [max(made, key=lambda e: e["event"]["duration"])] if is_nested else made
    assert len(made) == numbers(logged)["outgoing_calls"] == 2
    told = numbers(logged)["outgoing_calls_sum_ms"]
    assert told == pytest.approx(milliseconds(outermost), abs=0.01)
    assert told <= access(logged)["event"]["duration"] / 1e6 + 0.001


def test_a_call_between_two_services_of_one_process_is_in_the_time_of_each(logged):
    async def inner(scope, receive, send):
        with calls.calling(calls.Target("GET", "bank", "/"), {}, None) as one:
            one.status = 200
        await answer(send)

    async def outer(scope, receive, send):
        transport = httpx.ASGITransport(asgi.RequestMiddleware(inner))
        async with httpx.AsyncClient(transport=transport, base_url="http://inner") as client:
            flowery_httpx.instrument(client)
            await client.get("/")
        await answer(send)

    ask(asgi.RequestMiddleware(outer))
    for event in access_events(logged):
        assert event["numeric_labels"]["outgoing_calls"] == 1
        assert event["numeric_labels"]["outgoing_calls_sum_ms"] > 0


def test_a_call_that_fails_has_taken_its_time(logged):
    async def app(scope, receive, send):
        with pytest.raises(OSError), calls.calling(calls.Target("GET", "x", "/"), {}, None):
            raise OSError
        await answer(send)

    ask(asgi.RequestMiddleware(app))
    assert numbers(logged)["outgoing_calls"] == 1
    assert numbers(logged)["outgoing_calls_sum_ms"] > 0


def test_calls_of_many_threads_are_all_counted(logged):
    def app(environ, start_response):
        def work():
            for _ in range(200):
                with calls.calling(calls.Target("GET", "x", "/"), {}, None):
                    pass

        threads = [threading.Thread(target=flowery_logging.carried(work)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        start_response("200 OK", [])
        return [b""]

    flowery_logging.set_level("INFO", "flowery_logging.client")
    ask_wsgi(wsgi.RequestMiddleware(app))
    assert numbers(logged)["outgoing_calls"] == 800
    assert len(access(logged)["labels"]["call_span_ids"]) == 64


# CPU time


def burn(nanoseconds=BURNT):
    """Use the CPU for so long."""
    until = time.thread_time_ns() + nanoseconds
    while time.thread_time_ns() < until:
        pass


def test_the_cpu_time_is_that_of_the_thread_of_the_request(logged):
    def app(environ, start_response):
        burn()
        start_response("200 OK", [])
        burn()
        yield b"x"
        burn()

    ask_wsgi(wsgi.RequestMiddleware(app))
    event = access(logged)
    told = event["numeric_labels"]["thread_cpu_ms"]
    assert 3 * BURNT / 1e6 <= told <= event["event"]["duration"] / 1e6 + 0.001


def test_what_other_threads_do_meanwhile_is_not_its_own(logged):
    def app(environ, start_response):
        other = threading.Thread(target=burn, args=(4 * BURNT,))
        other.start()
        other.join()
        start_response("200 OK", [])
        return [b""]

    begun = time.thread_time_ns()
    ask_wsgi(wsgi.RequestMiddleware(app))
    own = time.thread_time_ns() - begun  # a collection of garbage may be in it
    assert numbers(logged)["thread_cpu_ms"] <= own / 1e6 + 0.001


def test_a_request_that_another_thread_ends_tells_no_cpu_time(logged):
    def app(environ, start_response):
        start_response("200 OK", [])
        return [b"x"]

    response: Any = wsgi.RequestMiddleware(app)({"REQUEST_METHOD": "GET"}, lambda *_: print)
    thread = threading.Thread(target=lambda: [*response, response.close()])
    thread.start()
    thread.join()
    assert "thread_cpu_ms" not in numbers(logged)


def test_between_greenlets_nothing_is_told(logged):
    def app(environ, start_response):
        burn()
        start_response("200 OK", [])
        return [b""]

    greenlet.greenlet(ask_wsgi).switch(wsgi.RequestMiddleware(app))
    assert "thread_cpu_ms" not in numbers(logged)


@pytest.mark.parametrize("path", ["/async", "/def"])
def test_in_an_event_loop_nothing_is_told(logged, serve, path):
    app = FastAPI()

    @app.get("/async")
    async def asynchronous():
        burn()

    @app.get("/def")
    def plain():
        burn()

    fastapi.instrument(app)
    httpx.get(serve(app) + path)
    serve.stop()
    assert "thread_cpu_ms" not in numbers(logged)


def test_a_request_pays_for_nothing_that_is_not_there(logged, monkeypatch):
    made = []
    for kind in (cpu.ThreadTime, spent.Spent, validation.Refused):
        monkeypatch.setattr(kind, "__init__", lambda *_: made.append(kind))
    monkeypatch.setattr(queue_time, "waited", made.append)

    async def app(scope, receive, send):
        await answer(send)

    ask(asgi.RequestMiddleware(app), {"X-Request-Start": since(1)})
    assert access(logged)["http"]["response"]["status_code"] == 200
    assert made == []


# The page


def test_the_page_names_each_field_of_a_request(logged):
    def app(environ, start_response):
        request = flowery_logging.context.current_request()
        assert request is not None
        with calls.calling(calls.Target("GET", "bank", "/"), {}, None):
            request.queried(1)
        validation.note(request, validation.Refused([(("body",), "missing")]))
        start_response("422 Unprocessable Content", [])
        return [b"x"]

    headers = {"X-Request-Start": since(1)}
    ask_wsgi(wsgi.RequestMiddleware(app, proxies=["127.0.0.1"]), headers)
    event = access(logged)
    page = (Path(__file__).parents[2] / "docs" / "fields.md").read_text()
    rows = re.findall(r"^\| (`.*`) \| requests", page, re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", " ".join(rows)))
    assert event["labels"].keys() | event["numeric_labels"].keys() == named - {"http_route"}


# Time in queue

NOW = 1_700_000_000_123_456_789  # nanoseconds


@pytest.mark.parametrize(
    ("value", "waited"),
    [
        ("t=1700000000.123", 456_789),  # nginx
        ("1700000000.123", 456_789),
        ("t=1700000000.1", 23_456_789),
        ("1700000000", 123_456_789),
        ("1700000000123", 456_789),  # Heroku
        ("t=1700000000123", 456_789),
        ("1700000000123.45", 6_789),
        ("t=1700000000123456", 789),  # Apache
        ("1700000000123456", 789),
        ("1700000000123456789", 0),
        (" t=1700000000.123 ", 456_789),
        ("t=1600000000.0, t=1700000000.123", 456_789),  # the last proxy's
        ("t=1700000000.500", 0),  # its clock is ahead of ours
        ("t=1700000001.100", 0),
        ("t=1700000002.000", None),  # too far to say anything
        ("t=1699996000.000", None),  # more than an hour
        ("t=1699996600.123", 3_400_000_456_789),
        ("t=0", None), ("", None), ("t=", None), ("now", None), ("-1700000000123", None),
        ("t=1700000000.", None), ("1.7e9", None), ("t=١٧٠٠٠٠٠٠٠٠", None),
        ("9" * 19, None), ("9" * 400, None), ("NaN", None), ("t=1700000000,5", None),
        ("00001700000000", None), ("t=1700000000.123\r\nX: 1", None),
    ],
)  # fmt: skip
def test_the_forms_in_which_proxies_tell_when_they_took_a_request(value, waited):
    for name in ("x-request-start", "x-queue-start"):
        assert queue_time.waited({name: value}, NOW) == waited


def test_without_a_header_there_is_no_time_in_queue():
    assert queue_time.waited({"host": "x"}, NOW) is None


def since(seconds):
    """What nginx writes: seconds with milliseconds, never later than it was."""
    return f"t={math.floor((time.time() - seconds) * 1000) / 1000:.3f}"


def through_asgi(headers, peer, **options):
    async def app(scope, receive, send):
        await answer(send)

    ask(asgi.RequestMiddleware(app, **options), headers, peer)


def through_wsgi(headers, peer, **options):
    def app(environ, start_response):
        start_response("200 OK", [])
        return [b""]

    ask_wsgi(wsgi.RequestMiddleware(app, **options), headers, peer[0])


@pytest.mark.parametrize("through", [through_asgi, through_wsgi])
@pytest.mark.parametrize("header", ["X-Request-Start", "X-Queue-Start"])
@pytest.mark.parametrize(
    ("peer", "proxies", "is_told"),
    [
        ("10.0.0.1", ["10.0.0.0/8"], True),
        ("10.0.0.1", ["10.0.0.0/8", "::1"], True),
        ("::1", ["::1"], True),
        ("192.0.2.7", ["10.0.0.0/8"], False),
        ("10.0.0.1", [], False),
        ("", ["10.0.0.0/8"], False),
        ("unix:", ["10.0.0.0/8"], False),
    ],
)
def test_only_proxies_that_are_trusted_are_believed(
    logged, through, header, peer, proxies, is_told
):
    through({header: since(60)}, (peer, 4000), proxies=proxies)
    told = numbers(logged).get("request_wait_ms")
    assert (told is not None) == is_told
    if is_told:
        assert 60_000 <= told <= 3_600_000


def test_a_forwarded_address_does_not_make_a_client_a_proxy(logged):
    headers = {"X-Request-Start": since(60), "X-Forwarded-For": "10.0.0.1"}
    through_asgi(headers, ("192.0.2.7", 4000), proxies=["10.0.0.0/8"])
    assert "request_wait_ms" not in numbers(logged)


@pytest.mark.parametrize(("proxies", "is_told"), [(["127.0.0.1"], True), ([], False)])
def test_behind_a_proxy_that_uvicorn_trusts_the_header_counts(logged, serve, proxies, is_told):
    """It puts the client's address in the place of the proxy's, which nobody can see then."""
    app = asgi.RequestMiddleware(FastAPI(), proxies=proxies)
    headers = {"X-Request-Start": since(60), "X-Forwarded-For": "192.0.2.7"}
    httpx.get(serve(app), headers=headers)
    serve.stop()
    assert access(logged)["client"]["ip"] == "192.0.2.7"
    assert ("request_wait_ms" in numbers(logged)) == is_told


def test_the_time_in_queue_ends_where_the_request_begins(logged):
    async def app(scope, receive, send):
        entered.append(time.time())
        await asyncio.sleep(0.05)
        await answer(send)

    entered: list[float] = []
    sent = time.time()
    headers = {"X-Request-Start": f"t={sent:.6f}"}
    ask(asgi.RequestMiddleware(app, proxies=["127.0.0.1"]), headers)
    assert 0 <= numbers(logged)["request_wait_ms"] <= (entered[0] - sent) * 1000 + 0.002
