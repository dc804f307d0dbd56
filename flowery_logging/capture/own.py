"""The library's own records: access, client and task events, exceptions of requests, warnings.

They go to our handler and to the console, and to handlers and filters that somebody has put on the
library's own loggers; never further up. What watches the root logger or `Logger.callHandlers`
(Sentry, mail_admins, OpenTelemetry) sees what it would see without us. Before `setup()` they are
ordinary records of `logging`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from time import time as _now
from types import FrameType
from typing import Any

from flowery_logging.capture.flight import FlightRecorder
from flowery_logging.capture.sink import Sink, simply_formatted, site_of
from flowery_logging.capture.stdlib import Handler
from flowery_logging.ecs import Event
from flowery_logging.ecs.exception import exc_info_of
from flowery_logging.event_parts import NO_FIELDS, Fields
from flowery_logging.foreign import getframe
from flowery_logging.library_code import OWN_LOGGER, is_own


class OwnLogger:
    """Takes the place of the stdlib logger of the same name, whose level and filters hold."""

    def __init__(self, name: str, handler: Handler, recorder: FlightRecorder) -> None:
        self.name = name
        self._logger = logging.getLogger(name)
        self._handler = handler
        self._recorder = recorder

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - as logging has it
        """Tell whether an event of this level would be written or recorded."""
        return self._logger.isEnabledFor(level)

    def log(
        self,
        level: int,
        msg: str,
        *args: object,
        extra: Mapping[str, Any] = NO_FIELDS,
        exc_info: BaseException | None = None,
    ) -> None:
        """Write an event. Only filters and handlers of somebody's own may raise."""
        if not self._logger.isEnabledFor(level):
            return
        if not self._handler.sink.ready:
            self._logger.log(level, msg, *args, extra=extra, exc_info=exc_info, stacklevel=2)
            return
        handler = self._handler_for(level)
        if handler is None:
            return
        frame = getframe(1)
        if self._logger.filters or handler.filters or next(self._others(), None) is not None:
            self._as_record(handler, frame, level, msg, args, extra, exc_info)
        elif level >= handler.level:
            message = simply_formatted(msg, args) if args else msg
            self._write(handler.sink, frame, level, message or msg, extra, exc_info)

    def _handler_for(self, level: int) -> Handler | None:
        """Return ours or, below the level, the flight recorder's."""
        if level >= self._recorder.level or self._has_own_level():
            return self._handler
        return self._recorder.handler if level >= self._recorder.lowest else None

    def _has_own_level(self) -> bool:
        return self._recorder.lowest == self._recorder.level or any(
            logger.level for logger in self._chain() if logger.name != OWN_LOGGER
        )

    def _chain(self) -> Iterator[logging.Logger]:
        """Yield the loggers from this one up to the library's."""
        logger: logging.Logger | None = self._logger
        while logger is not None and is_own(logger.name):
            yield logger
            logger = logger.parent if logger.propagate else None

    def _others(self) -> Iterator[logging.Handler]:
        """Return what somebody has put on the library's own loggers."""
        return (
            one for logger in self._chain() for one in logger.handlers if one is not self._handler
        )

    def _write(
        self,
        sink: Sink,
        frame: FrameType,
        level: int,
        message: object,
        fields: Fields,
        error: BaseException | None,
    ) -> None:
        encoder = sink.encoder
        site = site_of(encoder, frame, self.name, logging.getLevelName(level))
        thread = encoder.thread(threading.get_ident(), threading.current_thread().name)
        created = _now()
        if error is not None or not sink.put(created, site, message, fields, thread):
            sink.emit_event(Event(created, site, message, thread, fields, error=error))

    def _as_record(
        self,
        handler: Handler,
        frame: FrameType,
        level: int,
        msg: str,
        args: tuple[Any, ...],
        extra: Mapping[str, Any],
        error: BaseException | None,
    ) -> None:
        code = frame.f_code
        exc_info = exc_info_of(error)
        place = code.co_filename, frame.f_lineno
        record = self._logger.makeRecord(
            self.name, level, *place, msg, args, exc_info, code.co_name, extra
        )
        verdict: Any = self._logger.filter(record)
        if not verdict:
            return
        if isinstance(verdict, logging.LogRecord):
            record = verdict
        for other in self._others():
            if level >= other.level:
                other.handle(record)
        if level >= handler.level:
            handler.handle(record)
