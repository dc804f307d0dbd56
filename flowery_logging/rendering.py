"""Documents of events, and lines of documents, for formatters: by the set-up that stands, or none.

A document is nested, and may be changed before it becomes a line: it is placed again. Several
handlers may format one record, so lines from here carry no event ID and no sequence.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from typing import Any, Final

from flowery_logging import presence, runtime
from flowery_logging.ecs import Event, Limits, Placer, Redactor, Static, fields as ecs_fields
from flowery_logging.ecs.compose import Composer
from flowery_logging.ecs.conversion import MISFIT, fit
from flowery_logging.ecs.encode import dumps, text
from flowery_logging.ecs.event import rfc3339, usable_time
from flowery_logging.ecs.shrink import shrink
from flowery_logging.late import late

_OURS: Final = (
    "service.name", "log.logger", "log.origin.file.name", "log.origin.file.line",
    "log.origin.function", "process.pid", "process.name", "process.thread.id",
    "process.thread.name",
)  # fmt: skip
"""Reserved fields of which a formatter does not know all: what it lacks the caller may give."""

_HEAD: Final = ("@timestamp", "log.level", "message", "ecs.version")
ROOM: Final = Limits(fields=512, depth=16)
"""A document that is placed again has the library's own fields too: it takes at least so much."""


class Lines:
    """Makes documents of events, and lines of documents, by the set-up that stands."""

    def __init__(self) -> None:
        self.counters = runtime.current_sink().counters
        self._encoder: Any = self
        self._static: Static
        self._composer: Composer
        self._placer: Placer
        self._most_bytes: int
        self._renew()
        presence.established()  # their events have a place, without setup()

    def document(self, event: Event, process: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return an event as a nested document, its fields placed by the rules of the line."""
        self._renew()
        ours = {"service": self._static.service, "log": event.site.log, "process": process or {}}
        given = _given(event, ours)
        composed = self._composer.document(event)
        document = {
            "@timestamp": rfc3339(usable_time(event.created)),
            **{name: value for name, value in composed.items() if value},
            "message": composed["message"],
            "log": {"level": event.site.level, **composed["log"]},
            "ecs.version": ecs_fields.VERSION,
        }
        if process:
            document["process"] = process
        for path, value in given.items():
            _put_copied(document, path, value)
        _name_dataset(document)
        return document

    def line(self, document: Mapping[Any, Any], *, ensure_ascii: bool) -> str:
        """Return a document, whatever somebody has made of it, as one line without its end."""
        self._renew()
        head, others = _split(document)
        if "message" in head:  # a subclass may have made another of it
            head["message"] = self._placer.clean_text(head["message"])
        placed = self._placer.place(others)
        labels, numbers = placed.texts, placed.numbers
        tree = {**head, **placed.tree, "labels": labels, "numeric_labels": numbers}
        encode = _escaped if ensure_ascii else _encoded
        line = encode(tree)
        if len(line) > self._most_bytes:
            self.counters.add("cut_lines")
            tree.setdefault("message", "")
            line = encode(shrink(tree, lambda t: len(encode(t)) <= self._most_bytes))
        return line.decode()

    def minimal(self, level: str, message: object, *, ensure_ascii: bool) -> str:
        """Return a line for an event of which nothing else can be read."""
        head = {"@timestamp": rfc3339(usable_time(None)), "log.level": level}
        tree = {**head, "message": text(message), "ecs.version": ecs_fields.VERSION}
        return self.line(tree, ensure_ascii=ensure_ascii)

    def _renew(self) -> None:
        """Follow the set-up that stands now, or none."""
        sink = runtime.current_sink()
        encoder = sink.encoder if sink.ready else None
        if encoder is self._encoder:
            return
        static = Static({}, {"name": socket.gethostname()}, {}, "")
        placer = Placer({}, Redactor(), Limits(), self.counters)
        if encoder is not None:
            static, placer = encoder.static, encoder.placer
        self._static = static
        self._composer = Composer(static, placer, self.counters)
        self._placer = placer.relaxed(Limits(*map(max, placer.limits, ROOM)))
        self._most_bytes = placer.limits.line_bytes
        self._encoder = encoder


def _split(document: Mapping[Any, Any]) -> tuple[dict[str, Any], dict[Any, Any]]:
    """Return the first keys of the line, in their order, and all the others."""
    others = dict(document)
    found: dict[str, Any] = {}
    for name in _HEAD:
        root, _, leaf = name.partition(".")
        inner = others.get(root)
        if name in others:
            found[name] = others.pop(name)
        elif leaf and isinstance(inner, Mapping) and leaf in inner:
            found[name] = inner[leaf]
            others[root] = {key: value for key, value in inner.items() if key != leaf}
    if "@timestamp" in found:
        time = fit(found["@timestamp"], "date")
        found["@timestamp"] = rfc3339(usable_time(None)) if time is MISFIT else time
    return {name: text(value) for name, value in found.items() if value is not None}, others


def _encoded(tree: Mapping[str, Any]) -> bytes:
    return dumps({name: value for name, value in tree.items() if value or name == "message"})


_NOT_ASCII: Final = late(r"[^\x00-\x7e]+")


def _escaped(tree: Mapping[str, Any]) -> bytes:
    """Encode a tree with each character that is not printable ASCII escaped."""
    return _NOT_ASCII.sub(_escapes, _encoded(tree).decode()).encode()


def _escapes(match: re.Match[str]) -> str:
    """Return characters as JSON escapes them: one or two UTF-16 units each."""
    units = match[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def _name_dataset(document: dict[str, Any]) -> None:
    """Without setup() a dataset is named after the service, or there is none."""
    fields = document["event"] = dict(document["event"])
    fields["dataset"] = fields["dataset"] or document.get("service", {}).get("name")
    if not fields["dataset"]:
        del fields["dataset"]


def _given(event: Event, ours: Mapping[str, Any]) -> dict[str, Any]:
    """Take from an event, and return, the fields of `_OURS` that the library has no value for."""
    found: dict[str, Any] = {}
    for path in _OURS:
        if _without_field(ours, path)[1] is None:
            event.bound, found[path] = _without_field(event.bound, path)
            if found[path] is None:
                event.fields, found[path] = _without_field(event.fields, path)
    return {path: value for path, value in found.items() if value is not None}


def _without_field(tree: Mapping[Any, Any], path: str) -> tuple[Mapping[Any, Any], Any]:
    """Return a tree without a field, in whichever spelling, and its value; None if it has none."""
    if path in tree:
        return {key: value for key, value in tree.items() if key != path}, tree[path]
    for end, character in enumerate(path):
        inner = tree.get(path[:end]) if character == "." else None
        if isinstance(inner, dict):
            rest, value = _without_field(inner, path[end + 1 :])
            if value is not None:
                return {**tree, path[:end]: rest}, value
    return tree, None


def _put_copied(tree: dict[str, Any], path: str, value: object) -> None:
    """Put a value at a path whose objects may be shared with other documents."""
    name, _, rest = path.partition(".")
    if rest:
        tree[name] = {**tree.get(name, {})}
        _put_copied(tree[name], rest, value)
    else:
        tree[name] = value
