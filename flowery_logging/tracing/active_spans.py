"""The span that is active now, as an agent tells it that the program has imported.

OpenTelemetry, Elastic APM, Datadog and New Relic. None of them is imported here: they are looked up
once the program has done so, and are asked by what they document.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from flowery_logging.foreign import opentelemetry_context
from flowery_logging.signalled import let_through
from flowery_logging.tracing.request_ids import MAKERS


class ActiveSpan(NamedTuple):
    """What an agent says of the code that runs now.

    IDs have 32 (trace) and 16 lower-case hexadecimal digits, `flags` are W3C's trace-flags.
    """

    trace_id: str
    span_id: str
    flags: int
    tracestate: str | None  # None where the agent does not tell
    entry_id: str | None  # the entry span, or the nearest to it that the agent tells
    is_entry: bool  # whether that is the entry span for certain
    parent_id: str | None  # of the span
    caller_id: str | None  # of the entry span, if that is told
    is_remote: bool  # it is the caller's: nothing of this process is active
    is_request: bool  # it stands for a request or a message that has come in
    fields: Mapping[str, str]  # what a line shows
    yields: bool = False  # to the trace of a caller, whom the agent may not have heard

    def tracestate_after(self, trace_id: str, known: str) -> str:
        """Return the tracestate of a trace of which another one is known."""
        if self.tracestate is not None:
            return self.tracestate
        return known if trace_id == self.trace_id else ""


def active() -> ActiveSpan | None:
    """Return the active span, or None. Agents are other people's code: what they raise is not seen.

    Raises what a signal handler does meanwhile.
    """
    for module, read in _present:
        try:
            found = read(module)
        except Exception as error:
            let_through(error)
            found = None
        if found is not None:
            return found
    return None


_present: Final[list[tuple[Any, Callable[[Any], ActiveSpan | None]]]] = []


def find() -> None:
    """Look up which agents the program has imported."""
    global state
    _present[:] = [
        (sys.modules[name], read) for name, read in READERS.items() if sys.modules.get(name)
    ]
    known = [name for name in (*READERS, *MAKERS) if sys.modules.get(name)]
    try:
        state = opentelemetry_context() if known == [_OPENTELEMETRY] else _unknown
    except (KeyError, AttributeError):  # a module that only has the name
        state = _unknown


def _unknown() -> object:
    return None


state: Callable[[], object] = _unknown
"""Return what is the same object as long as the same span is active; None where nobody tells.

OpenTelemetry's contexts are immutable. Where others are asked too, each line asks them.
"""


def _opentelemetry(module: Any) -> ActiveSpan | None:
    return told_by(module.get_current_span())


def told_by(span: Any) -> ActiveSpan | None:
    """Return what a span of OpenTelemetry tells of itself; None if it is none."""
    ids = span.get_span_context()
    if not ids.is_valid:
        return None
    trace_id, span_id = f"{ids.trace_id:032x}", f"{ids.span_id:016x}"
    state = ids.trace_state.to_header() if ids.trace_state else ""
    common = trace_id, span_id, int(ids.trace_flags), state
    if ids.is_remote:
        return ActiveSpan(*common, None, False, None, span_id, True, False, {"trace.id": trace_id})
    fields = {"trace.id": trace_id, "span.id": span_id}
    if not hasattr(span, "parent"):  # one that is not recorded tells nothing of itself
        return ActiveSpan(*common, span_id, False, None, None, False, False, fields)
    parent = span.parent
    parent_id = None if parent is None else f"{parent.span_id:016x}"
    is_request = span.kind.name in _REQUESTS
    if parent is None or parent.is_remote or is_request:
        return ActiveSpan(*common, span_id, True, parent_id, parent_id, False, is_request, fields)
    return ActiveSpan(*common, parent_id, False, parent_id, None, False, False, fields)


_REQUESTS: Final = frozenset({"SERVER", "CONSUMER"})
"""The kinds of OpenTelemetry's spans that stand for a request or a message that has come in."""


def _elastic(module: Any) -> ActiveSpan | None:
    transaction = module.execution_context.get_transaction()
    if not transaction or not transaction.trace_parent:
        return None
    parent, span = transaction.trace_parent, module.execution_context.get_span()
    fields = {"trace.id": parent.trace_id, "transaction.id": transaction.id}
    caller_id = parent.span_id if parent.span_id != transaction.id else None
    parent_id, span_id = caller_id, transaction.id
    if span:
        fields["span.id"] = span_id = span.id
        parent_id = transaction.id
    common = parent.trace_id, span_id, parent.trace_options.asByte, parent.tracestate or ""
    return ActiveSpan(*common, transaction.id, True, parent_id, caller_id, False, True, fields)


def _datadog(module: Any) -> ActiveSpan | None:
    span = module.tracer.current_span()
    if span is None:
        return None
    entry = module.tracer.current_root_span() or span
    priority = span.context.sampling_priority  # None until it is decided, mostly as a call goes out
    flags = int(priority is None or priority > 0)
    parent_id, caller_id = _hex(span.parent_id), _hex(entry.parent_id)
    return _under_entry(
        f"{span.trace_id:032x}", f"{span.span_id:016x}", flags, f"{entry.span_id:016x}",
        parent_id, caller_id,
    )  # fmt: skip


def _hex(span_id: int | None) -> str | None:
    return f"{span_id:016x}" if span_id else None


def _new_relic(module: Any) -> ActiveSpan | None:
    transaction = module.current_transaction()
    if transaction is None or transaction.root_span is None:
        return None
    entry_id, caller_id = transaction.root_span.guid, transaction.parent_span
    span_id = module.current_span_id() or entry_id
    parent_id = caller_id if span_id == entry_id else entry_id
    trace_id, flags = transaction.trace_id.lower().zfill(32), int(transaction.sampled is not False)
    return _under_entry(trace_id, span_id, flags, entry_id, parent_id, caller_id)


def _under_entry(
    trace_id: str,
    span_id: str,
    flags: int,
    entry_id: str,
    parent_id: str | None,
    caller_id: str | None,
) -> ActiveSpan:
    """Return a span of an agent that tells the entry span, and no tracestate.

    It yields: where such an agent does not read what a caller has sent (Datadog's default for
    Celery), its trace would part the task from what has sent it.
    """
    return ActiveSpan(
        trace_id,
        span_id,
        flags,
        tracestate=None,
        entry_id=entry_id,
        is_entry=True,
        parent_id=parent_id,
        caller_id=caller_id,
        is_remote=False,
        is_request=False,
        fields={"trace.id": trace_id, "span.id": span_id},
        yields=True,
    )


_OPENTELEMETRY: Final = "opentelemetry.trace"
READERS: Final[Mapping[str, Callable[[Any], ActiveSpan | None]]] = {
    _OPENTELEMETRY: _opentelemetry,
    "elasticapm.traces": _elastic,
    "ddtrace.trace": _datadog,
    "newrelic.api.transaction": _new_relic,
}
"""The module by which an agent is known → what asks it."""
