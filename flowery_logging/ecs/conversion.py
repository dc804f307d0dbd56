"""Whether a value fits the type of an Elasticsearch field, perhaps after a lossless conversion."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timezone
from decimal import Decimal
from functools import lru_cache
from ipaddress import ip_address
from itertools import islice
from typing import Any, Final

from flowery_logging.ecs.names import label_name
from flowery_logging.ecs.plain import (
    AS_IS,
    entries,
    is_number,
    key_text,
    plain,
    scalar_text,
)
from flowery_logging.kept import MAX_KEPT
from flowery_logging.late import late

MISFIT: Final = object()
"""What `fit` returns for a value that the type cannot hold without loss."""

KEYWORD_UNITS: Final = 1024
"""UTF-16 units of a keyword that the templates index (`ignore_above`); longer ones are labels."""

SCALED_LIMIT: Final = 9.0e15
"""A `scaled_float` is a 64-bit integer of 1 000 times the value."""

KEYWORDS: Final = frozenset({"keyword", "wildcard", "constant_keyword"})
TEXTS: Final = frozenset({"text", "match_only_text"})

_BITS: Final = {"long": 64, "integer": 32}
_LARGEST: Final = {
    "float": 3.4028234e38, "double": 1.7976931348623157e308, "scaled_float": SCALED_LIMIT,
}  # fmt: skip
_IP_CHARS: Final = 45
"""Characters of the longest address: IPv6 with an IPv4 address at its end."""

# RFC 3339 and the shorter ISO 8601 forms that `strict_date_optional_time` takes.
_DATE: Final = re.compile(
    r"[1-9][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"(?:T(?:[01][0-9]|2[0-3])(?::[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?)?"
    r"(?:Z|[+-](?:0[0-9]|1[0-7]):[0-5][0-9])?)?"
)
_INTEGER: Final = late(r"0|-?[1-9][0-9]{0,18}")
_DECIMAL: Final = late(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")


def fit(value: object, kind: str, *, array: bool = False) -> Any:
    """Return a value as a field of this type holds it, or MISFIT.

    `array` tells that the field's values are normalised to arrays: a scalar becomes a list of one.
    A list fits only there. Lossless: a number or a date for a keyword, 7.0 or "7" for a long, a
    `datetime` for a date.
    """
    convert = _CONVERSIONS[kind]
    return _fit_items(value, convert) if array or kind == "nested" else convert(value)


def number_bounds(kind: type, field: str) -> tuple[float, float] | None:
    """Return the least and the largest number of a Python type that a field holds as they are.

    None where all are converted, or misfit.
    """
    if kind is int and field in _BITS:
        limit = 2 ** (_BITS[field] - 1)
        return -limit, limit - 1
    if kind is float and field in _LARGEST:
        return -_LARGEST[field], _LARGEST[field]
    return (0, 1) if kind is bool and field == "boolean" else None


def as_items(value: object) -> list[Any]:
    """Return the items of a list, tuple or set; anything else as the only item."""
    data = plain(value)
    return data if isinstance(data, list) else [value]


def _fit_items(value: object, convert: Callable[[Any], Any]) -> Any:
    items = [convert(item) for item in as_items(value)]
    return MISFIT if any(item is MISFIT for item in items) else items


def _text(value: object) -> Any:
    value = plain(value)
    return scalar_text(value) if type(value) in AS_IS and value is not None else MISFIT


def _keyword(value: object) -> Any:
    text = _text(value)
    return MISFIT if text is MISFIT or utf16_units(text) > KEYWORD_UNITS else text


def utf16_units(text: str) -> int:
    """Return the length of a text as Elasticsearch counts it, in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _integer(bits: int) -> Callable[[Any], Any]:
    limit = 2 ** (bits - 1)

    def convert(value: Any) -> Any:
        value = plain(value)
        digits = type(value) is str and _INTEGER.fullmatch(value)
        if digits or (type(value) is float and value.is_integer() and is_number(int(value))):
            value = int(value)
        return value if type(value) is int and -limit <= value < limit else MISFIT

    return convert


def _float(largest: float) -> Callable[[Any], Any]:
    def convert(value: object) -> Any:
        number = plain(value)
        if type(number) is str and _DECIMAL.fullmatch(number):
            number = _exact(number)
        # Always with a point: the first value seen may decide on the field's type.
        return float(number) if is_number(number) and abs(number) <= largest else MISFIT

    return convert


def _exact(text: str) -> Any:
    """Return the float that a decimal text stands for, if it prints as the same number."""
    number = float(text)
    return number if Decimal(repr(number)) == Decimal(text) else MISFIT


def _boolean(value: object) -> Any:
    value = plain(value)
    if type(value) is str and value in {"true", "false"}:
        return value == "true"
    return value if type(value) is bool else MISFIT


def _date(value: object) -> Any:
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, date):
        return value.isoformat() if value.year >= 1000 else MISFIT
    value = plain(value)
    return value if type(value) is str and _is_date(value) else MISFIT


def _instant(value: datetime) -> Any:
    """Return RFC 3339 in UTC; one without a zone stays without (Elasticsearch reads UTC)."""
    if value.utcoffset() is not None:
        value = value.astimezone(timezone.utc)
    text = value.isoformat().replace("+00:00", "Z")
    return text if _is_date(text) else MISFIT  # pandas' NaT, a year before 1000


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True


def _ip(value: object) -> Any:
    value = plain(value)
    if type(value) is not str or len(value) > _IP_CHARS:
        return MISFIT
    return value if is_ip(value) else MISFIT


@lru_cache(MAX_KEPT)
def is_ip(text: str) -> bool:
    """Tell whether a text of ordinary length is an address, kept as it takes long to find out."""
    if "%" in text:  # Elasticsearch takes no IPv6 zone
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _geo_point(value: object) -> Any:
    point = plain(value)
    if isinstance(point, Mapping):
        if set(islice(point, 3)) != {"lat", "lon"}:  # a caller's mapping may never end
            return MISFIT
        latitude, longitude = plain(point["lat"]), plain(point["lon"])
    elif isinstance(point, list) and len(point) == 2:  # GeoJSON's order
        longitude, latitude = plain(point[0]), plain(point[1])
    else:
        return MISFIT
    valid = is_number(latitude) and is_number(longitude)
    if not valid or abs(latitude) > 90 or abs(longitude) > 180:
        return MISFIT
    return {"lat": float(latitude), "lon": float(longitude)}


def _flat_object(value: object) -> Any:
    """Return a flat mapping of keywords: no two events can disagree on a type in it."""
    value = plain(value)
    if not isinstance(value, Mapping):
        return MISFIT
    flat: dict[str, Any] = {}
    for key, item in entries(value):
        name, text = label_name(key_text(key)), _keyword(item)
        if text is MISFIT or name in flat:
            return MISFIT
        flat[name] = text
    return flat or MISFIT


_CONVERSIONS: Final[dict[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(KEYWORDS, _keyword),
    **dict.fromkeys(TEXTS, _text),
    **{kind: _integer(bits) for kind, bits in _BITS.items()},
    **{kind: _float(largest) for kind, largest in _LARGEST.items()},
    "boolean": _boolean,
    "date": _date,
    "ip": _ip,
    "geo_point": _geo_point,
    "object": _flat_object,
    "flattened": _flat_object,
    "nested": _flat_object,
}

TYPES: Final = frozenset(_CONVERSIONS)
"""The types that a declared field may have."""
