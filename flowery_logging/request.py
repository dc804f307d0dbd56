"""One request: the fields that each of its concurrent flows has bound.

One shared bag would put another task's field on a line; pure copy-on-write would hide from the
middleware what an endpoint in a thread bound. So values belong to *flows*:

A flow is an asyncio task together with the AnyIO worker threads that work for it (`def` endpoints
and dependencies), or a thread without a task. A line shows what its flow inherited when it began,
what it has bound since, and what the flow that opened the request binds; flows beside each other
never show on each other's lines. The opening flow also shows what all others have bound, under
names that it has not bound itself, and the access event shows the last value of every name.

All mappings are replaced, never changed, so that a reader compares them by identity and needs no
lock.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import weakref
from _thread import RLock  # a real one also where gevent has patched `threading`
from collections.abc import Callable, Mapping
from typing import Any, Final

from flowery_logging import process

Fields = Mapping[str, Any]

NO_FIELDS: Final[Fields] = {}


class Request:
    """What one request shares: its fixed fields (trace, request ID) and the bound ones.

    `base` is set once by whoever opens the request and lies below everything bound. `latest` has
    the last value of every name, whichever flow bound it; it takes no more once `closed`: what
    outlives the request (a background task) goes on reading.
    """

    __slots__ = (
        "_branches", "_opener", "_own",
        "base", "closed", "failed", "held", "latest", "ring", "trace",
    )  # fmt: skip

    def __init__(self, base: Fields = NO_FIELDS, *, trace: Any = None) -> None:
        self.base = dict(base)
        self.latest: Fields = self.base
        self.trace = trace
        self.closed = False
        self.ring: Any = None  # what the flight recorder keeps of it (see capture/flight.py)
        self.held: Any = None  # what waits until its end (see capture/sampling.py)
        self.failed = False
        self._own: Fields = self.base  # by the opening flow
        self._branches: dict[object, Fields] = {}  # by each other task
        self._opener: object = None

    def open(self) -> None:
        """Let the current flow be the one that opened this request."""
        self._opener = _flow()

    def put(self, fields: Fields) -> tuple[Fields, Fields]:
        """Add fields of the current flow, unless the request has ended.

        Returns `latest` as it was and as it is now.
        """
        return self._change(lambda known: {**known, **fields})

    def drop(self, names: tuple[str, ...]) -> tuple[Fields, Fields]:
        """Take names off in the current flow; names of `base` return to their value there."""
        base = {name: self.base[name] for name in names if name in self.base}

        def without(known: Fields) -> Fields:
            return {**{n: v for n, v in known.items() if n not in names}, **base}

        return self._change(without)

    def _change(self, change: Callable[[Fields], Fields]) -> tuple[Fields, Fields]:
        flow = _flow()
        process.look()
        with _lock:
            before = self.latest
            if not self.closed:
                self.latest = change(before)
                if flow == self._opener:
                    self._own = change(self._own)
                elif type(flow) is not int:  # threads are reused by others of the same request
                    self._branches[flow] = change(self._branches.get(flow, NO_FIELDS))
            return before, self.latest

    def layers(self) -> tuple[Fields, Fields, bool]:
        """Return what the current flow sees, lower and upper mapping, and if it is the opener."""
        flow = _flow()
        if flow == self._opener:
            return self.latest, self._own, True
        return self._own, self._branches.get(flow, NO_FIELDS), False

    def fail(self) -> None:
        """The request ends in an error: write what the flight recorder has kept."""
        self.failed = True
        if self.ring is not None:
            self.ring.write_out()
        if self.held is not None:
            self.held.keep()

    def close(self) -> None:
        """End the request: later `bind` calls become local to their own flow."""
        self.closed = True
        if self.held is not None:
            self.held.end()
        if self.ring is not None and self.failed:
            self.ring.write_out()
        elif self.ring is not None:
            self.ring.clear()


def _flow() -> object:
    """Return what tells the current flow from others: a reference to its task, or its thread."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no event loop runs in this thread
        task = _waiting_task()
    return threading.get_ident() if task is None else weakref.ref(task)


def _waiting_task() -> Any:
    """Return the task that waits for this thread, if AnyIO knows it.

    AnyIO has no public name for it; without it such a thread counts as a flow of its own.
    """
    locals_ = getattr(sys.modules.get("anyio._core._eventloop"), "threadlocals", None)
    cancel_scope = getattr(locals_, "current_cancel_scope", None)
    task = getattr(cancel_scope, "_host_task", None)
    return task if isinstance(task, asyncio.Future) else None


_lock = RLock()  # of all requests: it is held for a few assignments only


def _start_child() -> None:
    """A thread that is not in this child may have held the lock."""
    global _lock
    _lock = RLock()


process.in_each_child(_start_child)
