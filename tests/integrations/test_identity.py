"""Whose a line is: the identity that a request holds, whoever makes it and wherever it is logged."""

import asyncio
import gc
import itertools
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from asgi_correlation_id import CorrelationIdMiddleware, correlation_id as correlation_id_of_others
from django_guid.context import guid
from fastapi import FastAPI
from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import TraceState
from starlette.background import BackgroundTask
from starlette_context.middleware import RawContextMiddleware
from starlette_context.plugins import CorrelationIdPlugin, RequestIdPlugin

import flowery_logging
from flowery_logging import context, trace
from flowery_logging.integrations import calls, fastapi
from flowery_logging.integrations.asgi import RequestMiddleware
from flowery_logging.integrations.wsgi import RequestMiddleware as WSGIMiddleware
from flowery_logging.trace import continue_trace, current_trace, outgoing_headers
from flowery_logging.tracing import request_ids

log = logging.getLogger("shop")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE}-{CALLER}-01"}


@pytest.fixture
def logged(logged):
    """A set-up without what the client of these tests logs."""
    return logged.setup(levels={"asyncio": "INFO", "httpx": "WARNING"})


@pytest.fixture
def own_overlay(monkeypatch):
    """Take back, after the test, that lines look for agents."""
    monkeypatch.setattr(context, "overlay", context.overlay)
    monkeypatch.setattr(context, "current", context.current)


@pytest.fixture
def spans(own_overlay, monkeypatch):
    """What OpenTelemetry has recorded; its instrumentation acts on all background tasks."""
    own = BackgroundTask.__call__
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(otel, "_TRACER_PROVIDER", provider)
    yield exporter
    if BackgroundTask.__call__ is not own:
        FastAPIInstrumentor.uninstrument_app(FastAPI())
    assert BackgroundTask.__call__ is own


def here():
    """Return the current request."""
    request = context.current_request()
    assert request is not None
    return request


def hexadecimal(span):
    return f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"


async def asked(app, path="/", *, times=1, **request):
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        return [await client.get(path, **request) for _ in range(times)]


def ask(app, path="/", **request):
    return asyncio.run(asked(app, path, **request))[-1]


def instrumented(order, app, **options):
    steps = {
        "ours": lambda: fastapi.instrument(app, **options),
        "theirs": lambda: FastAPIInstrumentor.instrument_app(app),
    }
    for step in order:
        steps[step]()


def shop():
    app = FastAPI()

    @app.get("/boom")
    async def boom():
        log.info("about to fail")
        raise ValueError("꽃")

    @app.get("/deep")
    async def deep():
        tracer = otel.get_tracer("shop")
        with tracer.start_as_current_span("work"), tracer.start_as_current_span("part"):
            log.info("deep")
        log.info("shallow")

    return app


@pytest.mark.parametrize("path", ["/boom", "/deep"])
@pytest.mark.parametrize("order", [("ours", "theirs"), ("theirs", "ours")])
def test_opentelemetry_records_what_it_records_without_us(logged, spans, order, path):
    def recorded(*steps):
        spans.clear()
        app = shop()
        instrumented(steps, app)
        ask(app, path)
        return [
            (s.name, s.kind, s.status.status_code, [e.name for e in s.events], dict(s.attributes))
            for s in spans.get_finished_spans()
        ]

    without = recorded("theirs")
    assert any(kind is otel.SpanKind.SERVER for _, kind, *_ in without)
    assert recorded(*order) == without


@pytest.mark.parametrize("path", ["/boom", "/deep"])
@pytest.mark.parametrize("order", [("ours", "theirs"), ("theirs", "ours")])
def test_all_lines_carry_the_trace_and_the_entry_of_the_agent(logged, spans, order, path):
    app = shop()
    instrumented(order, app)
    ask(app, path)
    (server,) = [s for s in spans.get_finished_spans() if s.kind is otel.SpanKind.SERVER]
    trace_id, span_id = hexadecimal(server)
    events = logged.events()
    assert len(events) == 3
    assert {e["trace"]["id"] for e in events} == {trace_id}
    assert {e["transaction"]["id"] for e in events} == {span_id}
    (access,) = [e for e in events if e["log"]["logger"] == "flowery_logging.access"]
    assert access["span"]["id"] == span_id  # not the one in which OpenTelemetry sends


