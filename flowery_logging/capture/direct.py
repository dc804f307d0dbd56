"""The short way of the standard library's loggers: to the encoder without a `LogRecord`.

Records are made for filters and handlers. Where our handler is the only one that would get to see
a record, `Logger._log` encodes the event as it stands. Whether that is so is looked up at each
call, so a handler, filter, record factory or wrapper that is added at any time (by a test, by
Sentry, by `assertLogs`) sees what it would see without this module. Whatever is unusual (an
exception, a stack level, a logger class of somebody's own) takes stdlib's way.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from operator import attrgetter
from types import FrameType, FunctionType
from typing import Any, Final

from flowery_logging.capture.attachment import Attachment
from flowery_logging.capture.callers import caller
from flowery_logging.capture.made_records import make_record_patch
from flowery_logging.capture.patch import SOURCE, Patch, is_stock
from flowery_logging.capture.records import ASIDE, NOT_EXTRA, STOCK_TEXT
from flowery_logging.capture.sink import Sink, simply_formatted, site_of
from flowery_logging.capture.stdlib import LOOKED_AT, Handler
from flowery_logging.ecs import Event
from flowery_logging.ecs.exception import askable
from flowery_logging.event_parts import NO_FIELDS, Fields
from flowery_logging.foreign import LOG, getframe
from flowery_logging.library_code import OWN_LOGGER
from flowery_logging.signalled import let_through

_PLAIN_LOGGERS: Final = frozenset({logging.Logger, logging.RootLogger})
_METHODS: Final = ("handle", "callHandlers", "filter", "findCaller", "makeRecord")
_OVERRIDDEN: Final = frozenset({*_METHODS, LOG, LOOKED_AT})
_methods: Final = attrgetter(*_METHODS)
_ATTRIBUTES: Final = len(vars(logging.getLogger(OWN_LOGGER)))

_FINDS_CALLER: Final = logging.Logger.findCaller.__code__
_NO_PLACE: Final = "(unknown file)", 0, "(unknown function)", None
"""What stdlib takes where `findCaller` fails."""

_Record = logging.LogRecord
_level_name = logging.getLevelName
_record_factory = logging.getLogRecordFactory
_now = time.time
_ident = threading.get_ident
_current_thread = threading.current_thread


class Shortcut:
    """What stands in for `Logger._log` while it is installed.

    Args:
        sink: where events go.
        handler: ours.
        attachment: what keeps our handler attached.
    """

    def __init__(self, sink: Sink, handler: Handler, attachment: Attachment) -> None:
        self._sink = sink
        self._handler = handler
        self._attachment = attachment
        self._patch = Patch(logging.Logger, LOG)

    def install(self) -> None:
        """Replace `Logger._log`; all take stdlib's way where what it relies on was replaced."""
        self._patch.apply(self._replacement)

    def uninstall(self) -> None:
        """Put back what was there, unless somebody else has wrapped it since."""
        self._patch.undo()

    def _replacement(self, theirs: object) -> FunctionType:
        return self._make(theirs, self._methods(theirs))

    def _methods(self, theirs: object) -> tuple[Any, ...]:
        """Return the methods with which the short way may be taken; nothing if it may never be."""
        methods = _methods(logging.Logger)
        below = self._attachment.patch.theirs, make_record_patch.theirs, theirs
        return methods if all(map(is_stock, (*methods, *below))) else ()

    def _make(self, theirs: Any, methods: tuple[Any, ...]) -> FunctionType:
        sink, handler, look_before = self._sink, self._handler, self._attachment.look_before
        is_unwrapped = is_stock(theirs)

        def _log(  # type: ignore[no-untyped-def]
            self,  # noqa: ANN001
            level: Any = None,
            msg: Any = None,
            args: Any = None,
            /,
            exc_info: Any = None,
            extra: Any = None,
            stack_info: bool = False,
            stacklevel: int = 1,
            **fields: object,
        ) -> None:
            if fields:
                level, msg, args, extra = _with_fields(sink, (level, msg, args), extra, fields)
            if (
                exc_info is None
                and stacklevel == 1
                and not stack_info
                and _sees_all(handler, self, level, methods)
                and _write(sink, self.name, level, msg, args, extra, getframe(1))
            ):
                return
            if type(self) not in _PLAIN_LOGGERS:
                look_before(self)
            if exc_info is not None and exc_info is not True:
                exc_info = askable(exc_info)
            if is_unwrapped and getattr(self.findCaller, "__code__", None) is not _FINDS_CALLER:
                # It may count frames, and so is called from where stdlib would call it.
                try:
                    place = self.findCaller(stack_info, stacklevel)
                except ValueError:  # as many frames as it counts are not there
                    place = _NO_PLACE
                _hand_on(self, level, msg, args, exc_info, extra, place)
                return
            if stacklevel > 1 and _COUNTS_ALL_FRAMES:
                stacklevel += 1
            if is_unwrapped:
                theirs(self, level, msg, args, exc_info, extra, stack_info, stacklevel)
            else:
                theirs(self, level, msg, args, **_options(exc_info, extra, stack_info, stacklevel))

        return _log  # type: ignore[return-value]


