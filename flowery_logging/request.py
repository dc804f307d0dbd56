"""One request: the fields that each of its concurrent flows has bound.

One shared bag would put another task's field on a line; pure copy-on-write would hide from the
middleware what an endpoint in a thread bound. So values belong to *flows*:

A flow is a task of asyncio or Trio together with the worker threads of AnyIO or Trio that work for
it (`def` endpoints and dependencies), a greenlet, or a thread without any of them. A line shows
what its flow inherited when it began, what it has bound since, and what the flow that opened the
request binds; flows beside each other never show on each other's lines. The opening flow also shows
what all others have bound, under names that it has not bound itself, and the access event shows the
last value of every name.

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
from functools import partial
from typing import Any

from flowery_logging import foreign, process
from flowery_logging.event_parts import NO_FIELDS, Fields
from flowery_logging.spent import Spent


class Request:
    """What one request shares: its identity (trace, request ID) and the bound fields.

    `base`, the identity, is set by whoever opens the request and lies below everything bound.
    `latest` has the last value of every name, whichever flow bound it; it takes no more once
    `closed`: what outlives the request (a background task) goes on reading.

    The request holds its identity from its first line to its last, wherever that is logged. What
    others know better (an agent its span, another middleware its request ID) it adopts when it is
    seen first, and keeps when they have forgotten it. Lines outside of every flow find the request
    by what they speak of: a record by its own `request`, an exception by the request that it left.
    """

    __slots__ = (
        "__weakref__", "_branches", "_opener", "_own", "_replaced", "baggage", "base", "closed",
        "entry", "failed", "held", "latest", "refused", "ring", "route", "spent", "trace",
    )  # fmt: skip

    def __init__(self, base: Fields = NO_FIELDS, *, trace: Any = None) -> None:
        self.base = dict(base)
        self.latest: Fields = self.base
        self.trace = trace
        self.entry: Any = None  # the span with which an agent's trace has entered (see agents.py)
        self.baggage = ""  # what passes through to outgoing calls (see baggage.py)
        self.spent: Spent | None = None  # on its calls and queries, from the first one on
        self.route: str | None = None  # as a middleware inside tells it (integrations/nested.py)
        self.refused: Any = None  # what of its input was invalid (see integrations/validation.py)
        self.closed = False
        self.ring: Any = None  # what the flight recorder keeps of it (see capture/flight.py)
        self.held: Any = None  # what waits until its end (see capture/sampling.py)
        self.failed = False
        self._own: Fields = self.base  # by the opening flow
        self._branches: dict[object, Fields] = {}  # by each other task, while that lives
        self._opener: object = None
        self._replaced: Mapping[str, tuple[Any, ...]] = NO_FIELDS  # what stood in `base` before

    @property
    def trace_id(self) -> str | None:
        """The trace that the request belongs to; None if it has none."""
        return self.base.get("trace.id")

    @property
    def request_id(self) -> str | None:
        """The request ID: the one that goes out with calls and back with the response."""
        return self.base.get("http.request.id")

    def adopt(self, identity: Fields) -> None:
        """Let names of `base` have other values, but where something else has been bound."""
        with _lock:
            known = self.base
            changed = {name: v for name, v in identity.items() if known.get(name) != v}
            if not changed:
                return
            former = {name: (*self._replaced.get(name, ()), known.get(name)) for name in changed}
            self._replaced = {**self._replaced, **former}
            base = self.base = {**known, **changed}
            self.latest = _renamed(self.latest, known, base, changed)
            self._own = _renamed(self._own, known, base, changed)

    def has_adopted(self, name: str) -> bool:
        """Tell whether a name of `base` has got another value than it began with."""
        return name in self._replaced

    def renewed(self, fields: Fields) -> Fields:
        """Return what a flow has seen earlier without those values of `base` that are no more."""
        replaced = self._replaced
        if not replaced:
            return fields
        return {n: v for n, v in fields.items() if n not in replaced or v not in replaced[n]}

    @property
    def thread(self) -> int | None:
        """The number of the thread that works for this request alone while it lasts.

        None where it shares a thread: in an event loop, or between greenlets.
        """
        return self._opener if type(self._opener) is int else None

    def called(self, span_id: str | None) -> None:
        """Take note of a call that goes out, so that the lines of the other side find this one.

        `span_id` is None where the call carries none.
        """
        process.look()
        with _lock:
            self._spending().called(span_id)

    def waited_for_call(self, nanoseconds: int) -> None:
        """Take note of how long a call has taken."""
        process.look()
        with _lock:
            self._spending().calls_time += nanoseconds

    def queried(self, nanoseconds: int) -> None:
        """Take note of a database query, and of how long it has taken."""
        process.look()
        with _lock:
            self._spending().queried(nanoseconds)

    def _spending(self) -> Spent:
        if self.spent is None:
            self.spent = Spent()
        return self.spent

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
                    self._branch(flow, change)
            return before, self.latest

    def _branch(self, flow: Any, change: Callable[[Fields], Fields]) -> None:
        """Change what a task has bound; it is forgotten with the task, of which there are many.

        A reference with a callback is equal to one without while the task lives.
        """
        known = self._branches.get(flow)
        if known is None:
            forget = partial(_forget, weakref.ref(self))
            self._branches[weakref.ref(flow(), forget)] = change(NO_FIELDS)
        else:
            self._branches[flow] = change(known)

    def forget(self, flow: object) -> None:
        """Forget what a task has bound that is gone."""
        self._branches.pop(flow, None)

    def layers(self) -> tuple[Fields, Fields, bool]:
        """Return what the current flow sees, lower and upper mapping, and if it is the opener."""
        flow = _flow()
        if flow == self._opener:
            return self.latest, self._own, True
        return self._own, self._branches.get(flow, NO_FIELDS), False

    def shared(self) -> Fields:
        """Return what all flows of the request see: what the one that opened it has bound."""
        return self._own

    def fail(self) -> None:
        """Write what the flight recorder has kept, as the request ends in an error."""
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


def _renamed(seen: Fields, known: Fields, base: Fields, changed: Fields) -> Fields:
    """Return `seen` with the changed names of `base`, but those that somebody has bound."""
    if seen is known:
        return base
    return {**seen, **{n: v for n, v in changed.items() if seen.get(n) == known.get(n)}}


def _forget(request: weakref.ref[Request], flow: object) -> None:
    """Forget a task that has been collected; by any thread, at any moment, so without the lock."""
    known = request()
    if known is not None:
        known.forget(flow)


def _flow() -> object:
    """Return what tells the current flow from others: a reference to its task, or its thread."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no event loop runs in this thread
        task = _waiting_task()
    found = task or _trio_task() or greenlet_here()
    return threading.get_ident() if found is None else weakref.ref(found)


