"""Events from the standard library's `logging`: a handler, and a `makeRecord` that never raises."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from os.path import basename
from types import FrameType
from typing import Any, Final

from flowery_logging import context, presence
from flowery_logging.capture.event_dict import MARKS, is_event_dict, unwrap_event_dict
from flowery_logging.capture.handed import Written, pending_for
from flowery_logging.capture.interrupted import Interrupted
from flowery_logging.capture.logger_tree import reaches
from flowery_logging.capture.own_classes import ordinary
from flowery_logging.capture.patch import Patch
from flowery_logging.capture.sink import Sink, this_thread
from flowery_logging.capture.waiting import CARRIED, carried_fields, is_written
from flowery_logging.ecs import Event
from flowery_logging.ecs.encode import text
from flowery_logging.ecs.event import NO_FIELDS
from flowery_logging.ecs.exception import exc_info_of, exception_of, traceback_of
from flowery_logging.levels import name_of
from flowery_logging.scope import Scope
from flowery_logging.signalled import is_of_a_handler, let_through

Record = logging.LogRecord

_STANDARD: Final = tuple(Record("", 0, "", 0, "", (), None).__dict__)
_LAST_STANDARD: Final = _STANDARD[-1]
_BEFORE_LAST: Final = len(_STANDARD) - 1

_GET_MESSAGE: Final = "getMessage"

_CLASHING: Final = "_flowery_clashing"
"""The attribute of a record that holds extra fields whose names stdlib refuses."""

AGENTS: Final = frozenset({
    "elasticapm_labels", "elasticapm_service_environment", "elasticapm_service_name",
    "elasticapm_span_id", "elasticapm_trace_id", "elasticapm_transaction_id",
    "otelServiceName", "otelSpanID", "otelTraceID", "otelTraceSampled",
    "dd.env", "dd.service", "dd.span_id", "dd.trace_id", "dd.version",
    "_http_request", "_http_request_str", "_labels", "_labels_str", "_payload_str", "_resource",
    "_source_location", "_source_location_str", "_span_id", "_span_id_str", "_trace",
    "_trace_sampled", "_trace_sampled_str", "_trace_str",
    "_nr_original_message", "_ray_timestamp_ns",
})  # fmt: skip
"""What agents put on each record, which are asked anyway: Elastic APM, OpenTelemetry, Datadog, New
Relic. Google Cloud Logging's handler, and Ray, put there in other forms what the record has."""

# `message` and `asctime` are what formatters of other handlers leave on a record.
ASIDE: Final = AGENTS | {"color_message"} | MARKS
"""Names of extra fields that not everybody's events show (see `extras`)."""

NOT_EXTRA: Final = frozenset({*_STANDARD, *AGENTS, "message", "asctime", _CLASHING, CARRIED})
"""Names that a record has, or may have, for itself: extra fields of these names come last."""


SUPPRESSES_PRINTED: Final = ("aws_lambda_powertools.logging.filters", "SuppressFilter")
"""Powertools adds this to all handlers of the root logger, as its own handler prints the lines."""

LOOKED_AT: Final = "_flowery_looked_at"
"""The attribute of a logger whose records are looked at: they must be made, to be seen."""


@dataclass(slots=True)
class _Looks:
    """How our handler looks at the records of one logger."""

    is_told: Callable[[Record], bool] | None = None
    shown_as: Callable[[Record], Record] | None = None
    scope_of: Callable[[Record], Scope | None] | None = None


class _Given(threading.local):
    """The record that this thread has given to our handler past the loggers' handlers.

    And the last one that our handler has got, and the one whose way through all handlers this is:
    ours may stand there more than once.
    """

    record: Record | None = None
    last: Record | None = None
    passing: Record | None = None


