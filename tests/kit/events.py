"""Events as Filebeat sends them, each with the document that must come of it: events.json."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

_FILE = json.loads(Path(__file__).with_name("events.json").read_text())

NOW = datetime.strptime(_FILE["now"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
FOREIGN_STREAM = "logs-flowery.foreign-default"

Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """An event and what must become of it; `id` None: Elasticsearch makes one."""

    name: str
    event: Json
    stream: str
    id: str | None
    document: Json
    is_line: bool = False  # a line of a file makes the event, with nothing unusual beside it


def cases() -> list[Case]:
    """Return every case of events.json."""
    return [_own(entry) if "document" in entry else _foreign(entry) for entry in _FILE["cases"]]


def comparable(document: Json) -> Json:
    """Return the document with a message that holds a JSON object decoded.

    Where a whole event became the message, the order of its names says nothing.
    """
    message = document.get("message")
    if not isinstance(message, str) or not message.startswith('{"@timestamp"'):
        return document
    try:
        return document | {"message": json.loads(message)}
    except ValueError:
        return document


def _own(entry: Json) -> Case:
    document = _laid_over(_FILE["document"], entry["document"])
    return Case(
        entry["name"],
        _event(entry),
        entry["stream"],
        document["event"]["id"],
        document,
        _is_line(entry),
    )


def _foreign(entry: Json) -> Case:
    event = _event(entry)
    whole = {name: value for name, value in event.items() if name != "@metadata"}
    text = event["message"] if "event" not in entry else json.dumps(whole, ensure_ascii=False)
    log = event.get("log", {}) if isinstance(event.get("log"), dict) else {}
    read = event["@timestamp"]
    reason = {"reason": entry["reason"]} if "reason" in entry else {}
    place = {name: value for name, value in log.items() if name == "offset"}
    document = {
        "@timestamp": read if read >= "1970" else _FILE["now"],
        "message": text,
        "event": {"ingested": _FILE["now"], **reason},
        "log": {"file": log.get("file", {}), **place},
        "agent": {"name": event["agent"]["name"]},
        "data_stream": {"type": "logs", "dataset": "flowery.foreign", "namespace": "default"},
    }
    known = [event.get("host", {}).get("id", ""), event["agent"]["name"]]
    known += [log.get("file", {}).get("path"), str(log.get("offset")), text]
    identity = None if "id" in entry else _sha256(known)
    return Case(entry["name"], event, FOREIGN_STREAM, identity, document, _is_line(entry))


def _is_line(entry: Json) -> bool:
    return not {"event", "envelope"} & set(entry)


def _event(entry: Json) -> Json:
    if "event" in entry:
        return dict(entry["event"])
    text = entry.get("text")
    if text is None:
        line = json.dumps(_laid_over(_FILE["line"], entry["line"]), ensure_ascii=False)
        text = line + " " * entry.get("padding", 0)
    return _laid_over(_FILE["envelope"], entry.get("envelope", {})) | {"message": text}


def _laid_over(shared: Json, own: Json) -> Json:
    together = shared | own
    return {name: value for name, value in together.items() if value is not None}


def _sha256(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
