"""requests: outgoing calls carry the trace and the request ID to the next service.

    instrument(session)       # this session, or
    instrument()              # all sessions, and requests.get() etc.

Each redirect is a call of its own, inside the one that was redirected.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from functools import partial, wraps
from typing import Any, Final
from urllib.parse import urlsplit

from requests import PreparedRequest, Session

from flowery_logging.integrations import calls

_METHOD: Final = "send"


def instrument(session: object = None, *, hosts: Iterable[str] | None = None) -> None:
    """Send `flowery_logging.outgoing_headers()` with each call of `session`, or of all sessions.

    The rules are those of `flowery_logging.integrations.httpx.instrument`: only `hosts` get the
    headers if they are named, the caller's own stand, his objects are never changed, twice is as
    once. Raises `TypeError` for what is no `Session`.
    """
    calls.wrap(_owner(session), _METHOD, partial(_calling, calls.checked_hosts(hosts)))


def uninstrument(session: object = None) -> None:
    """Undo `instrument(session)`; without effect where nothing was done. Raises as it does."""
    calls.unwrap(_owner(session), _METHOD)


def _owner(session: object) -> Any:
    if session is None:
        return Session
    if not isinstance(session, Session):
        raise TypeError(f"expected a Session of requests, not {calls.described(session)}")
    return session


def _calling(hosts: calls.Hosts, send: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(send)
    def call(*args: object, **options: object) -> Any:
        if "request" in options:
            args = (*args, options.pop("request"))
        *session, request = args or (None,)
        if not isinstance(request, PreparedRequest):
            return send(*args, **options)
        sent = _copied(request)
        for name in calls.only_ours(sent.headers, calls.current()):
            del sent.headers[name]  # requests derives a redirect from what was sent before it
        with calls.calling(_target(sent), sent.headers, hosts) as outgoing:
            sent.headers.update(outgoing.headers)
            response = send(*session, sent, **options)
            outgoing.status = response.status_code
            return response

    return call


def _copied(request: PreparedRequest) -> PreparedRequest:
    """Return a copy with headers of its own; `PreparedRequest.copy` would lose what others add."""
    copied = copy.copy(request)
    copied.headers = request.headers.copy()
    return copied


def _target(request: PreparedRequest) -> calls.Target:
    url = urlsplit(request.url or "")
    return calls.Target(request.method or "GET", url.hostname or "", url.path, url.port)
