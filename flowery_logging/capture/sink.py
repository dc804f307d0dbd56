"""What all ways in share: the encoder, the writer and the processors of the current set-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from structlog import contextvars as structlog_contextvars

from flowery_logging import context
from flowery_logging.counters import Counters
from flowery_logging.ecs import Event, LineEncoder, Site
from flowery_logging.files import Writer

Fields = Mapping[str, Any]
Halves = tuple[bytes, bytes]
Processor = Callable[[dict[str, Any]], "dict[str, Any] | None"]

NO_FIELDS: Final[Fields] = {}

# structlog keeps one ContextVar a key in this dict; while it is empty nobody has bound anything.
_structlog_vars: Final[Mapping[str, Any]] = getattr(
    structlog_contextvars, "_CONTEXT_VARS", {"unknown": None}
)


class Sink:
    """Takes events to the writer; `ready` once `setup()` has been called.

    Loggers made earlier hold the sink, so what `setup()` changes reaches them.
    """

    __slots__ = ("counters", "encoder", "processors", "ready", "writer")

    def __init__(self, counters: Counters) -> None:
        self.counters = counters
        self.ready = False
        self.encoder: LineEncoder
        self.writer: Writer
        self.processors: tuple[Processor, ...] = ()

    def open(self, encoder: LineEncoder, writer: Writer, processors: tuple[Processor, ...]) -> None:
        """Begin to take events."""
        self.encoder, self.writer, self.processors = encoder, writer, processors
        self.ready = True

    def encode(
        self, created: float, site: Site, message: Any, fields: Fields, thread: bytes
    ) -> Halves | None:
        """Return the halves of an event without an exception; None if a processor drops it."""
        if _structlog_vars or self.processors:
            return self.encode_event(Event(created, site, message, thread, fields))
        return self.encoder.encode(created, site, message, fields, context.current(), thread)

    def encode_event(self, event: Event) -> Halves | None:
        """Return the halves of any event, after the processors; None if one drops it."""
        event.bound = bound_fields()
        if self.processors and not self._process(event):
            self.counters.add("dropped_by_processors")
            return None
        return self.encoder.encode_event(event)

    def emit_event(self, event: Event) -> None:
        """Write any event, after the processors have seen it. Never raises."""
        halves = self.encode_event(event)
        if halves is not None:
            self.writer.write(*halves)

    def _process(self, event: Event) -> bool:
        """Let the processors change an event; False if one of them drops it.

        One that raises, or returns something else, is counted, and the event goes on without it.
        """
        for processor in self.processors:
            given = {**event.bound, **_without_message(event.fields), "message": event.message}
            try:
                returned: Any = processor(given)
            except Exception:
                self.counters.add("processor_errors")
                continue
            if returned is None:
                return False
            if not isinstance(returned, dict):
                self.counters.add("processor_errors")
                continue
            event.message = returned.get("message", event.message)
            event.fields = {name: value for name, value in returned.items() if name != "message"}
            event.bound = NO_FIELDS
        return True


def _without_message(fields: Fields) -> Fields:
    """Return the fields; one that is named as the text of the event moves to `labels`."""
    if "message" not in fields:
        return fields
    others = {name: value for name, value in fields.items() if name != "message"}
    return {**others, "labels.message": fields["message"]}


def bound_fields() -> Fields:
    """Return what is bound here: ours, over what was bound with `structlog.contextvars`."""
    ours = context.fields()
    if not _structlog_vars:
        return ours
    try:
        theirs = structlog_contextvars.get_contextvars()
    except Exception:
        return ours
    return {**theirs, **ours} if theirs else ours
