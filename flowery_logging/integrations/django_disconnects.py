"""Whether the client of one of Django's requests has gone: under ASGI a view cannot know.

Django cancels it for that reason and, when the server stops, for none.
"""

from __future__ import annotations

from functools import cache, wraps
from typing import Any, Final

from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest

_KEY: Final = "flowery_logging.disconnected"  # in the scope


@cache
def hear() -> None:
    """Let each ASGI scope tell that its client has gone."""
    handle = ASGIHandler.handle

    @wraps(handle)
    async def hearing(self: ASGIHandler, scope: Any, receive: Any, send: Any) -> None:
        async def heard() -> Any:
            message = await receive()
            if message["type"] == "http.disconnect":
                scope[_KEY] = True
            return message

        await handle(self, scope, heard, send)

    ASGIHandler.handle = hearing


def has_gone(http_request: HttpRequest) -> bool:
    """Tell whether the server has said that the client has gone."""
    return _KEY in getattr(http_request, "scope", ())
