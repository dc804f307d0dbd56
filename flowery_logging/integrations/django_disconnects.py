"""Whether the client of one of Django's requests has gone: under ASGI a view cannot know.

Django cancels it for that reason and, when the server stops, for none.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest

from flowery_logging.capture.patch import Patch

_KEY: Final = "flowery_logging.disconnected"  # in the scope


_handling: Final = Patch(ASGIHandler, "handle")


def hear() -> None:
    """Let each ASGI scope tell that its client has gone; twice is as once."""
    _handling.apply_once(_hearing)


def _hearing(theirs: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(theirs)
    async def hearing(self: ASGIHandler, scope: Any, receive: Any, send: Any) -> None:
        async def heard() -> Any:
            message = await receive()
            if message["type"] == "http.disconnect":
                scope[_KEY] = True
            return message

        await theirs(self, scope, heard, send)

    return hearing


def has_gone(http_request: HttpRequest) -> bool:
    """Tell whether the server has said that the client has gone."""
    return _KEY in getattr(http_request, "scope", ())