@pytest.mark.parametrize("order", [("ours", "theirs"), ("theirs", "ours")])
def test_a_span_in_which_nothing_is_logged_is_the_requests_too(logged, spans, order):
    async def silent(scope, receive, send):
        raise ValueError("꽃")

    layers = {"ours": RequestMiddleware, "theirs": OpenTelemetryMiddleware}
    app: Any = silent
    for name in order:
        app = layers[name](app)
    ask(app)
    (server,) = spans.get_finished_spans()
    trace_id, span_id = hexadecimal(server)
    assert [(e["trace"]["id"], e["transaction"]["id"]) for e in logged.events()] == [
        (trace_id, span_id)
    ] * 2


def test_the_access_event_is_the_requests_also_where_a_part_of_it_ends_the_response(logged, spans):
    async def app(scope, receive, send):
        with otel.get_tracer("shop").start_as_current_span("part"):
            await plain(scope, receive, send)

    ask(OpenTelemetryMiddleware(RequestMiddleware(app)))
    (server,) = [s for s in spans.get_finished_spans() if s.kind is otel.SpanKind.SERVER]
    (part,) = [s for s in spans.get_finished_spans() if s.name == "part"]
    inside, access = logged.events()
    assert inside["span"]["id"] == hexadecimal(part)[1]
    assert access["span"]["id"] == hexadecimal(server)[1]


def test_the_callers_trace_stays_beside_spans_of_others(logged, spans):
    """As where clients alone are instrumented: each of their spans begins a trace."""
    tracer = otel.get_tracer("client")
    with continue_trace(HEADERS) as ours:
        for name in ("one", "two"):
            with tracer.start_as_current_span(name, kind=otel.SpanKind.CLIENT):
                log.info("inside")
                sent, here = outgoing_headers(), current_trace()
                assert sent["traceparent"].startswith(f"00-{TRACE}-")
                assert here == ours
        log.info("after")
    *inside, after = logged.events()
    for event, span in zip(inside, spans.get_finished_spans(), strict=True):
        trace_id, span_id = hexadecimal(span)
        assert (event["trace"]["id"], event["span"]["id"]) == (TRACE, span_id)
        assert event["labels"] == {"span_trace_id": trace_id}
    assert after["trace"]["id"] == TRACE
    assert "span" not in after
    assert "labels" not in after
    assert {e["transaction"]["id"] for e in logged.events()} == {ours.transaction_id}


def test_a_second_span_that_begins_a_trace_leaves_the_request_in_its_first(logged, spans):
    tracer = otel.get_tracer("client")
    with continue_trace({}):
        for name in ("one", "two"):
            with tracer.start_as_current_span(name):
                log.info(name)
        log.info("after")
    first, second = (hexadecimal(span)[0] for span in spans.get_finished_spans())
    assert [event["trace"]["id"] for event in logged.events()] == [first] * 3
    assert logged.events()[1]["labels"] == {"span_trace_id": second}


def test_a_message_that_comes_in_during_a_request_is_in_its_own_trace(logged, spans):
    tracer = otel.get_tracer("consumer")
    kind = otel.SpanKind.CONSUMER
    with continue_trace(HEADERS), tracer.start_as_current_span("message", kind=kind):
        log.info("message")
        assert trace.caller(here()) == {}, "the trace begins with the message"
    (span,) = spans.get_finished_spans()
    assert logged.event()["trace"]["id"] == hexadecimal(span)[0]


def test_a_message_that_comes_in_during_an_agents_request_is_in_its_own_trace(logged, spans):
    tracer = otel.get_tracer("consumer")
    server = tracer.start_as_current_span("server", kind=otel.SpanKind.SERVER)
    message = tracer.start_as_current_span(
        "message", context=Context(), kind=otel.SpanKind.CONSUMER
    )
    with server, continue_trace({}), message as span:
        log.info("message")
        sent, found = outgoing_headers(), current_trace()
    trace_id, span_id = hexadecimal(span)
    assert sent["traceparent"].split("-")[1:3] == [trace_id, span_id]
    assert found is not None
    assert found.trace_id == logged.event()["trace"]["id"] == trace_id


