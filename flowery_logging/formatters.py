"""Drop-in formatters for teams that keep their own handlers: subclasses of ecs-logging's.

They take ecs-logging's arguments and overridden `format_to_ecs` methods, and write our document:
every field where DESIGN says, nothing that raises, nothing that Elasticsearch refuses. Several
handlers may format one record, so lines from here carry no event ID and no sequence.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping, MutableMapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

import ecs_logging

from flowery_logging import runtime
from flowery_logging.capture import stdlib, structlog as structlog_capture
from flowery_logging.capture.sink import bound_fields
from flowery_logging.ecs import Event, Limits, Placer, Redactor, Site, Static, fields as ecs_fields
from flowery_logging.ecs.compose import Composer
from flowery_logging.ecs.conversion import MISFIT, fit
from flowery_logging.ecs.encode import dumps, text
from flowery_logging.ecs.event import log_fields, rfc3339, thread_fields, usable_time
from flowery_logging.ecs.plain import key_text
from flowery_logging.ecs.schema import put
from flowery_logging.ecs.shrink import shrink

if TYPE_CHECKING:
    import logging

_AGENT_FIELDS: Final = {
    "elasticapm_span_id": "span.id",
    "elasticapm_transaction_id": "transaction.id",
    "elasticapm_trace_id": "trace.id",
    "elasticapm_service_name": "service.name",
    "elasticapm_service_environment": "service.environment",
}
"""What Elastic APM's agent puts on a record → where it belongs."""

_HEAD: Final = ("@timestamp", "log.level", "message", "ecs.version")
_ROOM: Final = Limits(fields=512, depth=16)
"""A document that is placed again has the library's own fields too."""


class _Lines:
    """Makes documents of events, and lines of documents, by the set-up that stands."""

    def __init__(self, *, ensure_ascii: bool) -> None:
        self._ensure_ascii = ensure_ascii
        self.counters = runtime.current_sink().counters
        self._encoder: Any = self
        self._composer: Composer
        self._placer: Placer
        self._renew()

    def document(self, event: Event) -> dict[str, Any]:
        """Return an event as a nested document, its own fields placed by the rules of the line."""
        self._renew()
        event.bound = bound_fields()
        document = self._composer.document(event)
        return {
            "@timestamp": rfc3339(usable_time(event.created)),
            **{name: value for name, value in document.items() if value},
            "message": document["message"],
            "log": {"level": event.site.level, **document["log"]},
            "ecs.version": ecs_fields.VERSION,
        }

    def line(self, document: Mapping[Any, Any]) -> str:
        """Return a document, whatever somebody has made of it, as one line without its end."""
        self._renew()
        head, others = _split(document)
        placed = self._placer.place(others)
        labels, numbers = placed.texts, placed.numbers
        tree = {**head, **placed.tree, "labels": labels, "numeric_labels": numbers}
        line = _encoded(tree)
        if len(line) > _ROOM.line_bytes:
            self.counters.add("cut_lines")
            tree.setdefault("message", "")
            line = _encoded(shrink(tree, lambda t: len(_encoded(t)) <= _ROOM.line_bytes))
        return _NOT_ASCII.sub(_escaped, line.decode()) if self._ensure_ascii else line.decode()

    def minimal(self, level: str, message: Any) -> str:
        """Return a line for an event of which nothing else can be read."""
        head = {"@timestamp": rfc3339(usable_time(None)), "log.level": level}
        return self.line({**head, "message": text(message), "ecs.version": ecs_fields.VERSION})

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
        self._composer = Composer(static, placer, self.counters)
        self._placer = placer.relaxed(_ROOM)
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


_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")


