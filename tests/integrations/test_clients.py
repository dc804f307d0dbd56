"""What all client integrations promise, with each of them against a real server."""

import asyncio
import contextlib
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import aiohttp
import grpc
import httpx
import pytest
import requests
import wrapt

from flowery_logging.ecs.exception import qualified_name
from flowery_logging.integrations import (
    aiohttp as aiohttp_integration,
    httpx as httpx_integration,
    requests as requests_integration,
)
from flowery_logging.integrations.calls import is_allowed
from flowery_logging.trace import continue_trace, current_trace, outgoing_headers

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
INCOMING = {
    "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
    "tracestate": "foo=1",
    "x-request-id": "r-7",
}
OURS = ("traceparent", "tracestate", "x-request-id")

seen: list[dict[str, str]] = []


@pytest.fixture(autouse=True)
def nothing_seen():
    seen.clear()


async def echo(scope, receive, send):
    """Remember the request's headers; /redirect?<address> leads there, /500 fails."""
    if scope["type"] == "lifespan":
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.complete"})
        return
    seen.append({name.decode(): value.decode() for name, value in scope["headers"]})
    status, headers = 200, []
    if scope["path"] == "/redirect":
        status = 302
        headers = [(b"location", scope["query_string"])] if scope["query_string"] else []
    elif scope["path"] == "/500":
        status = 500
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture(scope="module")
def url(serve_all):
    return serve_all(echo)


class Requests:
    module = requests_integration
    error: type[Exception] = requests.ConnectionError
    wrapped_by_agents: tuple[type, str] = (requests.Session, "send")

    def open(self):
        return requests.Session()

    def get(self, session, url, **options):
        return session.get(url, **options).status_code

    def close(self, session):
        session.close()


class Httpx(Requests):
    module = httpx_integration
    error = httpx.ConnectError
    wrapped_by_agents = (httpx.Client, "_send_single_request")

    def open(self):
        return httpx.Client(verify=False, follow_redirects=True)


class Aiohttp(Requests):
    module = aiohttp_integration
    error = aiohttp.ClientConnectorError
    wrapped_by_agents = (aiohttp.ClientSession, "_request")

    def __init__(self):
        self.loop = asyncio.new_event_loop()

    def run(self, coroutine):
        return self.loop.run_until_complete(coroutine)

    def open(self):
        async def opening():
            return aiohttp.ClientSession()

        return self.run(opening())

    def get(self, session, url, **options):
        async def getting():
            async with session.get(url, **options) as response:
                await response.read()
                return response.status

        return self.run(getting())

    def close(self, session):
        self.run(session.close())


@pytest.fixture(params=[Requests, Httpx, Aiohttp], ids=["requests", "httpx", "aiohttp"])
def library(request):
    found = request.param()
    yield found
    found.module.uninstrument()
    if isinstance(found, Aiohttp):
        found.loop.close()


@contextmanager
def session(library, *, instrumented=False, **options):
    opened = library.open()
    if instrumented:
        library.module.instrument(opened, **options)
    try:
        yield opened
    finally:
        library.close(opened)


def test_a_call_carries_the_trace_with_a_span_of_its_own(library, url):
    with continue_trace(INCOMING) as found, session(library, instrumented=True) as client:
        assert [library.get(client, url) for _ in range(2)] == [200, 200]
    spans = set()
    for headers in seen:
        version, trace_id, span_id, flags = headers["traceparent"].split("-")
        assert (version, trace_id, flags) == ("00", TRACE, "01")
        assert (headers["tracestate"], headers["x-request-id"]) == ("foo=1", "r-7")
        spans.add(span_id)
    assert len(spans | {found.transaction_id, found.parent_id}) == 4


def test_all_clients_and_only_until_it_is_undone(library, url):
    with continue_trace(INCOMING), session(library) as before:
        library.module.instrument()
        library.module.instrument()
        with session(library) as after:
            library.get(before, url)
            library.get(after, url)
            library.module.uninstrument()
            library.module.uninstrument()
            library.get(before, url)
            library.get(after, url)
        library.module.instrument()
        library.get(before, url)
    assert ["traceparent" in headers for headers in seen] == [True, True, False, False, True]


@pytest.fixture
def agent(library):
    """What wraps a method of the library's as agents do, and counts the calls that it gets."""
    owner, name = library.wrapped_by_agents
    theirs, told = vars(owner)[name], list[str]()

    def wrapper(wrapped, instance, args, kwargs):
        told.append(type(instance).__name__)
        return wrapped(*args, **kwargs)

    def begin():
        wrapt.wrap_function_wrapper(owner, name, wrapper)
        return told

    yield begin
    setattr(owner, name, theirs)


