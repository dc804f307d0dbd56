"""What stands at the end of our structlog loggers, and how an event gets from there to the file."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, MutableMapping
from functools import lru_cache, partial
from types import CodeType, FrameType, FunctionType
from typing import Any, Final

from structlog import BoundLoggerBase

from flowery_logging import context, levels
from flowery_logging.capture.interrupted import Interrupted, bring_about
from flowery_logging.capture.logger_tree import LOGGERS, has_own_level, nearest, nearest_lasting
from flowery_logging.capture.made_records import log_before_setup
from flowery_logging.capture.others import Said, hand_out, heard_by_others
from flowery_logging.capture.patch import filed_in_logging
from flowery_logging.capture.sink import Sink, mapping_or_all, site_of
from flowery_logging.circles import asks_others
from flowery_logging.ecs import Event
from flowery_logging.ecs.encode import text, to_json
from flowery_logging.ecs.exception import exception_of, traceback_of
from flowery_logging.ecs.frames import stack_text
from flowery_logging.foreign import CALLING_STACK, CALLING_THREAD, getframe
from flowery_logging.library_code import OWN_LOGGER
from flowery_logging.signalled import is_let_through

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
ALIASES: Final = {"warn": "warning", "fatal": "critical", "msg": "info"}
"""The methods of a logger: the numbers of their levels, and other names for them."""

_FOREIGN_ALIASES: Final = {
    **ALIASES, "exception": "error", "err": "error", "failure": "error", "log": "info",
}  # fmt: skip
"""The same, with those of structlog's other loggers."""

SPECIAL: Final = frozenset({"exc_info", "stack_info", "exception", "stack"})
"""Keys of an event that structlog gives a meaning: they are no fields."""

MISSING: Any = object()
"""No positional text: `log.info(event="x")` is structlog's long form of `log.info("x")`."""

_NOT_APPS: Final = ("structlog.", f"{OWN_LOGGER}.")

_now = time.time
_ident = threading.get_ident
_current_thread = threading.current_thread
_get_logger = logging.getLogger


class Levels:
    """From which levels on events are written, and kept by the flight recorder."""

    written = logging.NOTSET
    kept = logging.NOTSET
    recorder: Sink | None = None
    named: Mapping[str, int] = {}  # of loggers that have been given one of their own
    disabled = logging.NOTSET  # up to here nothing is written: `logging.disable()`


def own_level(name: object, frame: FrameType | None = None) -> int | None:
    """Return the level that a logger (see `logger_name`), or the next one above it, was given.

    None: nobody was given one there.
    """
    named = Levels.named
    here = logger_name(name, frame) if named else ""
    while here:
        if here in named:
            return named[here]
        here = here.rpartition(".")[0]
    return None


def written_from(name: object, frame: FrameType | None) -> int:
    """Return from which level on the events of a logger are written."""
    own = own_level(name, frame)
    return Levels.written if own is None else own


def sink_for(sink: Sink, number: int, name: object) -> Sink | None:
    """Return where an event of this level and logger goes; None: it is below all levels."""
    if number <= Levels.disabled:
        return None
    own = own_level(name, app_frame() if Levels.named else None)
    if number >= (Levels.written if own is None else own):
        return sink
    return Levels.recorder if own is None and number >= Levels.kept else None


def stdlib_target(sink: Sink, logger: logging.Logger, number: int) -> Sink:
    """Return where an event goes that the level of its stdlib logger lets pass."""
    recorder = Levels.recorder  # while there is one, the root logger's level is its own
    if recorder is None or number >= Levels.written or has_own_level(logger):
        return sink
    return recorder


