"""Whether a value is what a type of Elasticsearch's has in JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from flowery_logging.cli.validate.finding import Finding, shown
from flowery_logging.cli.validate.parsing import JsonObject
from flowery_logging.ecs import fields as ecs_fields
from flowery_logging.ecs.conversion import MISFIT, fit

ALLOWED: Final[Mapping[str, str]] = {
    "keyword": "a text",
    "constant_keyword": "a text",
    "wildcard": "a text",
    "text": "a text",
    "match_only_text": "a text",
    "boolean": "true or false",
    "long": "a whole number of 64 bits",
    "integer": "a whole number of 32 bits",
    "float": "a number",
    "double": "a number",
    "scaled_float": "a number",
    "date": 'a date as text: "2026-11-27T12:36:52.924Z"',
    "ip": 'an IP address as text: "10.0.0.1"',
    "geo_point": 'a point: {"lat": 37.5, "lon": 127.0}',
    "object": "an object",
    "flattened": "an object",
    "nested": "a list of objects",
}
"""What JSON holds for each type."""

# The values that ECS 9.4 lists for its categorization fields.
VALUES: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(values.split())
    for name, values in {
        "event.kind": "alert asset enrichment event metric state pipeline_error signal",
        "event.category": "api authentication configuration database driver email file host iam"
        " intrusion_detection library malware network package process registry session threat"
        " vulnerability web",
        "event.type": "access admin allowed change connection creation deletion denied device end"
        " error group indicator info installation protocol start user",
        "event.outcome": "failure success unknown",
    }.items()
}

_TEXTS: Final = frozenset({"keyword", "constant_keyword", "wildcard", "text", "match_only_text"})
_WITH_NAMES: Final = frozenset({"object", "flattened", "nested"})


def check(field: str, kind: str, value: object) -> Finding | None:  # noqa: PLR0911 - one for each rule
    """Return what is wrong with the value of a field of this type; None if nothing is."""
    if value is None:
        return None
    array = field in ecs_fields.arrays()
    if isinstance(value, list):
        if not array and kind not in {"nested", "geo_point", "object", "flattened"}:
            return Finding("type", field, "a list", f"{ALLOWED[kind]} ({kind}), not a list")
        if kind == "geo_point":
            return None if _is_point(value) else _wrong(field, kind, value)
        wrong = [one for one in value if one is not None and not _fits(kind, one)]
        return _wrong(field, kind, wrong[0]) if wrong else _check_values(field, value)
    if not _fits(kind, value):
        return _wrong(field, kind, value)
    if array and not isinstance(value, JsonObject):
        return Finding("type", field, shown(value), f"a list ({kind})")
    return _check_values(field, [value])


def _check_values(field: str, values: list[Any]) -> Finding | None:
    allowed = VALUES.get(field)
    wrong = [one for one in values if allowed is not None and one not in allowed]
    if allowed is None or not wrong or wrong[0] is None:
        return None
    return Finding("value", field, shown(wrong[0]), ", ".join(sorted(allowed)))


def _wrong(field: str, kind: str, value: object) -> Finding:
    return Finding("type", field, shown(value) + _effect(kind, value), f"{ALLOWED[kind]} ({kind})")


def _effect(kind: str, value: object) -> str:
    """Say what Elasticsearch does with a value of another type."""
    if isinstance(value, (JsonObject, list)) or kind in _WITH_NAMES:
        return "; Elasticsearch refuses the document"
    return "" if fit(value, kind) is MISFIT else "; Elasticsearch converts it"


def _fits(kind: str, value: object) -> bool:
    if kind in _TEXTS:
        return isinstance(value, str)
    return _CHECKS[kind](value)


def _is_whole(kind: str) -> Callable[[Any], bool]:
    def check_number(value: object) -> bool:
        return _is_number(value) and fit(value, kind) is not MISFIT

    return check_number


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_date(value: object) -> bool:
    return isinstance(value, str) and fit(value, "date") is not MISFIT


def has_zone(text: str) -> bool:
    """Tell whether a date that Elasticsearch takes says of which zone it is."""
    try:
        return datetime.fromisoformat(text[:10] + "T00:00:00" + _zone(text)).tzinfo is not None
    except ValueError:
        return False


def _zone(text: str) -> str:
    time = text.partition("T")[2]
    for sign in "+-":
        if sign in time:
            return sign + time.partition(sign)[2]
    return "+00:00" if time.endswith("Z") else ""


def _is_ip(value: object) -> bool:
    return isinstance(value, str) and fit(value, "ip") is not MISFIT


def _is_point(value: object) -> bool:
    """Tell whether it is one of the forms of a geo_point: object, GeoJSON, pair or text."""
    if isinstance(value, JsonObject):
        names = {name for name, _ in value.pairs}
        numbers = [one for name, one in value.pairs if name in {"lat", "lon"}]
        flat = names == {"lat", "lon"} and all(map(_is_number, numbers))
        return flat or names == {"type", "coordinates"}
    if isinstance(value, list):
        return len(value) in {2, 3} and all(map(_is_number, value))
    return isinstance(value, str)


def _is_object(value: object) -> bool:
    return isinstance(value, JsonObject)


_CHECKS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "boolean": lambda value: isinstance(value, bool),
    "long": _is_whole("long"),
    "integer": _is_whole("integer"),
    "float": _is_number,
    "double": _is_number,
    "scaled_float": _is_number,
    "date": _is_date,
    "ip": _is_ip,
    "geo_point": _is_point,
    "object": _is_object,
    "flattened": _is_object,
    "nested": _is_object,
}
