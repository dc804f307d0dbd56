"""The CPU time of a request or a task, where its thread works for it alone.

In an event loop, and between greenlets, one thread works for many at a time, and a request has its
work done by other threads and tasks too: what was its own cannot be told there, so nothing is.
"""

from __future__ import annotations

import threading
from typing import Any

from flowery_logging.request import Request
from flowery_logging.spent import milliseconds
from flowery_logging.system import System


class ThreadTime:
    """The CPU time of the current thread, from now on."""

    __slots__ = ("_begun", "_thread")

    def __init__(self, thread: int) -> None:
        self._thread = thread
        self._begun = System.thread_time_ns()

    def add_to(self, fields: dict[str, Any], duration: int) -> None:
        """Add what an event tells of it; nothing where another thread ends the request.

        It is no more than the `duration` in nanoseconds, which ends before its event is made.
        """
        if threading.get_ident() == self._thread:
            spent = System.thread_time_ns() - self._begun
            fields["thread_cpu_ms"] = milliseconds(min(spent, duration))


def thread_time(request: Request) -> ThreadTime | None:
    """Return the CPU time of a request that the current flow has opened just now."""
    thread = request.thread
    return None if thread is None else ThreadTime(thread)
