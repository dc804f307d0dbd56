"""The main process of a worker: it tells of the tasks whose own process cannot.

A task that is revoked never gets to a process; one that exceeds its hard time limit, is terminated
or whose process is lost (killed, out of memory) has no process any more that could write its end.
The main process writes it, and its own lines about the task carry the task's trace.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final
from weakref import WeakValueDictionary, ref

from billiard.exceptions import TimeLimitExceeded
from billiard.pool import MaybeEncodingError
from celery.concurrency.base import BasePool
from celery.exceptions import Ignore, Reject, Retry, Terminated, WorkerLostError
from celery.worker import request as requests
from celery.worker.consumer import consumer

from flowery_logging import context, runtime
from flowery_logging.capture.patch import Patch
from flowery_logging.foreign import CELERY_APPLY_RESULT, getframe
from flowery_logging.integrations import celery_told, tasks
from flowery_logging.integrations.celery_messages import HOP, hop_of, run_of, waited
from flowery_logging.scope import Scope
from flowery_logging.system import System

_JOB: Final = "flowery_logging_job"  # the attribute of a worker's request that holds our state
_TOLD_ELSEWHERE: Final = (
    *(Ignore, Reject, Retry, Terminated, TimeLimitExceeded),
    *(MaybeEncodingError, MemoryError),
)
"""Failures that the main process hears of, and whose end is told by others."""


class _Job:
    """A task as the main process knows it, as long as Celery keeps its request."""

    def __init__(self, request: Any) -> None:
        headers = request.request_dict
        self.slot = celery_told.new_slot()
        self.run = run_of(request.name, request.id, headers, headers.get("retries"))
        self.scope = context.opened(self.run.request)
        self.request = ref(request)
        self.is_dying = False  # its process was told to end, or has said that it does
        self.is_sent_again = False
        self.exit: tuple[str, int] | None = None  # how, and when by the monotonic clock
        self._is_ours: bool | None = None

    def claim(self) -> bool:
        """Tell whether the main process is the one that tells of the end."""
        if self._is_ours is None:
            self._is_ours = celery_told.claim(self.slot)
        return self._is_ours

    def end(self, how: str, **facts: Any) -> None:
        """Write the end, unless it is written."""
        if self.claim():
            ended = System.monotonic_ns() if self.exit is None else self.exit[1]
            with context.inside(self.scope):
                self.run.end(how, ended, **facts)

    def has_process(self) -> bool:
        """Tell whether the process that has accepted it last is still to be seen as its own."""
        result = getattr(self.request(), CELERY_APPLY_RESULT, None)
        known = result() if isinstance(result, ref) else None
        return self.is_dying or (known is not None and not known.ready())


_jobs: Final[WeakValueDictionary[str, _Job]] = WeakValueDictionary()  # by task ID
_processes: Final[dict[int, _Job]] = {}  # by the number of the process that has accepted it last
_COLD_SHUTDOWN: Final = "cancel_active_requests"
"""The method of Celery's consumer that cancels what runs because the worker shuts down."""

_ENDS: Final = "the worker shuts down"
_IS_CUT_OFF: Final = "the connection to the broker was lost"

_MOST_PROCESSES: Final = 4096


def _job(request: Any) -> _Job:
    """Return the job of a worker's request, made at the first question."""
    known = vars(request).get(_JOB)
    if known is None:
        known = vars(request)[_JOB] = _Job(request)
        _jobs[request.id] = known
        request.request_dict[HOP] = hop_of(known.run, known.slot)
    return known  # type: ignore[no-any-return]


def receive(request: object = None, **_: object) -> None:
    """Take note of a task that a worker has received: its process is to go on with this run."""
    follow()
    _job(request)


def note_retry(request: object = None, **_: object) -> None:
    """Take note that a lost task is sent again."""
    job = _jobs.get(getattr(request, "id", ""))
    if job is not None:
        job.is_sent_again = True


def revoke(
    request: object = None,
    terminated: object = None,
    signum: object = None,
    expired: object = None,
    **_: object,
) -> None:
    """Write the end of a task that was called back."""
    job = _jobs.get(getattr(request, "id", ""))
    if job is None:
        return  # this worker was not followed when it received the task
    if terminated:
        job.end(tasks.TERMINATED, reason=f"signal {signum}" if signum else None)
    else:
        job.end(tasks.EXPIRED if expired else tasks.REVOKED)


