"""What of a request's input was refused: which fields, and why; never what stood in them.

FastAPI's and Django REST framework's refusals are seen by themselves. Where an application asks
pydantic itself, its own handler tells:

    try:
        order = Order.model_validate(request.get_json())
    except ValidationError as error:
        validation.tell(error, Order)
        return {"error": "invalid"}, 422

The key of a dict, and the name of a field that is too much, are input as well, and may be a secret.
So of a location only the names stand that the application has declared; all else is `*`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from flowery_logging import context
from flowery_logging.request import Request
from flowery_logging.signalled import sheltered

Error = tuple[Sequence[Any], Any]
"""Where an error is, as the parts of its location, and of which kind it is."""

MAX_FIELDS: Final = 10
"""So many different ones an event names; it has the number of all."""

_MAX_LOOKED_AT: Final = 100
_MAX_PARTS: Final = 8
_MAX_CHARACTERS: Final = 128
_KIND: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_UNKNOWN: Final = "*"
_PLACES: Final = ("body", "cookie", "header", "path", "query")
"""Where FastAPI finds input: the first part of its locations."""


class Refused:
    """The errors of one request's input."""

    __slots__ = ("_errors", "_names", "_number")

    def __init__(self, errors: Sequence[Error], names: Iterable[str] = ()) -> None:
        self._errors = errors[:_MAX_LOOKED_AT]
        self._number = len(errors)
        self._names: Mapping[str, str] = {}  # as they are, and as others may be equal to them
        self.declare(names)

    def declare(self, names: Iterable[str]) -> None:
        """Let these names, of fields and parameters, stand in locations."""
        declared = sorted((*_PLACES, *names))
        self._names = {_folded(name): name for name in declared} | {name: name for name in declared}

    def match(self, scope: Mapping[str, Any]) -> None:
        """Take what the scope of a request under ASGI says of the names that are declared."""

    def fields(self) -> dict[str, Any]:
        """Return what the access event tells: each field once, with each kind of its errors."""
        texts = dict.fromkeys(self._text(where, kind) for where, kind in self._errors)
        return {
            "invalid_fields": list(islice(texts, MAX_FIELDS)),
            "validation_errors": self._number,
        }

    def _text(self, where: Sequence[Any], kind: object) -> str:
        parts = [self._part(part) for part in where[:_MAX_PARTS]]
        location = ".".join([*parts, "…"] if len(where) > _MAX_PARTS else parts)
        if len(location) > _MAX_CHARACTERS:
            location = location[:_MAX_CHARACTERS] + "…"
        known = kind if isinstance(kind, str) and _KIND.fullmatch(kind) else _UNKNOWN
        return f"{location} ({known})".lstrip()  # no colon: `password: …` looks like a password

    def _part(self, part: object) -> str:
        if not isinstance(part, str):
            return _UNKNOWN
        return self._names.get(part) or self._names.get(_folded(part), _UNKNOWN)


def _folded(name: str) -> str:
    """Return a name without what tells a header from its parameter: hyphens, and any case."""
    return name.lower().replace("-", "_")


def note(request: Request | None, refused: Refused) -> None:
    """Let the access event of a request tell what was refused, if that is its end."""
    if request is not None:
        request.refused = refused


def tell(error: object, *models: object) -> None:
    """Let the access event of the current request tell which fields pydantic has refused, and why.

    It does so if the response is a 4xx or 5xx. `error` is a `ValidationError`; `models` are the
    types that were asked for: the names of their fields stand in locations, all else is `*`. What
    is no such error, or has none, is ignored.
    """
    found = list(errors_of(error))
    if found:
        note(context.current_request(), Refused(found, names_of(*models)))


def errors_of(error: object) -> Iterator[Error]:
    """Yield the errors of a `ValidationError` of pydantic or FastAPI. Never raises."""
    with sheltered:  # of whatever class it is, its handler has an answer to give
        yield from _errors(error)


def _errors(error: object) -> Iterator[Error]:
    given = getattr(error, "errors", None)
    for one in given() if callable(given) else given or ():
        if isinstance(one, Mapping):
            where = one.get("loc", ())
            yield tuple(where) if isinstance(where, (tuple, list)) else (where,), one.get("type")


def names_of(*types: Any) -> set[str]:
    """Return the names that types of pydantic declare, at any depth. Never raises.

    A type that pydantic cannot take has none.
    """
    names: set[str] = set()
    for one in types:
        with sheltered:
            from pydantic import TypeAdapter  # whoever has such a type has imported it

            names.update(names_in(TypeAdapter(one).core_schema))
    return names


def names_in(schema: object) -> Iterator[str]:
    """Yield the names of fields, their aliases, and the tags of unions in a core schema."""
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            yield from _own_names(node)
            waiting += [value for key, value in node.items() if key not in _NO_SCHEMAS]
        elif isinstance(node, (list, tuple)):
            waiting += node


_NO_SCHEMAS: Final = frozenset(
    {"cls", "config", "default", "expected", "metadata", "serialization"}
)


def _own_names(node: Mapping[str, Any]) -> Iterator[str]:
    fields, choices = node.get("fields"), node.get("choices")
    for known in (fields, choices):
        if isinstance(known, Mapping):
            yield from (name for name in known if isinstance(name, str))
    yield from alias_names([node.get("name"), node.get("validation_alias"), node.get("alias")])


def alias_names(alias: object) -> Iterator[str]:
    """Yield the names in an alias: a text, pydantic's `AliasChoices` or `AliasPath`, or a list."""
    parts = getattr(alias, "choices", None) or getattr(alias, "path", None) or alias
    if isinstance(parts, str):
        yield parts
    elif isinstance(parts, (list, tuple)):
        for part in parts:
            yield from alias_names(part)
