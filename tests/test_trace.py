"""W3C Trace Context: the specification's cases as tables, and the three public functions."""

import asyncio
import gc
import logging
import os
import pickle
import re
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import FrozenInstanceError
from email.message import Message

import pytest
from hypothesis import given, strategies as st

from flowery_logging import context, trace
from flowery_logging.integrations.options import Options
from flowery_logging.integrations.wsgi import RequestMiddleware
from flowery_logging.trace import TraceContext, continue_trace, current_trace, outgoing_headers
from flowery_logging.tracing import agents
from tests import aside

TRACE = "12345678901234567890123456789012"
PARENT = "1234567890123456"
VALID = f"00-{TRACE}-{PARENT}-01"


def continued(*headers):
    return TraceContext.from_headers(list(headers))


# The cases of W3C's own harness (w3c/trace-context, test/test.py), by its names.
ACCEPTED = {
    "version 00": VALID,
    "not sampled": f"00-{TRACE}-{PARENT}-00",
    "unknown flags": f"00-{TRACE}-{PARENT}-ff",
    "future version": f"cc-{TRACE}-{PARENT}-01",
    "future version with more": f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like",
    "highest version": f"fe-{TRACE}-{PARENT}-01",
    "blank before": f" {VALID}",
    "tab before": f"\t{VALID}",
    "blank after": f"{VALID} ",
    "tab after": f"{VALID}\t",
    "blanks around": f"\t {VALID} \t",
}
RESTARTED = {
    "empty": "",
    "trailing dot": f"{VALID}.",
    "version 00 with more": f"{VALID}-what-the-future-will-be-like",
    "version 00 with dash": f"{VALID}-",
    "future version with dot": f"cc-{TRACE}-{PARENT}-01.what-the-future-will-be-like",
    "future version too short": f"cc-{TRACE}-{PARENT}-0",
    "version ff": f"ff-{TRACE}-{PARENT}-01",
    "version illegal first": f".0-{TRACE}-{PARENT}-01",
    "version illegal second": f"0.-{TRACE}-{PARENT}-01",
    "version upper case": f"CC-{TRACE}-{PARENT}-01",
    "version too long": f"000-{TRACE}-{PARENT}-01",
    "version much too long": f"0000-{TRACE}-{PARENT}-01",
    "version too short": f"0-{TRACE}-{PARENT}-01",
    "trace-id zero": f"00-{'0' * 32}-{PARENT}-01",
    "trace-id illegal first": f"00-.{TRACE[1:]}-{PARENT}-01",
    "trace-id illegal last": f"00-{TRACE[1:]}.-{PARENT}-01",
    "trace-id upper case": f"00-{'A' * 32}-{PARENT}-01",
    "trace-id too long": f"00-{TRACE}3-{PARENT}-01",
    "trace-id too short": f"00-{TRACE[1:]}-{PARENT}-01",
    "parent-id zero": f"00-{TRACE}-{'0' * 16}-01",
    "parent-id illegal first": f"00-{TRACE}-.{PARENT[1:]}-01",
    "parent-id illegal last": f"00-{TRACE}-{PARENT[1:]}.-01",
    "parent-id upper case": f"00-{TRACE}-{'A' * 16}-01",
    "parent-id too long": f"00-{TRACE}-{PARENT}7-01",
    "parent-id too short": f"00-{TRACE}-{PARENT[1:]}-01",
    "flags illegal first": f"00-{TRACE}-{PARENT}-.0",
    "flags illegal second": f"00-{TRACE}-{PARENT}-0.",
    "flags upper case": f"00-{TRACE}-{PARENT}-0A",
    "flags too long": f"00-{TRACE}-{PARENT}-001",
    "flags too short": f"00-{TRACE}-{PARENT}-1",
    "newline after": f"{VALID}\n",
    "carriage return after": f"{VALID}\r",
    "newline in a future tail": f"cc-{TRACE}-{PARENT}-01-a\nb",
    "no-break space before": f"\xa0{VALID}",
    "blank inside": f"00- {TRACE[1:]}-{PARENT}-01",
    "sign inside": f"00-+{TRACE[1:]}-{PARENT}-01",
    "digits that are not ASCII": f"00-{'١' * 32}-{PARENT}-01",
    "two in one": f"{VALID},{VALID}",
}