@pytest.mark.parametrize("first", ["agent", "ours"])
def test_an_agent_that_wraps_the_same_method_keeps_its_place(library, agent, url, first):
    with continue_trace(INCOMING), session(library) as client:
        if first == "ours":
            library.module.instrument()
        told = agent()
        library.module.instrument()
        library.get(client, url)
        library.module.uninstrument()
        library.get(client, url)
        library.module.instrument(hosts=["elsewhere"])
        library.get(client, url)
        library.module.uninstrument()
        library.module.instrument()
        library.get(client, url)
    assert told == [type(client).__name__] * 4
    assert ["traceparent" in headers for headers in seen] == [True, False, False, True]


def test_one_client_is_undone_and_others_never_see_it(library, url):
    with continue_trace(INCOMING), session(library) as one, session(library) as other:
        library.module.instrument(one)
        library.get(one, url)
        library.get(other, url)
        library.module.uninstrument(one)
        library.module.uninstrument(other)
        library.get(one, url)
    assert ["traceparent" in headers for headers in seen] == [True, False, False]


def test_outside_a_request_nothing_is_sent(library, url):
    with session(library, instrumented=True) as client:
        library.get(client, url)
    assert not set(OURS) & set(seen[0])


def test_the_callers_headers_stand_and_are_never_changed(library, url):
    given = {"X-Request-ID": "mine", "Traceparent": "mine"}
    with continue_trace(INCOMING), session(library, instrumented=True) as client:
        library.get(client, url, headers=given)
        assert given == {"X-Request-ID": "mine", "Traceparent": "mine"}
        library.get(client, url)
    assert {k: v for k, v in seen[0].items() if k in OURS} == {
        "traceparent": "mine",
        "x-request-id": "mine",
    }
    assert TRACE in seen[1]["traceparent"]


def test_only_hosts_on_the_list_get_it_also_after_a_redirect(library, url):
    elsewhere = url.replace("127.0.0.1", "localhost")
    with (
        continue_trace(INCOMING),
        session(library, instrumented=True, hosts=["127.0.0.1"]) as client,
    ):
        library.get(client, url)
        library.get(client, f"{url}/redirect?{elsewhere}/")
        library.get(client, f"{elsewhere}/redirect?{url}/")
    assert [bool(set(OURS) & set(headers)) for headers in seen] == [True, True, False, False, True]


def test_a_redirect_is_a_call_of_its_own(library, url):
    with continue_trace(INCOMING), session(library, instrumented=True) as client:
        assert library.get(client, f"{url}/redirect?/") == 200
    spans = [headers["traceparent"].split("-")[2] for headers in seen]
    assert len(set(spans)) == len(spans) == 2
    assert all(headers["x-request-id"] == "r-7" for headers in seen)


@pytest.fixture
def debugging(collector):
    root, ours = logging.getLogger(), logging.getLogger("flowery_logging.client")
    ours.setLevel(logging.DEBUG)
    yield collector
    ours.setLevel(logging.NOTSET)
    assert root.level == logging.INFO


def events(collector):
    return [line for line in collector.lines if line.record.name == "flowery_logging.client"]


def test_a_call_is_an_event_at_debug(library, url, debugging):
    with continue_trace(INCOMING), session(library, instrumented=True) as client:
        library.get(client, f"{url}/a/b?token=secret")
        library.get(client, f"{url}/500")
        logging.getLogger("app").info("after")
    ok, failed = events(debugging)
    told = vars(ok.record)
    assert ok.message == "GET 127.0.0.1/a/b 200"
    assert ok.record.levelno == logging.DEBUG
    assert ok.fields["span.id"] == seen[0]["traceparent"].split("-")[2]
    assert ok.fields["trace.id"] == TRACE
    assert told["event.duration"] > 0
    assert (told["http.response.status_code"], told["event.outcome"]) == (200, "success")
    assert f"http://{told['url.domain']}:{told['url.port']}" == url
    assert (vars(failed.record)["event.outcome"], failed.message) == (
        "failure",
        "GET 127.0.0.1/500 500",
    )
    assert "span.id" not in debugging.named("after")[0].fields


def test_above_debug_there_is_no_event(library, url, collector):
    with continue_trace(INCOMING), session(library, instrumented=True) as client:
        library.get(client, url)
    assert events(collector) == []


