"""What Django REST framework has refused: seen where it handles exceptions, and in its responses.

A view either raises its `ValidationError`, of which a handler of the project's own may make
anything, or it responds with the `errors` of a serializer. Both know the kinds of the errors, and
the serializer, which has declared the names that may be shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, Final

from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from flowery_logging import context
from flowery_logging.capture.patch import Patch
from flowery_logging.integrations.validation import Error, Refused, note
from flowery_logging.request import Request
from flowery_logging.signalled import sheltered

_MAX_DEPTH: Final = 8
_handling: Final = Patch(APIView, "handle_exception")


def follow() -> None:
    """Take note of each `ValidationError` that a view raises; twice is as once."""
    _handling.apply(_noted)


def _noted(theirs: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(theirs)
    def handle_exception(self: object, exc: object) -> Any:
        if isinstance(exc, ValidationError):
            with sheltered:  # serializers are other people's code
                _note(context.current_request(), exc.detail)
        return theirs(self, exc)

    return handle_exception


def look(request: Request, response: object) -> None:
    """Take note of a response that has the errors of a serializer, unless they are known."""
    if request.refused is None:
        with sheltered:  # serializers are other people's code; the response is to go out
            for found in _of_serializers(getattr(response, "data", None)):
                _note(request, found)


def _note(request: Request | None, detail: object) -> None:
    errors = list(_errors(detail))
    if errors:
        note(request, Refused(errors, _declared(detail)))


def _errors(node: object, where: tuple[Any, ...] = ()) -> Iterator[Error]:
    if isinstance(node, ErrorDetail):
        yield where, node.code
    elif isinstance(node, Mapping) and len(where) < _MAX_DEPTH:
        for name, value in node.items():
            yield from _errors(value, (*where, name))
    elif isinstance(node, list) and len(where) < _MAX_DEPTH:
        for place, value in enumerate(node):
            is_error = isinstance(value, ErrorDetail)
            yield from _errors(value, where if is_error else (*where, place))


def _of_serializers(node: object, depth: int = 0) -> Iterator[Any]:
    """Yield what a response has from serializers."""
    if getattr(node, "serializer", None) is not None:
        yield node
    elif isinstance(node, (Mapping, list)) and depth < _MAX_DEPTH:
        for value in node.values() if isinstance(node, Mapping) else node:
            yield from _of_serializers(value, depth + 1)


def _declared(detail: object) -> Iterator[str]:
    yield api_settings.NON_FIELD_ERRORS_KEY
    for one in _of_serializers(detail):
        yield from _names(one.serializer)


def _names(field: Any, depth: int = 0) -> Iterator[str]:
    """Yield the names of a serializer's fields, and of those within them."""
    if depth < _MAX_DEPTH:
        for name, inner in getattr(field, "fields", {}).items():
            yield name
            yield from _names(inner, depth + 1)
        if getattr(field, "child", None) is not None:
            yield from _names(field.child, depth + 1)
