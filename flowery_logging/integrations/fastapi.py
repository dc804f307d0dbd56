"""FastAPI and Starlette: `RequestMiddleware` outside everything, so that 500s carry the ID too.

`app.add_middleware` would put it inside Starlette's `ServerErrorMiddleware`, which answers
unhandled exceptions: those responses would have no request ID.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette

from flowery_logging.capture.patch import Patch
from flowery_logging.integrations.asgi import RequestMiddleware
from flowery_logging.integrations.asgi_types import ASGIApp, Receive, Scope, Send
from flowery_logging.integrations.options import RequestOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack


def instrument(app: Starlette, **options: Unpack[RequestOptions]) -> None:
    """Give each request of `app` (FastAPI or Starlette) its trace and its request ID.

    `options` are those of `flowery_logging.integrations.options.Options`. Middleware may be
    added before or after; an application that has started already is instrumented as well, and
    one that is instrumented already stays as it is. Where FastAPI refuses a request's input, the
    access event says which fields, and why. Raises `TypeError` for anything else.
    """
    if not isinstance(app, Starlette):
        raise TypeError(
            f"expected a FastAPI or Starlette application, not {type(app).__qualname__!r}; wrap any"
            " other ASGI application in flowery_logging.integrations.asgi.RequestMiddleware"
        )
    if _MIDDLEWARE in vars(app):
        return
    vars(app)[_MIDDLEWARE] = RequestMiddleware(_inside(app), **options)


def _inside(app: Starlette) -> _Inside:
    """Return what our middleware calls, which is in the place of `Starlette.__call__` from here on.

    Ray Serve takes an application to another process: so this runs there too.
    """
    if "fastapi" in sys.modules:  # also of an application that is mounted below one of Starlette's
        from flowery_logging.integrations import fastapi_validation

        fastapi_validation.follow()
    _calling.apply_once(_outside)
    return _Inside(_calling.theirs, app)


class _Inside(partial[Awaitable[None]]):
    """Calls an application as Starlette does."""

    def __reduce__(self) -> tuple[Callable[[Starlette], _Inside], tuple[Starlette]]:
        return _inside, self.args


_MIDDLEWARE: Final = "_flowery_logging_middleware"  # the attribute of an application

Called = Callable[[Starlette, Scope, Receive, Send], Awaitable[None]]

# `build_middleware_stack` stays as it is: OpenTelemetry's instrumentation, which wraps it, looks at
# what it returns.
_calling: Final = Patch(Starlette, "__call__")


def _outside(theirs: Called) -> Called:
    """Wrap `Starlette.__call__`: our middleware comes first, where an application has one."""

    @wraps(theirs)
    async def call(app: Starlette, scope: Scope, receive: Receive, send: Send) -> None:
        outside: ASGIApp | None = vars(app).get(_MIDDLEWARE)
        if outside is None:
            await theirs(app, scope, receive, send)
        else:
            await outside(scope, receive, send)

    return call
