"""One outgoing HTTP call, whatever the client: its headers, its span, its event at DEBUG."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, Final

from flowery_logging import context, runtime, trace
from flowery_logging.ecs.exception import qualified_name
from flowery_logging.integrations import observers
from flowery_logging.library_code import CLIENT_LOGGER
from flowery_logging.request import Request
from flowery_logging.signalled import sheltered
from flowery_logging.system import System

logger = runtime.own_logger(CLIENT_LOGGER)

Hosts = tuple[str, ...] | None
"""The hosts that get our headers, or None for all."""

_WRAPPED: Final = "flowery_logging_call"
_ABSENT: Final = object()


@dataclass(slots=True)
class Call:
    """One call on its way: `headers` are to be sent with it, `status` is what came back.

    `parent` is the ID of the span in which it is made, `request` the one that makes it.
    """

    headers: dict[str, str] = field(default_factory=dict)
    status: int | None = None
    parent: str | None = None
    request: Request | None = None
    repeats: bool = False  # the client's own line of the call stays
    ended: bool = False


@dataclass(frozen=True)
class Target:
    """What a call asks for."""

    method: str
    host: str
    path: str
    port: int | None = None


_current: ContextVar[Call | None] = ContextVar("flowery_logging_call", default=None)

current = _current.get
"""Return the call that this code runs for, or None."""


def checked_hosts(hosts: Iterable[str] | None) -> Hosts:
    """Return an allow-list in lower case. Raises TypeError for one string in place of several."""
    if hosts is None:
        return None
    if isinstance(hosts, str):
        raise TypeError(f"hosts: expected several names, not the one string {hosts!r}")
    return tuple(host.lower() for host in hosts)


def check_repeats(repeats: object) -> None:
    """Raise TypeError for what is neither True nor False."""
    if not isinstance(repeats, bool):
        raise TypeError(f"repeats: expected True or False, not {repeats!r}")


def is_allowed(host: str, hosts: Hosts) -> bool:
    """Tell whether a host is on the list: by its name, or below a name with a leading dot."""
    if hosts is None:
        return True
    name = host.lower()
    return any(
        name == allowed.removeprefix(".") or (allowed[:1] == "." and name.endswith(allowed))
        for allowed in hosts
    )


@contextmanager
def calling(target: Target, present: Collection[str], hosts: Hosts) -> Iterator[Call]:
    """Run a block as one call: its span on the lines, its event at the end.

    `present` are the headers that the caller has set, in any case-insensitive collection. They
    stand: beside a traceparent or tracestate of his own neither is sent.
    """
    headers, span_id = _headers(target, present, hosts)
    request = context.current_request()
    call = Call(headers, request=request)
    span = {"span.id": span_id} if "traceparent" in headers else {}
    if span:
        call.parent = trace.outgoing(span_id)
    elif request is not None and "traceparent" not in present:  # such a one may be counted already
        request.called(None)
    before, begun = _current.get(), System.perf_counter_ns()
    observed = observers.call_began(target.method, target.host) if observers.observers else ()
    error: type[BaseException] | None = None
    with context.bound(**span):
        _current.set(call)
        try:
            yield call
        except BaseException as exc:
            error = type(exc)
            raise
        finally:
            duration = System.perf_counter_ns() - begun
            call.ended = True
            if request is not None and not _is_inside(call, before):
                request.waited_for_call(duration)
            _end(target, call, duration, error, observed)
            _current.set(before)


def _headers(target: Target, present: Collection[str], hosts: Hosts) -> tuple[dict[str, str], str]:
    """Return what is sent with a call beside what the caller has set, and the call's span ID."""
    headers, span_id = trace.outgoing_call()
    if not is_allowed(target.host, hosts):
        headers = {}
    if "traceparent" in present or "tracestate" in present:
        headers.pop("traceparent", None)  # the pair belongs together: never mix two traces
        headers.pop("tracestate", None)
    return {name: value for name, value in headers.items() if name not in present}, span_id


def _is_inside(call: Call, outer: Call | None) -> bool:
    """Tell whether a call is a part of another one, as a redirect is, and of its time."""
    return outer is not None and not outer.ended and outer.request is call.request