def _escaped(match: re.Match[str]) -> str:
    """Return a character as JSON escapes it: one or two UTF-16 units."""
    units = match[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def _lay_under(tree: dict[str, Any], path: str, value: Any) -> None:
    """Add a field, or an object of fields, where the document has none of that name."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            _lay_under(tree, f"{path}.{key_text(key)}", item)
    elif value is not None:
        put(tree, path, value)


def _is_agent_field(name: Any) -> bool:
    return type(name) is str and name.startswith("elasticapm_")


def _without_original(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out `log.original` where it only repeats the message, as ecs-logging has it."""
    log = document.get("log")
    if not isinstance(log, dict) or log.get("original") != document.get("message"):
        return document
    return {**document, "log": {name: log[name] for name in log if name != "original"}}


class ECSFormatter(ecs_logging.StdlibFormatter):
    """A `logging.Formatter` that writes our document, for handlers of your own.

    The arguments, and methods that override `format_to_ecs`, are those of
    `ecs_logging.StdlibFormatter`; only `ensure_ascii` is False unless given. The service, the
    declared fields and the redaction are those of `setup()`, where it has been called.

    Raises TypeError or ValueError for an argument that ecs-logging does not take either.
    """

    def __init__(
        self,
        fmt: str | None = None,
        datefmt: str | None = None,
        style: Literal["%", "{", "$"] = "%",
        validate: bool | None = None,
        stack_trace_limit: int | None = None,
        extra: dict[str, Any] | None = None,
        exclude_fields: Sequence[str] = (),
        ensure_ascii: bool = False,
    ) -> None:
        super().__init__(
            fmt, datefmt, style, validate, stack_trace_limit, extra, exclude_fields, ensure_ascii
        )
        self._lines = _Lines(ensure_ascii=ensure_ascii)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of ECS JSON. Never raises."""
        for make in (self.format_to_ecs, partial(ECSFormatter.format_to_ecs, self)):
            try:
                return self._lines.line(_without_original(make(record)))
            except Exception:
                self._lines.counters.add("broken_records")
        return self._lines.minimal("error", vars(record).get("msg"))

    def format_to_ecs(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return the record as a nested document, to be changed by a subclass."""
        document = self._lines.document(self._event(record))
        document["process"] = {
            "pid": record.process,
            "name": record.processName,
            "thread": thread_fields(record.thread, record.threadName),
        }
        document["log"]["original"] = document["message"]
        if self._stack_trace_limit == 0:
            document.get("error", {}).pop("stack_trace", None)
        for attribute, name in _AGENT_FIELDS.items():
            _lay_under(document, name, getattr(record, attribute, None))
        for name, value in (self._extra or {}).items():
            _lay_under(document, name, value)
        if not document["event"]["dataset"]:  # without setup()
            document["event"]["dataset"] = document.get("service", {}).get("name")
        return self._without_excluded(document)

    def _event(self, record: logging.LogRecord) -> Event:
        message, fields = stdlib.interpolated(record, stdlib.extras(record))
        own = {name: value for name, value in fields.items() if not _is_agent_field(name)}
        log = log_fields(record.name, record.filename, record.lineno, record.funcName)
        site = Site(record.levelname, log, b"")
        frames = self._stack_trace_limit or None
        event = Event(
            record.created, site, message, b"", self._without_excluded(own), frames=frames
        )
        stdlib.add_exception(event, record)
        return event

    def _without_excluded(self, tree: Mapping[Any, Any], prefix: str = "") -> dict[Any, Any]:
        """Return a copy without the fields in `exclude_fields`, which are dotted names."""
        if not self._exclude_fields:
            return dict(tree)
        kept: dict[Any, Any] = {}
        for key, value in tree.items():
            path = f"{prefix}{key_text(key)}"
            if not self._is_field_excluded(path):
                inner = isinstance(value, dict) and path.count(".") < _ROOM.depth
                kept[key] = self._without_excluded(value, f"{path}.") if inner else value
        return kept


class ECSStructlogFormatter(ecs_logging.StructlogFormatter):
    """A structlog processor, the last of its chain, that returns our document as a line.

    The counterpart of `ecs_logging.StructlogFormatter`; only `ensure_ascii` is False unless given.
    The event dict stays as it is.
    """

    def __init__(self, ensure_ascii: bool = False) -> None:
        super().__init__(ensure_ascii)
        self._lines = _Lines(ensure_ascii=ensure_ascii)

    def __call__(self, _: Any, name: str, event_dict: MutableMapping[str, Any]) -> str:
        """Return the event as one line of ECS JSON. Never raises."""
        for finish in (self.format_to_ecs, dict):
            try:
                return self._lines.line(finish(self._document(name, dict(event_dict))))
            except Exception:
                self._lines.counters.add("broken_records")
        return self._lines.minimal(name, event_dict.get("event"))

    def format_to_ecs(self, event_dict: dict[str, Any]) -> dict[str, Any]:
        """Return the nested document; for a subclass to change."""
        return event_dict

    def _document(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        message = fields.pop("event", "")
        stamp = fit(fields.pop("@timestamp", None), "date")
        event = Event(usable_time(None), Site(name, {}, b""), message, b"", fields)
        structlog_capture.add_exception(event, fields, None)
        document = self._lines.document(event)
        return document if stamp is MISFIT else {**document, "@timestamp": stamp}