@pytest.mark.parametrize("value", ACCEPTED.values(), ids=ACCEPTED)
@pytest.mark.parametrize("name", ["traceparent", "TraceParent", "TRACEPARENT", b"traceparent"])
def test_a_valid_traceparent_is_continued(name, value):
    found = continued((name, value if isinstance(name, str) else value.encode()))
    assert (found.trace_id, found.parent_id) == (TRACE, PARENT)
    assert found.transaction_id not in (PARENT, "0" * 16)
    assert re.fullmatch("[0-9a-f]{16}", found.transaction_id)


@pytest.mark.parametrize("value", RESTARTED.values(), ids=RESTARTED)
def test_an_invalid_traceparent_restarts_the_trace_and_drops_tracestate(value):
    found = continued(("traceparent", value), ("tracestate", "foo=1"))
    assert found.trace_id.lower() not in (TRACE, "0" * 32, "a" * 32)
    assert found.parent_id is None
    assert found.tracestate == ""


def test_a_repeated_traceparent_restarts_the_trace():
    found = continued(("traceparent", VALID), ("Traceparent", VALID))
    assert found.trace_id != TRACE


@pytest.mark.parametrize("name", ["trace-parent", "trace.parent", "x-traceparent"])
def test_other_header_names_are_not_traceparent(name):
    assert continued((name, VALID)).trace_id != TRACE


@pytest.mark.parametrize(("came", "goes"), [("00", "00"), ("01", "01"), ("03", "03"), ("ff", "03")])
def test_flags_go_on_and_unknown_ones_are_cleared(came, goes):
    sent = continued(("traceparent", f"00-{TRACE}-{PARENT}-{came}")).headers()["traceparent"]
    assert sent[-3:] == f"-{goes}"


def test_a_higher_version_goes_on_as_the_version_we_know():
    sent = continued(("traceparent", f"cc-{TRACE}-{PARENT}-01-more")).headers()["traceparent"]
    assert sent.startswith(f"00-{TRACE}-")
    assert len(sent) == 55