def test_another_request_within_one_is_a_part_of_that(logged, spans):
    """As where an application is mounted in another one, and each is instrumented."""
    tracer, kind = otel.get_tracer("shop"), otel.SpanKind.SERVER
    outer, inner = (tracer.start_as_current_span(name, kind=kind) for name in ("outer", "inner"))
    with outer as entry, continue_trace({}), inner:
        log.info("inside")
    assert logged.event()["transaction"]["id"] == hexadecimal(entry)[1]


def test_a_trace_that_begins_in_a_request_that_is_not_recorded_is_beside_it(logged, spans):
    given = otel.SpanContext(int(TRACE, 16), int(CALLER, 16), False, otel.TraceFlags(0))
    other = otel.get_tracer("client").start_as_current_span("other", context=Context())
    with otel.use_span(otel.NonRecordingSpan(given)), continue_trace({}), other as span:
        log.info("inside")
    event = logged.event()
    assert (event["trace"]["id"], event["transaction"]["id"]) == (TRACE, CALLER)
    assert event["labels"] == {"span_trace_id": hexadecimal(span)[0]}


def test_flows_that_began_before_the_span_follow_it(logged, spans):
    async def job():
        with continue_trace({}):
            flowery_logging.bind(order_id=7)
            go = asyncio.Event()

            async def sibling():
                flowery_logging.bind(item="rose")
                await go.wait()
                log.info("sibling")

            task = asyncio.create_task(sibling())
            await asyncio.sleep(0)
            with otel.get_tracer("job").start_as_current_span("entry"):
                log.info("inside")
            go.set()
            await task
            log.info("after")

    asyncio.run(job())
    inside, sibling, after = logged.events()
    assert inside["trace"]["id"] == sibling["trace"]["id"] == after["trace"]["id"]
    assert inside["transaction"]["id"] == sibling["transaction"]["id"] == after["transaction"]["id"]
    assert sibling["labels"] == {"item": "rose"}
    assert sibling["numeric_labels"] == {"order_id": 7}


def correlated(app):
    return CorrelationIdMiddleware(app)


def with_starlette_context(app):
    return RawContextMiddleware(app, plugins=[RequestIdPlugin()])


def with_correlation_id_of_starlette_context(app):
    return RawContextMiddleware(app, plugins=[CorrelationIdPlugin()])


NUMBERS = itertools.count()


def with_guid(app):
    async def making(scope, receive, send):
        guid.set(f"guid-{next(NUMBERS)}")
        await app(scope, receive, send)

    return making


async def plain(scope, receive, send):
    log.info("in the application")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.mark.parametrize("outside", [False, True], ids=["inside ours", "outside ours"])
@pytest.mark.parametrize(
    "makes",
    [correlated, with_starlette_context, with_correlation_id_of_starlette_context, with_guid],
)
def test_the_request_id_of_other_middleware_is_the_one_on_the_lines(
    logged, own_overlay, makes, outside
):
    app = makes(RequestMiddleware(plain)) if outside else RequestMiddleware(makes(plain))
    answers = asyncio.run(asked(app, times=3))  # in one context, where the last ID still stands
    # One that lies outside of ours puts it there without a look.
    name = "x-correlation-id" if "x-correlation-id" in answers[0].headers else "x-request-id"
    ids = [answer.headers[name].partition(",")[0] for answer in answers]
    assert len(set(ids)) == 3
    found = [event["http"]["request"]["id"] for event in logged.events()]
    assert found == [one for request_id in ids for one in (request_id, request_id)]


def test_a_request_id_that_the_response_has_is_the_requests(logged):
    async def app(scope, receive, send):
        headers = [(b"X-Request-Id", b"the-application's"), (b"x-request-id", b"app-7")][1:]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send(
            {"type": "http.response.body", "body": outgoing_headers()["x-request-id"].encode()}
        )

    answer = ask(RequestMiddleware(app), headers={"x-request-id": "caller-1"})
    assert (answer.headers["x-request-id"], answer.text) == ("app-7", "app-7")
    assert logged.event()["http"]["request"]["id"] == "app-7"


def test_a_request_id_that_can_be_none_is_not_taken(logged):
    request = flowery_logging.trace.request_of_message({"x-request-id": "r-1"})
    for bad in ("", "a b", "x" * 129, 'q"', None, 7):
        request_ids.adopt(request, bad)
    assert request.request_id == "r-1"