def _waiting_task() -> Any:
    """Return the task that waits for this thread, if AnyIO knows it.

    AnyIO has no public name for it; without it such a thread counts as a flow of its own.
    """
    locals_ = getattr(sys.modules.get(foreign.ANYIO_EVENT_LOOP), "threadlocals", None)
    cancel_scope = getattr(locals_, "current_cancel_scope", None)
    task = getattr(cancel_scope, foreign.ANYIO_HOST_TASK, None)
    return task if isinstance(task, asyncio.Future) else None


def _trio_task() -> Any:
    """Return Trio's task that runs here or, in a worker thread of Trio's, that waits for it.

    Trio has no public name for the latter; without it such a thread counts as a flow of its own.
    """
    trio = sys.modules.get("trio.lowlevel")
    if trio is None:
        return None
    try:
        return trio.current_task()
    except RuntimeError:  # Trio does not run in this thread
        of_thread = getattr(sys.modules.get(foreign.TRIO_THREADS), "PARENT_TASK_DATA", None)
        return next(iter(getattr(of_thread, "task_register", ())), None)


def greenlet_here() -> Any:
    """Return the greenlet that runs here (gevent, eventlet), unless it is the thread's own."""
    greenlet = sys.modules.get("greenlet")
    try:
        current = None if greenlet is None else greenlet.getcurrent()
    except AttributeError:  # it is being imported
        return None
    return None if current is None or current.parent is None else current


_lock = RLock()  # of all requests: it is held for a few assignments only


def _start_child() -> None:
    """Make the lock anew: a thread that is not in this child may have held it."""
    global _lock
    _lock = RLock()


process.in_each_child(_start_child)
