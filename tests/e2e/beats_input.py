"""What makes Logstash's beats input close a connection: the events that its codec throws on.

Seen with Logstash 9.6.0 and its beats input 7.0.9. Filebeat then sends the batch again without
end, so that one such event stops everything behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TOO_DEEP = 500
"""Levels of objects and lists that its parser does not go down."""


def poison(event: Mapping[str, Any]) -> str:
    """Say what in the event the input throws on; "" where it takes the event."""
    if depth(event) >= TOO_DEEP:
        return f"{TOO_DEEP} levels"
    if "message" not in event:
        return ""
    if isinstance(event["message"], bool):
        return "message is a boolean"
    if "tags" in event and not _is_list_of_texts(event["tags"]):
        return "tags is no list of texts"
    if "beat" in event and not isinstance(event["beat"], dict):
        return "beat is no object"
    names = (name for name in event if not _is_reference(name))
    return next((f"the name {name}" for name in names), "")


def depth(value: Any) -> int:
    """Return how many levels of objects and lists a value has, without recursion."""
    levels, level = 0, [value]
    while level := [one for one in level if isinstance(one, (dict, list))]:
        levels += 1
        level = [
            one for outer in level for one in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return levels


def _is_list_of_texts(tags: object) -> bool:
    return isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)


def _is_reference(name: str) -> bool:
    return "[" not in name and "]" not in name
