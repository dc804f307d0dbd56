"""`fastapi.instrument` and the middleware under a real server, with real clients."""

import asyncio
import json
import logging
import socket
import subprocess
import sys
import time

import cloudpickle
import httpx
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request
from fastapi.responses import PlainTextResponse, StreamingResponse
from starlette.applications import Starlette
from starlette.datastructures import State
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.routing import Route

import flowery_logging
from flowery_logging import context
from flowery_logging.context import bind, bound
from flowery_logging.integrations import fastapi
from flowery_logging.integrations.asgi import RequestMiddleware
from flowery_logging.trace import current_trace

log = logging.getLogger("app")

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


def boom():
    try:
        raise KeyError("재고")
    except KeyError as cause:
        raise RuntimeError("boom") from cause


def user():
    bind(user="from a dependency")  # in a thread: FastAPI runs `def` dependencies there


def after(word):
    log.info("in the background: %s", word)


async def stream(fail_after):
    for number in range(3):
        log.info("chunk %d", number)
        yield f"{number}\n"
        if number == fail_after:
            boom()


def make_app() -> FastAPI:
    app = FastAPI()

    @app.get("/async")
    async def in_the_loop(request: Request):
        log.info("async")
        return dict(request.headers)

    @app.get("/def", dependencies=[Depends(user)])
    def in_a_thread():
        bind(order_id=7)
        log.info("def")
        return {}

    @app.get("/def-after-def", dependencies=[Depends(user)])
    def after_a_dependency():
        log.info("def after def")
        return {}

    @app.get("/background")
    async def background(tasks: BackgroundTasks):
        tasks.add_task(after, "주문")
        return {}

    @app.get("/mixed/{number}")
    async def mixed_async(number: int, tasks: BackgroundTasks):
        bind(number=number)
        log.info("mixed")
        await asyncio.sleep(0.001 * (number % 7))
        log.info("mixed")
        await asyncio.gather(*(child(number, part) for part in range(3)))
        tasks.add_task(log.info, "mixed")
        return {}

    @app.get("/mixed-def/{number}")
    def mixed_def(number: int):
        bind(number=number)
        log.info("mixed")
        time.sleep(0.001 * (number % 5))
        log.info("mixed")
        return {}

    async def child(number, part):
        with bound(part=part):
            await asyncio.sleep(0)
            log.info("mixed")

    @app.get("/own-id")
    async def own_id():
        return PlainTextResponse("", headers={"X-Request-ID": "the-applications-own"})

    @app.get("/handled")
    async def handled():
        raise HTTPException(409, "sold out")

    @app.get("/caught")
    async def caught():
        try:
            boom()
        except RuntimeError:
            log.exception("caught and logged by the application")
            raise

    app.add_api_route("/boom", boom, methods=["GET"])

    @app.get("/stream/{fail_after}")
    async def streaming(fail_after: int):
        return StreamingResponse(stream(fail_after))

    return app


@pytest.fixture
def url(serve, collector):
    app = make_app()
    fastapi.instrument(app)
    return serve(app)


def test_the_trace_is_continued_and_stands_on_every_line(url, collector, serve):
    response = httpx.get(
        f"{url}/async", headers={"traceparent": TRACEPARENT, "X-Request-ID": "my-request:7"}
    )
    assert response.headers["x-request-id"] == "my-request:7"
    serve.stop()
    own, access = (
        next(line for line in collector.lines if line.record.name == name)
        for name in ("app", "flowery_logging.access")
    )
    assert own.fields["trace.id"] == TRACE
    assert own.fields["http.request.id"] == "my-request:7"
    assert own.fields["transaction.id"] not in ("", PARENT)
    assert access.fields == own.fields


def test_without_headers_a_trace_and_a_request_id_are_made(url, collector):
    ids = [httpx.get(f"{url}/async").headers["x-request-id"] for _ in range(2)]
    lines = collector.named("async")
    assert [line.fields["http.request.id"] for line in lines] == ids
    assert len({line.fields["trace.id"] for line in lines}) == 2