def test_the_access_event_names_the_callers_span_and_the_spans_of_its_own_calls(logged):
    sent = []

    async def app(scope, receive, send):
        with calls.calling(calls.Target("GET", "orders", "/"), {}, None) as call:
            sent.append(call.headers["traceparent"].split("-")[2])
            call.status = 200
        sent.append(outgoing_headers()["traceparent"].split("-")[2])
        with calls.calling(calls.Target("GET", "elsewhere", "/"), {}, ()):
            pass  # gets no headers, but takes time
        await plain(scope, receive, send)

    logging.getLogger("flowery_logging").setLevel("INFO")
    try:
        ask(RequestMiddleware(app), headers=HEADERS)
    finally:
        logging.getLogger("flowery_logging").setLevel("NOTSET")
    access = logged.last()
    assert access["parent"] == {"id": CALLER}
    assert access["labels"]["call_span_ids"] == sent
    assert access["numeric_labels"]["outgoing_calls"] == 3
    assert all("parent" not in event for event in logged.events()[:-1])


def test_the_event_of_a_call_names_the_hop_as_its_parent(logged):
    target = calls.Target("GET", "orders", "/")
    with continue_trace(HEADERS) as found, calls.calling(target, {}, None) as call:
        pass
    event = logged.event()
    assert event["parent"]["id"] == event["transaction"]["id"] == found.transaction_id
    assert event["span"]["id"] == call.headers["traceparent"].split("-")[2]


def test_the_event_of_a_call_under_an_agents_span_names_that_spans_parent(logged, spans):
    tracer = otel.get_tracer("client")
    target = calls.Target("GET", "orders", "/")
    entry, work, inner = (tracer.start_as_current_span(name) for name in ("entry", "work", "call"))
    with entry, continue_trace({}), work, inner, calls.calling(target, {}, None) as call:
        pass
    called, worked, _ = (hexadecimal(span) for span in spans.get_finished_spans())
    event = logged.event()
    assert (event["span"]["id"], event["parent"]["id"]) == (called[1], worked[1])
    assert call.headers["traceparent"].split("-")[1:3] == [*called]


def test_the_tracestate_of_a_span_goes_out(logged, spans):
    state = TraceState([("vendor", "x"), ("other", "y")])
    caller = otel.SpanContext(int(TRACE, 16), int(CALLER, 16), True, otel.TraceFlags(1), state)
    outside = otel.set_span_in_context(otel.NonRecordingSpan(caller))
    tracer = otel.get_tracer("job")
    with tracer.start_as_current_span("entry", context=outside), continue_trace({}):
        assert outgoing_headers()["tracestate"] == "vendor=x,other=y"


def test_a_request_in_a_request_is_in_the_entry_span_of_that(logged, spans):
    tracer = otel.get_tracer("job")
    entry, work, part = (tracer.start_as_current_span(n) for n in ("entry", "work", "part"))
    with entry, continue_trace({}), work, part, continue_trace({}):
        log.info("inside")
    trace_id, span_id = hexadecimal(spans.get_finished_spans()[-1])
    event = logged.event()
    assert (event["trace"]["id"], event["transaction"]["id"]) == (trace_id, span_id)


def test_what_a_task_has_bound_itself_stays_when_the_request_adopts_another(logged, own_overlay):
    async def job():
        with continue_trace({}):
            request = context.current_request()
            assert request is not None
            request.adopt({"http.request.id": "first"})
            go = asyncio.Event()

            async def sibling(**fields):
                flowery_logging.bind(**fields)
                await go.wait()
                log.info("sibling")

            own = {"http.request.id": "its own"}
            tasks = [asyncio.create_task(sibling(**one)) for one in (own, {"item": "rose"})]
            await asyncio.sleep(0)
            request.adopt({"http.request.id": "second"})
            go.set()
            await asyncio.gather(*tasks)

    asyncio.run(job())
    assert [e["http"]["request"]["id"] for e in logged.events()] == ["its own", "second"]


