"""What an exchange tells of its end, its size and its route, and the options that cannot be used."""

import asyncio
import builtins
import logging
import sys
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route

import flowery_logging
from flowery_logging import ConfigError
from flowery_logging.integrations import calls, ends, fastapi, observers, wsgi
from flowery_logging.integrations.asgi import RequestMiddleware
from flowery_logging.integrations.observers import Observer
from flowery_logging.integrations.options import Options
from flowery_logging.library_code import ACCESS_LOGGER


async def answer(send, status=200, body=b"four"):
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def plain(scope, receive, send):
    await answer(send)


async def asked(app, method, path):
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        return await client.request(method, path)


def ask(app, path="/", method="GET"):
    return asyncio.run(asked(app, method, path))


@pytest.fixture
def logged(logged):
    """A set-up without what the client of these tests logs."""
    return logged.setup(levels={"asyncio": "INFO", "httpx": "WARNING"})


async def endpoint(request):
    return PlainTextResponse("ok")


def routed():
    shops = Starlette(
        routes=[Route("/{shop}", endpoint), Mount("/7", routes=[Route("/{x}", endpoint)])]
    )
    app = Starlette(
        routes=[
            Mount("/tenants/{tenant}", app=shops),
            Mount("/{area}/{tenant:int}", app=Starlette(routes=[Mount("/in/{deep}", app=shops)])),
            Host("api.{name}", app=Starlette(routes=[Mount("/v/{v}", app=shops)])),
            Mount("/files", app=StaticFiles(directory="/"), name="files"),
        ]
    )
    fastapi.instrument(app)
    return app


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/tenants/7/7", "/tenants/{tenant}/{shop}"),
        ("/tenants/tenants/7/9", "/tenants/{tenant}/7/{x}"),
        ("/a/7/in/7/7", "/{area}/{tenant}/in/{deep}/{shop}"),
        ("/files/etc/hostname", "/files/{path}"),
        ("/nothing", None),
    ],
)
def test_the_route_of_a_mounted_application_is_not_expanded(logged, path, route):
    ask(routed(), path)
    assert logged.event().get("labels", {}).get("http_route") == route


def test_the_routes_of_a_host_and_of_a_prefix_outside(logged):
    app = routed()
    transport = httpx.ASGITransport(app=app, root_path="/api")

    async def main():
        async with httpx.AsyncClient(transport=transport, base_url="http://api.shop") as client:
            await client.get("/api/v/x/7")

    asyncio.run(main())
    assert logged.event()["labels"]["http_route"] == "/api/v/{v}/{shop}"


def test_fastapis_mounts_and_routers_are_not_expanded_either(logged):
    inner, app = FastAPI(), FastAPI()

    @inner.get("/{order}")
    async def order(order: int):
        return order

    router, outer = APIRouter(prefix="/orders"), APIRouter()
    router.get("/{order}")(order)
    outer.include_router(router, prefix="/in/{deep}")
    app.include_router(outer, prefix="/v1/{area}")
    inner.include_router(router, prefix="/to")
    app.mount("/of/{tenant}", inner)
    fastapi.instrument(app)
    for path in ("/of/7/7", "/v1/7/in/7/orders/7", "/of/7/to/orders/7"):
        assert ask(app, path).status_code == 200
    assert [event["labels"]["http_route"] for event in logged.events()] == [
        "/of/{tenant}/{order}",
        "/v1/{area}/in/{deep}/orders/{order}",
        "/of/{tenant}/to/orders/{order}",
    ]


def starting(status, headers, exc_info=None):
    return lambda data: None


def wsgi_failing(environ, start_response):
    raise LookupError


def wsgi_whole(environ, start_response):
    start_response("200 OK", [("Content-Length", "4")])
    return [b"four"]


@pytest.mark.parametrize(("method", "sent"), [("HEAD", 0), ("GET", 4)])
def test_only_bytes_that_are_sent_are_counted(logged, method, sent):
    ask(RequestMiddleware(plain), method=method)
    environ = {"REQUEST_METHOD": method, "PATH_INFO": "/"}
    response: Any = wsgi.RequestMiddleware(wsgi_whole)(environ, starting)
    list(response)
    response.close()
    assert [e["http"]["response"]["body"]["bytes"] for e in logged.events()] == [sent, sent]


def test_no_body_goes_with_a_204(logged):
    async def app(scope, receive, send):
        await answer(send, 204)

    ask(RequestMiddleware(app))
    assert logged.event()["http"]["response"]["body"]["bytes"] == 0


