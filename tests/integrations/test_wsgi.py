"""The WSGI middleware under a real server, with plain applications and with Flask."""

import asyncio
import http.client
import logging
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.validate import validator

import pytest
import waitress
from flask import Flask, Response

from flowery_logging.context import bind, fields
from flowery_logging.integrations import asgi, servers
from flowery_logging.integrations.wsgi import RequestMiddleware
from flowery_logging.trace import current_trace

log = logging.getLogger("app")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = False
    request_queue_size = 500

    def handle_error(self, request, client_address):
        pass  # a client that has gone away


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def serve(collector):
    """Serve WSGI applications until `stop()`, in threads."""
    servers = []

    def serving(app):
        server = make_server("127.0.0.1", 0, app, server_class=Server, handler_class=Quiet)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    def stop():
        while servers:
            server, thread = servers.pop()
            server.shutdown()
            thread.join()
            server.server_close()

    serving.stop = stop  # type: ignore[attr-defined]
    yield serving
    stop()


def get(url, path="/", **headers):
    """GET once; return the response with its body read, or as far as it came."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=300)
    try:
        connection.request(
            "GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )
        response = connection.getresponse()
        response.text = response.read().decode()  # type: ignore[attr-defined]
        return response
    finally:
        connection.close()


def extra(line):
    return vars(line.record)


def hello(environ, start_response):
    bind(user=7)
    log.info("in the view")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello ", b"world"]


def test_the_trace_the_id_and_the_access_event(serve, collector):
    url = serve(RequestMiddleware(validator(hello), proxies=["127.0.0.1"]))
    response = get(
        url, "/%EC%A3%BC%EB%AC%B8?a=1&token=x", traceparent=TRACEPARENT,
        X_Request_ID="r-1", X_Forwarded_For="192.0.2.7",
    )  # fmt: skip
    assert (response.status, response.getheader("X-Request-ID")) == (200, "r-1")
    serve.stop()
    (line,), (own,) = collector.access(), collector.named("in the view")
    assert own.fields["trace.id"] == line.fields["trace.id"] == TRACE
    assert line.fields["user"] == 7
    assert line.message == "GET /주문 200"
    told = extra(line)
    assert told["http.response.body.bytes"] == 11
    assert told["http.version"] == "1.1"
    assert told["url.query"] == "a=1&token=[redacted]"
    assert (told["url.domain"], told["client.ip"]) == ("127.0.0.1", "192.0.2.7")
    assert told["event.duration"] >= told["time_to_first_byte"] > 0


def test_a_generator_runs_inside_the_request_to_its_end(serve, collector):
    def app(environ, start_response):
        start_response("200 OK", [])
        bind(part=0)
        yield b"a"
        bind(part=1)
        log.info("second")
        yield b"b"
        log.info("last")

    assert get(serve(RequestMiddleware(app)), traceparent=TRACEPARENT).text == "ab"
    serve.stop()
    for message in ("second", "last"):
        (line,) = collector.named(message)
        assert (line.fields["trace.id"], line.fields["part"]) == (TRACE, 1)
    (line,) = collector.access()
    assert (line.fields["part"], extra(line)["http.response.body.bytes"]) == (1, 2)


BODIES = {
    "a list of one": [b"hello"],
    "a tuple of one": (b"hello",),
    "a list of two": [b"hel", b"lo"],
    "an empty list": [],
    "a generator": None,
}


@pytest.mark.parametrize("server", ["wsgiref", "waitress"])
@pytest.mark.parametrize("body", BODIES)
def test_a_server_tells_the_length_as_without_us(serve, server, body):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter([b"hello"]) if BODIES[body] is None else BODIES[body]

    shown = []
    for one in (app, RequestMiddleware(app)):
        if server == "wsgiref":
            response = get(serve(one))
        else:
            with waitress_of(one) as url:
                response = get(url)
        shown.append(
            [
                (name, value)
                for name, value in response.getheaders()
                if name.lower() not in {"date", "x-request-id"}
            ]
        )
        assert response.text == "".join(map(bytes.decode, app({}, lambda *_: None)))
    assert shown[0] == shown[1]
    assert ("Content-Length", "5") in shown[0] or "of one" not in body


@pytest.mark.parametrize("pieces", [body for body in BODIES.values() if body is not None])
def test_a_body_that_has_a_length_is_whole_each_time(collector, pieces):
    """As a list is: eventlet counts its bytes, and then sends them."""

    def app(environ, start_response):
        start_response("200 OK", [])
        return pieces

    taken: Any = RequestMiddleware(app)({"REQUEST_METHOD": "GET"}, lambda *_: None)
    next(iter(taken), None)
    assert list(taken) == list(taken) == list(pieces)
    taken.close()
    (line,) = collector.access()
    assert extra(line)["http.response.body.bytes"] == len(b"".join(pieces))


@contextmanager
def waitress_of(app):
    """Serve an application by waitress for a while."""
    server = waitress.create_server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        with suppress(OSError):  # its loop was awake, has closed, and the descriptor with it
            server.trigger.pull_trigger(server.close)
        thread.join()


def test_nothing_is_bound_between_the_pieces():
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"a"
        yield b"b"

    body = RequestMiddleware(app)({"REQUEST_METHOD": "GET"}, lambda *_: None)
    assert fields() == {}
    assert next(iter(body)) == b"a"
    assert fields() == {}
    assert current_trace() is None


@pytest.mark.parametrize("name", ["gunicorn.error", "waitress", "tornado.application"])
def test_an_exception_before_the_response_is_reported_once_and_raised_on(collector, name):
    def app(environ, start_response):
        raise ValueError("꽃")

    with pytest.raises(ValueError, match="꽃") as raised:
        RequestMiddleware(app)({"REQUEST_METHOD": "POST", "PATH_INFO": "/x"}, print)
    server = logging.getLogger(name)
    server.error("Error handling request /x", exc_info=raised.value)
    server.error("Error handling request /x", exc_info=ValueError("another"))
    (ours, another) = collector.errors()
    assert ours.message == "POST /x raised an unhandled exception"
    assert ours.fields["trace.id"] == collector.access()[0].fields["trace.id"]
    assert another.record.name == name
    assert collector.access()[0].message == "POST /x 500"


@pytest.mark.parametrize("printing", servers.PRINTING, ids=lambda server: server[0])
def test_a_server_that_prints_the_traceback_into_its_text_repeats_nothing(
    collector, monkeypatch, printing
):
    module, name, beginning = printing
    monkeypatch.setitem(sys.modules, module, sys)
    which = f"꽃 of {name}"

    def app(environ, start_response):
        raise ValueError(which)

    said = []
    for path in ("/x", "/y"):
        with pytest.raises(ValueError, match=which):
            RequestMiddleware(app)({"REQUEST_METHOD": "POST", "PATH_INFO": path}, print)
        said.append(f"{beginning}Traceback (most recent call last):\n  …\nValueError: {which}")
    server = logging.getLogger(name)
    server.warning("of its own")
    assert [line.record.name for line in collector.named("of its own")] == [name]
    for text in [*said, said[0], beginning + "OSError: another"]:
        server.error(text)
    names = [line.record.name for line in collector.errors()]
    assert names == ["flowery_logging.integrations.wsgi"] * 2 + [name] * 2


def test_inside_of_an_asgi_middleware_of_ours_a_request_is_one(collector):
    """As where FastAPI mounts Flask by a2wsgi, which puts the scope into the environ."""
    inner = Flask("shop")
    inner.wsgi_app = RequestMiddleware(inner.wsgi_app)  # type: ignore[method-assign]

    @inner.get("/<int:number>")
    def home(number):
        log.info("in the view")
        return "ok"

    async def mount(scope, receive, send):
        environ = {
            "asgi.scope": scope, "REQUEST_METHOD": "GET", "SCRIPT_NAME": "/flask",
            "PATH_INFO": "/7", "SERVER_NAME": "a", "SERVER_PORT": "80", "wsgi.url_scheme": "http",
        }  # fmt: skip
        started: list[Any] = []
        answer: Any = inner.wsgi_app
        body = b"".join(answer(environ, lambda *given: started.append(given)))
        await send({"type": "http.response.start", "status": int(started[0][0][:3])})
        await send({"type": "http.response.body", "body": body})

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        pass

    scope = {"type": "http", "method": "GET", "path": "/flask/7", "headers": []}
    asyncio.run(asgi.RequestMiddleware(mount)(scope, receive, send))
    (line,), (own,) = collector.access(), collector.named("in the view")
    assert line.message == "GET /flask/7 200"
    assert vars(line.record)["http.route"] == "/flask/<int:number>"
    assert line.fields["trace.id"] == own.fields["trace.id"]


def test_an_exception_in_the_body_is_a_failure_of_a_response_that_has_begun(serve, collector):
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"a"
        raise ValueError("꽃")

    get(serve(RequestMiddleware(app)))
    serve.stop()
    (error,), (line,) = collector.errors(), collector.access()
    assert error.fields["trace.id"] == line.fields["trace.id"]
    assert (extra(line)["http.response.status_code"], extra(line)["event.outcome"]) == (
        200,
        "failure",
    )


SOFTWARE = {  # what says in an environ who serves it → the status that the client gets
    "wsgiref": ({"SERVER_SOFTWARE": "WSGIServer/0.2 CPython/3.11.7"}, 500),
    "granian": ({"SERVER_SOFTWARE": "Granian"}, 200),
    "cheroot": ({"SERVER_SOFTWARE": "Shop", "ACTUAL_SERVER_PROTOCOL": "HTTP/1.1"}, 200),
}


@pytest.mark.parametrize(("environ", "status"), SOFTWARE.values(), ids=SOFTWARE)
def test_some_servers_have_sent_the_head_of_a_body_that_fails_at_once(collector, environ, status):
    def app(environ, start_response):
        start_response("200 OK", [])
        yield failing()

    def failing():
        raise ValueError("꽃")

    def called(environ, start_response):
        return iter(list(app(environ, start_response)))

    for application in (app, called):
        with suppress(ValueError):
            list(RequestMiddleware(application)({**environ, "PATH_INFO": "/"}, lambda *_: None))
    assert [extra(one).get("http.response.status_code") for one in collector.access()] == [
        status, 500,
    ]  # fmt: skip


def test_a_client_that_goes_away_is_told_apart_and_the_body_is_closed(serve, collector):
    closed = threading.Event()

    def app(environ, start_response):
        start_response("200 OK", [])
        try:
            while True:
                yield b"x" * 100_000
        finally:
            log.info("closed")
            closed.set()

    url = urlsplit(serve(RequestMiddleware(app)))
    with socket.create_connection((url.hostname, url.port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.recv(1)
    assert closed.wait(300)
    serve.stop()
    (line,) = collector.access()
    assert extra(line)["event.reason"] == "client disconnected"
    assert collector.named("closed")[0].fields["trace.id"] == line.fields["trace.id"]
    assert collector.errors() == []


def test_write_counts_too_and_an_id_of_the_applications_own_stays(serve, collector):
    def app(environ, start_response):
        write = start_response("201 Created", [("x-request-id", "own")])
        write(b"abc")
        return [b"de"]

    response = get(serve(RequestMiddleware(app)))
    assert (response.text, response.getheader("X-Request-ID")) == ("abcde", "own")
    serve.stop()
    assert extra(collector.access()[0])["http.response.body.bytes"] == 5


def test_one_inside_another_passes_through(serve, collector):
    response = get(serve(RequestMiddleware(RequestMiddleware(hello))))
    assert len(response.headers.get_all("X-Request-ID")) == 1
    serve.stop()
    assert len(collector.access()) == 1


@pytest.mark.parametrize("value", ["a b", "a" * 200, 'x"y'])
def test_a_malformed_id_never_comes_back(serve, value):
    assert get(serve(RequestMiddleware(hello)), X_Request_ID=value).getheader(
        "X-Request-ID"
    ) not in (value, None)


@pytest.mark.slow
def test_500_requests_in_threads_never_show_each_others_ids(serve, collector):
    def app(environ, start_response):
        number = environ["PATH_INFO"][1:]
        bind(number=number)
        log.info("threaded")
        start_response("200 OK", [])
        yield b"x"
        log.info("threaded")

    url = serve(RequestMiddleware(app))

    def ask(number):
        return get(url, f"/{number}", traceparent=f"00-{number + 1:032x}-{'1' * 16}-01").text

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(500))) == ["x"] * 500
    serve.stop()
    lines = collector.named("threaded") + collector.access()
    assert len(lines) == 1500
    for line in lines:
        assert line.fields["trace.id"] == f"{int(line.fields['number']) + 1:032x}"


def test_flask(serve, collector):
    app = Flask("shop")
    app.wsgi_app = RequestMiddleware(app.wsgi_app)  # type: ignore[method-assign]

    @app.get("/orders/<int:order_id>")
    def order(order_id):
        bind(order_id=order_id)

        def pieces():
            log.info("streaming")
            yield "a"

        return Response(pieces())

    @app.get("/boom")
    def boom():
        raise ValueError("꽃")

    url = serve(app)
    assert get(url, "/orders/7", traceparent=TRACEPARENT).text == "a"
    assert get(url, "/boom", traceparent=TRACEPARENT).getheader("X-Request-ID")
    serve.stop()
    first, second = collector.access()
    assert extra(first)["http.route"] == "/orders/<int:order_id>"
    assert first.fields["order_id"] == 7
    assert collector.named("streaming")[0].fields["trace.id"] == TRACE
    assert second.message == "GET /boom 500"
    (error,) = collector.errors()  # Flask's own report, on the trace
    assert (error.record.name, error.fields["trace.id"]) == ("shop", TRACE)
