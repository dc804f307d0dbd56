"""What is wrong with one line, and what is allowed there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from flowery_logging.cli.validate.parsing import JsonObject, NotANumber

RULES: Final[Mapping[str, str]] = {
    "json": "the line is one JSON object in UTF-8 (RFC 8259)",
    "number": "a number is finite and has at most 64 bits (Elasticsearch)",
    "duplicate": "no key stands twice in an object (Elasticsearch refuses the document)",
    "clash": "a name has one value, dotted or nested, and is no object beside (Elasticsearch)",
    "name": "a name has no empty part and no blank one (Elasticsearch)",
    "depth": "objects are nested at most 20 deep (Elasticsearch: index.mapping.depth.limit)",
    "required": "@timestamp, log.level, message and ecs.version are there (ECS-logging spec)",
    "order": "@timestamp, log.level, message come first, in this order (ECS-logging spec)",
    "nesting": "log.level is one key with a dot, at the top (ECS-logging spec)",
    "timestamp": "@timestamp is RFC 3339 with a zone (ECS-logging spec, Elasticsearch)",
    "type": "a field of ECS has ECS's type",
    "value": "a field of ECS has one of ECS's values, where it lists them",
    "label": "a label's name has no dot, * or backslash, its value is no object (ECS-logging spec)",
    "conflict": "a field has one type on all lines (Elasticsearch takes the first one's)",
}
"""What is checked, by the name of the rule."""

_SHOWN: Final = 60  # characters of a value


class Finding(NamedTuple):
    """One fault of one line."""

    rule: str  # a key of RULES
    field: str  # dotted; "" for the line as a whole
    wrong: str
    allowed: str


def kind_of(value: object) -> str:
    """Return the JSON type of a value, in words."""
    if isinstance(value, JsonObject):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a text"
    return "null" if value is None else "a number"


def shown(value: object) -> str:
    """Return a value's type and its beginning: `a text, "7"`."""
    if isinstance(value, (JsonObject, list)):
        return kind_of(value)
    if isinstance(value, NotANumber):
        return f"{value}, no number of JSON"
    if isinstance(value, bool) or value is None:
        return str(value).lower() if value is not None else "null"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return f"{kind_of(value)}, {text}"
