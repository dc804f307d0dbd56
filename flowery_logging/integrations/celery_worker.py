"""The main process of a worker: it tells of the tasks whose own process cannot.

A task that is revoked never gets to a process; one that exceeds its hard time limit, is terminated
or whose process is lost (killed, out of memory) has no process any more that could write its end.
The main process writes it, once, and its own lines about the task carry the task's trace.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from weakref import WeakValueDictionary, ref

from billiard.exceptions import TimeLimitExceeded
from billiard.pool import MaybeEncodingError
from celery.exceptions import Ignore, Reject, Retry, Terminated, WorkerLostError
from celery.worker import request as requests

from flowery_logging import context, runtime
from flowery_logging.capture.patch import Patch
from flowery_logging.integrations import tasks
from flowery_logging.integrations.celery_messages import HOP, hop_of, run_of, waited

_JOB: Final = "flowery_logging_job"  # the attribute of a worker's request that holds our state
_POOL_LOGGER: Final = "multiprocessing"  # billiard's: "Process … exited with …"
_TOLD_BY_THE_CHILD: Final = (
    *(Ignore, Reject, Retry, Terminated, TimeLimitExceeded),
    *(MaybeEncodingError, MemoryError, SystemExit, KeyboardInterrupt),
)
"""Failures that the main process hears of, and whose end is told elsewhere."""


class _Job:
    """A task as the main process knows it, as long as Celery keeps its request."""

    def __init__(self, request: Any) -> None:
        self.run = run_of(request.name, request.id, request.request_dict, _retries(request))
        self.scope = context.opened(self.run.request)
        self.owner = os.getpid()  # a child inherits the jobs of that moment: they are not its own
        self.request = ref(request)
        self.retried = False

    def end(self, how: str, **facts: Any) -> None:
        """Write the end, unless it is written; what Celery logs later still has the scope."""
        with context.inside(self.scope):
            self.run.end(how, time.monotonic_ns(), **facts)

    def is_running(self) -> bool:
        """Tell whether its process still owes the end, or was ended by us."""
        request = self.request()
        result = getattr(request, "_apply_result", None)
        known = result() if isinstance(result, ref) else None
        return self.run.ended or (known is not None and not known.ready())


_jobs: Final[WeakValueDictionary[str, _Job]] = WeakValueDictionary()  # by task ID
_processes: Final[dict[int, _Job]] = {}  # by the number of the process that has accepted it last
_MOST_PROCESSES: Final = 4096


def _retries(request: Any) -> Any:
    return request.request_dict.get("retries")


def _job(request: Any) -> _Job:
    """Return the job of a worker's request, made at the first question."""
    known = vars(request).get(_JOB)
    if known is None:
        known = vars(request)[_JOB] = _Job(request)
        _jobs[request.id] = known
        request.request_dict[HOP] = hop_of(known.run)
    return known  # type: ignore[no-any-return]


def receive(request: Any = None, **_: Any) -> None:
    """Take note of a task that a worker has received: its process is to go on with this run."""
    follow()
    _job(request)


def note_end(task_id: str) -> None:
    """The task has told of its end in this process: a pool of threads or greenlets has no other."""
    job = _jobs.get(task_id)
    if job is not None and job.owner == os.getpid():
        job.run.ended = True


def note_retry(request: Any = None, **_: Any) -> None:
    """A lost task is sent again."""
    job = _jobs.get(getattr(request, "id", ""))
    if job is not None:
        job.retried = True


def revoke(
    request: Any = None,
    terminated: Any = None,
    signum: Any = None,
    expired: Any = None,
    **_: Any,
) -> None:
    """Write the end of a task that was called back."""
    job = _jobs.get(getattr(request, "id", ""))
    if job is None:
        return  # `Request.revoked` and `Request.terminate` are ours, and have made one
    if terminated:
        job.end(tasks.TERMINATED, reason=f"signal {signum}" if signum else None)
    else:
        job.end(tasks.EXPIRED if expired else tasks.REVOKED)


def _on_accepted(theirs: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(theirs)
    def on_accepted(self: Any, pid: int, time_accepted: float) -> Any:
        job = _job(self)
        job.run.begun = int(time_accepted * 1e9)
        began = time.time() - (time.monotonic() - time_accepted)
        job.run.waited = waited(self.request_dict, began)
        while len(_processes) >= _MOST_PROCESSES:
            _processes.pop(next(iter(_processes)), None)
        _processes[pid] = job
        with context.inside(job.scope):
            return theirs(self, pid, time_accepted)

    return on_accepted


def _on_timeout(theirs: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(theirs)
    def on_timeout(self: Any, soft: bool, timeout: float) -> Any:
        job = _job(self)
        with context.inside(job.scope):
            try:
                return theirs(self, soft, timeout)
            finally:
                if not soft:
                    reason = f"hard time limit of {timeout}s"
                    job.end(tasks.TIME_LIMIT, reason=reason, error=TimeLimitExceeded(timeout))

    return on_timeout


def _on_failure(theirs: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(theirs)
    def on_failure(self: Any, exc_info: Any, *args: Any, **named: Any) -> Any:
        job = _job(self)
        with context.inside(job.scope):
            try:
                return theirs(self, exc_info, *args, **named)
            finally:
                if not named.get("return_ok"):
                    _tell_failure(job, exc_info.exception)

    return on_failure


def _tell_failure(job: _Job, error: Any) -> None:
    """Write the end of a task whose process could not."""
    error = getattr(error, "exc", None) or error  # celery's ExceptionWithTraceback
    if isinstance(error, WorkerLostError):
        facts: dict[str, Any] = {"reason": str(error), "error": error}
        if job.retried:
            facts["level"] = logging.WARNING
        job.end(tasks.LOST, **facts)
    elif not isinstance(error, _TOLD_BY_THE_CHILD):
        job.end(tasks.FAILURE, error=error)


def _inside(theirs: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(theirs)
    def inside(self: Any, *args: Any, **named: Any) -> Any:
        with context.inside(_job(self).scope):
            return theirs(self, *args, **named)

    return inside


_PATCHES: Final = (
    (Patch(requests.Request, "on_accepted"), _on_accepted),
    (Patch(requests.Request, "on_timeout"), _on_timeout),
    (Patch(requests.Request, "on_failure"), _on_failure),
    (Patch(requests.Request, "revoked"), _inside),
    (Patch(requests.Request, "terminate"), _inside),
    (Patch(requests.Request, "cancel"), _inside),
    (Patch(requests.Request, "acknowledge"), _inside),
    (Patch(requests.Request, "reject"), _inside),
)


def follow() -> None:
    """Follow the requests of this worker; before its pool takes their methods."""
    for patch, wrapping in _PATCHES:
        patch.apply(wrapping)
    runtime.place(_POOL_LOGGER, _scope_of_exit)


def leave() -> None:
    """Undo `follow`."""
    for patch, _ in _PATCHES:
        patch.undo()
    _processes.clear()


def _scope_of_exit(record: logging.LogRecord) -> context.Scope | None:
    """Return the scope of the task that a process was running, which has exited."""
    args = record.args
    pid: Any = args[1] if isinstance(args, tuple) and len(args) == 3 else None
    job = _processes.get(pid) if isinstance(pid, int) else None
    if job is None or not job.is_running():
        return None
    if job.run.ended:
        _processes.pop(pid, None)
    return job.scope
