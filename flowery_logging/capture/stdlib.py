"""Events from the standard library's `logging`: the handler, and at which records it looks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from os.path import basename
from time import time as _now
from typing import Any, Final

from flowery_logging import context
from flowery_logging.capture.event_dict import is_event_dict, unwrap_event_dict
from flowery_logging.capture.handed import Written, pending_for
from flowery_logging.capture.logger_tree import reaches
from flowery_logging.capture.own_classes import ordinary
from flowery_logging.capture.records import (
    STANDARD_COUNT,
    STOCK_TEXT,
    Record,
    add_exception,
    extras,
    interpolated,
)
from flowery_logging.capture.sink import Sink, this_thread
from flowery_logging.capture.waiting import CARRIED, carried_fields, is_written
from flowery_logging.ecs import Event
from flowery_logging.event_parts import NO_FIELDS
from flowery_logging.levels import name_of
from flowery_logging.scope import Scope
from flowery_logging.signalled import let_through
from flowery_logging.system import System

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


class _Passing(threading.local):
    """The records that this thread has on their way through all handlers.

    By their `id`, and whether our handler has got them: it may stand there more than once. There
    may be several, of greenlets that share the thread and of handlers that log. `given` are those
    that our handler has got past the loggers' handlers.
    """

    def __init__(self) -> None:
        self.records: dict[int, tuple[Record, bool]] = {}
        self.given: dict[int, Record] = {}


class Handler(logging.Handler):
    """Writes each record as one ECS line. One of it stands on the root logger."""

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        # By that Prefect tells handlers of users, beside which it leaves the root logger as it is.
        self.setFormatter(logging.Formatter())
        self.sink = sink
        self.passing = _Passing()
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
        key, records = id(record), self.passing.records
        passing = key in records
        try:
            if (
                key in self.passing.given
                or record is self._unwritten
                or (CARRIED in record.__dict__ and is_written(record))
            ):
                return False
            if (passing and records[key][1]) or (
                type(record.levelno) is int  # a record made by hand may have any, or none
                and record.levelno < self.general
                and self.is_held_back(record, self)
            ):
                return False
        except AttributeError:
            written = self.handle(ordinary(record))
            if passing:
                records[key] = record, True
            return written
        if passing:
            records[key] = record, True
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
        if not self.passing.records.get(id(record), (record, False))[1]:
            with suppress(BaseException):  # raised again by the same object: it is on its way
                if record.levelno >= self.level:
                    self.handle(record)

    def rescue_passing(self) -> None:
        """Write the records that this thread gives to other handlers first, as it ends there.

        In the child of a handler that forks they are the parent's.
        """
        for record, _ in list(self.passing.records.values()):
            if getattr(record, "process", None) == System.getpid():
                self.rescue(record)

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
            reaches_us = reaches(logging.getLogger(record.name), self)
        except Exception as error:
            let_through(error)
            reaches_us = False
        if not reaches_us:
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
            if len(record.__dict__) != STANDARD_COUNT or type(record) is not Record:
                fields = extras(record)
                message, fields = interpolated(record, fields)
            elif record.args or Record.getMessage is not STOCK_TEXT:
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
        return Event(_now(), site, message, this_thread(encoder), fields)
