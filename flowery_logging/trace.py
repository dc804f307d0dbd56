"""W3C Trace Context (level 2): one request's trace over all services.

Three names stand on the lines: `trace.id` is the W3C trace ID, the same in every service that the
request crosses; `transaction.id` is one service's hop, new in each; `span.id` is one outgoing
call, and what the next service gets as its parent ID.

Parsing never raises: headers come from strangers. Rules are those of
https://www.w3.org/TR/trace-context-2/; where one of them decides, its section is named.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from flowery_logging import context, presence
from flowery_logging.around import decorating
from flowery_logging.late import late
from flowery_logging.request import Request
from flowery_logging.tracing import agents, baggage, foreign_traces, request_ids
from flowery_logging.tracing.active_spans import ActiveSpan
from flowery_logging.tracing.headers import OWS, Headers, Values, header_values, wanted_headers

SAMPLED: Final = 0x01
RANDOM: Final = 0x02  # trace-flags, "Random Trace ID Flag": the trace ID's right 7 bytes are random

_TRACEPARENT: Final = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)
_MEMBER: Final = late(
    r"([a-z0-9][a-z0-9_\-*/@]{0,255})"  # key
    r"="
    r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"  # value
)
_MAX_MEMBERS: Final = 32
# "tracestate Limits": at least 512 characters must pass; eight times that still fits every
# server's limit for one header field, and is what one request may cost on each of its calls.
_MAX_TRACESTATE: Final = 4096
_LONG_MEMBER: Final = 128


@dataclass(frozen=True, slots=True)
class TraceContext:
    """One service's place in a trace. Immutable.

    `trace_id` has 32 lower-case hexadecimal digits, `transaction_id` and `parent_id` (the
    caller's span; None where the trace began here) have 16. `flags` are the trace-flags that
    level 2 knows (`SAMPLED`, `RANDOM`); `tracestate` is passed on as it came, each key once,
    empty if there was none.
    """

    trace_id: str
    transaction_id: str
    parent_id: str | None = None
    flags: int = SAMPLED | RANDOM
    tracestate: str = ""

    @classmethod
    def new(cls) -> TraceContext:
        """Begin a trace. It is marked as sampled, since its lines are written everywhere."""
        return cls(_random_id(16), _random_id(8))

    @classmethod
    def from_headers(cls, headers: Headers) -> TraceContext:
        """Take the next hop of the trace in `headers`, or begin a new one.

        Names are matched in any case, values may be `str` or `bytes`. A missing, malformed or
        repeated traceparent begins a new trace, and then tracestate is ignored; a malformed
        tracestate is dropped alone. Of its members with one key the first stays.
        """
        values = header_values(headers, wanted_headers())
        return _continued(values.get("traceparent", []), values.get("tracestate", []))

    def fields(self) -> dict[str, str]:
        """Return this hop's ECS fields: `trace.id` and `transaction.id`."""
        return {"trace.id": self.trace_id, "transaction.id": self.transaction_id}

    def headers(self, span_id: str | None = None) -> dict[str, str]:
        """Return `traceparent` and, if there is one, `tracestate` for one outgoing call.

        `span_id` is the call's own ID, which the next service takes as its parent; by default
        a fresh one.
        """
        parent_id = span_id or new_span_id()
        headers = {"traceparent": f"00-{self.trace_id}-{parent_id}-{self.flags:02x}"}
        if self.tracestate:
            headers["tracestate"] = self.tracestate
        return headers


def new_span_id() -> str:
    """Return a random span ID: 16 lower-case hexadecimal digits, not all zero."""
    return _random_id(8)


def current_trace() -> TraceContext | None:
    """Return the trace of the request that this code runs for, or None outside a request.

    Where an agent's span is active (OpenTelemetry, Elastic APM, Datadog, New Relic), it is that
    one's trace.
    """
    request = context.current_request()
    return _trace_of(request, agents.seen(request))


def _trace_of(request: Request | None, span: ActiveSpan | None) -> TraceContext | None:
    trace = None if request is None else request.trace
    ours = trace if isinstance(trace, TraceContext) else None
    return ours if span is None else _of_span(span, ours)


def _of_span(span: ActiveSpan, ours: TraceContext | None) -> TraceContext:
    """Return the agent's trace; of ours only what the agent does not tell."""
    if ours is not None and ours.trace_id == span.trace_id:
        state = span.tracestate_after(ours.trace_id, ours.tracestate)
        return replace(ours, flags=span.flags, tracestate=state)
    entry = span.entry_id or span.span_id
    return TraceContext(span.trace_id, entry, None, span.flags, span.tracestate or "")


def caller(request: Request) -> dict[str, str]:
    """Return `parent.id`, the span of who has called: for the events that tell of a request.

    Empty where the trace began here.
    """
    known = request.trace
    parent = known.parent_id if isinstance(known, TraceContext) else None
    return {} if parent is None else {"parent.id": parent}


def outgoing_headers() -> dict[str, str]:
    """Return the headers that carry the current request to the next service.

    These are `traceparent` (with a fresh span ID on each call, or that of an agent's active span),
    `tracestate` and `baggage` if they came in, and `x-request-id` if known. Outside a request and a
    span the result is empty, as other propagators inject nothing without an active trace: a trace
    that no line of this service shows would lead nowhere. Open one with `continue_trace({})` where
    a job starts.
    """
    headers, span_id = outgoing_call()
    outgoing(span_id)
    return headers


def outgoing(span_id: str) -> str | None:
    """Take note of a call that goes out under this span ID; return the span that it is made in.

    That is this service's hop or, where an agent's own span goes out, what that one tells.
    """
    request = context.current_request()
    span = agents.seen(request)
    if request is not None:
        request.called(span_id)
    if span is not None and span.span_id == span_id:
        return span.parent_id
    trace = _trace_of(request, span)
    return None if trace is None else trace.transaction_id


def outgoing_call() -> tuple[dict[str, str], str]:
    """Return the headers of `outgoing_headers()` for one call, and the call's span ID."""
    request = context.current_request()
    span = agents.seen(request)
    span_id = new_span_id() if span is None or span.is_remote else span.span_id
    trace = _trace_of(request, span)
    if trace is None:
        return {}, span_id
    headers = trace.headers(span_id)
    if request is not None and request.request_id:
        headers["x-request-id"] = request.request_id
    if request is not None and request.baggage:
        headers["baggage"] = request.baggage
    return headers, span_id


@decorating
@contextmanager
def continue_trace(headers: Headers, **fields: object) -> Iterator[TraceContext]:
    """Run a block as one request of its own, in the trace that `headers` carry.

    For consumers of queues and for jobs: what `outgoing_headers()` put on a message comes in
    here, as a mapping or as pairs, `str` or `bytes` or lists of them, or None. Without a usable
    traceparent a new trace begins. `fields` stand on every line of the block, as `bind` would put
    them. As a decorator, of a function or an `async` one, it runs each call so.
    """
    request = request_of_message(headers)
    with context.request_scope(request, inner_stay=True):
        if fields:
            context.bind(**fields)
        try:
            yield request.trace
        except Exception:
            request.fail()
            raise
        finally:
            request_ids.end()


_OF_MESSAGES: Final = ("x-request-id",)


def request_of_message(headers: Headers) -> Request:
    """Make the request that a message's headers describe; without a request ID it gets none."""
    values = header_values(headers, wanted_headers(_OF_MESSAGES))
    return request_of(values, _OF_MESSAGES, (), new_request_id=False)


def request_of(
    values: Values,
    request_id_headers: tuple[str, ...],
    foreign: tuple[str, ...],
    *,
    new_request_id: bool = True,
) -> Request:
    """Make the request that the values of headers describe: its trace, and `http.request.id`.

    A request ID is taken, from the first of the named headers that has one, if it has 1 to 128
    characters of `A-Z a-z 0-9 . _ ~ + / = @ : -` (no blank, quote or line end can reach a log or
    a response header); else it is replaced by a new one, or left out if not `new_request_id`.
    `foreign` names formats that are read where no traceparent is there: `b3`, `x-amzn-trace-id`.
    """
    if presence.missing:
        presence.miss("a request or task begins")
    agents.look()
    trace = _incoming_trace(values, foreign)
    request_id = _request_id(values, request_id_headers)
    if request_id is None and new_request_id:
        request_id = _random_id(16)
    passing = baggage.passed_on(values["baggage"]) if "baggage" in values else ""
    base = {**baggage.bound_of(passing), **trace.fields()}
    if request_id is not None:
        base["http.request.id"] = request_id
    request = Request(base, trace=trace)
    request.baggage = passing
    if context.overlay is not None:  # else nobody knows better
        outside = context.current_request()
        agents.begin(request, outside)
        request_ids.begin(request, outside, is_web=new_request_id)
    return request


def _request_id(values: Values, names: tuple[str, ...]) -> str | None:
    for name in names:
        for value in values.get(name.lower(), ()):
            if request_ids.VALID.fullmatch(value):
                return value
    return None


def _incoming_trace(values: Values, foreign: tuple[str, ...]) -> TraceContext:
    """Return the trace of the headers, else a new one."""
    parents = values.get("traceparent", [])
    trace = _continued(parents, values.get("tracestate", [])) if parents else None
    for name in foreign if trace is None else ():
        found = foreign_traces.FORMATS[name][1](values)
        if found is not None:
            trace_id, parent_id, sampled = found
            flags = 0 if sampled is False else SAMPLED
            trace = TraceContext(trace_id, _random_id(8), parent_id, flags)
            break
    return trace or TraceContext.new()


def _continued(parents: list[str], states: list[str]) -> TraceContext:
    found = _TRACEPARENT.fullmatch(parents[0]) if len(parents) == 1 else None
    if found is None:
        return TraceContext.new()
    version, trace_id, parent_id, hexadecimal, more = found.groups()
    if version == "00" and more is not None:
        return TraceContext.new()
    flags = int(hexadecimal, 16) & (SAMPLED | RANDOM)  # others "MUST be set to zero"
    tracestate = _tracestate(states) if states else ""
    return TraceContext(trace_id, _random_id(8), parent_id, flags, tracestate)


def _tracestate(values: list[str]) -> str:
    """Return the combined tracestate without its blanks, or "" if any part of it is malformed.

    Of members with one key the first stays: it is the most recent ("Mutating the tracestate
    Field": new and changed members go to the left).
    """
    kept: dict[str, str] = {}
    for part in ",".join(values).split(","):
        member = part.strip(OWS)
        found = _MEMBER.fullmatch(member)
        if found is not None:
            kept.setdefault(found[1], member)
        elif member:  # empty ones are allowed
            return ""
    return ",".join(_shortened(list(kept.values()))) if len(kept) <= _MAX_MEMBERS else ""


def _shortened(members: list[str]) -> list[str]:
    """Drop whole members beyond the limit: long ones first, then from the end (§ Limits)."""
    kept = list(members)
    for member in [m for m in reversed(members) if len(m) > _LONG_MEMBER] + members[::-1]:
        if len(",".join(kept)) <= _MAX_TRACESTATE:
            break
        if member in kept:
            kept.remove(member)
    return kept


def _random_id(size: int) -> str:
    """Return `size` random bytes as hexadecimal digits, never all zero (which means "invalid").

    From the operating system at each call, so that forked processes never share them.
    """
    while not any(value := os.urandom(size)):
        pass
    return value.hex()
