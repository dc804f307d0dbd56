"""Request IDs that other middleware makes: asgi-correlation-id, starlette-context, django-guid.

Theirs goes back with the response and into other systems, so it is the request's: the request
adopts it when it is seen first. None of them is imported here; they are looked up once the program
has done so.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final

from flowery_logging.request import Request
from flowery_logging.signalled import let_through

VALID: Final = re.compile(r"[A-Za-z0-9._~+/=@:-]{1,128}")
"""What may be a request ID: no blank, quote or line end can reach a log or a response header."""

_FIELD: Final = "http.request.id"

_taken: ContextVar[str | None] = ContextVar("flowery_logging_request_id_taken", default=None)
# The text that stood when a request ended, or another one began inside it. Such a middleware leaves
# it there: it is of no other request. The same ID that is set once more is another object.


def look(request: Request) -> None:
    """Let a request adopt the ID that another middleware has made. Never raises."""
    found = current()
    if found is not None and found is not _taken.get():
        request.adopt({_FIELD: found})


def begin(request: Request, outside: Request | None, *, is_web: bool) -> None:
    """Let a new request adopt the ID that stands here, unless it is that of the one around it.

    It may be what has been made for this one: where that one has another ID, and for whatever a web
    server begins.
    """
    if outside is None or (
        (is_web or outside.has_adopted(_FIELD)) and outside.request_id != current()
    ):
        look(request)
    else:
        look(outside)
        end()


def end() -> None:
    """Take note that the ID that stands here now belongs to a request, and to none that follows."""
    _taken.set(current())


def adopt(request: Request, value: object) -> None:
    """Let a request adopt the ID that goes back with its response, if it can be one."""
    if isinstance(value, str) and VALID.fullmatch(value):
        request.adopt({_FIELD: value})


def current() -> str | None:
    """Return the ID that another middleware has made here, or None."""
    for name, read in MAKERS.items():
        module = sys.modules.get(name)
        try:
            found = None if module is None else read(module)
        except Exception as error:  # other people's code
            let_through(error)
            found = None
        if isinstance(found, str) and VALID.fullmatch(found):
            return found
    return None


def _starlette_context(module: Any) -> Any:
    context = module.context
    if not context.exists():
        return None
    return context.get("X-Request-ID") or context.get("X-Correlation-ID")


MAKERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "asgi_correlation_id.context": lambda module: module.correlation_id.get(),
    "starlette_context": _starlette_context,
    "django_guid.context": lambda module: module.guid.get(),
}
"""The modules that hold such IDs, and how each is asked for the current one."""