def test_what_a_thread_has_bound_itself_stays_when_the_request_adopts_another(logged, own_overlay):
    def work(request):
        flowery_logging.bind(**{"http.request.id": "its own"})
        request.adopt({"http.request.id": "second"})
        log.info("in a thread")

    with continue_trace({}), ThreadPoolExecutor(1) as pool:
        request = here()
        request.adopt({"http.request.id": "first"})
        pool.submit(flowery_logging.carried(work), request).result()
    assert logged.event()["http"]["request"]["id"] == "its own"


def remote(trace_id, span_id):
    """A span of a caller's."""
    return otel.SpanContext(int(trace_id, 16), int(span_id, 16), True, otel.TraceFlags(1))


def test_a_callers_span_that_an_agent_has_read_is_continued(logged, spans):
    """As where a consumer takes the context from a message, and begins no span of its own."""
    tracer = otel.get_tracer("consumer")
    span = otel.NonRecordingSpan(remote(TRACE, CALLER))
    with otel.use_span(span), continue_trace({}) as found:
        log.info("read")
        sent = outgoing_headers()["traceparent"].split("-")
        with tracer.start_as_current_span("work") as work:
            log.info("work")
    assert (found.trace_id, found.parent_id, sent[1]) == (TRACE, CALLER, TRACE)
    assert sent[2] != CALLER
    read, worked = logged.events()
    assert read["trace"]["id"] == worked["trace"]["id"] == TRACE
    assert read["transaction"]["id"] == found.transaction_id
    assert "span" not in read
    assert worked["transaction"]["id"] == hexadecimal(work)[1]


OTHER = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize("is_remote", [True, False])
def test_another_trace_that_an_agent_has_read_stays_beside_the_callers(logged, spans, is_remote):
    given = otel.SpanContext(int(OTHER, 16), 7, is_remote, otel.TraceFlags(1))
    with continue_trace(HEADERS) as ours, otel.use_span(otel.NonRecordingSpan(given)):
        log.info("beside")
        assert current_trace() == ours
        assert outgoing_headers()["traceparent"].startswith(f"00-{TRACE}-")
    event = logged.event()
    assert (event["trace"]["id"], event["labels"]) == (TRACE, {"span_trace_id": OTHER})


def test_a_part_of_another_trace_stays_beside_the_callers(logged, spans):
    tracer = otel.get_tracer("client")
    client, part = (tracer.start_as_current_span(name) for name in ("client", "part"))
    with continue_trace(HEADERS) as ours, client, part:
        log.info("inside")
        assert current_trace() == ours
    assert logged.event()["trace"]["id"] == TRACE


def test_the_hop_of_a_continued_trace_is_the_span_that_continues_it_too(logged, spans):
    above = otel.set_span_in_context(otel.NonRecordingSpan(remote(TRACE, CALLER)))
    span = otel.get_tracer("server").start_span("server", context=above)
    with continue_trace(HEADERS) as ours:
        with otel.use_span(span):
            log.info("inside")
        assert trace.caller(here()) == {"parent.id": CALLER}
    assert logged.event()["transaction"]["id"] == hexadecimal(span)[1] != ours.transaction_id


def test_a_span_that_is_not_recorded_is_on_the_lines_and_goes_out(logged, spans):
    tracer = otel.get_tracer("shop")
    given = otel.SpanContext(int(TRACE, 16), int(CALLER, 16), False, otel.TraceFlags(0))
    with otel.use_span(otel.NonRecordingSpan(given)), continue_trace({}) as found:
        log.info("not recorded")
        sent = outgoing_headers()["traceparent"]
        above = otel.set_span_in_context(otel.NonRecordingSpan(remote(TRACE, "7")))
        with tracer.start_as_current_span("entry", context=above) as entry:
            log.info("entry")
    assert (found.trace_id, found.transaction_id) == (TRACE, CALLER)
    assert sent == f"00-{TRACE}-{CALLER}-00"
    first, second = logged.events()
    assert (first["trace"]["id"], first["span"]["id"]) == (TRACE, CALLER)
    assert second["transaction"]["id"] == hexadecimal(entry)[1]


