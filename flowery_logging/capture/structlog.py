"""Events from structlog: a filtering bound logger that writes to the same file.

`BoundLogger` takes a short way while its processors are exactly ours: from the call straight to
the encoder. With other processors (`structlog.testing.capture_logs`, the application's own) an
event goes through structlog's chain (see `structlog_adoption`).
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
import threading
import time
from collections.abc import Awaitable, Mapping
from functools import partial
from typing import Any, Final

import structlog

from flowery_logging.capture.callers import caller
from flowery_logging.capture.interrupted import Interrupted, bring_about
from flowery_logging.capture.logger_tree import LOGGERS
from flowery_logging.capture.made_records import log_before_setup
from flowery_logging.capture.others import Said, heard_by_others
from flowery_logging.capture.patch import filed_in_logging
from flowery_logging.capture.sink import simply_formatted, site_of
from flowery_logging.capture.structlog_adoption import PROCESSORS, takes_drop_event
from flowery_logging.capture.structlog_output import (
    ALIASES,
    LEVELS,
    MISSING,
    Levels,
    Output,
    give_others,
    given,
    interpolated,
    logger_name,
    logger_of,
    make_event,
    number_of,
    render,
    written_from,
)
from flowery_logging.foreign import (
    CALLING_STACK,
    CALLING_THREAD,
    CONFIGURATION,
    frame_above,
    getframe,
)
from flowery_logging.kept import Kept

_OURS: Final = [render]
_indirect: Final[Kept[str, Any]] = Kept()
"""By level: what writes for a method of ours, so that the caller's frame is two further above."""

_now = time.time
_ident = threading.get_ident
_current_thread = threading.current_thread


class BoundLogger(structlog.make_filtering_bound_logger(logging.NOTSET)):  # type: ignore[misc]
    """A structlog bound logger on the short way to the file.

    All loggers share this class, and `set_level` exchanges its methods: those below the level are
    empty, so loggers bound earlier follow too.
    """

    _logger: Output
    _context: dict[str, Any]
    _processors: Any

    @filed_in_logging
    def _log(
        self, level: str, message: object, args: tuple[Any, ...], fields: dict[str, Any]
    ) -> None:
        """Write one event; the caller's frame is two above. Never raises for what it is given."""
        method = _indirect.get(level) or _indirect.keep(level, _method(level, frames=3))
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
        if self._processors == _OURS:
            self._processors = PROCESSORS

    @filed_in_logging
    def log(self, level: int, event: object = MISSING, /, *args: object, **fields: object) -> None:
        """Write an event of a level given as a number."""
        event = given(event, fields)
        if _is_written(self, level, 1):
            self._log(_level_name(level), event, args, fields)

    def get_effective_level(self) -> int:
        """Return the level from which on events of this logger are written."""
        return _written_from(self, 1)

    def is_enabled_for(self, level: int) -> bool:
        """Tell whether an event of this level is written."""
        return _is_written(self, level, 1)

    getEffectiveLevel = get_effective_level  # noqa: N815 - as `logging` names it
    isEnabledFor = is_enabled_for  # noqa: N815

    def alog(
        self, level: int, event: object = MISSING, /, *args: object, **fields: object
    ) -> Awaitable[None]:
        """Write an event of a level given as a number, in an executor."""
        event = given(event, fields)
        if not _is_written(self, level, 1):
            return anothing(self)
        return _in_executor(self, _level_name(level), event, args, fields)

    @filed_in_logging
    def exception(self, event: object = MISSING, /, *args: object, **fields: object) -> None:
        """Write an error with the exception that is being handled."""
        event = given(event, fields)
        fields.setdefault("exc_info", True)
        if _is_written(self, logging.ERROR, 1):
            self._log("error", event, args, fields)

    def aexception(
        self, event: object = MISSING, /, *args: object, **fields: object
    ) -> Awaitable[None]:
        """Write, in an executor, an error with the exception that is being handled."""
        event = given(event, fields)
        fields.setdefault("exc_info", True)
        if not _is_written(self, logging.ERROR, 1):
            return anothing(self)
        return _in_executor(self, "error", event, args, fields)


