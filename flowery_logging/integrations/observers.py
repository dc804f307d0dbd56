"""Metrics: who wants to know of each request that came in and of each call that went out.

    class Durations(Observer):
        def request_ended(self, ended: Ended) -> None:
            seconds.observe(ended.duration / 1e9)

    observe(Durations())

An observer is told of every exchange, also of those whose events are quiet, sampled or below the
level, and of each once: `…_began` is always followed by `…_ended`. Without observers nothing is
computed. What one raises is dropped: a metric never costs a request.
"""

from __future__ import annotations

from dataclasses import dataclass

from flowery_logging.signalled import sheltered


@dataclass(frozen=True, slots=True)
class Ended:
    """One exchange that has ended, as its event tells it.

    `duration` is in nanoseconds. `outcome` is `success`, `failure` or `unknown` (the client has
    gone). `status` is None where no response began, `route` where none matched. `reason` tells why
    the response is not whole. `host` is the one that was called, or the one in the `Host` header.
    """

    method: str
    host: str
    route: str | None
    status: int | None
    duration: int
    outcome: str
    reason: str | None
    trace_id: str | None
    websocket: bool = False


class Observer:
    """Override what is wanted; each method is called in the thread or task of the exchange."""

    def request_began(self, method: str) -> None:
        """Take note that a request or a websocket has come in."""

    def request_ended(self, ended: Ended) -> None:
        """Take note that its response has been handed to the server, or never will be."""

    def call_began(self, method: str, host: str) -> None:
        """Take note that a client sends a request."""

    def call_ended(self, ended: Ended) -> None:
        """Take note that it has its answer, or has failed."""


observers: tuple[Observer, ...] = ()
"""Read at each exchange: `observers.observers`, never imported by value."""


def observe(observer: Observer) -> None:
    """Tell `observer` of all exchanges that begin from now on; twice is as once."""
    global observers
    if observer not in observers:
        observers = (*observers, observer)


def forget(observer: Observer) -> None:
    """Tell it no more of exchanges that begin; unknown ones are ignored."""
    global observers
    observers = tuple(known for known in observers if known is not observer)


def began(method: str) -> tuple[Observer, ...]:
    """Tell that a request has begun; return who is to be told of its end."""
    for observer in observers:
        with sheltered:
            observer.request_began(method)
    return observers


def call_began(method: str, host: str) -> tuple[Observer, ...]:
    """Tell that a call has begun; return who is to be told of its end."""
    for observer in observers:
        with sheltered:
            observer.call_began(method, host)
    return observers
