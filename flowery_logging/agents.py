"""The active span of OpenTelemetry or transaction of Elastic APM, where the program uses one.

Its IDs stand on the lines and go out with calls, so that logs and spans meet in one trace; what
the application itself has put under these names wins. Neither library is imported here: they are
looked up once the program has done so, and only then does a line cost anything for it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from flowery_logging import context
from flowery_logging.request import NO_FIELDS, Fields


class ActiveSpan(NamedTuple):
    """What an agent says of the code that runs now; `transaction_id` is None if it does not tell.

    IDs have 32 (trace) and 16 lower-case hexadecimal digits, `flags` are W3C's trace-flags.
    """

    trace_id: str
    span_id: str
    flags: int
    tracestate: str
    transaction_id: str | None
    fields: Mapping[str, str]  # what a line shows


def active() -> ActiveSpan | None:
    """Return the active span, or None. Never raises: agents are other people's code."""
    for name, read in _READERS.items():
        module = sys.modules.get(name)
        try:
            found = None if module is None else read(module)
        except Exception:
            found = None
        if found is not None:
            return found
    return None


def look() -> None:
    """Let lines show active spans from now on, if the program has imported an agent."""
    if context.overlay is None and any(name in sys.modules for name in _READERS):
        context.lay_over(_with_span)


def _opentelemetry(module: Any) -> ActiveSpan | None:
    span = module.get_current_span().get_span_context()
    if not span.is_valid:
        return None
    trace_id, span_id = f"{span.trace_id:032x}", f"{span.span_id:016x}"
    fields = {"trace.id": trace_id, "span.id": span_id}
    state = span.trace_state.to_header() if span.trace_state else ""
    return ActiveSpan(trace_id, span_id, int(span.trace_flags), state, None, fields)


def _elastic(module: Any) -> ActiveSpan | None:
    transaction = module.execution_context.get_transaction()
    if not transaction or not transaction.trace_parent:
        return None
    parent, span = transaction.trace_parent, module.execution_context.get_span()
    fields = {"trace.id": parent.trace_id, "transaction.id": transaction.id}
    if span:
        fields["span.id"] = span.id
    span_id = span.id if span else transaction.id
    flags, state = parent.trace_options.asByte, parent.tracestate or ""
    return ActiveSpan(parent.trace_id, span_id, flags, state, transaction.id, fields)


_READERS: Final[Mapping[str, Callable[[Any], ActiveSpan | None]]] = {
    "opentelemetry.trace": _opentelemetry,
    "elasticapm.traces": _elastic,
}


class _SpanScope(context.Scope):
    """The view of a scope while a span is active: its IDs in place of the request's own."""

    __slots__ = ("span",)

    def __init__(self, scope: context.Scope, span: Mapping[str, str]) -> None:
        super().__init__(scope.local, scope.request, scope.block, scope.made_of)
        self.span = span

    def fields(self) -> Fields:
        seen = super().fields()
        base = NO_FIELDS if self.request is None else self.request.base
        shown = {name: v for name, v in self.span.items() if seen.get(name) == base.get(name)}
        return {**seen, **shown}


def _with_span(scope: context.Scope | None) -> context.Scope | None:
    """Return the view of `scope` with the active span; the last one is kept for the next line."""
    span = active()
    if span is None:
        return scope
    below = _NOTHING if scope is None else scope
    known = below.overlaid
    if not isinstance(known, _SpanScope) or known.span != span.fields:
        known = below.overlaid = _SpanScope(below, span.fields)
    return known


_NOTHING: Final = context.Scope(NO_FIELDS)