def test_threads_and_dependencies_bind_for_the_whole_request(url, collector, serve):
    httpx.get(f"{url}/def", headers={"traceparent": TRACEPARENT})
    serve.stop()
    (line,) = collector.named("def")
    assert line.record.threadName != "MainThread"
    assert line.fields["trace.id"] == TRACE
    access = next(line for line in collector.lines if line.record.name == "flowery_logging.access")
    assert (access.fields["order_id"], access.fields["user"]) == (7, "from a dependency")


@pytest.mark.parametrize("under", [False, True], ids=["bare", "under BaseHTTPMiddleware"])
@pytest.mark.parametrize(
    ("path", "message"), [("/def", "def"), ("/def-after-def", "def after def")]
)
def test_an_endpoint_shows_what_its_dependency_has_bound(serve, collector, under, path, message):
    class Passing(BaseHTTPMiddleware):
        async def dispatch(self, request, call_next):
            return await call_next(request)

    app = make_app()
    if under:
        app.add_middleware(Passing)
    fastapi.instrument(app)
    httpx.get(serve(app) + path)
    (line,) = collector.named(message)
    assert line.fields["user"] == "from a dependency"


def test_background_tasks_have_the_trace(url, collector, serve):
    httpx.get(f"{url}/background", headers={"traceparent": TRACEPARENT})
    serve.stop()
    (line,) = collector.named("in the background: 주문")
    assert line.fields["trace.id"] == TRACE


def test_an_unhandled_exception_is_logged_once_with_its_causes_and_answered_with_the_id(
    url, collector, serve
):
    response = httpx.get(f"{url}/boom?a=b", headers={"traceparent": TRACEPARENT})
    assert response.status_code == 500
    serve.stop()
    (line,) = collector.errors()
    assert line.record.name == "flowery_logging.integrations.asgi"
    assert line.message == "GET /boom raised an unhandled exception"
    assert line.fields["trace.id"] == TRACE
    assert line.fields["http.request.id"] == response.headers["x-request-id"]
    assert vars(line.record)["http.request.method"] == "GET"
    assert vars(line.record)["url.path"] == "/boom"
    exc = line.record.exc_info[1]
    assert str(exc) == "boom"
    assert isinstance(exc.__cause__, KeyError)
    assert exc.__traceback__ is not None
    assert "__notes__" not in vars(exc)
    assert set(vars(exc)) <= {context._FAILED_IN}  # the scope, for who logs it later


def test_an_application_that_logs_its_exception_itself_keeps_its_line(url, collector, serve):
    httpx.get(f"{url}/caught")
    serve.stop()
    messages = [line.message for line in collector.errors()]
    assert messages == [
        "caught and logged by the application",
        "GET /caught raised an unhandled exception",
    ]


@pytest.mark.slow
def test_each_failing_request_is_reported(url, collector, serve):
    ids = [httpx.get(f"{url}/boom").headers["x-request-id"] for _ in range(5)]
    serve.stop()
    assert [line.fields["http.request.id"] for line in collector.errors()] == ids


def test_an_exception_while_streaming_is_reported_with_the_id_on_the_response(
    url, collector, serve
):
    with httpx.stream("GET", f"{url}/stream/1", headers={"X-Request-ID": "s-1"}) as response:
        assert response.headers["x-request-id"] == "s-1"
        with pytest.raises(httpx.RemoteProtocolError):
            response.read()
    serve.stop()
    (line,) = collector.errors()
    assert line.fields["http.request.id"] == "s-1"
    assert len(collector.named("chunk 1")) == 1
    assert collector.named("chunk 1")[0].fields["http.request.id"] == "s-1"


def test_a_handled_exception_is_no_error(url, collector, serve):
    response = httpx.get(f"{url}/handled")
    assert (response.status_code, "x-request-id" in response.headers) == (409, True)
    serve.stop()
    assert collector.errors() == []


def test_the_servers_other_errors_stay(url, collector, serve):
    httpx.get(f"{url}/boom")
    serve.stop()
    server = logging.getLogger("uvicorn.error")
    server.error("Exception in ASGI application\n", exc_info=RuntimeError("boom"))
    server.error("no exception at all")
    assert [line.message.strip() for line in collector.errors()][1:] == [
        "Exception in ASGI application",
        "no exception at all",
    ]


