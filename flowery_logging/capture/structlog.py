"""Events from structlog: a filtering bound logger that writes to the same file.

`BoundLogger` takes a short way while its processors are exactly ours: from the call straight to
the encoder. With other processors (`structlog.testing.capture_logs`, a user's own) an event goes
through structlog's chain, whose last processor `render` hands it to the encoder.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from types import FrameType
from typing import Any, Final

import structlog
from structlog import contextvars as structlog_contextvars

from flowery_logging.capture.sink import Sink, simply_formatted, site_of
from flowery_logging.capture.stdlib import log_before_setup
from flowery_logging.ecs import Event
from flowery_logging.ecs.encode import text, to_json
from flowery_logging.ecs.exception import exception_of, traceback_of
from flowery_logging.ecs.frames import stack_text

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
ALIASES: Final = {"warn": "warning", "fatal": "critical", "msg": "info"}
"""The methods of a logger: the numbers of their levels, and other names for them."""

SPECIAL: Final = frozenset({"exc_info", "stack_info", "exception", "stack"})
"""Keys of an event that structlog gives a meaning: they are no fields."""

_NOT_APPS: Final = ("structlog.", f"{__package__}.")

# Where structlog's `a…` methods keep the caller's frame and thread while they run in an executor.
_calling_stack: Final = getattr(structlog_contextvars, "_ASYNC_CALLING_STACK", None)
_calling_thread: Final = getattr(structlog_contextvars, "_ASYNC_CALLING_THREAD", None)

_getframe = sys._getframe  # noqa: SLF001 - as structlog and logging do
_now = time.time
_ident = threading.get_ident
_current_thread = threading.current_thread


class Output:
    """The logger at the end of a chain: a name, and the sink that its events go to."""

    __slots__ = ("name", "sink")

    def __init__(self, sink: Sink, name: str | None = None) -> None:
        self.sink = sink
        self.name = name

    def __getattr__(self, method_name: str) -> Callable[..., None]:
        """Return the method of a level, also of one that the user has made."""
        if method_name.startswith("_"):
            raise AttributeError(method_name)
        return partial(self._write, ALIASES.get(method_name, method_name))

    def _write(self, level: str, *args: Any, **fields: Any) -> None:
        """Write what the processors have made of an event: of ours, or of somebody's own."""
        if len(args) == 1 and isinstance(args[0], Event):
            self.sink.emit_event(args[0])
        elif self.sink.ready:
            self.sink.emit_event(_event(self, level, " ".join(map(text, args)), fields))
        else:
            message, frame = " ".join(map(text, args)), _app_frame()
            log_before_setup(self.name, LEVELS.get(level, 20), message, fields, frame)


def render(logger: Any, method_name: str, event_dict: MutableMapping[str, Any]) -> Any:
    """Make an `Event` for `Output` from structlog's event dict: the last processor of a chain."""
    if type(logger) is not Output:  # somebody has configured another logger factory
        return to_json(event_dict)
    fields = dict(event_dict)
    message = fields.pop("event", "")
    level = ALIASES.get(method_name, method_name)
    if not logger.sink.ready:
        return (message,), fields
    return (_event(logger, level, message, fields),), {}


PROCESSORS: Final[list[Any]] = [render]
"""The processors of all our loggers; tools such as `capture_logs` replace its content."""


def _interpolated(event: Any, args: tuple[Any, ...]) -> tuple[Any, dict[str, Any]]:
    """Return the event's text with its `%` arguments; if they do not fit, keep both apart."""
    try:
        single = len(args) == 1 and isinstance(args[0], Mapping) and args[0]
        return text(event) % (args[0] if single else args), {}
    except Exception:
        return event, {"message_args": args}


def _app_frame() -> FrameType | None:
    """Return the innermost frame that is neither structlog's nor ours."""
    frame = None if _calling_stack is None else _calling_stack.get(None)
    frame = frame or _getframe(1)
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if not name.startswith(_NOT_APPS):
            return frame
        frame = frame.f_back
    return None


def _event(
    output: Output, level: str, message: Any, fields: dict[str, Any], frame: FrameType | None = None
) -> Event:
    """Make an event, taking structlog's special keys out of its fields."""
    encoder = output.sink.encoder
    frame = frame or _app_frame()
    if frame is None:
        site = encoder.site((output.name, level), level, output.name, None, None, None)
    else:
        site = site_of(encoder, frame, output.name, level)
    thread = None if _calling_thread is None else _calling_thread.get(None)
    ident, name = thread or (_ident(), _current_thread().name)
    event = Event(_now(), site, message, encoder.thread(ident, name), fields)
    add_exception(event, fields, frame)
    return event


def add_exception(event: Event, fields: dict[str, Any], frame: FrameType | None) -> None:
    """Take structlog's special keys out of the fields: an exception, or the text of one."""
    exc_info = fields.pop("exc_info", None)
    event.error, event.trace = exception_of(exc_info), traceback_of(exc_info)
    stack_info = fields.pop("stack_info", None)
    if stack_info is not None and stack_info is not False:
        calls = stack_text(frame or _getframe(1))
        event.stack = f"Stack (most recent call last):\n{calls}"
    for key in ("exception", "stack"):
        if isinstance(fields.get(key), str) and event.stack is None:
            event.stack = fields.pop(key)


