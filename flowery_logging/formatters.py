"""Drop-in formatters for teams that keep their own handlers: subclasses of ecs-logging's.

They take ecs-logging's arguments and overridden `format_to_ecs` methods, and write our document:
every field where it belongs (docs/fields.md), nothing that raises, nothing that Elasticsearch
refuses.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

import ecs_logging

from flowery_logging.capture import celery_lines, records, structlog_output
from flowery_logging.capture.event_dict import is_event_dict, unwrap_event_dict
from flowery_logging.capture.interrupted import bring_about
from flowery_logging.capture.own_classes import ordinary
from flowery_logging.capture.sink import bound_fields
from flowery_logging.capture.waiting import carried_fields
from flowery_logging.circles import asks_others, ends_a_circle
from flowery_logging.ecs import Event, Site
from flowery_logging.ecs.conversion import MISFIT, fit
from flowery_logging.ecs.encode import text
from flowery_logging.ecs.event import log_fields, thread_fields, usable_time
from flowery_logging.ecs.exception import exception_of
from flowery_logging.ecs.plain import key_text
from flowery_logging.levels import name_of
from flowery_logging.rendering import ROOM, Lines
from flowery_logging.signalled import let_through

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


_ELASTIC: Final = "elasticapm_"
_OTHERS: Final = sorted(name for name in records.AGENTS if not name.startswith(_ELASTIC))


def _is_agent_field(name: object) -> bool:
    return type(name) is str and name.startswith(_ELASTIC)


def _told_by_agents(record: logging.LogRecord) -> dict[str, Any]:
    """Return what other agents have put on a record: here nobody asks them for their span."""
    attributes = vars(record)
    return {name: attributes[name] for name in _OTHERS if name in attributes}


def _without_original(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out `log.original` where it only repeats the message, as ecs-logging has it."""
    log = document.get("log")
    if not isinstance(log, dict) or log.get("original") != document.get("message"):
        return document
    return {**document, "log": {name: log[name] for name in log if name != "original"}}


class ECSFormatter(ecs_logging.StdlibFormatter):
    """A `logging.Formatter` that writes our document, for handlers of your own.

    The arguments, and methods that override `format_to_ecs`, are those of
    `ecs_logging.StdlibFormatter`; only `ensure_ascii` is False unless given, and of a negative
    `stack_trace_limit` the last frames stay, as in `traceback`. The service, the declared fields
    and the redaction are those of `setup()`, where it has been called.

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
        # Up to 2.3.0, ecs-logging refuses negative limits.
        last = isinstance(stack_trace_limit, int) and stack_trace_limit < 0
        limit = None if last else stack_trace_limit
        super().__init__(fmt, datefmt, style, validate, limit, extra, exclude_fields, ensure_ascii)
        self._stack_trace_limit = stack_trace_limit
        self._lines = Lines()

    @asks_others
    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of ECS JSON. Never raises."""
        if not hasattr(record, "__dict__"):
            record = ordinary(record)
        for make in (self.format_to_ecs, partial(ECSFormatter.format_to_ecs, self)):
            try:
                document = _without_original(make(record))
                return self._lines.line(document, ensure_ascii=self.ensure_ascii)
            except Exception as error:  # noqa: PERF203 - then the next way is tried
                # Of a signal handler too: a handler of `logging` lets nothing else through.
                if ends_a_circle(error):
                    raise
                self._lines.counters.add("broken_records")
        message = vars(record).get("msg")
        return self._lines.minimal("error", message, ensure_ascii=self.ensure_ascii)

    def format_to_ecs(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return the record as a nested document, to be changed by a subclass."""
        thread = thread_fields(record.thread, record.threadName)
        process = {"pid": record.process, "name": record.processName, "thread": thread}
        document = self._lines.document(self._event(record), process)
        document["log"]["original"] = document["message"]
        return self._without_excluded(document)

    def _event(self, record: logging.LogRecord) -> Event:
        record = celery_lines.shown(record)
        message, fields = records.interpolated(record, records.extras(record))
        own = {name: value for name, value in fields.items() if not _is_agent_field(name)}
        own |= _told_by_agents(record)
        log = log_fields(record.name, record.filename, record.lineno, record.funcName)
        event = Event(record.created, Site(name_of(record), log, b""), message, b"", own)
        if is_event_dict(record):
            unwrap_event_dict(event, record)
        else:
            self._add_exception(event, record)
        event.fields = self._without_excluded(event.fields)
        event.bound = self._without_excluded(self._around(record))
        bring_about(message)
        return event

    def _around(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return the fields that are not of this event alone; its own come before them."""
        agent = {path: getattr(record, name, None) for name, path in _AGENT_FIELDS.items()}
        carried = carried_fields(record)
        bound = bound_fields() if carried is None else carried
        return {**agent, **(self._extra or {}), **bound}

    def _add_exception(self, event: Event, record: logging.LogRecord) -> None:
        """Take the exception; with a limit of 0 no stack but `stack_info`, as ecs-logging does."""
        event.frames = self._stack_trace_limit
        if event.frames != 0:
            records.add_exception(event, record)
        else:
            event.error = exception_of(record.exc_info)
            event.stack = text(record.stack_info) if record.stack_info else None

    def _without_excluded(self, tree: Mapping[Any, Any], prefix: str = "") -> dict[Any, Any]:
        """Return a copy without the fields in `exclude_fields`, which are dotted names.

        An object of which nothing is left goes too.
        """
        if not self._exclude_fields:
            return dict(tree)
        kept: dict[Any, Any] = {}
        for key, value in tree.items():
            path = f"{prefix}{key_text(key)}"
            if not self._is_field_excluded(path):
                inner = isinstance(value, dict) and path.count(".") < ROOM.depth
                left = self._without_excluded(value, f"{path}.") if inner else value
                if left or not value or not inner:
                    kept[key] = left
        return kept


class ECSStructlogFormatter(ecs_logging.StructlogFormatter):
    """A structlog processor, the last of its chain, that returns our document as a line.

    The counterpart of `ecs_logging.StructlogFormatter`; only `ensure_ascii` is False unless given.
    The event dict stays as it is.
    """

    def __init__(self, ensure_ascii: bool = False) -> None:
        super().__init__(ensure_ascii)
        self._lines = Lines()

    def __call__(self, _: object, name: str, event_dict: MutableMapping[str, Any]) -> str:
        """Return the event as one line of ECS JSON. Never raises."""
        for finish in (self.format_to_ecs, dict):
            try:
                document = finish(self._document(name, dict(event_dict)))
                return self._lines.line(document, ensure_ascii=self.ensure_ascii)
            except Exception as error:  # noqa: PERF203 - then the next way is tried
                let_through(error)
                self._lines.counters.add("broken_records")
        message = event_dict.get("event")
        return self._lines.minimal(name, message, ensure_ascii=self.ensure_ascii)

    def format_to_ecs(self, event_dict: dict[str, Any]) -> dict[str, Any]:
        """Return the nested document; for a subclass to change."""
        return event_dict

    def _document(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        message = fields.pop("event", "")
        stamp = fit(fields.pop("@timestamp", None), "date")
        event = Event(usable_time(None), Site(name, {}, b""), message, b"", fields, bound_fields())
        structlog_output.add_exception(event, fields, None)
        document = self._lines.document(event)
        return document if stamp is MISFIT else {**document, "@timestamp": stamp}
