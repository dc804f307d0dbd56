"""httpx and httpx2: outgoing calls carry the trace and the request ID to the next service.

    instrument(client)        # this client, or
    instrument()              # all clients, also those made before

Each request that goes over the wire, redirects and authentication rounds included, is one call
with its own span ID; `span.id` stands on the lines that are logged while it runs, and the call is
an event at DEBUG (logger `flowery_logging.client`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial, wraps
from importlib import import_module
from importlib.util import find_spec
from inspect import iscoroutinefunction
from typing import Any, Final

from flowery_logging import runtime
from flowery_logging.foreign import HTTPX_SEND
from flowery_logging.integrations import calls

_LIBRARIES: Final = ("httpx", "httpx2")


def instrument(
    client: object = None, *, hosts: Iterable[str] | None = None, repeats: bool = False
) -> None:
    """Send `flowery_logging.outgoing_headers()` with each call of `client`, or of all clients.

    `client` is a `Client` or `AsyncClient` of httpx or httpx2; None means all of them, present
    and future. With `hosts` only those get the headers: `("orders.internal", ".flowery.kr")`,
    where a leading dot means all names below, too. Headers that the caller set stand: beside a
    `traceparent` or `tracestate` of his own neither is sent. His headers and his `Request`
    objects are never changed. Doing it twice has no further effect. With `repeats` the library's
    own line of each call ("HTTP Request: …", at INFO) stays. Raises `TypeError` for another object
    or option, `ImportError` if all are asked for and neither library is installed.
    """
    calls.check_repeats(repeats)
    calling = partial(_calling, calls.checked_hosts(hosts), repeats)
    for library in () if repeats else _LIBRARIES:
        runtime.leave_out(library, _is_repeat)
    for owner in _owners(client):
        calls.wrap(owner, HTTPX_SEND, calling)


def uninstrument(client: object = None) -> None:
    """Undo `instrument(client)`; without effect where nothing was done. Raises as it does."""
    for owner in _owners(client):
        calls.unwrap(owner, HTTPX_SEND)


def _owners(client: object) -> list[Any]:
    if client is None:
        modules = [import_module(name) for name in _LIBRARIES if find_spec(name)]
        if not modules:
            raise ImportError("instrument() needs httpx or httpx2, and neither is installed")
        return [owner for module in modules for owner in (module.Client, module.AsyncClient)]
    if isinstance(client, type) or not callable(getattr(client, HTTPX_SEND, None)):
        given = calls.described(client)
        raise TypeError(f"expected a Client or AsyncClient of httpx or httpx2, not {given}")
    return [client]


def _is_repeat(record: logging.LogRecord) -> bool:
    """Tell whether the library says that it has made a call, of which we have an event."""
    call = calls.current()
    return call is not None and not call.repeats and str(record.msg).startswith("HTTP Request: ")


def _calling(hosts: calls.Hosts, repeats: bool, send: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a client's method (or a class's function: then the client comes first)."""
    if iscoroutinefunction(send):

        @wraps(send)
        async def call(*args: Any) -> Any:
            *client, request = args
            with calls.calling(_target(request), request.headers, hosts) as outgoing:
                outgoing.repeats = repeats
                response = await send(*client, _with_headers(request, outgoing.headers))
                outgoing.status = response.status_code
                return response

    else:

        @wraps(send)
        def call(*args: Any) -> Any:
            *client, request = args
            with calls.calling(_target(request), request.headers, hosts) as outgoing:
                outgoing.repeats = repeats
                response = send(*client, _with_headers(request, outgoing.headers))
                outgoing.status = response.status_code
                return response

    return call


def _target(request: Any) -> calls.Target:
    return calls.Target(request.method, request.url.host, request.url.path, request.url.port)


def _with_headers(request: Any, headers: dict[str, str]) -> Any:
    """Return a copy of a `Request` that has further headers and shares the body.

    A copy, because httpx derives redirects from the original and callers send theirs again: a
    header left on it would pass for the caller's own.
    """
    if not headers:
        return request
    copy = object.__new__(type(request))
    vars(copy).update(vars(request))
    copy.headers = type(request.headers)(request.headers)
    copy.headers.update(headers)
    return copy