class Handler(logging.Handler):
    """Writes each record as one ECS line. One of it stands on the root logger."""

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self.sink = sink
        self.given = _Given()
        self._unwritten: Record | None = None
        self._looks: dict[str, _Looks] = {}
        self._is_attached = False
        self.general = logging.NOTSET
        """The level of loggers that have none of their own."""
        self.is_held_back: Callable[[Record, logging.Handler], bool] = lambda *_: False
        """Asked of records below it."""

    def leave_out(self, logger: str, is_told: Callable[[Record], bool]) -> None:
        """Leave out those records of a logger that are told otherwise; other handlers get them."""
        self._looks_at(logger).is_told = is_told

    def show_as(self, logger: str, shown_as: Callable[[Record], Record]) -> None:
        """Write what `shown_as` makes of each record of a logger; other handlers get the record.

        It returns the record itself, or a changed copy.
        """
        self._looks_at(logger).shown_as = shown_as

    def place(self, logger: str, scope_of: Callable[[Record], Scope | None]) -> None:
        """Write a logger's records with the fields of the scope to which each of them belongs.

        Where `scope_of` returns None, with those of the scope in which the record was logged.
        """
        self._looks_at(logger).scope_of = scope_of

    def _looks_at(self, logger: str) -> _Looks:
        looks = self._looks.setdefault(logger, _Looks())
        if self._is_attached:
            vars(logging.getLogger(logger))[LOOKED_AT] = True
        return looks

    def attached(self, yes: bool) -> None:
        """Take note that records come here from now on, or no more: others' loggers say it."""
        self._is_attached = yes
        for name in list(self._looks):
            attributes = vars(logging.getLogger(name))
            if yes:
                attributes[LOOKED_AT] = True
            else:
                attributes.pop(LOOKED_AT, None)

    def createLock(self) -> None:  # noqa: N802
        """Have no lock: the writer has one, and a handler's lock could be held at a fork."""
        self.lock = None

    def handle(self, record: Record) -> bool:
        """Write the record if the filters let it pass, and if it is not written yet."""
        given = self.given
        try:
            if record is given.record or record is self._unwritten or is_written(record):
                return False
            if (record is given.passing and record is given.last) or (
                type(record.levelno) is int  # a record made by hand may have any, or none
                and record.levelno < self.general
                and self.is_held_back(record, self)
            ):
                return False
        except AttributeError:
            written = self.handle(ordinary(record))
            given.last = None if given.passing is None else record
            return written
        given.last = None if given.passing is None else record
        if self.filters:
            verdict: Any = self.filter(record)
            if not verdict:
                return False
            if isinstance(verdict, Record):
                record = verdict
        name = record.__dict__.get("name")
        looks = self._looks.get(name) if type(name) is str else None
        if looks is not None:
            return self._look(looks, record)
        self._write(record)
        return True

    def _look(self, looks: _Looks, record: Record) -> bool:
        """Handle a record of a logger that is looked at. Never raises."""
        scope = None
        try:
            if looks.is_told is not None and looks.is_told(record):
                return False
            if looks.scope_of is not None:
                scope = looks.scope_of(record)
            if looks.shown_as is not None:
                record = looks.shown_as(record)
        except Exception as error:  # a record that is not what we know is written as it is
            let_through(error)
        with context.inside(scope or context.here()):
            self._write(record)
        return True

    def rescue(self, record: Record) -> None:
        """Write a record that another handler has kept from us by what it raised. Never raises."""
        if self.given.last is not record:
            with suppress(BaseException):  # raised again by the same object: it is on its way
                self.handle(record)

    def leave_next_out(self, record: Record) -> None:
        """Do not write this record, which is about to come: it is about our own writing."""
        self.sink.counters.add("own_changes")
        self._unwritten = record

    def addFilter(self, filter: Any) -> None:  # noqa: N802, A002 - the names of stdlib
        """Add a filter, but one that only keeps lines from being printed twice."""
        if (type(filter).__module__, type(filter).__name__) != SUPPRESSES_PRINTED:
            super().addFilter(filter)

    def emit(self, record: Record) -> None:
        """Write a record that somebody hands on past `handle`, unless it came by here before.

        As what is wrapped around each handler does (multiprocessing-logging): ours is put back.
        """
        try:
            is_written = reaches(logging.getLogger(record.name), self)
        except Exception as error:
            let_through(error)
            is_written = False
        if not is_written:
            self._write(record)

    def _write(self, record: Record) -> None:  # noqa: C901 - calls are counted here, not branches
        """Write the record.

        Raises what ends a program, and what a signal handler raises meanwhile.
        """
        sink = self.sink
        if type(record.name) is Written:
            return
        given = pending_for(record)
        if given is not None:
            given.taken = True
            sink.emit_event(given.event, context.fields() if given.merged else None)
            return
        encoder = sink.encoder
        event = None
        try:
            key = record.name, record.levelname, record.pathname, record.lineno, record.funcName
            site = encoder.known_site(key) or encoder.site(
                key,
                name_of(record),
                record.name,
                basename(record.pathname or ""),
                record.lineno,
                record.funcName,
            )
            created, message = record.created, record.msg
            thread = encoder.thread(record.thread, record.threadName)
            fields: Mapping[str, Any] = NO_FIELDS
            if len(record.__dict__) != _BEFORE_LAST + 1 or type(record) is not Record:
                fields = extras(record)
                message, fields = interpolated(record, fields)
            elif record.args:
                message, fields = interpolated(record, fields)
            if is_event_dict(record):
                event = Event(created, site, message, thread, fields)
                unwrap_event_dict(event, record)
            elif record.exc_info is not None or record.exc_text or record.stack_info:
                event = Event(created, site, message, thread, fields)
                add_exception(event, record)
            elif CARRIED in record.__dict__:
                event = Event(created, site, message, thread, fields)
        except Exception as error:
            let_through(error)
            event = self._broken(record)
        if event is None:
            if sink.put(created, site, message, fields, thread):
                return
            event = Event(created, site, message, thread, fields)
        event.template = record.__dict__.get("msg")
        sink.emit_event(event, carried_fields(record))

    def _broken(self, record: Record) -> Event:
        """Return what can be had from a record whose attributes are not what they should be."""
        self.sink.counters.add("broken_records")
        encoder = self.sink.encoder
        attributes = dict(vars(record))
        try:
            message: Any = record.getMessage()
            del attributes["msg"], attributes["args"]
        except Exception as error:
            let_through(error)
            message = attributes.pop("msg", "")
        level, logger = (
            value if isinstance(value, str) else None
            for value in (attributes.get("levelname"), attributes.get("name"))
        )
        key = ("broken record", level, logger)
        site = encoder.site(key, level or "error", logger, None, None, None)
        fields = {"labels.record": {str(name): value for name, value in attributes.items()}}
        return Event(time.time(), site, message, this_thread(encoder), fields)