class BoundLogger(structlog.make_filtering_bound_logger(logging.NOTSET)):  # type: ignore[misc]
    """A structlog bound logger on the short way to the file.

    All loggers share this class, and `set_level` exchanges its methods: those below the level are
    empty, so loggers bound earlier follow too.
    """

    _logger: Output
    _context: dict[str, Any]
    _processors: list[Any]

    def _log(self, level: str, message: Any, args: tuple[Any, ...], fields: dict[str, Any]) -> None:
        """Write one event; the caller's frame is two above. Never raises for what it is given."""
        if args:
            simple = simply_formatted(message, args)
            if simple is not None:
                message = simple
            else:
                message, more = _interpolated(message, args)
                fields = {**more, **fields}
        processors = self._processors
        output = self._logger
        if len(processors) != 1 or processors[0] is not render or type(output) is not Output:
            self._proxy_to_logger(level, message, **fields)
            return
        if self._context:
            fields = {**self._context, **fields}
        sink = output.sink
        if not sink.ready:
            log_before_setup(output.name, LEVELS.get(level, 20), message, fields, _getframe(2))
            return
        frame = _getframe(2)
        site = site_of(sink.encoder, frame, output.name, level)
        thread = sink.encoder.thread(_ident(), _current_thread().name)
        if not sink.put(_now(), site, message, fields, thread):
            sink.emit_event(_event(output, level, message, fields, frame))

    def log(self, level: int, event: Any, *args: Any, **fields: Any) -> None:
        """Write an event of a level given as a number."""
        if level >= self.get_effective_level():
            self._log(_level_name(level), event, args, fields)

    def alog(self, level: int, event: Any, *args: Any, **fields: Any) -> Awaitable[None]:
        """Write an event of a level given as a number, in an executor."""
        if level < self.get_effective_level():
            return anothing(self)
        return _in_executor(self, _level_name(level), event, args, fields)

    def exception(self, event: Any, *args: Any, **fields: Any) -> None:
        """Write an error with the exception that is being handled."""
        fields.setdefault("exc_info", True)
        if self.is_enabled_for(logging.ERROR):
            self._log("error", event, args, fields)

    def aexception(self, event: Any, *args: Any, **fields: Any) -> Awaitable[None]:
        """Write, in an executor, an error with the exception that is being handled."""
        fields.setdefault("exc_info", True)
        if not self.is_enabled_for(logging.ERROR):
            return anothing(self)
        return _in_executor(self, "error", event, args, fields)


def _level_name(level: int) -> str:
    return logging.getLevelName(level).lower()


_structlog_ainfo: Final[Callable[..., Awaitable[None]]] = BoundLogger.__mro__[1].ainfo


def _in_executor(
    logger: BoundLogger, level: str, event: Any, args: tuple[Any, ...], fields: dict[str, Any]
) -> Awaitable[None]:
    """Return structlog's own coroutine, which notes the caller that awaits it."""
    message, more = _interpolated(event, args) if args else (event, {})
    if fields.get("exc_info") is True:  # nothing is being handled in the executor
        fields["exc_info"] = sys.exc_info()
    return _structlog_ainfo(_Named(logger, level), message, **{**more, **fields})


class _Named:
    """What structlog's `ainfo` calls, with another level's name."""

    __slots__ = ("_level", "_logger")

    def __init__(self, logger: BoundLogger, level: str) -> None:
        self._logger = logger
        self._level = level

    def _proxy_to_logger(self, _: str, event: Any = None, **fields: Any) -> Any:
        return self._logger._proxy_to_logger(  # noqa: SLF001 - offered to wrappers by structlog
            self._level, event, **fields
        )


def _nothing(self: Any, event: Any = None, *args: Any, **fields: Any) -> None:
    """Ignore an event below the level."""


async def anothing(self: Any, event: Any = None, *args: Any, **fields: Any) -> None:
    """Ignore an event below the level."""


def _method(level: str) -> Any:
    def method(self: BoundLogger, event: Any, *args: Any, **fields: Any) -> None:
        self._log(level, event, args, fields)

    method.__name__ = level
    return method


def _async_method(level: str) -> Any:
    def method(self: BoundLogger, event: Any, *args: Any, **fields: Any) -> Awaitable[None]:
        return _in_executor(self, level, event, args, fields)

    method.__name__ = f"a{level}"
    return method


def set_level(level: int) -> None:
    """Make the methods below a level empty, for all loggers."""
    for name in (*LEVELS, *ALIASES):
        canonical = ALIASES.get(name, name)
        enabled = LEVELS[canonical] >= level
        setattr(BoundLogger, name, _method(canonical) if enabled else _nothing)
        setattr(BoundLogger, f"a{name}", _async_method(canonical) if enabled else anothing)
    BoundLogger.get_effective_level = lambda _: level
    BoundLogger.is_enabled_for = lambda _, number: number >= level


set_level(logging.NOTSET)
