"""A middleware of ours inside another one of ours: only the outer one acts.

Django's under `asgi.RequestMiddleware` (as with Channels, whose websockets Django's does not see),
Flask's or Django's in an application that FastAPI mounts. The inner one tells what only it knows.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any, Final

from flowery_logging.request import Request

KEY: Final = "flowery_logging.request"
"""Where a request stands in an ASGI scope and in a WSGI environ."""

TOLD: Final = "flowery_logging.told"
"""What stands in an ASGI scope whose request gets an access event."""

_SCOPE: Final = "asgi.scope"  # where a2wsgi puts the scope into the environ


def outer(*holders: Mapping[str, Any]) -> Request | None:
    """Return the request that a middleware of ours outside has opened for a scope or environ."""
    for holder in holders:
        for one in (holder, holder.get(_SCOPE)):
            found = one.get(KEY) if isinstance(one, Mapping) else None
            if isinstance(found, Request):
                return found
    return None


def will_be_told(scope: MutableMapping[str, Any] | None, access_log: bool) -> None:
    """Note in an ASGI scope that its request gets an access event."""
    if access_log and scope is not None:
        scope[TOLD] = True


def tell_route(request: Request, mounted: str, pattern: str | None) -> None:
    """Tell the pattern of the route that was taken below the path of a mount."""
    if pattern is not None:
        request.route = mounted.rstrip("/") + pattern