KEY = "abcdefghijklmnopqrstuvwxyz0123456789_-*/"
VALUE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in ",=")
MEMBERS_32 = [f"bar{n:02}={n:02}" for n in range(32)]
TRACESTATES = {
    "one": (["foo=1"], "foo=1"),
    "two": (["foo=1,bar=2"], "foo=1,bar=2"),
    "several headers in order": (
        ["foo=1,bar=2", "rojo=1,congo=2", "baz=3"],
        "foo=1,bar=2,rojo=1,congo=2,baz=3",
    ),
    "empty": ([""], ""),
    "empty last": (["foo=1", ""], "foo=1"),
    "empty first": (["", "foo=1"], "foo=1"),
    "empty members": (["foo=1,,bar=2, \t,"], "foo=1,bar=2"),
    "only commas": ([",,,"], ""),
    "blanks around members": (["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3"),
    "blanks around all": (["\t foo=1 \t"], "foo=1"),
    "blank first in a value": (["foo= 1"], "foo= 1"),
    "every allowed character": ([f"{KEY}={VALUE}"], f"{KEY}={VALUE}"),
    "every allowed character, vendor": ([f"{KEY}@a-z0={VALUE}"], f"{KEY}@a-z0={VALUE}"),
    "key of 256": ([f"{'a' * 256}=1"], f"{'a' * 256}=1"),
    "key of 257": ([f"{'a' * 257}=1"], ""),
    "value of 256": ([f"a={'1' * 256}"], f"a={'1' * 256}"),
    "value of 257": ([f"a={'1' * 257}"], ""),
    "32 members": ([",".join(MEMBERS_32[:10]), ",".join(MEMBERS_32[10:])], ",".join(MEMBERS_32)),
    "33 members": ([",".join([*MEMBERS_32, "one=more"])], ""),
    "same key, same value": (["foo=1,foo=1"], "foo=1"),
    "same key, other value": (["foo=1,foo=2"], "foo=1"),
    "same key in two headers": (["foo=1", "foo=2"], "foo=1"),
    "same key among others": (["foo=1,bar=2,foo=3,baz=4,bar=5"], "foo=1,bar=2,baz=4"),
    "same key once malformed": (["foo=1,foo="], ""),
    "32 keys, one of them repeated": (
        [",".join(["bar31=x", *MEMBERS_32])],
        ",".join(["bar31=x", *MEMBERS_32[:31]]),
    ),
    "key with blank": (["foo =1"], ""),
    "key upper case": (["FOO=1"], ""),
    "key with dot": (["foo.bar=1"], ""),
    "key begins with @": (["@foo=1,bar=2"], ""),
    "key begins with a digit": (["0foo=1"], "0foo=1"),  # since level 2
    "key ends with @": (["foo@=1,bar=2"], "foo@=1,bar=2"),  # level 2 knows no vendor format
    "key empty": (["=1"], ""),
    "value with =": (["foo=bar=baz"], ""),
    "value empty": (["foo=,bar=3"], ""),
    "no value": (["foo,bar=3"], ""),
    "newline in value": (["foo=1\n"], ""),
    "newline between": (["foo=1,\nbar=2"], ""),
    "tab in value": (["foo=a\tb"], ""),
    "not ASCII": (["foo=é"], ""),
}


@pytest.mark.parametrize(("values", "expected"), TRACESTATES.values(), ids=TRACESTATES)
def test_tracestate(values, expected):
    found = continued(("traceparent", VALID), *(("TraceState", value) for value in values))
    assert found.trace_id == TRACE  # whatever tracestate is
    assert found.tracestate == expected
    assert found.headers().get("tracestate", "") == expected


def test_a_tracestate_over_the_limit_loses_whole_members_long_ones_first_then_the_last():
    long = [f"long{n}={'x' * 200}" for n in range(16)]
    short = [f"s{n:02}={'y' * 119}" for n in range(16)]
    mixed = [member for pair in zip(long, short, strict=True) for member in pair]
    kept = continued(("traceparent", VALID), ("tracestate", ",".join(mixed))).tracestate
    assert len(kept) <= 4096
    members = kept.split(",")
    assert [m for m in members if m.startswith("s")] == short
    assert [m for m in members if m.startswith("long")] == long[: len(members) - 16]
    assert len(kept) + 1 + len(long[0]) > 4096  # no more than needed


def test_a_member_of_128_characters_is_not_a_long_one():
    members = [f"long={'y' * 124}"] + [f"m{n:02}={'x' * 124}" for n in range(31)]
    assert {len(member) for member in members[1:]} == {128}
    kept = continued(("traceparent", VALID), ("tracestate", ",".join(members))).tracestate
    assert kept == ",".join(members[1:])


def test_a_new_trace_is_random_sampled_and_its_own():
    traces = [TraceContext.new() for _ in range(1000)]
    assert len({t.trace_id for t in traces} | {t.transaction_id for t in traces}) == 2000
    sent = traces[0].headers()["traceparent"]
    assert continued(("traceparent", sent)).trace_id == traces[0].trace_id
    assert sent.endswith("-03")


def test_the_ids_of_a_new_trace_have_their_lengths():
    found = TraceContext.new()
    assert re.fullmatch("[0-9a-f]{32} [0-9a-f]{16}", f"{found.trace_id} {found.transaction_id}")


def test_an_id_is_never_all_zero(monkeypatch):
    answers = iter([bytes(16), bytes(16), b"\x01" * 16, bytes(8), b"\x02" * 8])
    monkeypatch.setattr(os, "urandom", lambda _: next(answers))
    found = TraceContext.new()
    assert (found.trace_id, found.transaction_id) == ("01" * 16, "02" * 8)


def test_forked_processes_make_different_ids():
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write, TraceContext.new().trace_id.encode())
        os._exit(0)
    os.waitpid(pid, 0)
    child = os.read(read, 100).decode()
    assert len(child) == 32
    assert child != TraceContext.new().trace_id
    os.close(write)
    os.close(read)


def test_a_trace_context_is_immutable_and_slotted_and_pickles():
    found = continued(("traceparent", VALID))
    with pytest.raises(FrozenInstanceError):
        found.trace_id = "x"
    assert not hasattr(found, "__dict__")
    assert pickle.loads(pickle.dumps(found)) == found


def test_the_ecs_fields_of_a_hop():
    found = continued(("traceparent", VALID))
    assert found.fields() == {"trace.id": TRACE, "transaction.id": found.transaction_id}


