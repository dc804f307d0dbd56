"""What a line says of a caller's fields: slow, obvious, and made of the rules of the line alone.

It shares with the package the table of ECS's types and the limits, nothing else. It knows plain
data (texts, numbers, booleans, None, lists of scalars, dicts), and hides what `CLEANED` and the
check digits say.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from flowery_logging.ecs import fields as ecs_fields

MARKER = "[redacted]"
DEPTH, FIELDS, ITEMS, CHARS, NAME_CHARS = 8, 128, 128, 8192, 128
SAFE = 2**53
HIDDEN = {"password", "token", "pin", "api_key"}
QUERIES = {"query", "query_string", "querystring"}
RESERVED = {"message", "event.id", "event.sequence", "event.ingested", "service.name", "type"}
RESERVED_SETS = ("log", "process", "host", "data_stream", "ecs", "agent", "input")

CLEANED = {
    "4111 1111 1111 1111": "[redacted:card]",
    "4111 1111 1111 1112": "4111 1111 1111 1112",
    "900101-1234568": "[redacted:resident_number]",
    "900101-1234567": "[redacted:resident_number]",
    "https://u:pw@h/": "https://u:[redacted:password]@h/",
    "https://shop.example/a?b=c&d=e": "https://shop.example/a?b=c&d=e",
    "https://h/?a=b&token=x": f"https://h/?a=b&token={MARKER}",
    "Bearer abcdefgh": "Bearer [redacted:credentials]",
    "bearer token": "bearer token",
    "Basic dXNlcjpwYXNz": "Basic [redacted:credentials]",
    "Basic settings": "Basic settings",
    "eyJhbGciOi.eyJzdWIiOi.c2ln": "[redacted:jwt]",
    "7d3f1c52-9b0e-4e64-a165-70867728950e": "7d3f1c52-9b0e-4e64-a165-70867728950e",
    "o-20250101-000001": "o-20250101-000001",
    "2026-01-01 09:30:00": "2026-01-01 09:30:00",
}
"""Texts, and what is shown of them."""


def cleaned(text: str) -> str:
    if text.isdigit() and text.isascii():
        if is_card(text):
            return "[redacted:card]"
        if is_resident(text):
            return "[redacted:resident_number]"
    return CLEANED.get(text, text)


def cleaned_at(path: str, text: str) -> str:
    """Return the text of a field; the digits of a span's ID are no card's."""
    is_id = (
        re.fullmatch(r"[0-9]{16,19}", text)
        and path[-2:].lower() == "id"
        and (
            path in {"transaction.id", "parent.id", "dd.parent_id"}
            or re.sub(r"[\W_]", "", path).lower().endswith(("traceid", "spanid"))
        )
    )
    return text if is_id else cleaned(text)


def is_card(digits: str) -> bool:
    """A known issuer, its length, and the check digit of ISO/IEC 7812 (Luhn); no bar code (EAN)."""
    lengths = {"4": (13, 16, 19), "34": (15,), "37": (15,), "62": (16, 17, 18, 19), "9": (16,)}
    lengths |= {str(two): (16,) for two in (*range(51, 56), *range(22, 28), 65, 35)}
    known = any(digits.startswith(p) and len(digits) in ls for p, ls in lengths.items())
    doubled = [int(d) * (1 + place % 2) for place, d in enumerate(reversed(digits))]
    weighted = [int(d) * (1 + 2 * (place % 2)) for place, d in enumerate(digits)]
    is_article = len(digits) == 13 and sum(weighted) % 10 == 0
    return known and sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0 and not is_article


def is_resident(digits: str) -> bool:
    """A Korean resident number: a day, a century, the check digit of citizens or foreigners."""
    months = ["00", "31", "29", "31", "30", "31", "30", "31", "31", "30", "31", "30", "31"]
    is_day = len(digits) == 13 and any(
        digits[2:4] == f"{month:02}" and "01" <= digits[4:6] <= last
        for month, last in enumerate(months)
    )
    if not is_day or digits[6] not in "12345678":
        return False
    total = sum(
        int(d) * w for d, w in zip(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=False)
    )
    return ((13 if digits[6] in "5678" else 11) - total % 11) % 10 == int(digits[12])


def document(
    fields: dict[str, Any], bound: dict[str, Any], declared: dict[str, str]
) -> dict[str, Any]:
    """Return ECS and declared fields by dotted name, and the labels of both kinds."""
    types = {**ecs_fields.types(), **declared}
    placed: dict[str, Any] = {}
    labels: dict[str, Any] = {}
    paths: dict[str, int] = {}
    for layer, given in enumerate((fields, bound)):
        for path, value in leaves("", given, 1):
            if paths.get(path, layer) < layer:
                continue  # bound, and given by the event itself
            found = None
            if not is_reserved(path) and path in types and path not in paths:
                found = fitted(path, types[path], value)
            paths.setdefault(path, layer)
            if found is not None and is_free(placed, path):
                placed[path] = found
            else:
                add_label(labels, path, value)
    return {"fields": placed, "labels": labels}


def is_reserved(path: str) -> bool:
    return path in RESERVED or path.partition(".")[0] in RESERVED_SETS


def is_free(placed: dict[str, Any], path: str) -> bool:
    return not any(
        path == other or path.startswith(f"{other}.") or other.startswith(f"{path}.")
        for other in placed
    )


def leaves(prefix: str, fields: dict[str, Any], depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        path = prefix + name
        if value is None or value == [] or value == {}:
            continue
        if HIDDEN.intersection(path.split(".")):
            yield path, MARKER
        elif isinstance(value, dict) and depth <= DEPTH:
            yield from leaves(f"{path}.", value, depth + 1)
        else:
            yield path, value


def fitted(path: str, kind: str, value: Any) -> Any:
    """Return the value as the field holds it, without loss; None if it cannot."""
    if path not in ecs_fields.arrays():
        return None if isinstance(value, list) else fitted_scalar(path, kind, value)
    items = value if isinstance(value, list) else [value]
    found = [fitted_scalar(path, kind, item) for item in items]
    return None if None in found else found[:ITEMS]


def fitted_scalar(path: str, kind: str, value: Any) -> Any:
    if value is None or isinstance(value, (dict, list)):
        return None
    if kind in {"keyword", "wildcard", "text", "match_only_text"}:
        text = without_parameters(path, as_text(value))
        units = len(text.encode("utf-16-le", "surrogatepass")) // 2
        return (
            None
            if kind in {"keyword", "wildcard"} and units > 1024
            else cut(cleaned_at(path, text))
        )
    if kind in {"long", "integer"}:
        bits = {"long": 63, "integer": 31}[kind]
        whole = isinstance(value, float) and value.is_integer() and abs(value) <= SAFE
        if whole or (isinstance(value, str) and re.fullmatch(r"0|-?[1-9][0-9]{0,18}", value)):
            value = int(value)
        is_integer = type(value) is int and -(2**bits) <= value < 2**bits
        return value if is_integer else None
    if kind in {"float", "double", "scaled_float"}:
        most = {"float": 3.4028234e38, "double": math.inf, "scaled_float": 9.0e15}[kind]
        is_number = type(value) is float or (type(value) is int and abs(value) <= SAFE)
        if isinstance(value, str) and re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", value):
            is_number, value = Decimal(repr(float(value))) == Decimal(value), float(value)
        return float(value) if is_number and math.isfinite(value) and abs(value) <= most else None
    if kind == "boolean":
        return {"true": True, "false": False, True: True, False: False}.get(value) if (
            type(value) is bool or isinstance(value, str)
        ) else None  # fmt: skip
    if kind == "date":
        return value if isinstance(value, str) and is_date(value) else None
    if kind == "ip":
        return value if isinstance(value, str) and is_address(value) else None
    raise AssertionError(kind)


def is_date(text: str) -> bool:
    try:
        return len(text) == 10 and dt.date.fromisoformat(text).year >= 1000
    except ValueError:
        return False


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def add_label(labels: dict[str, Any], path: str, value: Any) -> None:
    root, _, rest = path.partition(".")
    wanted = name = label_name(rest if rest and root in {"labels", "numeric_labels"} else path)
    shown = label(path, value)
    number = 1
    while name in labels:
        number += 1
        name = wanted[: NAME_CHARS - len(f"_{number}")] + f"_{number}"
    if shown is not None:
        labels[name] = shown


def label_name(path: str) -> str:
    return re.sub(r"[.*\\\[\]\"\s\x00-\x1f\x7f]", "_", path)[:NAME_CHARS] or "_"


def label(path: str, value: Any) -> Any:
    """Return a number for `numeric_labels`, a text or texts for `labels`, or None for nothing."""
    if isinstance(value, list):
        return [cut(cleaned(as_text(item))) for item in value if item is not None] or None
    is_number = type(value) in {int, float} and math.isfinite(value)
    if is_number and not (type(value) is int and (abs(value) > SAFE or is_secret(path, value))):
        return value
    return cut(cleaned_at(path, without_parameters(path, as_text(value))))


def is_secret(path: str, value: int) -> bool:
    return cleaned_at(path, str(value)).startswith("[redacted")


def without_parameters(path: str, text: str) -> str:
    """Return the query of a URL without its secrets; any other text as it is.

    A secret may hold an `&`: what stands behind it without a sign is of the secret.
    """
    if path.rpartition(".")[2] not in QUERIES:
        return text
    shown: list[str] = []
    is_hidden = False
    for name, sign, value in [part.partition("=") for part in text.split("&")]:
        if sign or not is_hidden:
            is_hidden = bool(value) and name in HIDDEN
            shown.append(f"{name}={MARKER}" if is_hidden else name + sign + value)
    return "&".join(shown)


def as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return str(value)


def cut(text: str) -> str:
    if len(text) <= CHARS:
        return text
    kept = CHARS - len(f"… [{len(text)} characters left out]")
    return f"{text[:kept]}… [{len(text) - kept} characters left out]"
