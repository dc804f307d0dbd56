"""What the Logstash pipeline does with one event, as a pure function."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import orjson

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
# What Filebeat says beside a line that it did not decode.
BESIDE = frozenset(
    {"@timestamp", "@metadata", "@version", "agent", "cloud", "container", "ecs", "host", "input"}
    | {"kubernetes", "log", "message", "orchestrator", "stream"}
)
SERVED = re.compile(r"flowery(\.(?!(foreign|dead_letters)\Z).+)?", re.DOTALL)
UNFIT = re.compile(r"[\\/*?\"<>| ,#:A-Z\x00-\x1f-]")

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Document:
    """What goes to Elasticsearch: `id` None lets Elasticsearch make one."""

    stream: str
    id: str | None
    body: dict[str, Any]


class _RefusedError(Exception):
    """An event with our marks that the streams of the kit cannot take; says why."""


def process(event: Event, now: datetime) -> Document:
    """The document of an event as Filebeat sends it; `event` stays as it is.

    What the library did not write is kept as one string in a stream of its own: its fields may
    be of any type, and one of the wrong type would have the whole event refused.
    """
    # An older Filebeat may have decoded the line already.
    line = {} if is_ours(event) else _decoded(event.get("message"))
    if line is None or (line and not is_ours(line)):
        return _foreign(event, now)
    try:
        return _own(event, line, now)
    except _RefusedError as error:
        return _foreign(event, now, str(error))


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


def _decoded(text: object) -> dict[str, Any] | None:
    if not isinstance(text, str) or not text.startswith("{") or '"entity_id"' not in text:
        return None
    try:
        line: dict[str, Any] = orjson.loads(text)
    except ValueError:
        return None
    return line


def _own(event: Event, line: dict[str, Any], now: datetime) -> Document:
    time = _time(event, line)
    body = _merged(copy.deepcopy(dict(event)), _nested(line))
    for path in NOT_ECS:
        _remove(body, path)
    tags = body.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise _RefusedError("tags is no list of texts")
    body["@timestamp"] = time
    body["data_stream"] = stream = _stream(body)
    body["event"]["ingested"] = _rfc3339(now)
    numbers = body.setdefault("numeric_labels", {})
    if not isinstance(numbers, dict):
        raise _RefusedError("numeric_labels is no object")
    numbers["delivery_lag_ms"] = _lag_milliseconds(time, now)
    parts = (str(stream[part]) for part in ("type", "dataset", "namespace"))
    return Document("-".join(parts), _text(body, "event.id"), body)


def _nested(line: dict[str, Any]) -> dict[str, Any]:
    """The line with "log.level" as log: {level: …}."""
    for name in [name for name in line if "." in name]:
        *parents, last = name.split(".")
        node: Any = line
        for parent in parents:
            node = node.setdefault(parent, {}) if isinstance(node, dict) else None
        if not isinstance(node, dict) or not last or last in node:
            raise _RefusedError(f"{name} has no place")
        node[last] = line.pop(name)
    return line


def _merged(said: dict[str, Any], line: dict[str, Any]) -> dict[str, Any]:
    """What the shipper says of the machine and the file, and the line, which wins."""
    for name, own in line.items():
        beside = said.get(name)
        if not isinstance(beside, dict):
            said[name] = own
        elif isinstance(own, dict):
            _merged(beside, own)
        else:
            raise _RefusedError(f"{name} is no object")
    return said


def _stream(line: Event) -> dict[str, Any]:
    """The stream, if the role of the kit may write to it."""
    stream: dict[str, Any] = {"type": "logs", "namespace": "default"} | line["data_stream"]
    kind, dataset, namespace = (str(stream[part]) for part in ("type", "dataset", "namespace"))
    if kind != "logs":
        raise _RefusedError(f"data_stream.type {kind} is not logs")
    if not SERVED.fullmatch(dataset):
        raise _RefusedError(f"data_stream.dataset {dataset} is not flowery or flowery.…")
    for part in (dataset, namespace):
        if UNFIT.search(part) or not 1 <= len(part.encode()) <= 100:
            raise _RefusedError(f"{part} cannot be in the name of a stream")
    return stream


def _time(event: Event, line: Event) -> str:
    """The line's time, where it has one."""
    if "@timestamp" not in line:
        return str(event["@timestamp"])
    said = _text(line, "@timestamp")
    if said is None or not _is_indexable(said):
        raise _RefusedError("@timestamp is no time of 1970 to 2261")
    if _parsed(said) is None:
        raise _RefusedError(f"invalid timestamp string format {said}")
    return said


def _foreign(event: Event, now: datetime, reason: str | None = None) -> Document:
    read = str(event.get("@timestamp"))
    path, offset, machine = (
        _text(event, "log.file.path"),
        at(event, "log.offset"),
        _text(event, "agent.name"),
    )
    text = _verbatim(event)
    body: dict[str, Any] = {
        "@timestamp": read if _is_indexable(read) else _rfc3339(now),
        "message": _json(event) if text is None else text,
        "event": {"ingested": _rfc3339(now)} | ({"reason": reason} if reason else {}),
        "log": {"file": {"path": path} if path else {}},
        "agent": {"name": machine} if machine else {},
        "data_stream": {"type": "logs", "dataset": "flowery.foreign", "namespace": "default"},
    }
    if offset is not None:
        body["log"]["offset"] = offset
    return Document(FOREIGN_STREAM, _identity(event, text), body)


def _verbatim(event: Event) -> str | None:
    text = event.get("message")
    return text if isinstance(text, str) and set(event) <= BESIDE else None


def _is_indexable(time: str) -> bool:
    """Whether nanoseconds in 63 bits hold it."""
    return "1970" <= time[:4] <= "2261"


def _identity(event: Event, text: str | None) -> str | None:
    """The same for a repeat of the line, another for every other line."""
    place = [
        _text(event, "agent.name"),
        _text(event, "log.file.path"),
        at(event, "log.offset"),
        text,
    ]
    if None in place:
        return None
    parts = [_text(event, "host.id") or "", *map(str, place)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


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


def _parsed(time: str) -> datetime | None:
    for form in ("%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ"):
        try:
            return datetime.strptime(time, form).replace(tzinfo=timezone.utc)
        except ValueError:
            pass
    return None


def _lag_milliseconds(time: str, now: datetime) -> float:
    """Time from the log call to here; negative where the two clocks differ."""
    called = _parsed(time)
    return 0.0 if called is None else round((now - called).total_seconds() * 1000, 3)


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