TEXT = st.text(alphabet=st.characters(), max_size=80) | st.binary(max_size=80)


@given(
    st.lists(
        st.tuples(
            TEXT | st.sampled_from(["traceparent", "tracestate"]) | st.integers(), TEXT | st.none()
        )
    )
    | st.dictionaries(TEXT, TEXT)
    | st.none()
    | st.integers()
    | st.lists(st.integers() | st.text())
)
def test_no_headers_make_it_raise(headers):
    found = TraceContext.from_headers(headers)
    assert len(found.trace_id) == 32
    assert TraceContext.from_headers(found.headers()).trace_id == found.trace_id


def message_headers():
    message = Message()
    message["Traceparent"] = VALID
    return message


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": VALID},
        {"Traceparent": VALID.encode()},
        [(b"traceparent", VALID.encode())],
        [["traceparent", VALID]],
        (pair for pair in [("traceparent", VALID)]),
        message_headers(),
        {"traceparent": [VALID]},
        [(b"Traceparent", [VALID.encode()])],
        [("traceparent",), ("traceparent", VALID, VALID), ("traceparent", VALID), 7],
    ],
    ids=[
        "dict",
        "bytes in a dict",
        "pairs of bytes",
        "lists",
        "generator",
        "email.message",
        "lists of values: Robyn's, Lambda's multiValueHeaders",
        "lists of values in pairs: Twisted's",
        "among what are no pairs",
    ],
)
def test_headers_come_in_many_shapes(headers):
    with continue_trace(headers) as found:
        assert found.trace_id == TRACE


STRICT = """
import flowery_logging
from flowery_logging.integrations import asgi, wsgi

HEADERS = [("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
asgi.RequestMiddleware(None), wsgi.RequestMiddleware(None)
for headers in (HEADERS, [(name.encode(), value.encode()) for name, value in HEADERS]):
    with flowery_logging.continue_trace(headers):
        print(flowery_logging.current_trace().trace_id)
"""


