"""FastAPI and Starlette: `RequestMiddleware` outside everything, so that 500s carry the ID too.

`app.add_middleware` would put it inside Starlette's `ServerErrorMiddleware`, which answers
unhandled exceptions: those responses would have no request ID.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.applications import Starlette

from flowery_logging.integrations.asgi import ASGIApp, RequestMiddleware


def instrument(app: Starlette, **options: Any) -> None:
    """Give each request of `app` (FastAPI or Starlette) its trace and its request ID.

    `options` are those of `flowery_logging.integrations.exchange.Options`. Middleware may be
    added before or after; an application that has started already is instrumented as well, and
    one that is instrumented already stays as it is. Raises `TypeError` for anything else.
    """
    if not isinstance(app, Starlette):
        raise TypeError(
            f"expected a FastAPI or Starlette application, not {type(app).__qualname__!r}; wrap any"
            " other ASGI application in flowery_logging.integrations.asgi.RequestMiddleware"
        )
    build = app.build_middleware_stack
    if isinstance(build, partial) and build.func is _build_outside:
        return
    if app.middleware_stack is not None:  # built already, at the first request or at start-up
        app.middleware_stack = RequestMiddleware(app.middleware_stack, **options)
    app.build_middleware_stack = partial(_build_outside, build, options)  # type: ignore[method-assign]


def _build_outside(build: Any, options: dict[str, Any]) -> ASGIApp:
    return RequestMiddleware(build(), **options)
