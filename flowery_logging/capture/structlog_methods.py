"""The methods of our structlog bound logger: for each level one that writes, records or is empty.

The one that writes takes a short way while the logger's processors are exactly ours: from the call
straight to the encoder.

structlog is not needed here: a test may replace the clock before it is imported, and a clock that
is bound then would stay replaced.
"""

from __future__ import annotations

import contextvars
import sys
import threading
import time
from collections.abc import Awaitable
from functools import partial
from typing import Any, Final, Protocol

from flowery_logging.capture.others import heard_by_others
from flowery_logging.capture.patch import filed_in_logging
from flowery_logging.capture.sink import Sink, simply_formatted, site_of
from flowery_logging.capture.stdlib import log_before_setup
from flowery_logging.capture.structlog_output import (
    LOGGERS,
    PROCESSORS,
    Output,
    Structlog,
    give_others,
    interpolated,
    logger_name,
    logger_of,
    make_event,
    number_of,
    render,
)
from flowery_logging.foreign import context_of, getframe, processors_of

OURS: Final = [render]
"""The processors of a logger that takes the short way."""

MISSING: Any = object()
"""No positional text: `log.info(event="x")` is structlog's long form of `log.info("x")`."""


class Bound(Protocol):
    """What the methods are those of: our bound logger."""

    _logger: Output
    _context: dict[str, Any]
    _processors: Any

    def _run(self, level: str, message: object, fields: dict[str, Any]) -> None: ...

    def _log(
        self, level: str, message: object, args: tuple[Any, ...], fields: dict[str, Any]
    ) -> None: ...


_now = time.time
_ident = threading.get_ident
_current_thread = threading.current_thread


def writing(level: str, frames: int = 1) -> Any:  # noqa: C901 - as below
    """Return what writes an event of a level; the caller's frame is so many above its own.

    It does all of it itself: a call more takes a hundredth of an event.
    """

    def method(  # noqa: C901 - calls are counted here, not branches
        self: Bound, event: object = MISSING, /, *args: object, **fields: object
    ) -> None:
        message = event if event is not MISSING else fields.pop("event", "")
        template = message
        if args:
            simple = simply_formatted(message, args)
            if simple is not None:
                message = simple
            else:
                message, more = interpolated(message, args)
                template, args, fields = message, (), {**more, **fields}
        processors = self._processors
        output = self._logger
        if type(output) is not Output:
            self._run(level, message, fields)
            return
        sink = output.sink
        if processors is PROCESSORS and sink.ready:
            processors = Structlog.configuration.default_processors
        if processors != OURS:
            self._run(level, message, fields)
            return
        if self._context:
            fields = {**self._context, **fields}
        frame = getframe(frames)
        if not sink.ready:
            log_before_setup(output.name, number_of(level), message, fields, frame)
            return
        encoder = sink.encoder
        site = site_of(encoder, frame, output.name, level)
        current = _ident(), _current_thread().name
        thread = encoder.known_thread(current) or encoder.thread(*current)
        record = None
        if not sink.put(_now(), site, message, fields, thread):
            record = make_event(sink, output.name, level, message, fields, frame)
            record.template = template
            sink.emit_event(record)
        loggers, module, logger = output.found
        if loggers != len(LOGGERS) or (output.name is None and module is not frame.f_globals):
            logger = logger_of(output, frame)
        if heard_by_others(logger):
            name = logger_name(output.name, frame)
            give_others(sink, logger, name, number_of(level), template, args, fields, record, frame)

    method.__name__ = level
    return filed_in_logging(method)


def writing_later(level: str) -> Any:
    """Return what writes an event of a level in an executor."""

    def method(
        self: Bound, event: object = MISSING, /, *args: object, **fields: object
    ) -> Awaitable[None]:
        if event is MISSING:
            event = fields.pop("event", "")
        return in_executor(self, level, event, args, fields)

    method.__name__ = f"a{level}"
    return method


async def in_executor(
    logger: Bound, level: str, event: object, args: tuple[Any, ...], fields: dict[str, Any]
) -> None:
    """Write an event in an executor; its call site, thread and exception are the awaiter's."""
    message, more = interpolated(event, args) if args else (event, {})
    if fields.get("exc_info") is True:  # nothing is being handled in the executor
        fields["exc_info"] = sys.exc_info()
    thread = Structlog.caller_thread.set((_ident(), _current_thread().name))
    stack = Structlog.caller_frame.set(getframe().f_back)
    import asyncio  # imported by who awaits this

    copied = contextvars.copy_context()
    try:
        run = partial(logger._run, level, message, {**more, **fields})  # noqa: SLF001 - our own
        await asyncio.get_running_loop().run_in_executor(None, copied.run, run)
    finally:
        Structlog.caller_frame.reset(stack)
        Structlog.caller_thread.reset(thread)


def recording(level: str, sink: Sink) -> Any:
    """Return what hands an event of a level to the flight recorder's sink."""

    def method(self: Bound, event: object = MISSING, /, *args: object, **fields: object) -> None:
        shadow = _shadow(self, sink)
        if shadow is not None:
            event = fields.pop("event", "") if event is MISSING else event
            shadow._log(level, event, args, fields)  # noqa: SLF001 - our own

    method.__name__ = level
    return method


def recording_later(level: str, sink: Sink) -> Any:
    """Return the same to be awaited."""

    def method(
        self: Bound, event: object = MISSING, /, *args: object, **fields: object
    ) -> Awaitable[None]:
        shadow = _shadow(self, sink)
        if shadow is not None:
            event = fields.pop("event", "") if event is MISSING else event
            shadow._log(level, event, args, fields)  # noqa: SLF001 - our own
        return anothing(self)

    method.__name__ = f"a{level}"
    return method


def _shadow(logger: Bound, sink: Sink) -> Bound | None:
    """Return a logger like this one whose events go to the recorder; None if they are not ours."""
    output = logger._logger  # noqa: SLF001 - our own
    if type(output) is not Output:
        from flowery_logging.capture.structlog_adoption import is_adopted  # has been imported

        return logger if is_adopted(logger) else None
    shadow = Output(sink, output.name)
    kind: Any = type(logger)
    made: Bound = kind(shadow, processors_of(logger), context_of(logger))
    return made


def nothing(self: object, event: object = None, /, *args: object, **fields: object) -> None:
    """Ignore an event below the level."""


async def anothing(self: object, event: object = None, /, *args: object, **fields: object) -> None:
    """Ignore an event below the level."""


# structlog's processors look for the caller outside of modules named like structlog's own.
__name__ = "structlog.flowery_logging.methods"
