"""Events from structlog: a filtering bound logger that writes to the same file.

`BoundLogger` takes a short way while its processors are exactly ours (see `structlog_methods`).
With other processors (`structlog.testing.capture_logs`, the application's own) an event goes
through structlog's chain (see `structlog_adoption`).

Imported by the first `get_logger()`, or as soon as the program has structlog: see `structlog_late`.
"""

from __future__ import annotations

import logging
from _thread import RLock  # a real one also where gevent has patched `threading`
from collections.abc import Awaitable, Mapping
from typing import Any, Final

import structlog

from flowery_logging import process
from flowery_logging.capture.patch import filed_in_logging
from flowery_logging.capture.sink import follow_structlog
from flowery_logging.capture.structlog_adoption import takes_drop_event
from flowery_logging.capture.structlog_methods import (
    MISSING,
    OURS,
    anothing,
    in_executor,
    nothing,
    recording,
    recording_later,
    writing,
    writing_later,
)
from flowery_logging.capture.structlog_output import (
    ALIASES,
    LEVELS,
    PROCESSORS,
    Levels,
    Output,
    Structlog,
)
from flowery_logging.foreign import structlog_caller_vars, structlog_parts
from flowery_logging.kept import Kept

_indirect: Final[Kept[str, Any]] = Kept()
"""By level: what writes for a method of ours, so that the caller's frame is two further above."""


class BoundLogger(structlog.make_filtering_bound_logger(logging.NOTSET)):  # type: ignore[misc]
    """A structlog bound logger on the short way to the file.

    All loggers share this class, and `exchange_methods` sets those of the levels: those below the
    level are empty, so loggers bound earlier follow too.
    """

    _logger: Output
    _context: dict[str, Any]
    _processors: Any

    @filed_in_logging
    def _log(
        self, level: str, message: object, args: tuple[Any, ...], fields: dict[str, Any]
    ) -> None:
        """Write one event; the caller's frame is two above. Never raises for what it is given."""
        method = _indirect.get(level) or _indirect.keep(level, writing(level, frames=3))
        method(self, message, *args, **fields)

    @takes_drop_event
    def _run(self, level: str, message: object, fields: dict[str, Any]) -> None:
        """Take an event through structlog's processors."""
        values = {**_apart(self._context), **_apart(fields)}
        try:
            args, named = self._process_event(level, message, values)
            getattr(self._logger, level)(*args, **named)
        except structlog.DropEvent:
            pass

    def bind(self, /, **new_values: object) -> BoundLogger:
        """Return a logger with more fields, of any name."""
        context = self._context.__class__(self._context, **new_values)
        return self.__class__(self._logger, self._processors, context)

    def new(self, /, **new_values: object) -> BoundLogger:
        """Return a logger with these fields in place of what was bound."""
        self._context.clear()
        return self.bind(**new_values)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Unpickle; loggers with our processors share them again, for tools that replace them."""
        self.__dict__.update(state)
        if self._processors == OURS:
            self._processors = PROCESSORS

    @filed_in_logging
    def log(self, level: int, event: object = MISSING, /, *args: object, **fields: object) -> None:
        """Write an event of a level given as a number."""
        if event is MISSING:
            event = fields.pop("event", "")
        if level >= self.get_effective_level():
            self._log(_level_name(level), event, args, fields)

    def alog(
        self, level: int, event: object = MISSING, /, *args: object, **fields: object
    ) -> Awaitable[None]:
        """Write an event of a level given as a number, in an executor."""
        if event is MISSING:
            event = fields.pop("event", "")
        if level < self.get_effective_level():
            return anothing(self)
        return in_executor(self, _level_name(level), event, args, fields)

    @filed_in_logging
    def exception(self, event: object = MISSING, /, *args: object, **fields: object) -> None:
        """Write an error with the exception that is being handled."""
        if event is MISSING:
            event = fields.pop("event", "")
        fields.setdefault("exc_info", True)
        if self.is_enabled_for(logging.ERROR):
            self._log("error", event, args, fields)

    def aexception(
        self, event: object = MISSING, /, *args: object, **fields: object
    ) -> Awaitable[None]:
        """Write, in an executor, an error with the exception that is being handled."""
        if event is MISSING:
            event = fields.pop("event", "")
        fields.setdefault("exc_info", True)
        if not self.is_enabled_for(logging.ERROR):
            return anothing(self)
        return in_executor(self, "error", event, args, fields)


def _apart(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields, with one named `event` where it is not taken for the event's text."""
    if "event" not in fields:
        return fields
    others = {name: value for name, value in fields.items() if name != "event"}
    field = fields["event"]
    if isinstance(field, Mapping):
        return {**others, **{f"event.{name}": value for name, value in field.items()}}
    return {**others, "labels.event": field}


def _level_name(level: int) -> str:
    return logging.getLevelName(level).lower()


def exchange_methods() -> None:
    """Give all loggers the methods for the levels that hold now."""
    with _lock:
        level = Levels.written
        for name in (*LEVELS, *ALIASES):
            now, later = _methods(ALIASES.get(name, name))
            setattr(BoundLogger, name, now)
            setattr(BoundLogger, f"a{name}", later)
        BoundLogger.get_effective_level = BoundLogger.getEffectiveLevel = lambda _: level
        BoundLogger.is_enabled_for = BoundLogger.isEnabledFor = lambda _, number: number >= level


def _methods(level: str) -> tuple[Any, Any]:
    """Return the method of a level, and the one that is awaited."""
    number, recorder = LEVELS[level], Levels.recorder
    if number >= Levels.written:
        return writing(level), writing_later(level)
    if recorder is not None and number >= Levels.kept:
        return recording(level, recorder), recording_later(level, recorder)
    return nothing, anothing


def _start_child() -> None:
    """Make the lock anew: a thread that is not in this child may have held it."""
    global _lock
    _lock = RLock()


def _begin() -> None:
    """Tell those who are there before structlog what of it they need."""
    Structlog.configuration = structlog_parts().configuration
    frame, thread = structlog_caller_vars()
    Structlog.caller_frame = frame or Structlog.caller_frame
    Structlog.caller_thread = thread or Structlog.caller_thread
    follow_structlog()
    Levels.followed_by = exchange_methods
    exchange_methods()


_lock = RLock()
process.in_each_child(_start_child)
_begin()
COMPLETE: Final = True
"""Stands at the end: who finds this has found all of the module."""

# structlog's processors look for the caller outside of modules named like structlog's own.
__name__ = "structlog.flowery_logging"
