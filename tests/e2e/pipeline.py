"""What the Logstash pipeline does with one event, as a pure function."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

FOREIGN_STREAM = "logs-flowery.foreign-default"

# What Filebeat and Logstash add and ECS does not know.
NOT_ECS = (
    "@metadata",
    "@version",
    "agent.hostname",
    "host.containerized",
    "host.os.build",
    "host.os.codename",
    "input",
    "log.offset",
)

KEYS_OF_UNDECODED = frozenset(
    {"@timestamp", "@metadata", "@version", "agent", "cloud", "ecs", "error", "host", "input"}
    | {"log", "message"}
)

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Document:
    """What goes to Elasticsearch: `id` None lets Elasticsearch make one."""

    stream: str
    id: str | None
    body: dict[str, Any]


def process(event: Event, now: datetime) -> Document:
    """The document of an event as Filebeat sends it; `event` stays as it is.

    What the library did not write is kept as one string in a stream of its own: its fields may
    be of any type, and one of the wrong type would have the whole event refused.
    """
    return _own(event, now) if is_ours(event) else _foreign(event, now)


def is_ours(event: Event) -> bool:
    """Whether the library wrote it: a foreign ECS line may have an `event.id` too."""
    texts = ("event.id", "process.entity_id", "data_stream.dataset")
    return type(at(event, "event.sequence")) is int and all(_text(event, name) for name in texts)


def at(event: Event, path: str) -> Any:
    """The value at a dotted path, or None."""
    node: Any = event
    for part in path.split("."):
        if not isinstance(node, Mapping):
            return None
        node = node.get(part)
    return node


def _own(event: Event, now: datetime) -> Document:
    body = copy.deepcopy(dict(event))
    for path in NOT_ECS:
        _remove(body, path)
    body["event"]["ingested"] = _rfc3339(now)
    lag = _lag_milliseconds(event, now)
    numbers = body.setdefault("numeric_labels", {})
    if lag is not None and isinstance(numbers, dict):
        numbers["delivery_lag_ms"] = lag
    parts = (
        _text(event, "data_stream.type") or "logs",
        _text(event, "data_stream.dataset"),
        _text(event, "data_stream.namespace") or "default",
    )
    return Document("-".join(str(part) for part in parts), _text(event, "event.id"), body)


def _foreign(event: Event, now: datetime) -> Document:
    path = _text(event, "log.file.path")
    body: dict[str, Any] = {
        "@timestamp": _indexable_timestamp(event, now),
        "message": event["message"] if _is_undecoded(event) else _json(event),
        "event": {"ingested": _rfc3339(now)},
        "data_stream": {"type": "logs", "dataset": "flowery.foreign", "namespace": "default"},
    }
    if path is not None:
        body["log"] = {"file": {"path": path}}
    return Document(FOREIGN_STREAM, _place(event), body)


def _is_undecoded(event: Event) -> bool:
    """Whether `message` is the whole line, because Filebeat found no JSON object in it."""
    reason = _text(event, "error.message") or ""
    return (
        at(event, "error.type") == "json"
        and reason.startswith("Error decoding JSON")
        and isinstance(event.get("message"), str)
        and set(event) <= KEYS_OF_UNDECODED
    )


def _indexable_timestamp(event: Event, now: datetime) -> str:
    """The event's time; now if it lies outside what nanoseconds in 63 bits can say."""
    said = str(event.get("@timestamp"))
    return said if "1970" <= said[:4] <= "2261" else _rfc3339(now)


def _place(event: Event) -> str | None:
    """Where the line stands: the same for a repeat, another for every other line."""
    place = (_text(event, "agent.name"), _text(event, "log.file.path"), at(event, "log.offset"))
    if None in place:
        return None
    return ":".join(str(part) for part in place)


def _text(event: Event, path: str) -> str | None:
    value = at(event, path)
    return value if isinstance(value, str) and value else None


def _json(event: Event) -> str:
    return json.dumps({key: event[key] for key in event if key != "@metadata"}, ensure_ascii=False)


def _remove(body: dict[str, Any], path: str) -> None:
    *parents, last = path.split(".")
    node = at(body, ".".join(parents)) if parents else body
    if isinstance(node, dict):
        node.pop(last, None)


def _lag_milliseconds(event: Event, now: datetime) -> float | None:
    """Time from the log call to here; negative where the two clocks differ."""
    try:
        called = datetime.strptime(str(event.get("@timestamp")), "%Y-%m-%dT%H:%M:%S.%fZ")
    except ValueError:
        return None
    return round((now - called.replace(tzinfo=timezone.utc)).total_seconds() * 1000, 3)


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