def _made(theirs: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(theirs)
    def init(self: object, *args: object, **named: object) -> None:
        theirs(self, *args, **named)
        _job(self)

    return init


def _on_accepted(theirs: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(theirs)
    def on_accepted(self: Any, pid: int, time_accepted: float) -> Any:
        job = _job(self)
        job.run.begun = int(time_accepted * 1e9)
        began = System.time() - (System.monotonic() - time_accepted)
        job.run.waited = waited(self.request_dict, began)
        while len(_processes) >= _MOST_PROCESSES:
            _processes.pop(next(iter(_processes)), None)
        _processes[pid] = job
        with context.inside(job.scope):
            return theirs(self, pid, time_accepted)

    return on_accepted


def _on_timeout(theirs: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(theirs)
    def on_timeout(self: object, soft: bool, timeout: float) -> Any:
        job = _job(self)
        job.is_dying = job.is_dying or not soft
        with context.inside(job.scope):
            try:
                return theirs(self, soft, timeout)
            finally:
                if not soft:
                    reason = f"hard time limit of {timeout} s"
                    job.end(tasks.TIME_LIMIT, reason=reason, error=TimeLimitExceeded(timeout))

    return on_timeout


def _killing(theirs: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap what ends the process of a task that has begun: the process is not to tell of it."""

    @wraps(theirs)
    def kill(self: Any, pool: object, *args: object, **named: object) -> Any:
        job = _job(self)
        if self.time_start and _ends_tasks(pool):
            job.is_dying = True
            job.claim()
        with context.inside(job.scope):
            return theirs(self, pool, *args, **named)

    return kill


def _ends_tasks(pool: Any) -> bool:
    """Tell whether a pool can end a task that runs: in one of threads it goes on to its end."""
    method = getattr(pool, "terminate_job", None)
    return getattr(method, "__func__", None) is not BasePool.terminate_job


def _cancelling(theirs: Callable[..., Any]) -> Callable[..., Any]:
    kill = _killing(theirs)

    @wraps(theirs)
    def cancel(self: Any, pool: object, *args: object, **named: object) -> Any:
        ends = getframe(1).f_code.co_name == _COLD_SHUTDOWN
        try:
            return kill(self, pool, *args, **named)
        finally:
            if self.time_start and _ends_tasks(pool):
                _job(self).end(tasks.TERMINATED, reason=_ENDS if ends else _IS_CUT_OFF)

    return cancel


def _on_failure(theirs: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(theirs)
    def on_failure(self: object, exc_info: Any, *args: object, **named: object) -> Any:
        job = _job(self)
        error = getattr(exc_info.exception, "exc", None) or exc_info.exception
        job.is_dying = job.is_dying or isinstance(error, (SystemExit, KeyboardInterrupt))
        with context.inside(job.scope):
            try:
                return theirs(self, exc_info, *args, **named)
            finally:
                if not named.get("return_ok"):
                    _tell_failure(job, error)

    return on_failure


def _tell_failure(job: _Job, error: object) -> None:
    """Write the end of a task whose process could not."""
    if isinstance(error, WorkerLostError):
        reason = str(error) if job.exit is None else f"its process has exited with {job.exit[0]}"
        level = logging.WARNING if job.is_sent_again else None
        job.end(tasks.LOST, reason=reason, error=error, level=level)
    elif not isinstance(error, _TOLD_ELSEWHERE):
        job.end(tasks.FAILURE, error=error)


def _inside(theirs: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(theirs)
    def inside(self: object, *args: object, **named: object) -> Any:
        with context.inside(_job(self).scope):
            return theirs(self, *args, **named)

    return inside


def _on_unknown(theirs: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap what rejects the message of a task that this worker does not have."""

    @wraps(theirs)
    def on_unknown_task(self: object, body: object, message: Any, exc: object) -> Any:
        headers = message.headers or {}
        run = run_of(str(headers.get("task", exc)), str(headers.get("id", "")), headers)
        with context.inside(context.opened(run.request)):
            try:
                return theirs(self, body, message, exc)
            finally:
                now, reason = System.monotonic_ns(), "not registered"
                run.end(tasks.REJECTED, now, logging.ERROR, outcome="failure", reason=reason)

    return on_unknown_task


_PATCHES: Final = (
    (Patch(requests.Request, "__init__"), _made),
    (Patch(requests.Request, "on_accepted"), _on_accepted),
    (Patch(requests.Request, "on_timeout"), _on_timeout),
    (Patch(requests.Request, "on_failure"), _on_failure),
    (Patch(requests.Request, "terminate"), _killing),
    (Patch(requests.Request, "cancel"), _cancelling),
    (Patch(requests.Request, "revoked"), _inside),
    (Patch(requests.Request, "acknowledge"), _inside),
    (Patch(requests.Request, "reject"), _inside),
    (Patch(consumer.Consumer, "on_unknown_task"), _on_unknown),
)


def follow() -> None:
    """Follow the requests of this worker; before its pool forks, and takes their methods."""
    celery_told.share()
    for patch, wrapping in _PATCHES:
        patch.apply(wrapping)
    runtime.place("multiprocessing", _scope_of_exit)  # billiard's
    for logger in ("celery.worker.strategy", "celery.worker.control"):
        runtime.place(logger, _scope_of_named)


def leave() -> None:
    """Undo `follow`."""
    for patch, _ in _PATCHES:
        patch.undo()
    _processes.clear()


def _scope_of_exit(record: logging.LogRecord) -> Scope | None:
    """Return the scope of the task that a process was running, of "Process … exited with …"."""
    if not str(record.msg).startswith("Process %r pid:%r exited with"):
        return None
    args: Any = record.args
    job = _processes.pop(args[1], None)
    if job is None or not job.has_process():
        return None
    job.exit = str(args[2]), System.monotonic_ns()
    return job.scope


def _scope_of_named(record: logging.LogRecord) -> Scope | None:
    """Return the scope of the task whose ID is among the arguments of a line."""
    args: Any = record.args
    values = args.values() if isinstance(args, Mapping) else args or ()
    found = (_jobs.get(value) for value in values if isinstance(value, str))
    job = next(filter(None, found), None)
    return None if job is None else job.scope