def test_the_hop_of_a_request_is_the_span_nearest_to_the_entry_that_was_seen(logged, spans):
    """The spans have begun before the request, which sees them from the inside out."""
    tracer = otel.get_tracer("job")
    begun: list[otel.Span] = []
    for name in ("entry", "child", "part", "deep"):
        above = otel.set_span_in_context(begun[-1]) if begun else None
        begun.append(tracer.start_span(name, context=above))
    entry, child, part, deep = begun
    with continue_trace({}):
        for span in (part, deep, child, entry, part):
            with otel.use_span(span):
                log.info("x")
    hops = [event["transaction"]["id"] for event in logged.events()]
    assert hops == [hexadecimal(span)[1] for span in (child, child, entry, entry, entry)]


def test_a_request_below_one_whose_span_is_aside_is_in_that_span(logged, spans):
    tracer = otel.get_tracer("client")
    aside = tracer.start_as_current_span("aside")
    with continue_trace(HEADERS), aside as span, continue_trace({}) as found:
        assert found.trace_id == here().trace_id == hexadecimal(span)[0]


def test_who_has_called_is_told_by_the_entry_span(logged, spans):
    above = otel.set_span_in_context(otel.NonRecordingSpan(remote(TRACE, "7")))
    tracer = otel.get_tracer("server")
    server = tracer.start_as_current_span("server", context=above, kind=otel.SpanKind.SERVER)
    with server, continue_trace(HEADERS):
        assert trace.caller(here()) == {"parent.id": f"{7:016x}"}


def test_the_request_id_that_the_last_request_has_left_is_on_no_line(logged, own_overlay):
    def logging_before(app):
        async def before(scope, receive, send):
            log.info("before")
            await app(scope, receive, send)

        return before

    app = RequestMiddleware(logging_before(with_guid(plain)))
    ids = [answer.headers["x-request-id"] for answer in asyncio.run(asked(app, times=3))]
    found = [event["http"]["request"]["id"] for event in logged.events()]
    before, inside, access = found[::3], found[1::3], found[2::3]
    assert inside == access == ids
    assert not {*before}.intersection(ids)


def test_the_request_id_of_a_middleware_outside_goes_out_before_any_line(logged, own_overlay):
    sent = []

    async def calling(scope, receive, send):
        sent.append(outgoing_headers()["x-request-id"])
        await plain(scope, receive, send)

    (answer,) = asyncio.run(asked(with_guid(RequestMiddleware(calling))))
    assert sent == [answer.headers["x-request-id"]]


def test_what_has_begun_here_names_no_caller(logged):
    ask(RequestMiddleware(plain))
    assert "parent" not in logged.last()


def test_an_exception_that_leaves_a_block_of_a_script_has_its_trace_and_fields(programs, tmp_path):
    code = """
import flowery_logging
flowery_logging.setup("job", directory="logs", output="file")
with flowery_logging.continue_trace({"traceparent": "%s"}, job="nightly"):
    flowery_logging.bind(order_id=7)
    with flowery_logging.bound(step="payment"):
        raise ValueError("꽃")
"""
    assert programs.run(code % HEADERS["traceparent"], tmp_path).returncode == 1
    texts = [path.read_text() for path in (tmp_path / "logs").glob("*")]
    events = [json.loads(line) for text in texts for line in text.splitlines()]
    (event,) = [e for e in events if e["message"] == "Uncaught exception"]
    assert event["trace"]["id"] == TRACE
    assert event["labels"] == {"job": "nightly", "step": "payment"}
    assert event["numeric_labels"] == {"order_id": 7}


def test_an_exception_that_is_raised_again_belongs_to_the_later_request(logged):
    constant = ValueError("one for all")
    found = []
    for number in range(2):
        with pytest.raises(ValueError), continue_trace({}, number=number) as trace:
            raise constant
        found.append(trace.trace_id)
        log.error("outside", exc_info=constant)
    assert [e["trace"]["id"] for e in logged.events()] == found


def failed(number):
    """Return an exception that has left a request of this number."""
    with pytest.raises(ValueError) as raised, continue_trace({}, number=number):
        raise ValueError(number)
    return raised.value


def chained(how):
    """Raise from an exception that has left request 7; return what is raised."""
    try:
        try:
            raise failed(7)
        except ValueError as inner:
            if how == "during":
                raise KeyError
            raise KeyError from (inner if how == "from" else None)
    except KeyError as error:
        return error