def test_a_built_in_error_has_the_name_that_it_has_in_every_event(debugging):
    def fail(request):
        raise TimeoutError

    with httpx.Client(transport=httpx.MockTransport(fail)) as client:
        httpx_integration.instrument(client)
        with pytest.raises(TimeoutError):
            client.get("http://shop.example/")
    (line,) = events(debugging)
    assert vars(line.record)["error.type"] == "TimeoutError"


def test_a_call_that_fails_raises_its_own_exception_and_is_a_failure(library, debugging):
    with continue_trace(INCOMING), session(library, instrumented=True) as client:
        with pytest.raises(library.error):
            library.get(client, "http://127.0.0.1:1/")
        logging.getLogger("app").info("after")
    (line,) = events(debugging)
    told = vars(line.record)
    assert told["event.outcome"] == "failure"
    assert told["error.type"] == qualified_name(library.error)
    assert "span.id" not in debugging.named("after")[0].fields


@pytest.mark.parametrize("wrong", [object(), "client", 5], ids=["object", "string", "number"])
@pytest.mark.parametrize("function", ["instrument", "uninstrument"])
def test_anything_else_is_refused_with_what_was_given(library, function, wrong):
    with pytest.raises(TypeError, match=rf"not '{type(wrong).__name__}'"):
        getattr(library.module, function)(wrong)


def test_one_string_is_no_list_of_hosts(library):
    with pytest.raises(TypeError, match=r"'a\.b'"):
        library.module.instrument(hosts="a.b")


@pytest.mark.parametrize(
    ("host", "hosts", "allowed"),
    [
        ("a.b", None, True),
        ("a.b", (), False),
        ("A.B", ("a.b",), True),
        ("x.a.b", ("a.b",), False),
        ("x.a.b", (".a.b",), True),
        ("a.b", (".a.b",), True),
        ("xa.b", (".a.b",), False),
        ("a.b.evil", ("a.b", ".a.b"), False),
    ],
)
def test_a_leading_dot_means_all_names_below(host, hosts, allowed):
    assert is_allowed(host, hosts) is allowed


class Own(requests.PreparedRequest):
    """What a caller has made of a request."""

    mark: str | None = None


class Seeing(requests.adapters.HTTPAdapter):
    """An adapter that looks at what it is to send."""

    sent: requests.PreparedRequest

    def send(self, request, *args, **options):
        self.sent = request
        return super().send(request, *args, **options)


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("all_sessions", [False, True])
def test_a_request_that_was_prepared_keeps_what_it_is(url, all_sessions, by_name):
    adapter, session = Seeing(), requests.Session()
    session.mount("http://", adapter)
    request = Own()
    request.prepare("GET", url)
    request.mark = "mine"
    requests_integration.instrument(None if all_sessions else session)
    try:
        with continue_trace({}):
            answer = session.send(request=request) if by_name else session.send(request)
    finally:
        requests_integration.uninstrument(None if all_sessions else session)
    assert answer.status_code == 200
    assert isinstance(adapter.sent, Own)
    assert adapter.sent.mark == "mine"
    assert "traceparent" in adapter.sent.headers
    assert "traceparent" not in request.headers


@pytest.mark.parametrize(
    ("query", "error"), [("?http://[::1", aiohttp.InvalidUrlRedirectClientError), ("", None)]
)
def test_a_redirect_that_leads_nowhere_is_aiohttps_to_judge(url, debugging, query, error):
    """Without a Location it returns the response; what is no URL it refuses by its own error."""

    async def main():
        async with aiohttp.ClientSession() as session:
            aiohttp_integration.instrument(session)
            async with session.get(f"{url}/redirect{query}") as response:
                assert response.status == 302

    with continue_trace({}), contextlib.nullcontext() if error is None else pytest.raises(error):
        asyncio.run(main())
    assert len(events(debugging)) == 1


def test_the_recipe_for_grpc():
    """As in docs/queues.md: metadata out, metadata in."""

    def handler(request, context):
        with continue_trace(context.invocation_metadata()):
            found = current_trace()
            assert found is not None
            return found.trace_id.encode()

    method = grpc.unary_unary_rpc_method_handler(handler)
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool)
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("S", {"M": method})])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        with continue_trace(INCOMING), grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = channel.unary_unary("/S/M")
            answer = call(b"", metadata=tuple(outgoing_headers().items()), timeout=300)
        server.stop(None).wait()
    assert answer == TRACE.encode()