def test_headers_are_read_where_python_lets_nobody_compare_text_with_bytes(tmp_path):
    command = [sys.executable, "-bb", "-c", STRICT]
    environment = {**os.environ, "PYTHONPATH": str(aside.ROOT), "FLOWERY_LOG_OUTPUT": "none"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    assert done.stdout.split() == ["4bf92f3577b34da6a3ce929d0e0e4736"] * 2


def test_outside_a_request_there_is_no_trace_and_nothing_to_send():
    assert current_trace() is None
    assert outgoing_headers() == {}


def test_continue_trace_makes_a_request_whose_fields_end_with_it():
    with context.bound(outside=1):
        with continue_trace({"traceparent": VALID, "X-Request-ID": "r-7"}, order_id=7) as found:
            assert current_trace() is found
            assert context.fields() == {
                "trace.id": TRACE,
                "transaction.id": found.transaction_id,
                "http.request.id": "r-7",
                "order_id": 7,
            }
        assert context.fields() == {"outside": 1}
    assert current_trace() is None


def test_a_job_that_continue_trace_decorates_has_a_trace_for_each_run():
    @continue_trace({}, job="nightly")
    async def run():
        await asyncio.sleep(0)
        return context.fields()

    found = [asyncio.run(run()) for _ in range(2)]
    assert [fields["job"] for fields in found] == ["nightly"] * 2
    assert len({fields["trace.id"] for fields in found}) == 2


def test_each_outgoing_call_has_its_own_span_in_the_same_trace():
    headers = {"traceparent": VALID, "tracestate": "foo=1", "x-request-id": "r-7"}
    with continue_trace(headers) as found:
        calls = [outgoing_headers() for _ in range(3)]
    for sent in calls:
        assert sent["tracestate"] == "foo=1"
        assert sent["x-request-id"] == "r-7"
        assert sent["traceparent"].split("-")[1] == TRACE
    spans = {sent["traceparent"].split("-")[2] for sent in calls}
    assert len(spans | {PARENT, found.transaction_id}) == 5


def test_a_job_without_headers_begins_a_trace_and_invents_no_request_id():
    with continue_trace(None) as found:
        assert set(outgoing_headers()) == {"traceparent"}
        assert context.fields() == found.fields()


@pytest.mark.parametrize(
    "value",
    ["", "a b", "a\n", "a\r\nSet-Cookie: x=1", "a" * 129, "주문", "a,b", 'a"b', "a\x00", "a;b"],
)
def test_a_malformed_request_id_is_replaced(value):
    request = Options().incoming({"x-request-id": value})
    made = request.base["http.request.id"]
    assert made != value
    assert len(made) == 32
    assert "http.request.id" not in trace.request_of_message({"x-request-id": value}).base


@pytest.mark.parametrize("value", ["7", "a" * 128, "Root=1-67891233-abcdef", "a.b_c~d+e/f=g@h:i-j"])
def test_a_valid_request_id_is_kept(value):
    request = Options().incoming([(b"X-REQUEST-ID", value.encode())])
    assert request.base["http.request.id"] == value


B3_TRACE, B3_SPAN = "80f198ee56343ba864fe8b2a57d3eff7", "e457b5a2e4d86bd1"
ROOT = "1-5759e988-bd862e3fe1be46a994272793"
FOREIGN = {
    "b3": ({"b3": f"{B3_TRACE}-{B3_SPAN}-1-05e3ac9a4f6e3b90"}, B3_TRACE, B3_SPAN, 1),
    "b3, not sampled": ({"b3": f"{B3_TRACE}-{B3_SPAN}-0"}, B3_TRACE, B3_SPAN, 0),
    "b3, decision left": ({"B3": f"{B3_TRACE}-{B3_SPAN}"}, B3_TRACE, B3_SPAN, 1),
    "b3, debug": ({"b3": f"{B3_TRACE}-{B3_SPAN}-d"}, B3_TRACE, B3_SPAN, 1),
    "b3, 64 bits": ({"b3": f"{B3_SPAN}-{B3_SPAN}-1"}, "0" * 16 + B3_SPAN, B3_SPAN, 1),
    "b3 in several": (
        {"X-B3-TraceId": B3_TRACE, "X-B3-SpanId": B3_SPAN, "X-B3-Sampled": "0"},
        B3_TRACE,
        B3_SPAN,
        0,
    ),
    "b3 in several, not sampled in words": (
        {"X-B3-TraceId": B3_TRACE, "X-B3-SpanId": B3_SPAN, "X-B3-Sampled": "False"},
        B3_TRACE,
        B3_SPAN,
        0,
    ),
    "b3 in several, sampled in words": (
        {"X-B3-TraceId": B3_TRACE, "X-B3-SpanId": B3_SPAN, "X-B3-Sampled": "true"},
        B3_TRACE,
        B3_SPAN,
        1,
    ),
    "b3 in several, debug": (
        {
            "X-B3-TraceId": B3_TRACE,
            "X-B3-SpanId": B3_SPAN,
            "X-B3-Sampled": "0",
            "X-B3-Flags": "1",
        },
        B3_TRACE,
        B3_SPAN,
        1,
    ),
    "amazon": (
        {"X-Amzn-Trace-Id": f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=0"},
        "5759e988bd862e3fe1be46a994272793",
        "53995c3f42cd8ad8",
        0,
    ),
    "amazon, a time and zeros": (
        {"X-Amzn-Trace-Id": f"Root=1-5759e988-{'0' * 24}"},
        f"5759e988{'0' * 24}",
        None,
        1,
    ),
    "amazon, load balancer": (
        {"X-Amzn-Trace-Id": f"Self=1-67891234-12456789abcdef012345678;Root={ROOT}"},
        "5759e988bd862e3fe1be46a994272793",
        None,
        1,
    ),
}
BOTH = ("b3", "x-amzn-trace-id")


@pytest.mark.parametrize(
    ("headers", "trace_id", "parent_id", "flags"), FOREIGN.values(), ids=FOREIGN
)
def test_other_formats_are_read_where_they_are_asked_for(headers, trace_id, parent_id, flags):
    found = Options(trace_formats=BOTH).incoming(headers).trace
    assert (found.trace_id, found.parent_id, found.flags) == (trace_id, parent_id, flags)
    assert Options().incoming(headers).trace.trace_id != trace_id
    with_w3c = Options(trace_formats=BOTH).incoming({**headers, "traceparent": VALID}).trace
    assert with_w3c.trace_id == TRACE
    restarted = Options(trace_formats=BOTH).incoming({**headers, "traceparent": "no"}).trace
    assert restarted.trace_id not in (TRACE, trace_id)
    assert re.fullmatch("[0-9a-f]{16}", found.transaction_id)


@pytest.mark.parametrize("order", [BOTH, BOTH[::-1]])
def test_of_two_other_formats_the_one_that_is_named_first_is_read(order):
    headers = {"b3": f"{B3_TRACE}-{B3_SPAN}-1", "x-amzn-trace-id": f"Root={ROOT}"}
    expected = {"b3": B3_TRACE, "x-amzn-trace-id": "5759e988bd862e3fe1be46a994272793"}
    assert Options(trace_formats=order).incoming(headers).trace.trace_id == expected[order[0]]


@pytest.mark.parametrize(
    "headers",
    [
        {"b3": "0"},
        {"b3": f"{'0' * 32}-{B3_SPAN}-1"},
        {"b3": f"{B3_TRACE}-{'0' * 16}-1"},
        {"b3": f"{B3_TRACE}-{B3_SPAN}-2"},
        {"b3": f"{B3_TRACE}-{B3_SPAN}-1\n"},
        {"x-b3-traceid": B3_TRACE},
        {"x-b3-traceid": "x" * 32, "x-b3-spanid": B3_SPAN},
        {"x-amzn-trace-id": "Root=1-5759e988-bd862e3f"},
        {"x-amzn-trace-id": f"Root=1-{'0' * 8}-{'0' * 24}"},
        {"x-amzn-trace-id": ";;=;Root"},
        {},
    ],
    ids=str,
)
def test_malformed_ones_begin_a_trace(headers):
    found = Options(trace_formats=BOTH).incoming(headers).trace
    assert found.parent_id is None
    assert len(found.trace_id) == 32
    assert set(found.trace_id) != {"0"}


@pytest.fixture
def own_overlay(monkeypatch):
    """Take back, after the test, that lines look for active spans."""
    monkeypatch.setattr(context, "overlay", context.overlay)
    monkeypatch.setattr(context, "current", context.current)


@pytest.fixture
def otel(own_overlay):
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    return sdk.TracerProvider().get_tracer("test")


def test_an_active_opentelemetry_span_stands_on_the_lines_and_goes_out(otel):
    with otel.start_as_current_span("outer"), continue_trace({"traceparent": VALID}) as found:
        with otel.start_as_current_span("inner") as span:
            ids = span.get_span_context()
            trace_id, span_id = f"{ids.trace_id:032x}", f"{ids.span_id:016x}"
            seen, sent = context.fields(), outgoing_headers()
            here = current_trace()
            with context.bound(**{"trace.id": "the application's"}):
                assert context.fields()["trace.id"] == "the application's"
        assert context.fields()["span.id"] != span_id
    assert (seen["trace.id"], seen["span.id"]) == (trace_id, span_id)
    assert seen["transaction.id"] == found.transaction_id
    assert sent["traceparent"] == f"00-{trace_id}-{span_id}-{ids.trace_flags:02x}"
    assert here is not None
    assert (here.trace_id, here.transaction_id) == (trace_id, found.transaction_id)
    assert found.trace_id == trace_id
    assert "span.id" not in context.fields()


def test_lines_outside_a_request_show_a_span_too(otel):
    agents.look()
    with otel.start_as_current_span("script") as span:
        assert context.fields()["span.id"] == f"{span.get_span_context().span_id:016x}"
        assert set(outgoing_headers()) == {"traceparent"}
    assert context.fields() == {}


@pytest.mark.parametrize("name", ["", "span"])
def test_what_a_line_shows_leaves_nothing_to_the_garbage_collector(otel, name):
    """A view that knew itself would wait for it, one a request."""
    agents.look()

    def lines():
        for number in range(200):
            with context.bound(number=number):
                assert context.fields()["number"] == number

    with otel.start_as_current_span(name) if name else nullcontext():
        lines()
        gc.collect()
        gc.disable()
        try:
            lines()
            assert gc.collect() < 100
        finally:
            gc.enable()


def test_outside_a_request_the_trace_is_that_of_the_span(otel):
    with otel.start_as_current_span("outer") as outer, otel.start_as_current_span("inner"):
        ids, found = outer.get_span_context(), current_trace()
    assert found is not None
    assert found.transaction_id == f"{ids.span_id:016x}"
    assert (found.trace_id, found.parent_id) == (f"{ids.trace_id:032x}", None)


def test_lines_look_for_spans_only_where_an_agent_is_there(programs, tmp_path):
    code = """
from flowery_logging import context, continue_trace
def looked_for():
    with continue_trace({}):
        return context.overlay is not None
assert not looked_for()
import opentelemetry.trace
assert looked_for()
"""
    done = programs.run(code, tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_fragment_of_a_line_follows_the_span(otel):
    def line():
        scope = context.current()
        return None if scope is None else scope.rendered(dict)

    with continue_trace(None, order_id=7):
        line()
        with otel.start_as_current_span("a"):
            first = line()
            assert line() is first
            context.bind(item="rose")
            assert line() == {**first, "item": "rose"}
            with otel.start_as_current_span("b"):
                assert line()["span.id"] != first["span.id"]
        held = {name: value for name, value in first.items() if name != "span.id"}
        assert line() == {**held, "item": "rose"}  # the span's trace is the request's from then on


@pytest.fixture
def apm(own_overlay):
    """A client of Elastic APM's that sends nothing."""
    elasticapm = pytest.importorskip("elasticapm")
    factory = logging.getLogRecordFactory()  # the client exchanges it
    client = elasticapm.Client(
        service_name="t", disable_send=True, metrics_interval="0ms", instrument=False,
        central_config=False, cloud_provider="none", verify_config=False, log_level="off",
    )  # fmt: skip
    yield client
    client.close()
    with pytest.MonkeyPatch.context() as patch:  # Python 3.13 tells of its buffer, left unclosed
        patch.setattr(sys, "unraisablehook", lambda _: None)
        gc.collect()
    logging.setLogRecordFactory(factory)


def test_an_active_elastic_apm_transaction_stands_on_the_lines_and_goes_out(apm):
    elasticapm = sys.modules["elasticapm"]
    for tracestate in ({"tracestate": "a=1"}, {}):
        parent = elasticapm.trace_parent_from_headers({"traceparent": VALID, **tracestate})
        apm.begin_transaction("request", trace_parent=parent)
        with continue_trace({"traceparent": f"00-{'7' * 32}-{PARENT}-01"}) as continued_here:
            assert continued_here.trace_id == TRACE, "the transaction's, not the headers'"
            assert continued_here.parent_id == PARENT
            assert continued_here.tracestate == tracestate.get("tracestate", "")
            assert continued_here == current_trace()
        apm.end_transaction("t", "ok")
    begun = apm.begin_transaction("request")
    with continue_trace(None):
        with elasticapm.capture_span("query") as span:
            seen, sent = context.fields(), outgoing_headers()
        assert "span.id" not in context.fields()
        assert outgoing_headers()["traceparent"].split("-")[2] == begun.id
    apm.end_transaction("t", "ok")
    with continue_trace({"traceparent": VALID}):
        message = apm.begin_transaction("messaging")
        assert context.fields()["trace.id"] == message.trace_parent.trace_id != TRACE
        apm.end_transaction("t", "ok")
    assert seen["trace.id"] == begun.trace_parent.trace_id
    assert (seen["transaction.id"], seen["span.id"]) == (begun.id, span.id)
    assert sent["traceparent"].split("-")[1:3] == [begun.trace_parent.trace_id, span.id]


def test_a_transaction_of_elastic_apms_is_no_span_of_the_access_event(logged, apm):
    def app(_environ, start_response):
        start_response("200 OK", [])
        return [b""]

    begun = apm.begin_transaction("request")
    list(RequestMiddleware(app)({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None))
    apm.end_transaction("t", "ok")
    (access,) = [e for e in logged.events() if e["log"]["logger"] == "flowery_logging.access"]
    assert access["transaction"]["id"] == begun.id
    assert "span" not in access


def test_an_agent_that_raises_is_not_there(monkeypatch, own_overlay):
    class Broken:
        def get_current_span(self):
            raise RuntimeError

    monkeypatch.setitem(sys.modules, "opentelemetry.trace", Broken())
    with continue_trace({"traceparent": VALID}) as found:
        assert found.trace_id == context.fields()["trace.id"] == TRACE
