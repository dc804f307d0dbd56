"""One run of a task, whatever the queue: its event at the start, its event at the end, observers.

Each run has one event when it ends (logger `flowery_logging.task`) and one when it starts, in a
logger below that one, so that `levels={"flowery_logging.task.start": "WARNING"}` leaves it out.
Where a task never started there is the end alone. Metrics take the same facts from `observers`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from flowery_logging import context, runtime, trace
from flowery_logging.capture.own import OwnLogger
from flowery_logging.ecs.exception import qualified_name
from flowery_logging.integrations.cpu import ThreadTime
from flowery_logging.library_code import TASK_LOGGER
from flowery_logging.request import Request
from flowery_logging.signalled import sheltered
from flowery_logging.spent import milliseconds

logger = runtime.own_logger(TASK_LOGGER)
starts = runtime.own_logger(f"{TASK_LOGGER}.start")
sendings = runtime.own_logger(f"{TASK_LOGGER}.sent")

SUCCESS: Final = "success"
FAILURE: Final = "failure"
RETRY: Final = "retry"
IGNORED: Final = "ignored"
REJECTED: Final = "rejected"
REVOKED: Final = "revoked"
EXPIRED: Final = "expired"
TERMINATED: Final = "terminated"
TIME_LIMIT: Final = "time-limit"
LOST: Final = "lost"

# How a run ends → its event's level, and `event.outcome` (ECS). "unknown": nobody has failed, but
# the task has not done its work either.
_KINDS: Final[dict[str, tuple[int, str]]] = {
    SUCCESS: (logging.INFO, "success"),
    FAILURE: (logging.ERROR, "failure"),
    RETRY: (logging.WARNING, "unknown"),
    IGNORED: (logging.INFO, "unknown"),
    REJECTED: (logging.WARNING, "unknown"),
    REVOKED: (logging.WARNING, "unknown"),
    EXPIRED: (logging.WARNING, "failure"),
    TERMINATED: (logging.WARNING, "unknown"),
    TIME_LIMIT: (logging.ERROR, "failure"),
    LOST: (logging.ERROR, "failure"),
}


@dataclass(frozen=True, slots=True)
class Ended:
    """What an observer learns of the end of one run. Times are in nanoseconds.

    `how` is one of this module's names, `outcome` that of the event: `success`, `failure` or
    `unknown`. `duration` is None where the task never started, `waited` (from the sending, or from
    the time that it was to run at, to the start) where the sender did not say.
    """

    name: str
    task_id: str
    how: str
    outcome: str
    duration: int | None
    waited: int | None
    trace_id: str


Observer: TypeAlias = Callable[[Ended], None]

observers: tuple[Observer, ...] = ()
"""Called with each run that has ended, in the process that learns of it, in the task's context.

Replaced, never changed: `tasks.observers = (*tasks.observers, count)`. What one raises is not seen.
Nothing is made for them while there are none. A task that is killed ends in the worker's main
process, all others in their own.
"""


def tell_sent(
    name: str, task_id: str | None, schedule: str, error: BaseException | None = None
) -> None:
    """Write the event of a task that a scheduler has sent, or could not send."""
    facts = {
        "task": name,
        "task_id": task_id,
        "task_schedule": schedule,
        "error.type": error and qualified_name(type(error)),
    }
    fields = {
        "event.kind": "event",
        "event.category": ["process"],
        "event.type": ["info"],
        "event.action": "task-sent",
        "event.outcome": "failure" if error else "success",
        **{name: value for name, value in facts.items() if value is not None},
    }
    level, what = (logging.ERROR, "not sent") if error else (logging.INFO, "sent")
    with sheltered:
        sendings.log(level, "task %s: %s", name, what, extra=fields)


class Run:
    """One run of a task: who it is, and what has been told of it.

    Args:
        name, task_id: stand on all lines as `task` and `task_id`.
        request: holds the trace of the run, from its first to its last line.
        retries: the number of this try, from 0 on.
    """

    __slots__ = ("begun", "cpu", "ended", "name", "request", "task_id", "waited")

    def __init__(self, name: str, task_id: str, request: Request, retries: int = 0) -> None:
        self.name = name
        self.task_id = task_id
        self.request = request
        request.base |= {"task": name, "task_id": task_id}
        if retries:
            request.base["task_retries"] = retries
        self.begun: int | None = None  # of a monotonic clock, in nanoseconds
        self.waited: int | None = None
        self.cpu: ThreadTime | None = None
        self.ended = False

    def start(self, now: int) -> None:
        """Write the event of the start; `now` is in nanoseconds of a monotonic clock."""
        self.begun = now
        fields = {"event.type": ["start"], "event.action": "task-start"}
        self._log(starts, logging.INFO, "started", fields)

    def end(
        self,
        how: str,
        now: int,
        level: int | None = None,
        *,
        outcome: str | None = None,
        reason: str | None = None,
        error: BaseException | None = None,
    ) -> None:
        """Write the event of the end, once, and tell the observers.

        `reason` goes to `event.reason`, the class of `error` to `error.type`; `level` and `outcome`
        stand for those of `how`.
        """
        if self.ended:
            return
        self.ended = True
        known_level, known_outcome = _KINDS[how]
        level, outcome = level or known_level, outcome or known_outcome
        if level >= logging.ERROR:
            self.request.fail()
        duration = None if self.begun is None else max(0, now - self.begun)
        facts = {
            "event.duration": duration,
            "event.reason": reason,
            "error.type": error and qualified_name(type(error)),
        }
        fields = {
            "event.type": ["end"],
            "event.action": f"task-{how}",
            "event.outcome": outcome,
            **{name: value for name, value in facts.items() if value is not None},
        }
        self._add_costs(fields, duration)
        self._log(logger, level, f"{how} ({reason})" if reason else how, fields)
        if observers:
            self._tell(how, outcome, duration)

    def _add_costs(self, fields: dict[str, Any], duration: int | None) -> None:
        """Add what has taken the run's time, as far as this process knows it."""
        if self.request.spent is not None:
            fields.update(self.request.spent.fields())
        if self.cpu is not None and duration is not None:
            self.cpu.add_to(fields, duration)

    def _log(self, log: OwnLogger, level: int, what: str, fields: dict[str, Any]) -> None:
        common: dict[str, Any] = {
            "event.kind": "event",
            "event.category": ["process"],
            "event.outcome": "unknown",
        }
        if self.waited is not None:
            common["task_wait_ms"] = milliseconds(self.waited)
        common |= trace.caller(self.request)
        with sheltered, context.inside(context.whole(self.request)):
            log.log(level, "task %s: %s", self.name, what, extra={**common, **fields})

    def _tell(self, how: str, outcome: str, duration: int | None) -> None:
        trace_id = str(self.request.base.get("trace.id", ""))
        ended = Ended(self.name, self.task_id, how, outcome, duration, self.waited, trace_id)
        with context.inside(context.whole(self.request)):
            for observe in observers:
                with sheltered:
                    observe(ended)
