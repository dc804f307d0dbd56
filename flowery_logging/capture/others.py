"""Who else sees an event of `get_logger()`: the other handlers of its logger's chain.

Sentry, OpenTelemetry, pytest's caplog and `assertLogs` take events from `logging`. A record is made
for them, and only where there is one of them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from types import FrameType
from typing import Any, Final, NamedTuple

from flowery_logging.capture.handed import Written
from flowery_logging.capture.patch import SOURCE, filed_in_logging
from flowery_logging.capture.records import NOT_EXTRA
from flowery_logging.capture.stdlib import Handler
from flowery_logging.counters import Counters
from flowery_logging.ecs import Event
from flowery_logging.ecs.encode import text
from flowery_logging.ecs.exception import exc_info_of
from flowery_logging.library_code import is_own
from flowery_logging.request import greenlet_here
from flowery_logging.signalled import let_through

_NO_FIELDS: Final = ("exc_info", "stack_info")
_UNSEEING: Final = (Handler, logging.NullHandler)

_Logger = logging.Logger


class _Handing(threading.local):
    """The greenlets of this thread, by their `id`, in which a record is being handed out."""

    def __init__(self) -> None:
        self.greenlets: set[int] = set()


_handing: Final = _Handing()
_call_handlers: Any = _Logger.callHandlers
_handle: Any = _Logger.handle


def heard_by_others(logger: logging.Logger) -> bool:
    """Tell whether anybody but us would get a record of this logger."""
    kind = type(logger)
    if (kind.callHandlers is not _call_handlers or kind.handle is not _handle) and _is_intercepted(
        kind
    ):
        return True
    while True:
        for handler in logger.handlers:
            if type(handler) not in _UNSEEING:
                return True
        if not logger.propagate or logger.parent is None:
            return False
        logger = logger.parent


def _is_intercepted(kind: type[logging.Logger]) -> bool:
    """Tell whether somebody has wrapped a method of `Logger` that sees records, as Sentry does.

    What is found to be stdlib's or ours is remembered, as this is asked for each event.
    """
    global _call_handlers, _handle
    if _is_somebodys(kind.callHandlers) or _is_somebodys(kind.handle):
        return True
    _call_handlers, _handle = kind.callHandlers, kind.handle
    return False


def _is_somebodys(function: object) -> bool:
    """Tell whether a function, or what our own wrappers call, is neither stdlib's nor ours."""
    while function is not None and is_own(_module(function)):
        function = getattr(function, "__wrapped__", None)
    code = getattr(function, "__code__", None)
    return function is not None and (code is None or code.co_filename != SOURCE)


def _module(function: object) -> str:
    return str(getattr(function, "__module__", ""))


class Said(NamedTuple):
    """An event as it was given to a logger of `get_logger()`.

    `logger` is the name that a record of it has; `written` is what has been written of it, where an
    exception or a stack may be on it, and `frame` the caller's, None where no Python code called.
    """

    logger: str
    level: int
    message: object
    args: tuple[Any, ...]
    fields: Mapping[str, Any]
    written: Event | None
    frame: FrameType | None


@filed_in_logging
def hand_out(
    said: Said, logger: logging.Logger, thread: tuple[int, str] | None, counters: Counters
) -> None:
    """Give the other handlers a record of an event that is in our file. Never raises.

    `logger` is the one of its name, or the one that it would inherit its handlers from.
    What a handler logs meanwhile is not handed out again: it could have no end.
    """
    handing, here = _handing.greenlets, id(greenlet_here())
    if here in handing:
        return
    handing.add(here)
    try:
        if logger.isEnabledFor(said.level):
            record = _record(said, logger)
            if thread is not None:
                record.thread, record.threadName = thread
            logger.handle(record)
    except Exception as error:  # of somebody's filter, handler or record factory
        let_through(error)
        counters.add("handler_errors")
    finally:
        handing.discard(here)


def _record(said: Said, logger: logging.Logger) -> logging.LogRecord:
    """Make a record as `logging` would for the same call."""
    name, level, message, args, fields, written, frame = said
    exc_info, stack = None, None
    if written is not None:
        exc_info, stack = exc_info_of(written.error, written.trace), written.stack
    file, line, function = "(unknown file)", 0, "(unknown function)"
    if frame is not None:
        file, line, function = frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
    if not args:  # a text: handlers may expect one
        message = text(message)
    record = logger.makeRecord(
        name, level, file, line, message, args, exc_info, function, _extra(fields), stack
    )
    record.name = Written(name)
    return record


def _extra(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields under names that are free on a record."""
    return {
        f"{name}_" if name in NOT_EXTRA else name: value
        for name, value in fields.items()
        if type(name) is str and name not in _NO_FIELDS
    }