@pytest.mark.parametrize(
    ("how", "found"), [("during", {"number": 7}), ("from", {"number": 7}), ("hidden", {})]
)
def test_an_exception_belongs_to_the_request_of_the_one_it_was_raised_from(logged, how, found):
    log.error("outside", exc_info=chained(how))
    assert logged.event().get("numeric_labels", {}) == found


class Group(Exception):
    """As trio's and Python 3.11's, which older versions have not."""

    def __init__(self, *exceptions):
        self.exceptions = exceptions


def test_a_group_belongs_to_the_request_of_all_its_exceptions_or_to_none(logged):
    one = failed(7)
    log.error("outside", exc_info=Group(one, KeyError(), one))
    log.error("outside", exc_info=Group(one, failed(8)))
    log.error("outside", exc_info=Group())
    found = [event.get("numeric_labels", {}) for event in logged.events()]
    assert found == [{"number": 7}, {}, {}]


def test_an_exception_passes_where_nothing_is_bound(logged):
    with pytest.raises(ValueError, match=r"^7$"), context.inside(None):
        raise failed(7)


def test_what_a_script_has_bound_is_on_the_line_of_what_left_its_block(logged):
    with pytest.raises(ValueError) as raised, flowery_logging.bound(order_id=7):
        raise ValueError
    log.error("outside", exc_info=raised.value)
    assert logged.event()["numeric_labels"] == {"order_id": 7}


def test_a_servers_own_record_of_an_end_carries_the_trace_that_it_has_left(logged):
    def app(environ, start_response):
        flowery_logging.bind(order_id=7)
        raise SystemExit(1)

    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "HTTP_TRACEPARENT": HEADERS["traceparent"],
    }
    with pytest.raises(SystemExit) as raised:
        WSGIMiddleware(app)(environ, lambda *_: None)
    logging.getLogger("gunicorn.error").error("Error handling request /", exc_info=raised.value)
    access, error = logged.events()
    assert access["trace"]["id"] == error["trace"]["id"] == TRACE
    assert error["numeric_labels"] == {"order_id": 7}
    assert (access["event"]["outcome"], access["log.level"]) == ("failure", "error")
    assert "SystemExit" in access["error"]["stack_trace"]


def test_a_task_a_message_leaves_nothing_in_its_request():
    async def conversation():
        with continue_trace({}):
            request = context.current_request()
            assert request is not None

            async def message(number):
                flowery_logging.bind(number=number)
                assert context.fields()["number"] == number

            for number in range(1000):
                await asyncio.create_task(message(number))
            gc.collect()
            return len(request._branches), request.latest["number"]

    kept, last = asyncio.run(conversation())
    assert kept <= 1
    assert last == 999


@pytest.mark.slow
def test_500_requests_with_failing_tasks_cancels_and_time_limits_never_show_each_others(logged):
    async def app(scope, receive, send):
        number = int(scope["path"][1:])
        flowery_logging.bind(number=number)
        log.info("begun", extra={"n": number})

        async def child(part):
            flowery_logging.bind(part=part)
            await asyncio.sleep(0)
            log.info("part", extra={"n": number})
            if part == 1 and number % 5 == 0:
                raise ValueError("꽃")

        tasks = (child(part) for part in range(2))
        await asyncio.gather(*tasks, return_exceptions=number % 2 == 0)
        if number % 7 == 0:
            await asyncio.wait_for(asyncio.sleep(300), 0.001)
        if number % 3 == 0:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(0)
        await plain({"number": number}, receive, send)

    async def one(number):
        sent = []

        async def send(message):
            sent.append(message)

        async def receive():
            return {"type": "http.request"}

        trace = f"{number + 1:032x}"
        headers = [(b"traceparent", f"00-{trace}-{CALLER}-01".encode())]
        scope = {"type": "http", "method": "GET", "path": f"/{number}", "headers": headers}
        await RequestMiddleware(app)(scope, receive, send)

    async def all_of_them():
        await asyncio.gather(*(one(n) for n in range(500)), return_exceptions=True)

    asyncio.run(all_of_them())
    access = {}
    for event in logged.events():
        number = int(event["trace"]["id"], 16) - 1
        numbers = event.get("numeric_labels", {})
        assert numbers.get("n", number) == numbers.get("number", number) == number, event
        if event["log"]["logger"] == "flowery_logging.access":
            access[number] = event["event"].get("reason")
    assert len(access) == 500
    assert access[1] is None
    assert access[3] == "cancelled by the server"