class Output:
    """The logger at the end of a chain: a name, and the sink that its events go to.

    What is not a level's method is that of the stdlib logger of the same name.
    """

    __slots__ = ("found", "name", "sink")

    def __init__(self, sink: Sink, name: str | None = None) -> None:
        self.sink = sink
        self.name = name
        # See `logger_of`. One tuple, as threads exchange it.
        self.found: tuple[int, Any, logging.Logger] = (-1, None, logging.root)

    def __getattr__(self, method_name: str) -> Any:
        """Return the method of a level, also of one that the user has made."""
        if method_name.startswith("_"):
            raise AttributeError(method_name)
        if method_name in _OF_LOGGERS:
            return getattr(_get_logger(None if self.name is None else str(self.name)), method_name)
        return partial(self._write, ALIASES.get(method_name, method_name))

    def _write(self, level: str, /, *args: object, **fields: object) -> None:
        """Write what a wrapper class, or the processors before `setup()`, have made of an event."""
        message = " ".join(map(text, args))
        if self.sink.ready:
            target = sink_for(self.sink, number_of(level), self.name)
            write(self.sink, self.name, level, message, (), fields, target=target)
        else:
            log_before_setup(self.name, number_of(level), message, (), fields, app_frame())
            for arg in args:
                bring_about(arg)

    def isEnabledFor(self, number: int) -> bool:  # noqa: N802 - as `logging` names it
        """Tell whether an event of this level is written."""
        return number > Levels.disabled and number >= self.getEffectiveLevel()

    def getEffectiveLevel(self) -> int:  # noqa: N802 - as `logging` names it
        """Return the level from which on events are written."""
        return written_from(self.name, app_frame() if Levels.named else None)


_OF_LOGGERS: Final = frozenset({
    "addFilter", "addHandler", "callHandlers", "disabled", "filter", "filters", "findCaller",
    "getChild", "handle", "handlers", "hasHandlers", "level", "makeRecord", "manager", "parent",
    "propagate", "removeFilter", "removeHandler", "root", "setLevel",
})  # fmt: skip


def render(logger: object, _: str, event_dict: MutableMapping[str, Any]) -> Any:
    """Stand at the end of our chains: from here on the event is ours.

    While `setup()` holds, `structlog_adoption` takes the event before this is called.
    """
    if type(logger) is not Output:  # `structlog.wrap_logger` with a logger of somebody's own
        return to_json(event_dict)
    fields = dict(event_dict)
    return (fields.pop("event", ""),), fields


def given(event: object, fields: dict[str, Any]) -> Any:
    """Return the text that a method was called with; one given by name is taken from the fields."""
    return fields.pop("event", "") if event is MISSING else event


def level_name(method_name: str) -> str:
    """Return the level that a method of any structlog logger stands for."""
    return _FOREIGN_ALIASES.get(method_name, method_name)


def number_of(level: str) -> int:
    """Return a level's number: of ours, of one added to `logging`, of "level 25"; otherwise 20."""
    return LEVELS.get(level) or levels.number_of(level, logging.INFO)


@asks_others
def interpolated(event: object, args: tuple[Any, ...]) -> tuple[Any, dict[str, Any]]:
    """Return the event's text with its `%` arguments; if they do not fit, keep both apart.

    If an argument ends the program, or a signal handler raises meanwhile, the text brings that
    about once it is written.
    """
    try:
        return text(event) % (mapping_or_all(args) if len(args) == 1 else args), {}
    except BaseException as error:
        if isinstance(error, Exception) and not is_let_through(error):
            return event, {"message_args": args}
        return Interrupted(event, args, error), {}


def app_frame() -> FrameType | None:
    """Return the innermost frame that is neither structlog's nor ours nor a bound logger's."""
    frame = CALLING_STACK.get(None) or getframe(1)
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if not name.startswith(_NOT_APPS) and not _is_of_a_bound_logger(frame):
            return frame
        frame = frame.f_back
    return None


def _is_of_a_bound_logger(frame: FrameType) -> bool:
    """Tell whether a frame is that of a method of a wrapper class, whoever has written it."""
    # Not by `f_locals`: until Python 3.13 it keeps what the caller deletes, and changes what
    # `locals()` has returned there.
    code = frame.f_code
    return code.co_varnames[:1] == ("self",) and _is_method_of_a_bound_logger(code)


