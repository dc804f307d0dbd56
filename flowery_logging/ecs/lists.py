"""Lists of scalars, encoded at once as the texts that they are in a line.

Each function returns how the list stands there, and what the redactor is asked about; None for a
list that goes by the rules. What is looked at and encoded is a copy: another thread may change the
caller's meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any, Final
from uuid import UUID

import orjson

from flowery_logging.ecs.encode import MAX_INTEGER
from flowery_logging.redaction import SMALLEST_NUMBER, are_uuids, kind_of_digits

FEW_DIGITS: Final = 10**10
"""Integers below it are never secrets, also as texts."""


def same_texts(items: list[Any], count: int, most: int) -> tuple[bytes | None, bytes]:
    """Encode a list of ordinary texts."""
    if not 0 < len(items) <= count:
        return _NO_LIST
    items = items.copy()
    if set(map(type, items)) != {str} or max(map(len, items)) > most:
        return _NO_LIST
    encoded = orjson.dumps(items)
    return encoded, b"" if are_uuids(encoded) else encoded


def short_texts(items: list[Any], count: int, most: int) -> tuple[bytes | None, bytes]:
    """Encode a list of ordinary scalars as texts."""
    if not 0 < len(items) <= count:
        return _NO_LIST
    kind = type(items[0])
    if kind is str:
        found = same_texts(items, count, most)
        return found if found[0] is not None else _mixed_texts(items.copy(), most)
    if kind not in _ALIKE and kind not in _TEXTS:
        return _NO_LIST  # mostly dicts
    items = items.copy()
    kinds = set(map(type, items))
    make = _ALIKE.get(kinds.pop())
    return make(items) if make is not None and not kinds else _mixed_texts(items, most)


def _mixed_texts(items: list[Any], most: int) -> tuple[bytes | None, bytes]:
    """Encode a list of scalars of several types."""
    makes = [*map(_TEXTS.get, map(type, items))]
    if None in makes:
        return _NO_LIST
    texts = [make(item) for make, item in zip(makes, items, strict=True)]  # type: ignore[misc]
    if None in texts or max(map(len, texts)) > most:  # type: ignore[arg-type]
        return _NO_LIST
    encoded = orjson.dumps(texts)
    return encoded, encoded


def _integers(items: list[int]) -> tuple[bytes | None, bytes]:
    """Encode integers, of which none is a secret: digits alone are one as a text if as a number."""
    make = str if max(map(abs, items)) < FEW_DIGITS else _integer_text
    texts = [*map(make, items)]
    return _NO_LIST if None in texts else (orjson.dumps(texts), b"")


def _integer_text(value: int) -> str | None:
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        return None  # Python prints no number of very many digits
    text = str(value)
    return text if value < SMALLEST_NUMBER or kind_of_digits(text) is None else None


def _floats(items: list[float]) -> tuple[bytes | None, bytes]:
    if not all(map(isfinite, items)):
        return _NO_LIST
    encoded = orjson.dumps([*map(str, items)])
    return encoded, encoded


def _by(text: Callable[[Any], str]) -> Callable[[list[Any]], tuple[bytes, bytes]]:
    def encode(items: list[Any]) -> tuple[bytes, bytes]:
        encoded = orjson.dumps([*map(text, items)])
        return encoded, encoded

    return encode


_NO_LIST: Final = None, b""

_ALIKE: Final[Mapping[type, Callable[[list[Any]], tuple[bytes | None, bytes]]]] = {
    int: _integers,
    float: _floats,
    UUID: lambda items: (orjson.dumps(items), b""),
    datetime: _by(datetime.isoformat),
    date: _by(date.isoformat),
}
"""What encodes a list of one type, whose texts are shorter than any limit."""

_TEXTS: Final[Mapping[type, Callable[[Any], str | None]]] = {
    str: str,
    Decimal: str,
    int: _integer_text,
    float: lambda value: str(value) if isfinite(value) else None,
    bool: lambda value: "true" if value else "false",
}
"""What makes the texts of items of a list, as the rules do; None: by these."""
