"""Sampling by trace: of so many requests all lines are written, of the others what matters.

The trace ID decides, by its last 56 bits, which W3C Trace Context has random; OpenTelemetry's
consistent sampling reads them alike. So all services with one rate keep the same requests, and one
with a lower rate keeps some of those. Of the others these are written all the same: events from
WARNING on; and everything of a request that logs an error, fails, or is slow. That is known at its
end, so the lines of a request wait in memory until then.

What is left out takes no number, and records of the library's own say how many events it was.
"""

from __future__ import annotations

import logging
import weakref
from _thread import RLock  # a real one also where gevent has patched `threading`
from time import time as _now
from typing import Any, Final

from flowery_logging import context, process
from flowery_logging.capture.flight import Ring
from flowery_logging.capture.gate import PASSES, is_own
from flowery_logging.capture.sink import Sink, this_thread
from flowery_logging.ecs import Event
from flowery_logging.ecs.event import rfc3339
from flowery_logging.levels import number_of
from flowery_logging.library_code import OWN_LOGGER
from flowery_logging.request import Request
from flowery_logging.system import System

SECONDS: Final = 60.0
"""How often it is said how much was left out."""

_RANDOM_DIGITS: Final = 14
_RANDOM_BITS: Final = 56


class Held(Ring):
    """The lines of one request until it is known whether they are to be written."""

    def __init__(self, sampler: Sampler) -> None:
        super().__init__(sampler)
        self.kept = False
        self._sampler = sampler
        self._taken = 0
        self._begun = _now()
        sampler.begin(self)

    def write(self, before: bytes, after: bytes) -> None:
        """Hold an event, or write it if the request is kept by now."""
        if self.kept:
            self._sampler.sink.writer.write(before, after)
            return
        self._take_over()
        self._taken += 1
        self.put((before, after))

    def keep(self) -> None:
        """Write what is held, and all that comes."""
        self.kept = True
        self._take_over()
        taken, self._taken = self._taken, 0
        self._sampler.leave_out(taken - len(self._events), requests=0)
        self.write_out()

    def end(self) -> None:
        """Forget what is held, as the request has ended, unless that took long."""
        # Another thread may have put a line here while the request came to be kept.
        if self.kept or _now() - self._begun >= self._sampler.slow:
            self.keep()
        self._take_over()
        self.clear()
        self._sampler.forget(self)
        taken, self._taken = self._taken, 0
        self._sampler.leave_out(taken, requests=taken > 0)

    def _take_over(self) -> bool:
        """Leave to the parent what a forked child finds here, and to count it."""
        in_child = super()._take_over()
        if in_child:
            self._taken = 0
        return in_child

    def __del__(self) -> None:
        """Count what a request has left that never ended."""
        self.clear()
        self._sampler.count(self._taken, requests=self._taken > 0)


class Sampler:
    """Writes the lines of `rate` of the traces (0 to 1); a request is slow from `slow` seconds on.

    Events without a trace, and the library's records about itself, always pass.
    """

    def __init__(self, rate: float, slow: float, sink: Sink) -> None:
        self.sink = sink
        self.slow = slow
        self.lock = RLock()
        self.total = 0  # bytes that all requests hold
        self.child = 0
        self._rate = rate
        self._threshold = round((1 - rate) * (1 << _RANDOM_BITS))
        self._left_out = self._requests = 0
        self._since = _now()
        self._due = 0.0
        self._running: weakref.WeakSet[Held] = weakref.WeakSet()
        process.renew_in_children(self)

    def target(self, event: Event) -> Any:
        """Return where an event goes: on its way, to what its request holds, or None."""
        if event.site.log.get("logger") == OWN_LOGGER:
            return PASSES
        trace_id: Any = event.bound.get("trace.id") or event.fields.get("trace.id")
        if type(trace_id) is not str or self._is_sampled(trace_id):
            return PASSES
        return self._unsampled(event)

    def _is_sampled(self, trace_id: str) -> bool:
        try:
            return int(trace_id[-_RANDOM_DIGITS:], 16) >= self._threshold
        except ValueError:
            return True  # no trace ID of W3C

    def _unsampled(self, event: Event) -> Any:
        process.look()
        request = context.current_request()
        held = self._held(request)
        number = number_of(event.site.level, logging.INFO)
        if number >= logging.ERROR or event.error is not None or self._is_slow(event):
            if held is not None and not held.kept:
                held.keep()
            return PASSES
        if number >= logging.WARNING or (held is not None and held.kept):
            return PASSES
        if held is None or request is None or request.closed:
            self.leave_out(1, requests=0)
            return None
        return held

    def _held(self, request: Request | None) -> Held | None:
        """Return what holds the lines of a request; None where there is no request."""
        if request is None:
            return None
        if request.held is None:
            request.held = Held(self)
            request.held.kept = request.failed
        held: Held = request.held
        return held

    def _is_slow(self, event: Event) -> bool:
        """Tell whether an event of the library's own tells of something that took long."""
        nanoseconds = event.fields.get("event.duration") if is_own(event.site) else None
        return type(nanoseconds) is int and nanoseconds >= self.slow * 1e9

    def leave_out(self, events: int, *, requests: int) -> None:
        """Count events that are left out, and say so when it is time."""
        self.count(events, requests=requests)
        if self._left_out and System.monotonic() >= self._due:
            self._say()

    def count(self, events: int, *, requests: int) -> None:
        """Count events that are left out. It writes nothing."""
        if events > 0:
            process.look()
            with self.lock:
                self._left_out += events
                self._requests += requests
            self.sink.counters.add("left_out_by_sampling", events)

    def begin(self, held: Held) -> None:
        """Take note of a request that holds lines."""
        with self.lock:
            self._running.add(held)

    def forget(self, held: Held) -> None:
        """Take note that it holds none any more."""
        with self.lock:
            self._running.discard(held)

    def tell(self) -> None:
        """Write what requests hold that have not ended: they may never; say what was left out."""
        process.look()
        with self.lock:
            running = [held for held in self._running if not held.kept]
        for held in running:
            held.keep()
        self._say()

    def _say(self) -> None:
        """Write how much was left out since it was said last."""
        process.look()
        now = _now()
        with self.lock:
            events, self._left_out = self._left_out, 0
            requests, self._requests = self._requests, 0
            since, self._since = self._since, now
            self._due = System.monotonic() + SECONDS
        if events:
            self.sink.write(self._announcement(events, requests, since, now))

    def _announcement(self, events: int, requests: int, since: float, now: float) -> Event:
        encoder = self.sink.encoder
        site = encoder.site((OWN_LOGGER, "sampled"), "info", OWN_LOGGER, "", 0, None)
        fields = {
            "event.kind": "metric",
            "event.action": "log-sampled",
            "event.start": rfc3339(since),
            "event.end": rfc3339(now),
            "left_out": events,
            "left_out_requests": requests,
            "sample_rate": self._rate,
        }
        message = f"{events} events of {requests} requests left out by sampling ({self._rate:.4g})"
        return Event(now, site, message, this_thread(encoder), fields)

    def start_child(self) -> None:
        """Begin anew in a forked child: the parent tells what it has left out."""
        self.lock = RLock()
        self.total = 0
        self.child += 1
        self._left_out = self._requests = 0
        self._running = weakref.WeakSet()
