"""Celery: a task runs in the trace of whoever sent it; its start and its end are events.

    import flowery_logging
    from flowery_logging.integrations import celery

    flowery_logging.setup()  # where the app is made
    celery.instrument(service="courier")

The same in the service that sends the tasks, and in beat, so that their messages carry the trace.
Where it imports the module of the tasks it keeps its own name: "courier" names the worker's
process alone.
"""

from __future__ import annotations

import logging
import re
import sys
from contextlib import ExitStack
from typing import Any, Final

from celery import signals
from celery.exceptions import Reject

from flowery_logging import context, runtime, trace
from flowery_logging.integrations import (
    calls,
    celery_messages,
    celery_told,
    celery_worker,
    cpu,
    tasks,
)
from flowery_logging.system import System
from flowery_logging.tracing import request_ids

_RUN: Final = "flowery_logging_run"  # the attribute of a task's request that holds our state
_REPEATING: Final = ("celery.worker.strategy", "celery.app.trace", "celery.beat")
_REPEATS: Final = re.compile(
    r"Task %\(name\)s\[%\(id\)s\] (received|succeeded)\b|Scheduler: Sending due task "
)


class _State:
    """What `instrument` has been told."""

    service: str | None = None  # of the worker's processes
    keeps_repeats = True


def _is_repeat(record: logging.LogRecord) -> bool:
    """Tell whether a line of Celery's says what our events say."""
    if _State.keeps_repeats or record.levelno > logging.INFO:
        return False
    return _REPEATS.match(str(record.msg)) is not None


def instrument(*, service: str | None = None, repeats: bool = False) -> None:
    """Follow the tasks of all Celery apps of this process; twice is as once.

    A message carries `flowery_logging.outgoing_headers()`, unless its sender has set such headers
    himself; what beat sends begins a trace, and is an event. A task's lines carry the trace, `task`
    (its name), `task_id` and, if it is not the first try, `task_retries`, those of the worker's
    main process too. Its start is an event, and so is its end, however it ends: with outcome,
    duration and the time it has waited (`task_wait_ms`), in the logger `flowery_logging.task`.
    Arguments and results are on no line. Celery leaves the root logger alone, and a worker process
    writes the closing record when it ends.

    Args:
        service: names the processes of a worker (`celery worker`), whatever `setup()` says, before
            or after; other processes that import the tasks keep their name.
        repeats: keep those lines of Celery's own that say what our events say ("received",
            "succeeded", beat's "Sending due task").

    Raises TypeError for a value of another type.
    """
    if service is not None and not isinstance(service, str):
        raise TypeError(f"service: expected a text, not {service!r}")
    calls.check_repeats(repeats)
    _State.service = service or _State.service
    for signal, receiver in _RECEIVERS:
        signal.connect(receiver, dispatch_uid=f"flowery_logging.{receiver.__name__}")
    celery_messages.follow_beat()
    runtime.reattach()
    _State.keeps_repeats = repeats
    for logger in _REPEATING:
        runtime.leave_out(logger, _is_repeat)


def uninstrument() -> None:
    """Undo `instrument()`; without effect where nothing was done."""
    for signal, receiver in _RECEIVERS:
        signal.disconnect(receiver, dispatch_uid=f"flowery_logging.{receiver.__name__}")
    celery_messages.leave_beat()
    celery_worker.leave()
    _State.keeps_repeats = True


class _Running:
    """A run in the process that does the work, from `task_prerun` to `task_postrun`."""

    def __init__(self, task: Any, task_id: str) -> None:
        request = task.request
        incoming = trace.outgoing_headers() if request.is_eager else vars(request)
        self.run = celery_messages.run_of(task.name, task_id, incoming, request.retries)
        self.run.waited = celery_messages.waited(vars(request))
        self.entered = ExitStack()
        self.entered.enter_context(context.request_scope(self.run.request))
        self.run.cpu = cpu.thread_time(self.run.request)
        self.run.start(System.perf_counter_ns())

    def end(self, task: Any, state: str | None, result: Any) -> None:
        """Write the event and leave the request."""
        facts = _facts(state, result, tuple(task.throws or ()))
        how = _HOW.get(state or "", tasks.FAILURE)
        if state is None and _is_time_limit(facts["error"]):
            how = tasks.TIME_LIMIT
        slot = celery_messages.slot_of(vars(task.request))
        if slot is None or celery_told.claim(slot):
            self.run.end(how, System.perf_counter_ns(), **facts)
        self.entered.close()
        request_ids.end()


_HOW: Final = {
    "SUCCESS": tasks.SUCCESS,
    "FAILURE": tasks.FAILURE,
    "RETRY": tasks.RETRY,
    "IGNORED": tasks.IGNORED,
    "REJECTED": tasks.REJECTED,
}


def _facts(
    state: str | None, result: object, expected: tuple[type[Exception], ...]
) -> dict[str, Any]:
    """Return what the event of the end tells beside the state."""
    if state is None:  # neither a result nor an Exception: a SystemExit, a gevent.Timeout
        return {"error": sys.exc_info()[1]}
    if state == "FAILURE":
        return {"error": result, "level": logging.WARNING if isinstance(result, expected) else None}
    if state == "RETRY":
        return {"error": getattr(result, "exc", None)}
    is_lost = state == "REJECTED" and isinstance(result, Reject) and not result.requeue
    return {"outcome": "failure"} if is_lost else {}


def _is_time_limit(error: BaseException | None) -> bool:
    """Tell whether an exception is what a pool of greenlets raises at a hard time limit."""
    kinds = (getattr(sys.modules.get(name), "Timeout", None) for name in ("gevent", "eventlet"))
    return any(isinstance(kind, type) and isinstance(error, kind) for kind in kinds)


def _begin(task: Any = None, task_id: Any = None, **_: object) -> None:
    vars(task.request)[_RUN] = _Running(task, str(task_id))


def _end(task: Any = None, state: Any = None, retval: Any = None, **_: object) -> None:
    running = vars(task.request).pop(_RUN, None)
    if isinstance(running, _Running):
        running.end(task, state, retval)


def _become_worker(**_: object) -> None:
    """Take note that this process is a worker: before it forks, and before it logs."""
    if _State.service is not None:
        runtime.take_role(_State.service)
    celery_worker.follow()


def _keep_logging(**_: object) -> None:
    """Attach anew; that this signal is taken keeps Celery from taking the root's handlers."""
    runtime.reattach()


def _checkpoint(**_: object) -> None:
    runtime.checkpoint()


_RECEIVERS: Final = (
    (signals.celeryd_init, _become_worker),
    (signals.before_task_publish, celery_messages.send),
    (signals.task_received, celery_worker.receive),
    (signals.task_prerun, _begin),
    (signals.task_postrun, _end),
    (signals.task_revoked, celery_worker.revoke),
    (signals.task_retry, celery_worker.note_retry),
    (signals.setup_logging, _keep_logging),
    (signals.worker_process_shutdown, _checkpoint),
    (signals.worker_shutdown, _checkpoint),
)
