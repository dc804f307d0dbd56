"""loguru: its events go to the same file, with extras, exception, call site and trace.

    import flowery_logging
    from flowery_logging.integrations import loguru

    flowery_logging.setup(service="orders")
    loguru.instrument()

An event is written in the thread and context of its caller, so it carries the trace and what is
bound there, also where other sinks have `enqueue=True`. `setup(level=…, levels=…)` act by loguru's
names of modules. An event that comes from `logging` (by an `InterceptHandler`) is in the file
already and is not written again.
"""

from __future__ import annotations

import logging
import re
import sys
from contextlib import suppress
from time import time as _now
from types import FrameType
from typing import Any, Final

import loguru

from flowery_logging import runtime
from flowery_logging.capture import loguru_stderr
from flowery_logging.capture.logger_tree import nearest
from flowery_logging.capture.patch import SOURCE
from flowery_logging.capture.sink import this_thread
from flowery_logging.capture.structlog_output import stdlib_target
from flowery_logging.ecs import Event
from flowery_logging.ecs.encode import text
from flowery_logging.ecs.exception import exception_of, traceback_of
from flowery_logging.foreign import getframe
from flowery_logging.signalled import let_through

_DEFAULT_SINK: Final = re.compile(r"\(id=0, level=\d+, sink=<stderr>\)")
_HANDLING: Final = frozenset({"handle", "callHandlers"})
_FRAMES_OF_A_HANDLER: Final = 5
"""How many calls may lie between `logging.Handler.handle` and that of loguru."""


class _State:
    """What `instrument` has done."""

    handler: int | None = None  # loguru's number of ours
    remove: Any = None  # `Logger.remove` as it was
    default_removed = False


def instrument() -> None:
    """Write loguru's events to our file, from now on; twice is as once.

    `logger.remove()` and `logger.configure()` leave this in place. loguru's default sink on stderr
    stays, unless the console of `setup()` shows the events there already.
    """
    if _State.handler is not None:
        return
    logger = loguru.logger
    if runtime.shows_console() and _DEFAULT_SINK.search(repr(logger)):
        logger.remove(0)
        _State.default_removed = True
    kind: Any = type(logger)
    _State.remove = kind.remove
    kind.remove = _keeping_ours(_State.remove)
    _add()


def uninstrument() -> None:
    """Undo `instrument()`; without effect where nothing was done."""
    if _State.handler is None:
        return
    logger = loguru.logger
    kind: Any = type(logger)
    if getattr(kind.remove, "__wrapped__", None) is _State.remove:
        kind.remove = _State.remove
    handler, _State.handler = _State.handler, None
    with suppress(ValueError):  # somebody has removed it by its number
        logger.remove(handler)
    if _State.default_removed:
        _State.default_removed = False
        logger.add(sys.stderr)


def _add() -> None:
    # The event is taken by the filter, before loguru makes a text of it or takes the lock that
    # forbids a signal handler to log.
    _State.handler = loguru.logger.add(_show_nothing, level=0, format="", filter=_take)


def _show_nothing(_: object) -> None:
    """Stand for a sink."""


def _keeping_ours(theirs: Any) -> Any:
    """Wrap `Logger.remove`: what removes all sinks of the application leaves ours."""

    def remove(logger: Any, handler_id: int | None = None) -> None:
        theirs(logger, handler_id)
        if handler_id is None and _State.handler is not None:
            _add()

    wrapper: Any = remove
    wrapper.__wrapped__ = theirs
    return remove


def _take(record: Any) -> bool:
    """Write an event; always False, so that loguru does nothing more with it. Never raises."""
    sink = runtime.current_sink()
    if not sink.ready or _comes_from_logging():
        return False
    name, number = record.get("name"), _number(record)
    logger = nearest(name if isinstance(name, str) else "")
    if number < logger.getEffectiveLevel():
        return False
    target = stdlib_target(sink, logger, number)
    failure: Exception | None = None
    try:
        event = _event(target.encoder, record, name)
    except Exception as error:  # a patcher of the application may have put anything into the record
        failure = error
        sink.counters.add("broken_records")
        event = _broken(target.encoder, record)
    with loguru_stderr.writing():
        target.emit_event(event)
    if failure is not None:
        let_through(failure)
    return False


def _number(record: Any) -> int:
    number = getattr(record.get("level"), "no", None)
    return number if isinstance(number, int) else logging.ERROR


def _event(encoder: Any, record: Any, name: Any) -> Event:
    level, file = record["level"].name, record["file"].name
    line, function = record["line"], record["function"]
    key = ("loguru", name, level, file, line, function)
    site = encoder.known_site(key) or encoder.site(key, level, name, file, line, function)
    thread = encoder.thread(record["thread"].id, record["thread"].name)
    created, fields = record["time"].timestamp(), dict(record["extra"])
    event = Event(created, site, record["message"], thread, fields)
    event.error, event.trace = exception_of(record["exception"]), traceback_of(record["exception"])
    return event


def _broken(encoder: Any, record: Any) -> Event:
    """Return what can be had from a record whose entries are not what they should be."""
    site = encoder.site(("loguru", "broken"), "error", None, None, None, None)
    fields = {"labels.record": {str(n): text(v) for n, v in record.items() if n != "message"}}
    return Event(_now(), site, record.get("message", ""), this_thread(encoder), fields)


def _comes_from_logging() -> bool:
    """Tell whether a handler of `logging` has made this event of a record, which we have too."""
    frame: FrameType | None = getframe(2)
    while frame is not None and _is_logurus(frame):
        frame = frame.f_back
    for _ in range(_FRAMES_OF_A_HANDLER):
        if frame is None:
            return False
        if frame.f_code.co_filename == SOURCE and frame.f_code.co_name in _HANDLING:
            return True
        frame = frame.f_back
    return False


def _is_logurus(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] == "loguru"
