"""An agent's active span (see active_spans.py) on the lines of a request, and in its calls.

So logs and spans meet in one trace; what the application itself has put under these names wins. A
line costs something for it only where the program has imported an agent.

An agent's span may begin after the request and end before its last line. So the request adopts the
trace, and as its hop the span with which that trace has entered this process, when either is seen
first: as a span starts (see entries.py), at a line, a call, the head of a response.

A span may also begin a trace of its own beside the request's: where only clients are instrumented,
or somebody begins one by hand. It is named on its lines, which stay in the request's trace.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from flowery_logging import context
from flowery_logging.event_parts import NO_FIELDS, Fields
from flowery_logging.request import Request
from flowery_logging.scope import Scope
from flowery_logging.tracing import active_spans, entries, request_ids
from flowery_logging.tracing.active_spans import READERS, ActiveSpan, active, find, told_by


class _Entry(NamedTuple):
    """With what an agent's trace has entered a request."""

    trace_id: str
    span_id: str
    is_certain: bool
    is_span: bool  # and no transaction, as Elastic APM has them beside spans


def seen(request: Request | None) -> ActiveSpan | None:
    """Return the active span, unless it is aside, and let the request hold what identifies it."""
    if request is None:
        look()
    span = _active_in(request)
    return None if span is not None and _is_aside(request, span) else span


def _active_in(request: Request | None) -> ActiveSpan | None:
    span = active()
    if span is not None and request is not None:
        _hold(request, span)
    return span


def _is_aside(request: Request | None, span: ActiveSpan) -> bool:
    """Tell a span of another trace than the request's; a message's is the one that counts."""
    known = None if request is None else request.trace_id
    return known is not None and span.trace_id != known and not span.is_request


def begin(request: Request, outside: Request | None) -> None:
    """Let a new request hold the span that is active as it begins, below the one it begins in."""
    span = active()
    if span is None or (span.yields and _has_caller(request) and _is_aside(request, span)):
        return
    if outside is not None and outside.entry is not None:
        _adopt(request, outside.entry, span, None)
    else:
        _adopt(request, _entry(request, span), span, span.caller_id)


def _hold(request: Request, span: ActiveSpan) -> None:
    known = request.entry
    if known is None and _has_caller(request) and _is_aside(request, span):
        return
    if known is not None and (known.is_certain or known.trace_id != span.trace_id):
        return
    if known is not None and not span.is_entry and span.span_id != known.span_id:
        return  # as near to the entry, or farther
    _adopt(request, _entry(request, span), span, span.caller_id)


def _has_caller(request: Request) -> bool:
    return getattr(request.trace, "parent_id", None) is not None


def _entry(request: Request, span: ActiveSpan) -> _Entry:
    entry_id = span.entry_id or request.base.get("transaction.id", span.span_id)
    return _Entry(span.trace_id, entry_id, span.is_entry, "transaction.id" not in span.fields)


def _adopt(request: Request, entry: _Entry, span: ActiveSpan, caller_id: str | None) -> None:
    if entry == request.entry:
        return
    request.entry = entry
    request.adopt({"trace.id": entry.trace_id, "transaction.id": entry.span_id})
    ours = request.trace
    if ours is None:
        return
    if caller_id is None and ours.trace_id == entry.trace_id:
        caller_id = ours.parent_id
    request.trace = replace(
        ours,
        trace_id=entry.trace_id,
        transaction_id=entry.span_id,
        parent_id=caller_id,
        flags=span.flags,
        tracestate=span.tracestate_after(ours.trace_id, ours.tracestate),
    )


def own_span(request: Request) -> dict[str, str]:
    """Return `span.id` of the request itself, for the events that tell of it.

    Such an event may be logged while a part of the request is the active span.
    """
    entry = request.entry
    return {"span.id": entry.span_id} if entry is not None and entry.is_span else {}


def look() -> None:
    """Let lines show active spans from now on, if the program has imported an agent.

    The same for what makes request IDs in our place.
    """
    if context.overlay is None:
        if sys.modules.keys().isdisjoint(KNOWN):
            return
        context.lay_over(_seen_here)
    find()
    entries.listen(_started)


def _started(span: object) -> None:
    """Let the current request hold a span of OpenTelemetry that enters it."""
    request = context.current_request()
    if request is None or (request.entry is not None and request.entry.is_certain):
        return
    found = told_by(span)
    if found is not None and found.is_entry:
        _hold(request, found)


class _SpanScope(Scope):
    """The view of a scope while a span is active: its IDs in place of the request's own."""

    __slots__ = ("span",)

    def __init__(self, scope: Scope, span: Mapping[str, str]) -> None:
        super().__init__(scope.local, scope.request, scope.block, scope.made_of)
        self.span = span

    def fields(self) -> Fields:
        seen = super().fields()
        base = NO_FIELDS if self.request is None else self.request.base
        shown = {name: v for name, v in self.span.items() if seen.get(name) == base.get(name)}
        return {**seen, **shown}


def _seen_here() -> Scope | None:
    """Return the view of the scope that is here with the active span, at each line.

    What was made of it last stands as long as the same span is active in the same request; so most
    lines cost two comparisons. The scope itself is not kept in it: such a circle would wait for the
    garbage collector.
    """
    scope = context.here()
    below = _NOTHING if scope is None else scope
    request = below.request
    state = active_spans.state()
    known, base, over = below.overlaid
    if known is not state or state is None or (request is not None and request.base is not base):
        over = _over(below)
        below.overlaid = (state, None if request is None else request.base, over)
    return scope if over is None else over


def _over(below: Scope) -> Scope | None:
    """Return the view of a scope with the active span, the last one if it shows the same."""
    request = below.request
    span = _active_in(request)
    if request is not None:
        request_ids.look(request)
    if span is None:
        return None
    fields = _aside_fields(span) if _is_aside(request, span) else span.fields
    last = below.overlaid[2]
    if isinstance(last, _SpanScope) and last.span == fields:
        return last
    return _SpanScope(below, fields)


def _aside_fields(span: ActiveSpan) -> Mapping[str, str]:
    return {
        **{n: v for n, v in span.fields.items() if n != "trace.id"},
        "span_trace_id": span.trace_id,
    }


KNOWN: Final = (*READERS, *request_ids.MAKERS)
"""The modules that `look` looks for."""

_NOTHING: Final = Scope(NO_FIELDS)
