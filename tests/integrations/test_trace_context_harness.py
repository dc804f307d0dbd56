"""The cases of the W3C's own harness (w3c/trace-context, test/), against all three middlewares.

The harness asks a service to make calls, and reads the headers that the calls carry. It is in no
package registry; here its requests stand as a table, and the calls' headers are returned.
"""

import asyncio
import json
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse

from flowery_logging.integrations import asgi, django, wsgi
from flowery_logging.trace import outgoing_headers
from tests.integrations import django_site

TRACE = "12345678901234567890123456789012"
PARENT = "1234567890123456"
VALID = f"00-{TRACE}-{PARENT}-01"
NOT_SAMPLED = f"00-{TRACE}-{PARENT}-00"


def calls() -> bytes:
    """What three outgoing calls of this request carry."""
    return json.dumps([outgoing_headers() for _ in range(3)]).encode()


def through_asgi(headers):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": calls()})

    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": "http", "method": "POST", "path": "/test", "headers": raw}
    asyncio.run(asgi.RequestMiddleware(app)(scope, receive, send))
    return json.loads(sent[-1]["body"])


def through_wsgi(headers):
    def app(environ, start_response):
        start_response("200 OK", [])
        return [calls()]

    body = wsgi.RequestMiddleware(app)(environ_of(headers), lambda *_: None)
    try:
        return json.loads(b"".join(body))
    finally:
        body.close()  # type: ignore[attr-defined]


def through_django(headers):
    django_site.configure(LOGGING_CONFIG=None)
    middleware = django.RequestMiddleware(lambda _: HttpResponse(calls()))
    response = middleware(WSGIRequest(environ_of(headers)))
    try:
        return json.loads(response.content)
    finally:
        response.close()


def environ_of(headers):
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/test"}
    setup_testing_defaults(environ)
    for name, value in headers:  # servers join headers of one name by commas
        key = f"HTTP_{name.upper().replace('-', '_')}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


MIDDLEWARES = pytest.mark.parametrize("through", [through_asgi, through_wsgi, through_django])


def members(sent) -> dict[str, str]:
    """Return the members of the tracestate that was sent, read as the harness does."""
    state = sent.get("tracestate", "")
    return dict(member.split("=", 1) for member in state.split(",")) if state else {}


def request(*states, parent=NOT_SAMPLED):
    """Return the headers of a request with a traceparent and these tracestate headers."""
    return [("traceparent", parent), *(("tracestate", state) for state in states)]


KEY = "abcdefghijklmnopqrstuvwxyz0123456789_-*/"
VENDOR = "a-z0-9_-*/"
VALUE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in ",=")
THIRTY_TWO = [f"bar{n:02}={n:02}" for n in range(1, 33)]

