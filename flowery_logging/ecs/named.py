"""Objects whose fields have names: what is a secret in them is told by these.

A named tuple is written as a list, as any tuple; one that has a secret under one of its names is
written with them, so that the secret is hidden and the rest can be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flowery_logging.redaction import Redaction
from flowery_logging.redaction.names import is_secret


class Model(dict[Any, Any]):
    """The fields of an object that is a mapping for us only: it is kept as one JSON text."""


def with_names(value: Any, redaction: Redaction | None, path: str) -> Model | None:
    """Return a named tuple, or what is read as one, with its names; None where none is hidden.

    Without a redaction the names are judged by the rules that need no configuration.
    """
    names = getattr(value, "_fields", ())
    return Model(zip(names, value, strict=False)) if _hides_any(names, redaction, path) else None


def is_row(value: object) -> bool:
    """Tell whether an object is read as a named tuple, as rows of databases are, but is none."""
    return hasattr(type(value), "_asdict") and hasattr(value, "_fields")


def with_inner_names(value: Any, dumped: Any, redaction: Redaction | None, path: str) -> Any:
    """Return what pydantic made of a value, with the names of the named tuples inside it.

    It writes these as lists.
    """
    if type(dumped) is list and isinstance(value, (list, tuple)) and len(value) == len(dumped):
        items = [
            with_inner_names(item, made, redaction, path)
            for item, made in zip(value, dumped, strict=True)
        ]
        names = getattr(value, "_fields", ())
        hides = _hides_any(names, redaction, path)
        return Model(zip(names, items, strict=False)) if hides else items
    if type(dumped) is not dict:
        return dumped
    own = dict(zip(dumped, value.values(), strict=False)) if _has_all(value, dumped) else {}
    own = own or getattr(value, "__dict__", {})
    return {
        key: with_inner_names(own.get(key), made, redaction, f"{path}.{key}")
        for key, made in dumped.items()
    }


def _has_all(value: object, dumped: Mapping[Any, Any]) -> bool:
    """Tell whether a mapping was written with all its entries; keys become texts."""
    return isinstance(value, Mapping) and len(value) == len(dumped)


def _hides_any(names: Iterable[str], redaction: Redaction | None, path: str) -> bool:
    if redaction is None:
        return any(map(is_secret, names))
    if not redaction.by_path:
        return any(map(redaction.hides, names))
    inner = [f"{path}.{name}" if path else name for name in names]
    return any(redaction.kind_at(one) or redaction.maker(one) for one in inner)
