"""The flight recorder: events below the level, kept a while, and written if a request fails.

It stands where a writer stands: it takes the halves of encoded events, with their own timestamps,
and puts them into the ring of the current request. If that ends in an error they go to the real
writer, which numbers them then; otherwise they are forgotten. Off, it costs nothing.
"""

from __future__ import annotations

import logging
from _thread import RLock  # a real one also where gevent has patched `threading`
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from flowery_logging import context, process
from flowery_logging.capture import stdlib
from flowery_logging.capture.logger_tree import has_own_level
from flowery_logging.capture.patch import Patch
from flowery_logging.capture.sink import Sink
from flowery_logging.capture.structlog import BoundLogger, anothing
from flowery_logging.capture.structlog_adoption import is_adopted
from flowery_logging.capture.structlog_output import (
    ALIASES,
    LEVELS,
    MISSING,
    Levels,
    Output,
    given,
    own_level,
)
from flowery_logging.event_parts import Halves
from flowery_logging.foreign import context_of, frame_above, logger_of, processors_of

REQUEST_BYTES: Final = 256 * 1024
TOTAL_BYTES: Final = 32 * 1024**2
"""What one request, and all of a process together, may keep; beyond it the oldest are forgotten."""


class Keeper(Protocol):
    """What the rings of all requests share."""

    sink: Sink
    lock: RLock
    total: int
    child: int
    """How many forks lie between this process and the first."""


class Ring:
    """The last events of one request, in `REQUEST_BYTES`."""

    def __init__(self, recorder: Keeper) -> None:
        self._recorder = recorder
        self._events: deque[Halves] = deque()
        self._size = 0
        self._child = recorder.child

    def put(self, halves: Halves) -> None:
        """Keep an event; forget as many old ones as are in its way."""
        size = _size(halves)
        recorder = self._recorder
        self._take_over()
        with recorder.lock:
            self._make_room(size)
            if size <= REQUEST_BYTES and recorder.total + size <= TOTAL_BYTES:
                self._events.append(halves)
                self._size += size
                recorder.total += size

    def _take_over(self) -> bool:
        """Leave to the parent what a forked child finds here; tell whether this was the moment."""
        process.look()
        if self._child == self._recorder.child:
            return False
        self._child = self._recorder.child
        self._events.clear()
        self._size = 0
        return True

    # No loop stands in a `with` of its own function: see `Writer._empty_inbox`.
    def _make_room(self, size: int) -> None:
        recorder = self._recorder
        while self._events and (
            self._size + size > REQUEST_BYTES or recorder.total + size > TOTAL_BYTES
        ):
            self._forget()

    def _forget_all(self) -> list[Halves]:
        return [self._forget() for _ in range(len(self._events))]

    def _forget(self) -> Halves:
        halves = self._events.popleft()
        self._size -= _size(halves)
        self._recorder.total = max(0, self._recorder.total - _size(halves))
        return halves

    def write_out(self) -> None:
        """Write what is kept, in its order."""
        self._take_over()
        with self._recorder.lock:
            halves = self._forget_all()
        for one in halves:
            self._recorder.sink.writer.write(*one)

    def clear(self) -> None:
        """Forget what is kept."""
        self._take_over()
        with self._recorder.lock:
            self._forget_all()

    __del__ = clear


class FlightRecorder:
    """Records events from `lowest` up to, but not including, `level`; both numbers of `logging`.

    Other handlers, of anybody, get no record that they would not get without it.
    """

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.lock = RLock()
        self.total = 0  # bytes in all rings
        self.child = 0
        self.level = self.lowest = logging.NOTSET
        self._shadow = Sink(sink.counters)  # encodes as the real one; its writer is this
        self.handler = stdlib.Handler(self._shadow)
        self._patch = Patch(logging.Logger, "callHandlers")
        process.renew_in_children(self)

    def write(self, before: bytes, after: bytes) -> None:
        """Keep an event for the current request; outside of one it is forgotten."""
        request = context.current_request()
        if request is None or request.closed:
            return
        if request.ring is None:
            request.ring = Ring(self)
        request.ring.put((before, after))

    def set_levels(self, lowest: int | None, level: int) -> int:
        """Record from `lowest` (None: nothing); return the level that the root logger needs."""
        self.level = level
        self.lowest = level if lowest is None else min(lowest, level)
        if self.lowest < level:
            this: Any = self
            self._shadow.open(self.sink.encoder, this, self.sink.processors)
            self._patch.apply_once(self._calling)
            _record_below(level, self.lowest, self._shadow)
        else:
            self.uninstall()
        return self.lowest

    def uninstall(self) -> None:
        """Put back what was there, unless somebody else has wrapped it since."""
        self.lowest = self.level
        self._patch.undo()

    def start_child(self) -> None:
        """Begin anew in a forked child: the parent writes what its requests have left here."""
        self.lock = RLock()
        self.total = 0
        self.child += 1

    def _calling(self, theirs: Callable[..., None]) -> Callable[..., None]:
        """Wrap `Logger.callHandlers`: what only the lowered root level let pass stops here."""

        def call_handlers(logger: logging.Logger, record: logging.LogRecord) -> None:
            if record.levelno >= self.level or has_own_level(logger):
                theirs(logger, record)
            elif record.levelno >= self.lowest:
                self.handler.handle(record)

        return call_handlers


def _record_below(level: int, lowest: int, sink: Sink) -> None:
    """Hand the events of structlog's from `lowest` up to `level` to another sink."""
    Levels.kept, Levels.recorder = lowest, sink
    for name in (*LEVELS, *ALIASES):
        canonical = ALIASES.get(name, name)
        if lowest <= LEVELS[canonical] < level and LEVELS[canonical] > Levels.disabled:
            setattr(BoundLogger, name, _recording_method(canonical, sink))
            setattr(BoundLogger, f"a{name}", _async_recording_method(canonical, sink))


def _recording_method(level: str, sink: Sink) -> Any:
    def method(
        self: BoundLogger, event: object = MISSING, /, *args: object, **fields: object
    ) -> None:
        taking = _taking(self, sink, level)
        if taking is not None:
            taking._log(level, given(event, fields), args, fields)  # noqa: SLF001 - our own

    method.__name__ = level
    return method


def _async_recording_method(level: str, sink: Sink) -> Any:
    def method(
        self: BoundLogger, event: object = MISSING, /, *args: object, **fields: object
    ) -> Awaitable[None]:
        taking = _taking(self, sink, level)
        if taking is not None:
            taking._log(level, given(event, fields), args, fields)  # noqa: SLF001 - our own
        return anothing(self)

    method.__name__ = f"a{level}"
    return method


def _taking(logger: BoundLogger, sink: Sink, level: str) -> BoundLogger | None:
    """Return the logger that takes an event below the level; None: nobody does.

    One that has been given its own level writes it or not. Of the others the recorder keeps it, by
    a logger like this one; None too where an event is not ours.
    """
    output = logger_of(logger)
    if type(output) is not Output:
        return logger if is_adopted(logger) else None
    own = own_level(output.name, frame_above(2))
    if own is not None:
        return logger if LEVELS[level] >= own else None
    shadow = Output(sink, output.name)
    return BoundLogger(shadow, processors_of(logger), context_of(logger))


def _size(halves: Halves) -> int:
    return len(halves[0]) + len(halves[1])