def _end(
    target: Target,
    call: Call,
    duration: int,
    error: type[BaseException] | None,
    observed: tuple[observers.Observer, ...],
) -> None:
    failed = error is not None or (call.status or 0) >= 400
    outcome = "failure" if failed else "success"
    if observed:
        _tell(target, call, duration, outcome, error, observed)
    if logger.isEnabledFor(logging.DEBUG):
        _log(target, call, duration, outcome, error)


def _tell(
    target: Target,
    call: Call,
    duration: int,
    outcome: str,
    error: type[BaseException] | None,
    observed: tuple[observers.Observer, ...],
) -> None:
    current = trace.current_trace()
    told = observers.Ended(
        target.method,
        target.host,
        None,
        call.status,
        duration,
        outcome,
        None if error is None else error.__qualname__,
        None if current is None else current.trace_id,
    )
    for observer in observed:
        with sheltered:
            observer.call_ended(told)


def _log(
    target: Target, call: Call, duration: int, outcome: str, error: type[BaseException] | None
) -> None:
    fields: dict[str, Any] = {
        "event.kind": "event",
        "event.category": ["network"],
        "event.type": ["connection"],
        "event.action": "http-call",
        "event.outcome": outcome,
        "event.duration": duration,
        "http.request.method": target.method,
        "url.domain": target.host,
        "url.path": target.path,
    }
    optional = {
        "parent.id": call.parent,
        "url.port": target.port,
        "http.response.status_code": call.status,
        "error.type": error and qualified_name(error),
    }
    fields.update((name, value) for name, value in optional.items() if value is not None)
    shown = call.status or (error.__name__ if error else "-")
    with sheltered:  # a foreign handler that raises must not replace the answer
        logger.log(
            logging.DEBUG,
            "%s %s%s %s",
            target.method,
            target.host,
            target.path,
            shown,
            extra=fields,
        )


class _Place:
    """A method of a client or a class that is wrapped: what was there, and what we make of it.

    `theirs` is asked for as a call does it: what an agent has put into the class is a descriptor,
    which told without its client takes this for an argument.
    """

    def __init__(self, owner: object, method: str) -> None:
        self.stood = vars(owner).get(method, _ABSENT)
        self.theirs = getattr(owner, method)
        self.call = self.theirs
        self.wrapper = self._wrapper()
        setattr(self.wrapper, _WRAPPED, self)

    def _wrapper(self) -> Any:
        if iscoroutinefunction(self.theirs):

            @wraps(self.theirs)
            async def wrapper(*args: object, **options: object) -> Any:
                return await self.call(*args, **options)

        else:

            @wraps(self.theirs)
            def wrapper(*args: object, **options: object) -> Any:
                return self.call(*args, **options)

        return wrapper


def wrap(owner: object, method: str, calling: Callable[[Any], Any]) -> None:
    """Put `calling(method)` in the place of a client's or a class's method, if it is not there."""
    place: _Place | None = getattr(vars(owner).get(method), _WRAPPED, None)
    if place is None:
        place = _Place(owner, method)
        setattr(owner, method, place.wrapper)
    if place.call is place.theirs:
        place.call = calling(place.theirs)


def unwrap(owner: object, method: str) -> Any:
    """Undo `wrap`; without effect where nothing was done. Return what has stood there.

    What others have wrapped since stays in its place, and does nothing.
    """
    known = vars(owner).get(method)
    place: _Place | None = getattr(known, _WRAPPED, None)
    if place is None:
        return None
    call, place.call = place.call, place.theirs
    if known is not place.wrapper:
        return call
    if place.stood is _ABSENT:
        delattr(owner, method)  # the method of its class shows again
    else:
        setattr(owner, method, place.stood)
    return call


def described(value: object) -> str:
    """Return the name of a class, or of a value's class, for an error."""
    return repr(value.__qualname__ if isinstance(value, type) else type(value).__qualname__)


def only_ours(headers: Mapping[str, str], call: Call | None) -> list[str]:
    """Return the names of those headers that an enclosing call has put there."""
    ours = {} if call is None else call.headers
    return [name for name, value in ours.items() if headers.get(name) == value]