def test_where_our_report_is_switched_off_the_servers_stands(url, collector, serve):
    ours = logging.getLogger("flowery_logging.integrations.asgi")
    ours.disabled = True  # as dictConfig with disable_existing_loggers does
    try:
        httpx.get(f"{url}/boom")
        serve.stop()
    finally:
        ours.disabled = False
    (line,) = collector.errors()
    assert line.record.name == "uvicorn.error"


def test_a_handler_that_raises_does_not_replace_the_exception(serve):
    class Broken(logging.Handler):
        def emit(self, record):
            raise OSError("the handler's own")

    seen: list[Exception] = []

    async def outer(scope, receive, send):
        try:
            await instrumented(scope, receive, send)
        except RuntimeError as exc:
            seen.append(exc)
            raise

    instrumented = RequestMiddleware(make_app())
    ours, handler = logging.getLogger("flowery_logging.integrations.asgi"), Broken()
    ours.addHandler(handler)
    try:
        assert httpx.get(f"{serve(outer)}/boom").status_code == 500
        serve.stop()
    finally:
        ours.removeHandler(handler)
    assert [str(exc) for exc in seen] == ["boom"]


def test_the_applications_own_request_id_header_stands(url):
    response = httpx.get(f"{url}/own-id")
    assert response.headers.get_list("x-request-id") == ["the-applications-own"]