def _hand_on(
    logger: logging.Logger,
    level: int,
    msg: object,
    args: Any,
    exc_info: Any,
    extra: Any,
    place: tuple[str, int, str, str | None],
) -> None:
    """Make a record as stdlib does, of a call whose place is known, and give it to handlers."""
    if exc_info and not isinstance(exc_info, tuple):
        exc_info = sys.exc_info()
    file, line, function, stack = place
    record = logger.makeRecord(
        logger.name, level, file, line, msg, args, exc_info, function, extra, stack
    )
    logger.handle(record)


def _options(
    exc_info: object, extra: object, stack_info: object, stacklevel: object
) -> dict[str, object]:
    """Return what a call gives beside its message: a wrapper of `_log` may know nothing more."""
    given = exc_info, extra, stack_info, stacklevel
    known = zip(_OPTIONS, given, strict=True)
    return {name: value for (name, default), value in known if value is not default}


_OPTIONS: Final = (("exc_info", None), ("extra", None), ("stack_info", False), ("stacklevel", 1))


def _with_fields(
    sink: Sink, given: tuple[Any, Any, Any], extra: object, fields: dict[str, Any]
) -> tuple[Any, Any, Any, Any]:
    """Return level, message, arguments and `extra` of a call that has other keywords too.

    `log.info("x", order_id=7)` is a TypeError of plain logging: here the keywords are fields.
    Wrappers of `_log` may give its own parameters by keyword.
    """
    level, msg, args = (
        fields.pop(name) if value is None and name in fields else value
        for name, value in zip(_PARAMETERS, given, strict=True)
    )
    if fields:
        sink.counters.add("keyword_fields")
        others = {} if extra is None else extra if type(extra) is dict else _as_fields(extra)
        extra = {**others, **fields}
    return level, msg, args or (), extra


_PARAMETERS: Final = ("level", "msg", "args")


def _as_fields(extra: Any) -> dict[Any, Any]:
    try:
        return dict(extra)
    except Exception as error:
        let_through(error)
        return {"extra": extra}


_COUNTS_ALL_FRAMES: Final = sys.version_info < (3, 11)
"""Up to Python 3.10 a stack level counts stdlib's own frames too, and so this one."""


def _sees_all(
    handler: Handler, logger: logging.Logger, level: int, methods: tuple[Any, ...]
) -> bool:
    """Tell whether a handler would get a record of this logger as it is made, and nobody else."""
    if type(logger) not in _PLAIN_LOGGERS:
        return False
    end = logger  # looked for first: where others have handlers there is no more to ask
    while not end.handlers:
        if not end.propagate or end.parent is None:
            return False
        end = end.parent
    handlers = end.handlers
    return (
        len(handlers) == 1
        and handlers[0] is handler
        and (end.parent is None or not end.propagate)
        and not logger.filters
        and not handler.filters
        and level >= handler.level
        and (len(vars(logger)) <= _ATTRIBUTES or _OVERRIDDEN.isdisjoint(vars(logger)))
        and logging.logThreads
        and _record_factory() is _Record
        and _Record.getMessage is STOCK_TEXT
        and _methods(logging.Logger) == methods
        and (end.level > 0 or level >= handler.general)  # else see own_gates.py
    )


def _as_on_record(extra: Fields) -> Fields:
    """Return the fields in the order in which a record has them: names of its own come last.

    If there are too many fields, the order decides which ones stand apart.
    """
    last = {n: v for n, v in extra.items() if type(n) is not str or n in NOT_EXTRA}
    return {**{n: v for n, v in extra.items() if n not in last}, **last} if last else extra


def _write(
    sink: Sink, logger: str, level: int, msg: Any, args: Any, extra: object, frame: FrameType | None
) -> bool:
    """Write an event; False if it is one for stdlib's way.

    Raises what a signal handler does meanwhile.
    """
    template = msg
    try:
        if args:
            msg = simply_formatted(msg, args)
            if msg is None:
                return False
        if extra is None:
            extra = NO_FIELDS
        elif type(extra) is not dict:
            return False
        while frame.f_code.co_filename == SOURCE:  # type: ignore[union-attr]
            frame = frame.f_back  # type: ignore[union-attr]
        encoder = sink.encoder
        name = _level_name(level)
        # What `site_of` does of a call site that is known, without its call.
        site = encoder.known_site((id(frame.f_code), frame.f_lasti, name, logger))  # type: ignore[union-attr]
        if site is None:
            site = site_of(encoder, caller(frame), logger, name)  # type: ignore[arg-type]
        current = _ident(), _current_thread().name
        thread = encoder.known_thread(current) or encoder.thread(*current)
    except Exception as error:
        let_through(error)
        return False  # stdlib's way finds out what it is
    created = _now()
    if not sink.put(created, site, msg, extra, thread):
        if not ASIDE.isdisjoint(extra):
            return False
        event = Event(created, site, msg, thread, _as_on_record(extra))
        event.template = template
        sink.emit_event(event)
    return True