@lru_cache(1024)
def _is_method_of_a_bound_logger(code: CodeType) -> bool:
    kinds = [BoundLoggerBase]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return any(code in _codes(kind) for kind in kinds)


def _codes(kind: type) -> list[CodeType]:
    """Return the code of a class's methods, and of what they are wrapped around."""
    methods = [one for above in kind.__mro__ for one in vars(above).values()]
    functions = [*methods, *(getattr(one, "__wrapped__", None) for one in methods)]
    return [one.__code__ for one in functions if isinstance(one, FunctionType)]


def logger_of(output: Output, frame: FrameType | None) -> logging.Logger:
    """Return the stdlib logger whose handlers get an output's events too.

    What is found is kept while no loggers are added to `logging`, with their number and, for an
    output without a name, the globals of the module that calls.
    """
    name = logger_name(output.name, frame)
    logger, lasting = nearest_lasting(name)
    if lasting and frame is not None:
        output.found = len(LOGGERS), frame.f_globals, logger
    return logger


def logger_name(name: object, frame: FrameType | None) -> str:
    """Return a logger's name for `logging`: without one of its own it is the calling module's."""
    if name is None and frame is not None:
        name = frame.f_globals.get("__name__")
    return "root" if name is None else str(name)


def make_event(
    sink: Sink,
    name: str | None,
    level: str,
    message: object,
    fields: dict[str, Any],
    frame: FrameType | None,
) -> Event:
    """Make an event, taking structlog's special keys out of its fields."""
    encoder = sink.encoder
    if frame is None:
        site = encoder.site((name, level), level, name, None, None, None)
    else:
        site = site_of(encoder, frame, name, level)
    ident, thread_name = caller_thread() or (_ident(), _current_thread().name)
    event = Event(_now(), site, message, encoder.thread(ident, thread_name), fields)
    add_exception(event, fields, frame)
    return event


def caller_thread() -> tuple[int, str] | None:
    """Return the thread that awaits one of structlog's `a…` methods, where this is its executor."""
    found: tuple[int, str] | None = CALLING_THREAD.get(None)
    return found


def add_exception(event: Event, fields: dict[str, Any], frame: FrameType | None) -> None:
    """Take structlog's special keys out of the fields: an exception, or the text of one."""
    exc_info = fields.pop("exc_info", None)
    event.error, event.trace = exception_of(exc_info), traceback_of(exc_info)
    stack_info = fields.pop("stack_info", None)
    if stack_info is not None and stack_info is not False:
        calls = "" if frame is None else f"\n{stack_text(frame)}"
        event.stack = f"Stack (most recent call last):{calls}"
    for key in ("exception", "stack"):
        if isinstance(fields.get(key), str) and event.stack is None:
            event.stack = fields.pop(key)


def write(
    sink: Sink,
    name: str | None,
    level: str,
    message: object,
    args: tuple[Any, ...],
    fields: dict[str, Any],
    *,
    merged: bool = False,
    target: Sink | None,
    handed_out: bool = True,
) -> None:
    """Write an event to `target`, and hand it out if that is the sink itself. Never raises.

    Without `handed_out` nobody else gets it.
    """
    if target is None:
        return
    frame = app_frame()
    if args:
        message, more = interpolated(message, args)
        fields = {**more, **fields}
    event = make_event(target, name, level, message, fields, frame)
    target.emit_event(event, context.fields() if merged else None)
    if target is sink and handed_out:
        name = logger_name(name, frame)
        logger = nearest(name)
        if heard_by_others(logger):
            said = Said(name, number_of(level), message, (), fields, event, frame)
            give_others(sink, logger, said)


@filed_in_logging
def give_others(sink: Sink, logger: logging.Logger, said: Said) -> None:
    """Hand out an event that is written, unless it is one that only the recorder keeps."""
    if said.level >= written_from(said.logger, None):
        hand_out(said, logger, caller_thread(), sink.counters)


# structlog's processors look for the caller outside of modules named like structlog's own.
__name__ = "structlog.flowery_logging.output"