def raw_request(url, *lines):
    """Send what no client library would."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=300) as connection:
        head = [b"GET /async HTTP/1.1", b"Host: x", b"Connection: close", *lines]
        connection.sendall(b"\r\n".join(head) + b"\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    "value",
    [
        b"a\tSet-Cookie: stolen=1",
        b"a%0d%0aSet-Cookie: stolen=1",
        b"\xea\xb0\x80",
        b"x" * 129,
        b'"}{"injected":"yes',
        b"",
        b"<script>",
    ],
)
def test_a_malformed_request_id_never_comes_back(url, collector, value):
    answer = raw_request(url, b"X-Request-ID: " + value)
    head = answer.split(b"\r\n\r\n")[0].lower()
    assert b"stolen" not in head
    (line,) = collector.named("async")
    made = line.fields["http.request.id"]
    assert len(made) == 32
    assert f"x-request-id: {made}".encode() in head


@pytest.mark.parametrize(
    "value",
    [b"00-" + b"x" * 60, TRACEPARENT.encode() + b"-", b"ff" + TRACEPARENT[2:].encode(), b""],
)
def test_a_malformed_traceparent_begins_a_new_trace(url, collector, value):
    raw_request(url, b"traceparent: " + value)
    (line,) = collector.named("async")
    assert line.fields["trace.id"] != TRACE
    assert len(line.fields["trace.id"]) == 32


@pytest.fixture
def written(tmp_path):
    """Set up real files; return a function that ends logging and reads every event."""

    def read():
        flowery_logging.shutdown()
        return [
            json.loads(line)
            for path in tmp_path.glob("*.ndjson")
            for line in path.read_text().splitlines()
        ]

    flowery_logging.setup(service="shop", directory=tmp_path, output="file")
    yield read
    flowery_logging.shutdown()


@pytest.mark.slow
def test_500_concurrent_requests_never_show_each_others_ids(written, serve):
    async def main(url):
        at_once = asyncio.Semaphore(50)  # httpx's own limit costs a walk of all that wait each
        async with httpx.AsyncClient(base_url=url) as client:
            await asyncio.gather(*(limited(at_once, client, number) for number in range(500)))

    async def limited(at_once, client, number):
        async with at_once:
            await request(client, number)

    async def request(client, number):
        path = "/mixed" if number % 2 else "/mixed-def"
        headers = {
            "traceparent": f"00-{number + 1:032x}-{PARENT}-01",
            "X-Request-ID": f"request-{number}",
        }
        response = await client.get(f"{path}/{number}", headers=headers)
        assert response.headers["x-request-id"] == f"request-{number}"

    app = make_app()
    fastapi.instrument(app)
    asyncio.run(main(serve(app)))
    serve.stop()
    events = written()
    lines = [event for event in events if event["message"] == "mixed"]
    access = [event for event in events if event["log"]["logger"] == "flowery_logging.access"]
    assert (len(lines), len(access)) == (250 * 2 + 250 * 6, 500)
    for event in lines + access:
        number = event["numeric_labels"]["number"]
        assert event["trace"]["id"] == f"{number + 1:032x}"
        assert event["http"]["request"]["id"] == f"request-{number}"
    for event in access:
        assert event["url"]["path"].endswith(f"/{event['numeric_labels']['number']}")
        assert event["labels"]["http_route"].endswith("/{number}")


def test_another_header_may_carry_the_request_id(serve, collector):
    app = make_app()
    fastapi.instrument(app, request_id_header="X-Correlation-ID")
    response = httpx.get(f"{serve(app)}/async", headers={"x-correlation-id": "c-1"})
    assert response.headers["x-correlation-id"] == "c-1"
    assert "x-request-id" not in response.headers
    assert collector.named("async")[0].fields["http.request.id"] == "c-1"


def test_instrument_is_idempotent_and_middleware_inside_it_passes_through(serve, collector):
    app = make_app()
    fastapi.instrument(app)
    fastapi.instrument(app)
    assert "build_middleware_stack" not in vars(app)  # OpenTelemetry looks at what it returns
    app.add_middleware(RequestMiddleware)
    response = httpx.get(f"{serve(app)}/boom")
    assert len(response.headers.get_list("x-request-id")) == 1
    serve.stop()
    assert len(collector.errors()) == 1


def test_an_application_that_has_started_is_instrumented_too(serve, collector):
    app = make_app()
    url = serve(app)
    assert "x-request-id" not in httpx.get(f"{url}/boom").headers
    fastapi.instrument(app)
    fastapi.instrument(app)
    response = httpx.get(f"{url}/boom")
    assert len(response.headers.get_list("x-request-id")) == 1


def test_under_base_http_middleware_endpoints_still_bind_for_the_access_line(serve, collector):
    class Passing(BaseHTTPMiddleware):
        async def dispatch(self, request, call_next):
            return await call_next(request)

    app = make_app()
    app.add_middleware(Passing)
    fastapi.instrument(app)
    httpx.get(f"{serve(app)}/def")
    serve.stop()
    access = next(line for line in collector.lines if line.record.name == "flowery_logging.access")
    assert access.fields["order_id"] == 7


def test_starlette_works_too(serve):
    async def endpoint(request):
        found = current_trace()
        return PlainTextResponse(found.trace_id if found else "")

    app = Starlette(routes=[Route("/", endpoint)])
    fastapi.instrument(app)
    assert httpx.get(serve(app), headers={"traceparent": TRACEPARENT}).text == TRACE


@pytest.mark.parametrize(
    "wrong", [None, "app", FastAPI, object()], ids=["none", "string", "class", "object"]
)
def test_anything_else_is_refused_with_what_was_given(wrong):
    with pytest.raises(TypeError, match=r"expected a FastAPI or Starlette application, not '\w+'"):
        fastapi.instrument(wrong)


ELSEWHERE = """
import pickle, sys
app = pickle.load(sys.stdin.buffer)
from starlette.testclient import TestClient
print(TestClient(app).get("/hello").headers["x-request-id"])
"""


class Sender(cloudpickle.CloudPickler):  # type: ignore[misc]
    """As Ray's, which knows how to take a `State` apart."""

    def reducer_override(self, given):
        if isinstance(given, State):
            return State, (dict(given._state),)
        return super().reducer_override(given)


@pytest.mark.slow
def test_an_application_that_is_sent_to_another_process_is_instrumented_there(tmp_path):
    app = FastAPI()
    fastapi.instrument(app)
    app.get("/hello")(lambda: "hi")
    with (tmp_path / "app.pickle").open("w+b") as sent:
        Sender(sent).dump(app)
        sent.seek(0)
        command = [sys.executable, "-W", "ignore", "-c", ELSEWHERE]
        done = subprocess.run(command, stdin=sent, capture_output=True, text=True, check=False)
    assert len(done.stdout.strip()) == 32, done.stderr
