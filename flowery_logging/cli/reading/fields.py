"""The values of an event by the names that people know them by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from flowery_logging.event_parts import LABELS, MORE
from flowery_logging.files.shown import at


def values_of(record: Mapping[str, Any], name: str) -> list[Any]:
    """Return the values that an event has under a name; of a list, each one.

    A bare name is looked for in both boxes of labels and among the first keys, a dotted one as an
    ECS path, in whichever spelling. A label that was logged with dots in its name is found by
    them, and a field that was one too many where such fields stand together.
    """
    found = [value for box in LABELS for value in _in_label(record, box, name)]
    found += _at_path(record, name)
    if not found:
        found += _in_more(record, name)
    return [value for value in found if not isinstance(value, Mapping)]


def value_at(record: Mapping[str, Any], name: str) -> Any:
    """Return what an event has at an ECS path, in whichever spelling, a list as it is; or None.

    Where it is nested, as the library writes most fields, it is found at once.
    """
    node: Any = record
    for part in name.split("."):
        node = node.get(part) if type(node) is dict else None
    return at(record, name) if node is None else node


def first_of(record: Mapping[str, Any], name: str) -> Any:
    """Return the first value that an event has at an ECS path, or None."""
    return next(_each(value_at(record, name)), None)


def text_of(record: Mapping[str, Any], name: str) -> str:
    """Return the text that an event has at an ECS path; "" if it has none, or something else."""
    value = value_at(record, name)
    if not isinstance(value, str):  # it is nearly always
        value = next(_each(value), None)
    return value if isinstance(value, str) else ""


def route_of(record: Mapping[str, Any]) -> str:
    """Return the pattern of a request's route, a label or a field that the team has declared."""
    return next((text for text in values_of(record, "http.route") if isinstance(text, str)), "")


def leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted names and values of an event; of a list, each one under the same name."""
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from leaves(value, f"{name}.")
        else:
            yield from ((name, item) for item in _each(value))


def _in_label(record: Mapping[str, Any], box: str, name: str) -> Iterator[Any]:
    labels = record.get(box)
    if isinstance(labels, Mapping):
        for key in dict.fromkeys((name, name.replace(".", "_"))):
            if key in labels:
                yield from _each(labels[key])


def _in_more(record: Mapping[str, Any], name: str) -> Iterator[Any]:
    """Yield what the fields that were too many have under a name; of a text that was cut, none."""
    for text in _in_label(record, LABELS[0], MORE):
        try:
            more = orjson.loads(text)
        except orjson.JSONDecodeError:
            continue
        if isinstance(more, dict):
            yield from _at_path(more, name)


def _at_path(tree: Mapping[str, Any], path: str) -> Iterator[Any]:
    """Yield what stands at a path, any part of which may be one dotted key."""
    if path in tree:
        yield from _each(tree[path])
    end = path.find(".")
    while end >= 0:
        inner = tree.get(path[:end])
        if isinstance(inner, Mapping):
            yield from _at_path(inner, path[end + 1 :])
        end = path.find(".", end + 1)


def _each(value: object) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _each(item)
    else:
        yield value