@pytest.mark.parametrize(
    ("handled", "reason"),
    [(None, "client disconnected"), (BrokenPipeError(), "client disconnected"),
     (SystemExit(1), "response cut off by an exception"), (KeyboardInterrupt(), "cancelled by the server")],
)  # fmt: skip
def test_a_body_that_is_closed_early_tells_what_the_server_handles(logged, handled, reason):
    def app(environ, start_response):
        start_response("200 OK", [])
        return iter([b"a", b"b"])

    response: Any = wsgi.RequestMiddleware(app)(
        {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, starting
    )
    next(iter(response))
    try:
        if handled is not None:
            raise handled
        response.close()
    except BaseException:
        response.close()
    event = logged.event()["event"]
    assert event["reason"] == reason
    assert event["outcome"] == ("unknown" if reason == ends.DISCONNECTED else "failure")


def test_a_body_of_which_all_was_sent_may_be_closed_before_its_end(logged):
    response: Any = wsgi.RequestMiddleware(wsgi_whole)(
        {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, starting
    )
    next(iter(response))
    response.close()
    assert logged.event()["event"]["outcome"] == "success"


def test_a_send_that_fails_by_its_socket_tells_that_the_client_has_gone(logged):
    async def send(message):
        raise ConnectionResetError

    async def receive():
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    with pytest.raises(ConnectionResetError):
        asyncio.run(RequestMiddleware(plain)(scope, receive, send))
    (access,) = [e for e in logged.events() if e["log"]["logger"] == "flowery_logging.access"]
    assert access["event"]["reason"] == "client disconnected"


def test_cancellations_in_a_group_are_one():
    if sys.version_info < (3, 11):
        pytest.skip("groups of exceptions come with Python 3.11")
    group: Any = vars(builtins)["BaseExceptionGroup"]
    cancelled = asyncio.CancelledError()
    assert ends.reason_of(group("", [cancelled]), started=False) == ends.CANCELLED
    both = group("", [cancelled, KeyError()])
    assert ends.reason_of(both, started=False) == ends.FAILED


@pytest.mark.parametrize(
    "options",
    [
        {"quiet": "/health"}, {"quiet": {"/x": "a"}}, {"quiet": {"/x": 2}}, {"quiet": 5},
        {"quiet": {"/x": True}}, {"quiet": [1]}, {"quiet": {"/x": float("nan")}},
        {"proxies": "10.0.0.1"}, {"proxies": ["10.0.0.1/8"]}, {"proxies": [7]}, {"proxies": 7},
        {"request_id_header": "X Request ID"}, {"request_id_header": ""},
        {"request_id_header": []}, {"request_id_header": ["X-A", "X:B"]},
        {"request_id_header": "요청"}, {"request_id_header": "X-A\r\n"},
        {"trace_formats": "b3"}, {"trace_formats": ["b4"]}, {"trace_formats": None},
        {"access_log": "no"},
    ],
    ids=str,
)  # fmt: skip
def test_an_option_that_cannot_be_used_is_named(options):
    (name,) = options
    for make in (Options, lambda **o: RequestMiddleware(plain, **o), instrumented):
        with pytest.raises(ConfigError, match=f"^{name}"):
            make(**options)


def instrumented(**options):
    fastapi.instrument(Starlette(), **options)


class Watching(Observer):
    def __init__(self):
        self.told = []
        self.running = 0

    def request_began(self, method):
        self.running += 1

    def request_ended(self, ended):
        self.running -= 1
        self.told.append(ended)

    def call_began(self, method, host):
        self.running += 1

    def call_ended(self, ended):
        self.running -= 1
        self.told.append(ended)


@pytest.fixture
def watching():
    observer = Watching()
    observers.observe(observer)
    observers.observe(observer)
    yield observer
    observers.forget(observer)
    assert observers.observers == ()


def test_an_observer_learns_of_each_exchange_what_its_event_tells(logged, watching):
    class Broken(Observer):
        def request_began(self, method):
            raise ValueError

        def request_ended(self, ended):
            raise ValueError

    broken = Broken()
    observers.observe(broken)
    try:
        ask(RequestMiddleware(plain, quiet=["/health"]), "/health")
        ask(RequestMiddleware(plain, access_log=False))
        ask(routed(), "/tenants/7/7")
    finally:
        observers.forget(broken)
    with pytest.raises(ZeroDivisionError), calls.calling(calls.Target("PUT", "x", "/"), {}, None):
        1 / 0
    assert watching.running == 0
    quiet, silent, told, called = watching.told
    assert (quiet.status, silent.status, told.status) == (200, 200, 200)
    assert (told.method, told.host, told.outcome) == ("GET", "shop", "success")
    assert told.route == "/tenants/{tenant}/{shop}"
    access = logged.events()[0]
    assert (told.trace_id, told.duration) == (access["trace"]["id"], access["event"]["duration"])
    assert (called.method, called.host, called.outcome) == ("PUT", "x", "failure")
    assert called.reason == "ZeroDivisionError"


def test_an_observer_learns_of_a_websocket_when_it_closes(logged, watching):
    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        assert watching.running == 1
        await receive()

    messages = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]

    async def receive():
        return messages.pop(0)

    async def send(message):
        pass

    scope = {"type": "websocket", "path": "/", "headers": []}
    asyncio.run(RequestMiddleware(app)(scope, receive, send))
    (told,) = watching.told
    assert (told.websocket, told.status, told.outcome) == (True, 101, "success")
    assert watching.running == 0


@pytest.mark.parametrize("failed_before", [False, True])
def test_lines_of_a_development_server_stay_where_we_write_no_event(logged, failed_before):
    if failed_before:
        import werkzeug  # noqa: F401 - its logger prints tracebacks

        with pytest.raises(LookupError):
            wsgi.RequestMiddleware(wsgi_failing)({"PATH_INFO": "/"}, starting)
    line = '127.0.0.1 - - [27/Nov/2026 12:00:00] "%s" %s %s'
    log = logging.getLogger("werkzeug")
    for access_log in (True, False):
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}
        list(wsgi.RequestMiddleware(wsgi_whole, access_log=access_log)(environ, starting))
        log.info(line, "GET / HTTP/1.1", "200", "-")
        log.info(line, "another", "200", "-")  # of a request that we have not seen
    assert [e["message"].split('"')[-2] for e in logged.events() if "werkzeug" in str(e["log"])] == [
        "another", "GET / HTTP/1.1", "another",
    ]  # fmt: skip