def _apart(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields, with one named `event` where it is not taken for the event's text."""
    if "event" not in fields:
        return fields
    others = {name: value for name, value in fields.items() if name != "event"}
    field = fields["event"]
    if isinstance(field, Mapping):
        return {**others, **{f"event.{name}": value for name, value in field.items()}}
    return {**others, "labels.event": field}


def _written_from(logger: BoundLogger, frames: int) -> int:
    """Return the level of a logger; without a name it is that of the module so far above ours."""
    output = logger._logger  # noqa: SLF001 - our own
    if not Levels.named or type(output) is not Output:
        return Levels.written
    return written_from(output.name, frame_above(frames + 1))


def _is_written(logger: BoundLogger, level: int, frames: int) -> bool:
    return level > Levels.disabled and level >= _written_from(logger, frames + 1)


def _level_name(level: int) -> str:
    return logging.getLevelName(level).lower()


async def _in_executor(
    logger: BoundLogger, level: str, event: object, args: tuple[Any, ...], fields: dict[str, Any]
) -> None:
    """Write an event in an executor; its call site, thread and exception are the awaiter's."""
    message, more = interpolated(event, args) if args else (event, {})
    if fields.get("exc_info") is True:  # nothing is being handled in the executor
        fields["exc_info"] = sys.exc_info()
    thread = CALLING_THREAD.set((_ident(), _current_thread().name))
    stack = CALLING_STACK.set(getframe().f_back)
    copied = contextvars.copy_context()
    try:
        run = partial(logger._run, level, message, {**more, **fields})  # noqa: SLF001 - our own
        await asyncio.get_running_loop().run_in_executor(None, copied.run, run)
    finally:
        CALLING_STACK.reset(stack)
        CALLING_THREAD.reset(thread)


def _nothing(self: object, event: object = None, /, *args: object, **fields: object) -> None:
    """Ignore an event below the level."""


async def anothing(self: object, event: object = None, /, *args: object, **fields: object) -> None:
    """Ignore an event below the level."""


def _method(level: str, frames: int = 1, *, checks: bool = False) -> Any:  # noqa: C901, PLR0915 - as below
    """Return what writes an event of a level; the caller's frame is so many above its own.

    `checks`: only if the logger's own level lets it pass. It does all of it itself: a call more
    takes a hundredth of an event.
    """
    number = LEVELS.get(level, logging.NOTSET)

    def method(  # noqa: C901, PLR0912, PLR0915 - calls are counted here, not branches
        self: BoundLogger, event: object = MISSING, /, *args: object, **fields: object
    ) -> None:
        if checks and not _is_written(self, number, frames):
            return
        # What `given` returns, without its call.
        message = event if event is not MISSING else fields.pop("event", "")
        template = message
        if args:
            simple = simply_formatted(message, args)
            if simple is not None:
                message = simple
            else:
                message, more = interpolated(message, args)
                fields = {**more, **fields}
                if type(message) is not Interrupted:
                    template, args = message, ()
        processors = self._processors
        output = self._logger
        if type(output) is not Output:
            self._run(level, message, fields)
            return
        sink = output.sink
        if processors is PROCESSORS and sink.ready:
            processors = CONFIGURATION.default_processors
        if processors != _OURS:
            self._run(level, message, fields)
            return
        if self._context:
            fields = {**self._context, **fields}
        try:
            frame = getframe(frames)
        except ValueError:  # called by no Python code, but by `atexit`, `_thread` or a module in C
            frame = None
        if frame is None:
            self._run(level, message, fields)
            return
        if not sink.ready:
            log_before_setup(output.name, number_of(level), template, args, fields, frame)
            bring_about(message)
            return
        encoder = sink.encoder
        # What `site_of` does of a call site that is known, without its call.
        site = encoder.known_site((id(frame.f_code), frame.f_lasti, level, output.name))
        if site is None:
            frame = caller(frame)
            site = site_of(encoder, frame, output.name, level)
        current = _ident(), _current_thread().name
        thread = encoder.known_thread(current) or encoder.thread(*current)
        written = None
        if not sink.put(_now(), site, message, fields, thread):
            written = make_event(sink, output.name, level, message, fields, frame)
            written.template = template
            sink.emit_event(written)
        loggers, module, logger = output.found
        if loggers != len(LOGGERS) or (output.name is None and module is not frame.f_globals):
            logger = logger_of(output, frame)
        if heard_by_others(logger):
            name = logger_name(output.name, frame)
            said = Said(name, number_of(level), template, args, fields, written, frame)
            give_others(sink, logger, said)

    method.__name__ = level
    return filed_in_logging(method)


def _async_method(level: str, *, checks: bool) -> Any:
    number = LEVELS[level]

    def method(
        self: BoundLogger, event: object = MISSING, /, *args: object, **fields: object
    ) -> Awaitable[None]:
        if checks and not _is_written(self, number, 1):
            return anothing(self)
        event = given(event, fields)
        return _in_executor(self, level, event, args, fields)

    method.__name__ = f"a{level}"
    return method


def set_level(
    level: int, named: Mapping[str, int] | None = None, disabled: int = logging.NOTSET
) -> None:
    """Make the methods below a level empty, for all loggers but those that are `named`.

    A method of which the level of one of these may decide looks at it. Up to the level `disabled`
    all are empty.
    """
    Levels.written = Levels.kept = level
    Levels.recorder = None
    Levels.named = named or {}
    Levels.disabled = disabled
    levels = (level, *Levels.named.values())
    for name in (*LEVELS, *ALIASES):
        canonical = ALIASES.get(name, name)
        number = LEVELS[canonical]
        is_empty = number < min(levels) or number <= Levels.disabled
        checks = number < max(levels)
        method = _nothing if is_empty else _method(canonical, checks=checks)
        setattr(BoundLogger, name, method)
        method = anothing if is_empty else _async_method(canonical, checks=checks)
        setattr(BoundLogger, f"a{name}", method)


set_level(logging.NOTSET)

# structlog's processors look for the caller outside of modules named like structlog's own.
__name__ = "structlog.flowery_logging"
