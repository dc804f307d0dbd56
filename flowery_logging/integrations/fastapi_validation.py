"""What FastAPI has refused: seen as its exception is made, so that whoever handles it goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, Final

from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError

from flowery_logging import context
from flowery_logging.capture.patch import Patch
from flowery_logging.foreign import FASTAPI_ADAPTER
from flowery_logging.integrations import routes
from flowery_logging.integrations.validation import (
    Refused,
    alias_names,
    errors_of,
    names_in,
    names_of,
    note,
)
from flowery_logging.signalled import sheltered

_PATCHES: Final = (
    Patch(RequestValidationError, "__init__"),
    Patch(WebSocketRequestValidationError, "__init__"),
)


def follow() -> None:
    """Take note of each refusal, of all applications of this process; twice is as once."""
    for patch in _PATCHES:
        patch.apply(_noted)


def _noted(theirs: Callable[..., None]) -> Callable[..., None]:
    @wraps(theirs)
    def init(self: object, *args: object, **named: object) -> None:
        theirs(self, *args, **named)
        errors = list(errors_of(self))
        if errors:
            note(context.current_request(), _Refused(errors))

    return init


class _Refused(Refused):
    """The errors of a request, of which the route's declaration says what may be shown."""

    __slots__ = ()

    def match(self, scope: Mapping[str, Any]) -> None:
        with sheltered:  # FastAPI's own parts, which have changed before
            self.declare(name for one in routes.dependants(scope) for name in _names(one))


_MAX_KNOWN: Final = 1024
_known: dict[int, tuple[Any, frozenset[str]]] = {}  # by the identity of what stands beside it


def _names(dependant: object) -> frozenset[str]:
    """Return the names that a route declares, made once: routes stay as they are."""
    known = _known.get(id(dependant))
    if known is None:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        known = _known[id(dependant)] = dependant, frozenset(_declared(dependant))
    return known[1]


_KINDS: Final = ("path_params", "query_params", "header_params", "cookie_params", "body_params")


def _declared(dependant: object) -> Iterator[str]:
    """Yield the names of parameters, and of all that is in their types."""
    for kind in _KINDS:
        for field in getattr(dependant, kind, ()):
            yield from (field.name, field.alias)
            yield from alias_names(field.field_info.validation_alias)
            with sheltered:  # a type without a schema: its names are not shown
                yield from _names_of_type(field)
    for inner in getattr(dependant, "dependencies", ()):
        yield from _declared(inner)


def _names_of_type(field: Any) -> Iterator[str]:
    adapter = getattr(field, FASTAPI_ADAPTER, None)
    if adapter is None:
        yield from names_of(field.field_info.annotation)
    else:
        yield from names_in(adapter.core_schema)
