"""What goes with a task's message: the trace, when it was sent, the run that the worker gave it.

The worker's main process takes a message, one of its children runs it, and if that one is killed
the main process tells of the end. So the main process gives the run its trace and its hop, and the
child takes them from the message's headers: both show the same `transaction.id`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import Any, Final

from celery import beat

from flowery_logging import trace
from flowery_logging.capture.patch import Patch
from flowery_logging.integrations import tasks
from flowery_logging.integrations.tasks import Run
from flowery_logging.request import Request
from flowery_logging.system import System
from flowery_logging.tracing.active_spans import active

SENT: Final = "flowery_sent"
"""The header with the time of the sending, in seconds since 1970."""

HOP: Final = "flowery_hop"
"""The header, inside a worker alone, with trace ID, transaction ID and slot (celery_told.py)."""

_HOP: Final = re.compile(r"([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{4})")


def send(headers: object = None, **_: object) -> None:
    """Put the trace and the time on a message that is about to be published."""
    if not isinstance(headers, dict):
        return
    headers.pop(HOP, None)  # of the run that sends itself again
    headers[SENT] = System.time()
    if not {"traceparent", "tracestate"} & headers.keys():
        for name, value in trace.outgoing_headers().items():
            headers.setdefault(name, value)


def run_of(name: str, task_id: str, headers: Mapping[str, Any], retries: object = 0) -> Run:
    """Return the run of the task that came with these headers."""
    request = trace.request_of_message(headers)
    hop = _hop(headers)
    if hop is not None:
        _adopt(request, hop[1], hop[2], begun_here="traceparent" not in headers)
    return Run(name, task_id, request, retries if isinstance(retries, int) else 0)


def _adopt(request: Request, trace_id: str, transaction_id: str, *, begun_here: bool) -> None:
    """Let a request be the run that the main process has begun, unless an agent says otherwise."""
    known = request.trace
    if known.trace_id == trace_id or (begun_here and active() is None):
        request.trace = replace(known, trace_id=trace_id, transaction_id=transaction_id)
        request.base |= request.trace.fields()


def _hop(headers: Mapping[str, Any]) -> re.Match[str] | None:
    hop = headers.get(HOP)
    return _HOP.fullmatch(hop) if isinstance(hop, str) else None


def hop_of(run: Run, slot: int) -> str:
    """Return the header by which another process goes on with a run."""
    return f"{run.request.trace.trace_id}-{run.request.trace.transaction_id}-{slot:04x}"


def slot_of(headers: Mapping[str, Any]) -> int | None:
    """Return the slot in which the end of a run is noted, or None where no worker gave it one."""
    hop = _hop(headers)
    return None if hop is None else int(hop[3], 16)


def waited(headers: Mapping[str, Any], until: float | None = None) -> int | None:
    """Return for how many nanoseconds a task could have been running already, but was not.

    `until` is in seconds since 1970, by default now. Clocks of two machines may differ: never less
    than 0.
    """
    sent = headers.get(SENT)
    if not isinstance(sent, (int, float)):
        return None
    begins = max(sent, _timestamp(headers.get("eta")))
    return max(0, int(((System.time() if until is None else until) - begins) * 1e9))


def _timestamp(eta: Any) -> float:
    try:
        return datetime.fromisoformat(eta).timestamp()
    except (TypeError, ValueError):
        return 0.0


_due = Patch(beat.Scheduler, "apply_entry")
_sending = Patch(beat.Scheduler, "apply_async")


def follow_beat() -> None:
    """Let each sending of beat begin a trace, which stands on beat's lines too, and be an event."""
    _due.apply(_in_a_trace)
    _sending.apply(_told)


def leave_beat() -> None:
    """Undo `follow_beat`."""
    _due.undo()
    _sending.undo()


def _in_a_trace(theirs: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(theirs)
    def apply_entry(self: object, entry: Any, *args: object, **named: object) -> Any:
        with trace.continue_trace({}, task=str(entry.task)):
            return theirs(self, entry, *args, **named)

    return apply_entry


def _told(theirs: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(theirs)
    def apply_async(self: object, entry: Any, *args: object, **named: object) -> Any:
        try:
            result = theirs(self, entry, *args, **named)
        except Exception as error:
            tasks.tell_sent(str(entry.task), None, str(entry.name), error)
            raise
        tasks.tell_sent(str(entry.task), getattr(result, "id", None), str(entry.name))
        return result

    return apply_async