def extras(record: Record) -> Mapping[str, Any]:
    """Return what the caller and filters have added to a record."""
    attributes = record.__dict__
    # A record's own attributes come first, in the order in which they were set; if the last of
    # them is not where it should be, somebody has taken some away.
    found = dict(islice(attributes.items(), _BEFORE_LAST, None))
    if found.pop(_LAST_STANDARD, found) is found or not NOT_EXTRA.isdisjoint(found):
        found = {name: value for name, value in attributes.items() if name not in NOT_EXTRA}
    if _CLASHING in attributes:
        found = {**found, **attributes[_CLASHING]}
    if "color_message" in found and record.name.startswith("uvicorn"):
        del found["color_message"]  # the message again, for terminals
    if "end_color" in found and all(map(_is_colour, map(found.get, _COLOURS))):
        found = {name: value for name, value in found.items() if name not in _COLOURS}
    if _has_own_text(record):
        found.pop(_GET_MESSAGE, None)
    return found


_COLOURS: Final = ("color", "end_color")
"""What a formatter of traitlets leaves on each record."""


def _is_colour(value: object) -> bool:
    """Tell whether a value is the code of a colour; where there is no terminal it is empty."""
    return type(value) is str and (not value or value.startswith("\x1b["))


def _has_own_text(record: Record) -> bool:
    """Tell whether somebody adds to the text by a method on the record, as New Relic."""
    return callable(record.__dict__.get(_GET_MESSAGE))


