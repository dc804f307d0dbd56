"""Celery: a task runs in the trace of whoever sent it, and its end is an event.

    import flowery_logging
    from flowery_logging.integrations import celery

    flowery_logging.setup()  # where the app is made
    celery.instrument(service="courier")

The same in the service that sends the tasks, so that their messages carry the trace. Where it
imports the module of the tasks it keeps its own name: "courier" names the worker's process alone.
"""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack, suppress
from typing import Any, Final

from celery import signals

from flowery_logging import context, runtime, trace

logger = runtime.own_logger("flowery_logging.task")

_RUN: Final = "flowery_logging_run"  # the attribute of a task's request that holds our state
_service: str | None = None  # of the worker's processes
_OUTCOMES: Final = {"SUCCESS": "success", "FAILURE": "failure"}


def instrument(*, service: str | None = None) -> None:
    """Follow the tasks of all Celery apps of this process; twice is as once.

    `service` names the processes of a worker (`celery worker`), whatever `setup()` says, before or
    after; other processes that import the tasks keep their name.

    A message carries `flowery_logging.outgoing_headers()`, unless its sender has set such headers
    himself. A task's lines carry the trace, `task` (its name), `task_id` and, if it is not the
    first try, `task_retries`; its end is an event with outcome and duration (logger
    `flowery_logging.task`). Celery leaves the root logger alone, and a worker process writes the
    closing record when it ends.
    """
    global _service
    _service = service or _service
    for signal, receiver in _RECEIVERS:
        signal.connect(receiver, dispatch_uid=f"flowery_logging.{receiver.__name__}")


def uninstrument() -> None:
    """Undo `instrument()`; without effect where nothing was done."""
    for signal, receiver in _RECEIVERS:
        signal.disconnect(receiver, dispatch_uid=f"flowery_logging.{receiver.__name__}")


def _send(headers: Any = None, **_: Any) -> None:
    """Put the trace on a message that is about to be published."""
    if isinstance(headers, dict) and not {"traceparent", "tracestate"} & headers.keys():
        for name, value in trace.outgoing_headers().items():
            headers.setdefault(name, value)


class _Run:
    """One run of a task, from `task_prerun` to `task_postrun`."""

    def __init__(self, task: Any, task_id: str) -> None:
        incoming = trace.outgoing_headers() if task.request.is_eager else vars(task.request)
        self.name = task.name
        self.request = trace.incoming_request(incoming, new_request_id=False)
        self.request.base |= {"task": task.name, "task_id": task_id}
        if task.request.retries:
            self.request.base["task_retries"] = task.request.retries
        self.begun = time.perf_counter_ns()
        self.entered = ExitStack()
        self.entered.enter_context(context.request_scope(self.request))

    def end(self, state: str | None) -> None:
        """Write the event and leave the request."""
        duration = time.perf_counter_ns() - self.begun
        level = logging.ERROR if state == "FAILURE" else logging.INFO
        ended = (state or "ended").lower()
        if level == logging.ERROR:
            self.request.fail()
        fields = {
            "event.kind": "event",
            "event.category": ["process"],
            "event.type": ["end"],
            "event.action": f"task-{ended}",
            "event.outcome": _OUTCOMES.get(state or "", "unknown"),
            "event.duration": duration,
        }
        with suppress(Exception), context.inside(context.whole(self.request)):
            logger.log(level, "task %s: %s", self.name, ended, extra=fields)
        self.entered.close()


def _begin(task: Any = None, task_id: Any = None, **_: Any) -> None:
    vars(task.request)[_RUN] = _Run(task, str(task_id))


def _end(task: Any = None, state: Any = None, **_: Any) -> None:
    run = vars(task.request).pop(_RUN, None)
    if isinstance(run, _Run):
        run.end(state)


def _become_worker(**_: Any) -> None:
    """Take note that this process is a worker: before it forks, and before it logs."""
    if _service is not None:
        runtime.take_role(_service)


def _keep_logging(**_: Any) -> None:
    """That somebody takes this signal keeps Celery from taking the root logger's handlers."""
    runtime.reattach()


def _checkpoint(**_: Any) -> None:
    runtime.checkpoint()


_RECEIVERS: Final = (
    (signals.celeryd_init, _become_worker),
    (signals.before_task_publish, _send),
    (signals.task_prerun, _begin),
    (signals.task_postrun, _end),
    (signals.setup_logging, _keep_logging),
    (signals.worker_process_shutdown, _checkpoint),
    (signals.worker_shutdown, _checkpoint),
)