@pytest.fixture
def correlation_id(own_overlay):
    """What asgi-correlation-id keeps; nothing stands there at the beginning and at the end."""
    token = correlation_id_of_others.set(None)
    yield correlation_id_of_others
    correlation_id_of_others.reset(token)


def ids_of(events):
    return [event.get("http", {}).get("request", {}).get("id") for event in events]


def test_the_request_id_made_before_a_block_goes_out_before_any_line(correlation_id):
    correlation_id.set("message-1")
    with continue_trace(HEADERS):
        assert outgoing_headers()["x-request-id"] == "message-1"


def test_the_request_id_that_the_last_block_has_left_is_on_no_line(logged, correlation_id):
    for text in (b"message-1", b"message-1"):  # the same once more, then one without an ID
        correlation_id.set(text.decode())
        with continue_trace({}):
            log.info("with")
    with continue_trace({}):
        log.info("without")
    assert ids_of(logged.events()) == ["message-1", "message-1", None]


def test_a_web_request_within_a_message_has_the_request_id_made_for_it(logged, correlation_id):
    """As of a test client, or of a server that a program asks within itself."""
    with continue_trace({"x-request-id": "message-1"}):
        answer = ask(correlated(RequestMiddleware(plain)))
        log.info("after")
    (request_id,) = {*answer.headers.get_list("x-request-id", split_commas=True)}
    *within, after = ids_of(logged.events())
    assert {*within} == {request_id}
    assert (request_id == "message-1", after) == (False, "message-1")


@pytest.mark.parametrize("says", [True, False], ids=["a line before", "no line before"])
def test_a_consumer_that_a_request_has_started_has_not_its_request_id(logged, correlation_id, says):
    """It goes on in a copy of the request's context, in which the request's ID stands for ever."""
    consumers = []

    async def consume(headers):
        with continue_trace(headers):
            log.info("consumed")

    async def app(scope, receive, send):
        if says:
            log.info("asked")
        consumers.append(asyncio.create_task(consume({"x-request-id": "message-1"})))
        consumers.append(asyncio.create_task(consume({})))
        await asyncio.gather(*consumers)
        await plain(scope, receive, send)

    answer = ask(RequestMiddleware(correlated(app)))
    request_id = answer.headers["x-request-id"]
    assert request_id not in (None, "message-1")
    consumed = [event for event in logged.events() if event["message"] == "consumed"]
    others = [event for event in logged.events() if event["message"] != "consumed"]
    assert ids_of(consumed) == ["message-1", None]
    assert {*ids_of(others)} == {request_id}


def test_a_message_within_a_web_request_has_the_request_id_made_for_it(logged, correlation_id):
    async def app(scope, receive, send):
        log.info("asked")
        token = correlation_id.set("within-a-request")
        with continue_trace({}):
            log.info("consumed")
        correlation_id.reset(token)
        await plain(scope, receive, send)

    answer = ask(RequestMiddleware(correlated(app)))
    request_id = answer.headers["x-request-id"]
    asked, consumed, *after = ids_of(logged.events())
    assert consumed == "within-a-request"
    assert {asked, *after} == {request_id}


def test_a_block_before_the_first_line_leaves_a_request_its_request_id(logged, correlation_id):
    async def app(scope, receive, send):
        with continue_trace({"x-request-id": "message-1"}):
            log.info("consumed")
        await plain(scope, receive, send)

    answer = ask(RequestMiddleware(correlated(app)))
    request_id = answer.headers["x-request-id"]
    assert ids_of(logged.events()) == ["message-1", request_id, request_id]


def test_a_request_id_made_in_a_block_without_a_line_is_on_no_later_line(logged, correlation_id):
    with continue_trace({}):
        correlation_id.set("without-a-line")
    with continue_trace({}):
        log.info("without")
    assert ids_of(logged.events()) == [None]


def test_what_can_be_no_request_id_is_none_wherever_it_is_made(logged, correlation_id):
    correlation_id.set('a "blank"')
    with continue_trace({"x-request-id": "message-1"}):
        log.info("with")
        assert outgoing_headers()["x-request-id"] == "message-1"
    assert ids_of(logged.events()) == ["message-1"]
