"""The events of some numbers, read from the files, as the documents that Logstash makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flowery_logging.cli.audit.ranges import Ranges
from flowery_logging.config.identity import is_served
from flowery_logging.files.reader import Kind, LogFile, Record, read

Json = dict[str, Any]


@dataclass(frozen=True)
class Document:
    """What is created: in which stream, under which ID."""

    stream: str
    id: str
    body: Json


def documents(file: LogFile, entity: str, numbers: Ranges) -> Iterator[Document | str]:
    """Yield the documents of a process's numbers that lie in a file.

    A text is the ID of an event whose stream the kit does not serve. Raises OSError.
    """
    for line in read(file):
        if line.kind is Kind.EVENT and line.entity == entity and line.sequence in numbers:
            identity = f"{entity}-{line.sequence}"
            stream = _stream(line.record)
            body = _nested(line.record)
            body.setdefault("log", {})["file"] = {"path": file.path}
            yield identity if stream is None else Document(stream, identity, body)


def _stream(record: Record) -> str | None:
    """Return the stream that an event names, if it is one of those that the role allows."""
    named = record.get("data_stream")
    if not isinstance(named, dict):
        return None
    dataset, namespace = str(named.get("dataset")), str(named.get("namespace", "default"))
    ours = is_served(dataset) and named.get("type", "logs") == "logs"
    return f"logs-{dataset}-{namespace}" if ours else None


def _nested(record: Record) -> Json:
    """Return an event with "log.level" as log: {level: …}, as Logstash's filter makes it."""
    body = {name: value for name, value in record.items() if "." not in name}
    for name in record.keys() - body.keys():
        *parents, last = name.split(".")
        node = body
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = record[name]
    return body
