"""Calls through httpx and httpx2, to a real server that answers with the headers it got."""

import asyncio
import importlib
import logging
import subprocess
import sys
from urllib.request import Request, urlopen

import pytest

from flowery_logging.integrations.httpx import instrument, uninstrument
from flowery_logging.trace import continue_trace, outgoing_headers

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
INCOMING = {
    "traceparent": f"00-{TRACE}-{PARENT}-01",
    "tracestate": "foo=1",
    "x-request-id": "r-7",
}
OURS = ("traceparent", "tracestate", "x-request-id")


@pytest.fixture(params=["httpx", "httpx2"])
def library(request):
    return pytest.importorskip(request.param)


@pytest.fixture(scope="module")
def url(serve_all):
    return serve_all(echo)


@pytest.fixture
def everywhere(library):
    instrument()
    yield
    uninstrument()


async def echo(scope, receive, send):
    """Answer with the request's headers as JSON; /redirect leads to /."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    seen.append({name.decode(): value.decode() for name, value in scope["headers"]})
    status, headers = (302, [(b"location", b"/")]) if scope["path"] == "/redirect" else (200, [])
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


seen: list[dict[str, str]] = []


@pytest.fixture(autouse=True)
def nothing_seen():
    seen.clear()


def get_in_both_ways(library, url, change=lambda client: None, **options):
    """GET once with a sync and once with an async client that `change` has had."""
    with library.Client(verify=False) as client:
        change(client)
        client.get(url, **options)

    async def main():
        async with library.AsyncClient(verify=False) as client:
            change(client)
            await client.get(url, **options)

    asyncio.run(main())
    return seen


def test_one_client(library, url):
    with continue_trace(INCOMING) as found:
        first, second = get_in_both_ways(library, url, instrument)
    for headers in (first, second):
        version, trace_id, span_id, flags = headers["traceparent"].split("-")
        assert (version, trace_id, flags) == ("00", TRACE, "01")
        assert span_id not in (PARENT, found.transaction_id)
        assert headers["tracestate"] == "foo=1"
        assert headers["x-request-id"] == "r-7"
    assert first["traceparent"] != second["traceparent"]


def test_all_clients_and_only_until_it_is_undone(library, url):
    before = [vars(c)["_send_single_request"] for c in (library.Client, library.AsyncClient)]
    with continue_trace(INCOMING), library.Client() as made_before:
        instrument()
        instrument()
        try:
            made_before.get(url)
            get_in_both_ways(library, url)
        finally:
            uninstrument()
            uninstrument()
        assert [TRACE in headers["traceparent"] for headers in seen] == [True] * 3
        seen.clear()
        made_before.get(url)
        get_in_both_ways(library, url)
    assert [headers.get("traceparent") for headers in seen] == [None] * 3
    after = [vars(c)["_send_single_request"] for c in (library.Client, library.AsyncClient)]
    assert after == before


def test_one_client_is_undone_and_others_never_see_it(library, url):
    with continue_trace(INCOMING), library.Client() as one, library.Client() as other:
        instrument(one)
        other.get(url)
        uninstrument(one)
        uninstrument(other)
        one.get(url)
        assert "_send_single_request" not in vars(one)
    assert [headers.get("traceparent") for headers in seen] == [None, None]


def test_outside_a_request_nothing_is_sent(library, url, everywhere):
    for headers in get_in_both_ways(library, url):
        assert not set(OURS) & set(headers)


@pytest.mark.parametrize("kind", ["dict", "list", "headers"])
def test_the_callers_headers_stand_and_are_never_changed(library, url, everywhere, kind):
    make = {"dict": dict, "list": lambda h: list(h.items()), "headers": library.Headers}[kind]
    given, same = make({"X-Request-ID": "mine", "a": "b"}), make({"X-Request-ID": "mine", "a": "b"})
    with continue_trace(INCOMING):
        for headers in get_in_both_ways(library, url, headers=given):
            assert headers["x-request-id"] == "mine"
            assert TRACE in headers["traceparent"]
    assert given == same


@pytest.mark.parametrize("name", ["Traceparent", "TRACESTATE"])
def test_beside_a_trace_header_of_the_caller_no_other_is_sent(library, url, everywhere, name):
    with continue_trace(INCOMING):
        for headers in get_in_both_ways(library, url, headers={name: "mine"}):
            assert {k: v for k, v in headers.items() if k in OURS} == {
                name.lower(): "mine",
                "x-request-id": "r-7",
            }


def test_a_request_that_is_sent_again_is_a_call_of_its_own(library, url, everywhere):
    request = library.Request("POST", url, content=b"body", headers={"a": "b"})
    with continue_trace(INCOMING), library.Client() as client:
        responses = [client.send(request) for _ in range(2)]
    assert not set(OURS) & set(request.headers)
    assert len({headers["traceparent"] for headers in seen}) == 2
    assert responses[0].request.headers["traceparent"] == seen[0]["traceparent"]  # what was sent
    assert seen[0]["content-length"] == "4"


def test_a_redirect_is_a_call_of_its_own(library, url, everywhere):
    with continue_trace(INCOMING):
        get_in_both_ways(library, f"{url}/redirect", follow_redirects=True)
    assert len({headers["traceparent"] for headers in seen}) == 4
    assert all(headers["traceparent"].split("-")[1] == TRACE for headers in seen)


def test_mounted_transports_are_covered(library, url):
    with (
        continue_trace(INCOMING),
        library.Client(mounts={"all://": library.HTTPTransport()}) as client,
    ):
        instrument(client)
        client.get(url)
    assert TRACE in seen[0]["traceparent"]


def test_the_lines_of_a_call_carry_its_span(library, url, everywhere, collector):
    logger = logging.getLogger(library.__name__)
    with continue_trace(INCOMING):
        get_in_both_ways(library, url)
        logger.info("after")
    lines = [line for line in collector.lines if line.record.name == library.__name__]
    spans = [headers["traceparent"].split("-")[2] for headers in seen]
    assert [line.fields.get("span.id") for line in lines] == [*spans, None]


def test_a_call_that_fails_raises_its_own_exception(library, everywhere):
    with continue_trace(INCOMING), pytest.raises(library.ConnectError) as caught:
        get_in_both_ways(library, "http://127.0.0.1:1")
    assert "traceparent" in caught.value.request.headers


@pytest.mark.parametrize("wrong", [object(), "client", 5], ids=["object", "string", "number"])
@pytest.mark.parametrize("function", [instrument, uninstrument])
def test_anything_else_is_refused_with_what_was_given(function, wrong):
    with pytest.raises(TypeError, match=rf"httpx or httpx2, not '{type(wrong).__name__}'"):
        function(wrong)


def test_a_class_is_refused(library):
    with pytest.raises(TypeError, match="not 'Client'"):
        instrument(library.Client)


def test_outgoing_headers_serve_any_other_client(url):
    with continue_trace(INCOMING):
        urlopen(Request(url, headers=outgoing_headers())).close()
    assert TRACE in seen[0]["traceparent"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "module",
    ["flowery_logging", "flowery_logging.trace", "flowery_logging.integrations.httpx"],
)
def test_importing_never_imports_a_client_or_a_framework(module):
    code = f"import sys, {module}; print([m for m in {FOREIGN} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert importlib.import_module(module)


FOREIGN = ["httpx", "httpx2", "fastapi", "starlette", "uvicorn"]


def test_the_librarys_line_of_a_call_is_left_out_of_ours_and_of_nobody_elses(
    library, url, logged, collector
):
    with library.Client() as client:
        instrument(client)
        client.get(url)
    assert [e for e in logged.events() if e["log"]["logger"] == library.__name__] == []
    assert [line for line in collector.lines if line.record.name == library.__name__]


def test_the_librarys_line_of_a_call_stays_where_it_is_asked_for_or_nothing_is_instrumented(
    library, url, logged
):
    with library.Client() as kept, library.Client() as plain, library.Client() as undone:
        instrument(undone)
        uninstrument(undone)
        instrument(kept, repeats=True)
        for client in (kept, plain, undone):
            client.get(url)
    assert len([e for e in logged.events() if e["log"]["logger"] == library.__name__]) == 3


def test_repeats_is_true_or_false():
    with pytest.raises(TypeError, match="repeats"):
        instrument(repeats="yes")  # type: ignore[arg-type]