def interpolated(record: Record, fields: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    """Return the message with its arguments; if they do not fit, the template and a field."""
    is_stock = type(record).getMessage is Record.getMessage and not _has_own_text(record)
    if not record.args and is_stock:
        return record.msg, fields
    try:
        return record.getMessage(), fields
    except Exception as error:  # arguments that do not fit, or a handler's
        if is_of_a_handler(error):
            return Interrupted(record.msg, record.args, error), fields
        return text(record.msg), {"message_args": record.args, **fields}
    except BaseException as error:  # of an argument: written, then let through
        return Interrupted(record.msg, record.args, error), fields


def add_exception(event: Event, record: Record) -> None:
    """Take the exception or, behind a queue where only text is left, that text."""
    event.error = exception_of(record.exc_info)
    event.trace = traceback_of(record.exc_info)
    # Formatters of other handlers leave "NoneType: None" as the text of no exception.
    if event.error is None and record.exc_text and not record.exc_info:
        event.stack = text(record.exc_text)
        if record.stack_info:
            event.fields = {"stack_info": record.stack_info, **event.fields}
    elif record.stack_info:
        event.stack = text(record.stack_info)


def safe_make_record(original: Callable[..., Record]) -> Callable[..., Any]:
    """Wrap `Logger.makeRecord` so that nothing that is logged raises in the caller.

    stdlib raises KeyError for names in `extra` that a record has itself, TypeError for an `extra`
    that is no mapping, and whatever the only argument raises when asked whether it is empty. Such
    fields are kept aside on the record. Where a record factory raises, the record is stdlib's.
    """

    def make_record(  # type: ignore[no-untyped-def]
        self,  # noqa: ANN001
        name: str,
        level: int,
        fn: str,
        lno: int,
        msg: object,
        args: Any,
        exc_info: object,
        func: str | None = None,
        extra: object = None,
        sinfo: str | None = None,
    ) -> Record:
        try:
            return original(self, name, level, fn, lno, msg, args, exc_info, func, extra, sinfo)
        except Exception as error:
            let_through(error)
            record = _record(original, self, name, level, fn, lno, msg, exc_info, func, sinfo)
        record.args = args
        if extra is not None:
            add_extra(record, extra)
        return record

    return make_record


def _record(original: Callable[..., Record], logger: logging.Logger, *given: Any) -> Record:
    """Return the record of a call without its arguments and extra fields."""
    name, level, file, line, message, exc_info, function, stack = given
    try:
        record = original(
            logger, name, level, file, line, message, (), exc_info, function, None, stack
        )
    except Exception as error:
        let_through(error)
        record = Record(name, level, file, line, message, (), exc_info, function, stack)
        add_extra(record, {"record_factory_error": error})
        return record
    return record if hasattr(record, "__dict__") else ordinary(record)


make_record_patch: Final = Patch(logging.Logger, "makeRecord")


def add_extra(record: Record, extra: Any) -> None:
    """Put what stdlib takes on the record, and the rest aside."""
    clashing: dict[Any, Any] = {}
    try:
        entries = dict(extra)
    except Exception as error:
        let_through(error)
        entries, clashing = {}, {"extra": extra}
    for key, value in entries.items():
        if type(key) is str and key not in record.__dict__ and key not in NOT_EXTRA:
            record.__dict__[key] = value
        else:
            clashing[key] = value
    record.__dict__[_CLASHING] = clashing


def log_before_setup(
    name: str | None,
    level: int,
    message: object,
    args: tuple[object, ...],
    fields: dict[str, Any],
    frame: FrameType | None,
) -> None:
    """Hand an event of `get_logger()` that comes before `setup()` to the standard library."""
    if presence.missing:
        presence.miss("get_logger() writes an event")
    logger = logging.getLogger(name)
    if not logger.isEnabledFor(level):
        return
    exc_info = exc_info_of(exception_of(fields.pop("exc_info", None)))
    file, line, function = "", 0, ""
    if frame is not None:
        file, line, function = frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
    if not args:  # a text: handlers may expect one
        message = text(message)
    record = Record(logger.name, level, file, line, message, args, exc_info, function)
    add_extra(record, fields)
    logger.handle(record)