@pytest.mark.parametrize("access_log", [True, False])
def test_the_line_of_a_server_for_a_failed_request_stays_where_we_write_no_event(
    logged, access_log
):
    app = wsgi.RequestMiddleware(wsgi_failing, access_log=access_log)
    try:
        app({"PATH_INFO": "/"}, starting)
    except LookupError:  # which the server answers with 500
        line = '127.0.0.1 - - [27/Nov/2026 12:00:00] "%s" %s %s'
        logging.getLogger("werkzeug").info(line, "GET / HTTP/1.1", "500", "-")
    told = {event["log"]["logger"] for event in logged.events()}
    assert told & {ACCESS_LOGGER, "werkzeug"} == {ACCESS_LOGGER if access_log else "werkzeug"}


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_what_the_server_cancels_has_its_route_and_its_recorded_lines(logged, kind):
    logged.setup(level="INFO", flight_recorder="DEBUG")

    async def app(scope, receive, send):
        scope["route"] = SimpleNamespace(path="/slow/{number}")
        if kind == "websocket":
            await send({"type": "websocket.accept"})
        logging.getLogger("app").debug("detail")
        raise asyncio.CancelledError

    async def nothing(*_):
        return {}

    scope = {"type": kind, "method": "GET", "path": "/slow/7", "headers": []}
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(RequestMiddleware(app)(scope, nothing, nothing))
    events = logged.events()
    assert "detail" in [event["message"] for event in events]
    end = events[-1]
    assert (end["log.level"], end["labels"]["http_route"]) == ("error", "/slow/{number}")
    assert end["event"]["reason"] == "cancelled by the server"


def test_secrets_in_a_query_are_counted(logged):
    def hidden():
        return flowery_logging.stats().get("redacted_by_name", 0)

    before = hidden()
    ask(RequestMiddleware(plain), "/?page=2&token=s3cret&api_key=s3cret")
    assert logged.event()["url"]["query"] == "page=2&token=[redacted]&api_key=[redacted]"
    assert hidden() == before + 2


def test_lines_of_gevents_websocket_server_stay_where_we_write_no_event(logged):
    line = '127.0.0.1 - - [2026-11-28 12:00:00] "%s" 200 164 0.023595'
    log = logging.getLogger("geventwebsocket.handler")
    for access_log in (True, False):
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}
        list(wsgi.RequestMiddleware(wsgi_whole, access_log=access_log)(environ, starting))
        log.info("Initializing WebSocket")
        log.info(line % "GET / HTTP/1.1")
        log.info(line % "another")  # of a request that we have not seen
    theirs = [e["message"] for e in logged.events() if "geventwebsocket" in str(e["log"])]
    assert theirs == [
        "Initializing WebSocket", line % "another",
        "Initializing WebSocket", line % "GET / HTTP/1.1", line % "another",
    ]  # fmt: skip


@pytest.mark.parametrize("upgrade", ["websocket", None])
@pytest.mark.parametrize("left", [StopIteration(), ConnectionError(), ConnectionError("lost")])
def test_a_websocket_that_has_left_its_wsgi_server_has_not_failed(logged, upgrade, left):
    """As flask-sock and flask-socketio end one under gunicorn and werkzeug."""

    def app(environ, start_response):
        raise left

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/ws"}
    if upgrade:
        environ["HTTP_UPGRADE"] = "WebSocket"
    with pytest.raises(type(left)) as raised:
        wsgi.RequestMiddleware(app)(environ, starting)
    assert raised.value is left
    events = logged.events()
    failed = not upgrade or bool(left.args)
    assert [event["log.level"] for event in events] == (["error"] * 2 if failed else ["info"])
    if not failed:
        assert (events[0]["message"], events[0]["event"]["outcome"]) == ("GET /ws -", "success")
        assert "status_code" not in events[0]["http"].get("response", {})