# name of the harness's test → headers of one request, whether the trace goes on
TRACEPARENT = {
    "both_traceparent_and_tracestate_missing": [([], False)],
    "traceparent_included_tracestate_missing": [(request(), True)],
    "traceparent_duplicated": [
        ([("traceparent", VALID), ("traceparent", VALID)], False),
        ([("traceparent", VALID), ("traceparent", f"00-{TRACE[::-1]}-{PARENT}-01")], False),
    ],
    "traceparent_header_name": [
        ([("trace-parent", VALID)], False),
        ([("trace.parent", VALID)], False),
    ],
    "traceparent_header_name_valid_casing": [
        ([(name, VALID)], True) for name in ("TraceParent", "TrAcEpArEnT", "TRACEPARENT")
    ],
    "traceparent_version_0x00": [
        (request(parent=f"{VALID}."), False),
        (request(parent=f"{VALID}-what-the-future-will-be-like"), False),
    ],
    "traceparent_version_0xcc": [
        (request(parent=f"cc-{TRACE}-{PARENT}-01"), True),
        (request(parent=f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like"), True),
        (request(parent=f"cc-{TRACE}-{PARENT}-01.what-the-future-will-be-like"), False),
    ],
    "traceparent_version_0xff": [(request(parent=f"ff-{TRACE}-{PARENT}-01"), False)],
    "traceparent_version_illegal_characters": [
        (request(parent=f"{version}-{TRACE}-{PARENT}-01"), False) for version in (".0", "0.")
    ],
    "traceparent_version_too_long": [
        (request(parent=f"{version}-{TRACE}-{PARENT}-01"), False) for version in ("000", "0000")
    ],
    "traceparent_version_too_short": [(request(parent=f"0-{TRACE}-{PARENT}-01"), False)],
    "traceparent_trace_id_all_zero": [(request(parent=f"00-{'0' * 32}-{PARENT}-01"), False)],
    "traceparent_trace_id_illegal_characters": [
        (request(parent=f"00-.{TRACE[1:]}-{PARENT}-01"), False),
        (request(parent=f"00-{TRACE[:-1]}.-{PARENT}-01"), False),
    ],
    "traceparent_trace_id_too_long": [
        (request(parent=f"00-{TRACE}3-{PARENT}-01"), False),
        (request(parent=f"00-0{TRACE}-{PARENT}-01"), False),
    ],
    "traceparent_trace_id_too_short": [
        (request(parent=f"00-{TRACE[2:]}-{PARENT}-01"), False),
        (request(parent=f"00-{TRACE[1:]}-{PARENT}-01"), False),
    ],
    "traceparent_parent_id_all_zero": [(request(parent=f"00-{TRACE}-{'0' * 16}-01"), False)],
    "traceparent_parent_id_illegal_characters": [
        (request(parent=f"00-{TRACE}-.{PARENT[1:]}-01"), False),
        (request(parent=f"00-{TRACE}-{PARENT[:-1]}.-01"), False),
    ],
    "traceparent_parent_id_too_long": [(request(parent=f"00-{TRACE}-{PARENT}7-01"), False)],
    "traceparent_parent_id_too_short": [(request(parent=f"00-{TRACE}-{PARENT[1:]}-01"), False)],
    "traceparent_trace_flags_illegal_characters": [
        (request(parent=f"00-{TRACE}-{PARENT}-{flags}"), False) for flags in (".0", "0.")
    ],
    "traceparent_trace_flags_too_long": [(request(parent=f"00-{TRACE}-{PARENT}-001"), False)],
    "traceparent_trace_flags_too_short": [(request(parent=f"00-{TRACE}-{PARENT}-1"), False)],
    "traceparent_ows_handling": [
        (request(parent=value), True)
        for value in (f" {VALID}", f"\t{VALID}", f"{VALID} ", f"{VALID}\t", f"\t {VALID} \t")
    ],
}

# name of the harness's test → tracestate headers, the members that go on in their order
TRACESTATE: dict[str, list[tuple[tuple[str, ...], dict[str, str]]]] = {
    "tracestate_included_traceparent_included": [
        (("foo=1,bar=2",), {"foo": "1", "bar": "2"}),
    ],
    "tracestate_empty_header": [
        (("",), {}),
        (("foo=1", ""), {"foo": "1"}),
        (("", "foo=1"), {"foo": "1"}),
        (("foo=1,,,bar=2,",), {"foo": "1", "bar": "2"}),
    ],
    "tracestate_multiple_headers_different_keys": [
        (
            ("foo=1,bar=2", "rojo=1,congo=2", "baz=3"),
            {"foo": "1", "bar": "2", "rojo": "1", "congo": "2", "baz": "3"},
        ),
    ],
    "tracestate_duplicated_keys": [
        (("foo=1,foo=1",), {"foo": "1"}),
        (("foo=1,foo=2",), {"foo": "1"}),
        (("foo=1", "foo=1"), {"foo": "1"}),
        (("foo=1", "foo=2"), {"foo": "1"}),
    ],
    "tracestate_all_allowed_characters": [
        ((f"{KEY}={VALUE}",), {KEY: VALUE}),
        ((f"{KEY}@{VENDOR}={VALUE}",), {f"{KEY}@{VENDOR}": VALUE}),
    ],
    "tracestate_ows_handling": [
        (("foo=1 \t , \t bar=2, \t baz=3",), {"foo": "1", "bar": "2", "baz": "3"}),
        (("foo=1\t \t,\t \tbar=2,\t \tbaz=3",), {"foo": "1", "bar": "2", "baz": "3"}),
        *(((value,), {"foo": "1"}) for value in (" foo=1", "\tfoo=1", "foo=1 ", "foo=1\t")),
        (("\t foo=1 \t",), {"foo": "1"}),
    ],
    "tracestate_key_illegal_characters": [
        (("foo =1",), {}),
        (("FOO=1",), {}),
        (("foo.bar=1",), {}),
    ],
    "tracestate_key_illegal_vendor_format": [
        (("@foo=1,bar=2",), {}),
        # What level 1 called a vendor's key is any key since level 2.
        (("foo@=1,bar=2",), {"foo@": "1", "bar": "2"}),
        (("foo@bar@baz=1,bar=2",), {"foo@bar@baz": "1", "bar": "2"}),
    ],
    "tracestate_key_length_limit": [
        ((f"foo=1,{'z' * 256}=2",), {"foo": "1", "z" * 256: "2"}),
        ((f"foo=1,{'z' * 257}=2",), {}),
        ((f"{'t' * 241}@{'v' * 14}=1",), {f"{'t' * 241}@{'v' * 14}": "1"}),
        ((f"{'t' * 241}@{'v' * 15}=1",), {}),
    ],
    "tracestate_member_count_limit": [
        (
            (",".join(THIRTY_TWO[:10]), ",".join(THIRTY_TWO[10:])),
            dict(member.split("=") for member in THIRTY_TWO),
        ),
        ((",".join(THIRTY_TWO[:10]), ",".join([*THIRTY_TWO[10:], "bar33=33"])), {}),
    ],
    "tracestate_value_illegal_characters": [
        (("foo=bar=baz",), {}),
        (("foo=,bar=3",), {}),
    ],
    # "tracestate Limits": at least 512 characters must go on.
    "tracestate_limits": [
        ((f"a={'1' * 253},b={'2' * 254}",), {"a": "1" * 253, "b": "2" * 254}),
    ],
}


@MIDDLEWARES
@pytest.mark.parametrize("name", TRACEPARENT)
def test_traceparent(through, name):
    for headers, continued in TRACEPARENT[name]:
        sent = [call["traceparent"].split("-") for call in through(headers)]
        traces = {parts[1] for parts in sent}
        spans = {parts[2] for parts in sent}
        assert len(traces) == 1
        assert (traces == {TRACE}) is continued, headers
        assert len(spans - {PARENT, "0" * 16}) == 3


@MIDDLEWARES
@pytest.mark.parametrize("name", TRACESTATE)
def test_tracestate(through, name):
    for states, expected in TRACESTATE[name]:
        for sent in through(request(*states)):
            assert sent["traceparent"].split("-")[1] == TRACE
            assert list(members(sent).items()) == list(expected.items()), states


@MIDDLEWARES
def test_tracestate_without_a_valid_traceparent_is_dropped(through):
    for parent in ([], [("traceparent", "no")], [("traceparent", VALID)] * 2):
        for state in ("foo=1", "foo=1,bar=2"):
            assert "tracestate" not in through([*parent, ("tracestate", state)])[0]


@MIDDLEWARES
def test_header_names_of_tracestate(through):
    for name in ("trace-state", "trace.state"):
        assert members(through([("traceparent", VALID), (name, "foo=1")])[0]) == {}
    for name in ("TraceState", "TrAcEsTaTe", "TRACESTATE"):
        assert members(through([("traceparent", VALID), (name, "foo=1")])[0]) == {"foo": "1"}


@MIDDLEWARES
def test_trace_flags(through):
    for came, goes in (("00", "00"), ("01", "01"), ("03", "03"), ("ff", "03")):
        headers = [("traceparent", f"00-{TRACE}-{PARENT}-{came}")]
        assert through(headers)[0]["traceparent"].endswith(f"-{goes}")
    assert through([])[0]["traceparent"].endswith("-03")
