"""What all ways in share: the encoder, the writer and the processors of the current set-up.

There are four: a method of `get_logger()` (structlog.py), `Logger._log` (direct.py), a record
(stdlib.py), and the library's own loggers (own.py). Each takes an event through the same steps, and
spells them out, as a call more takes a hundredth of an event:

1. the message, with its arguments (`simply_formatted`; what does not fit: `interpolated`);
2. its call site and its thread, which the encoder knows from the second time on;
3. `Sink.put`, which writes what is usual;
4. what is not, as an `Event`: to `Sink.emit_event`;
5. the other handlers, where `logging` does not give it to them itself.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, Final

from structlog import contextvars as structlog_contextvars

from flowery_logging import context
from flowery_logging.capture.gate import PASSES, Gate
from flowery_logging.capture.interrupted import Interrupted, bare, bring_about
from flowery_logging.circles import asks_others
from flowery_logging.counters import Counters
from flowery_logging.ecs import Event, LineEncoder, Site
from flowery_logging.event_parts import NO_FIELDS, Fields, Halves
from flowery_logging.files import Writer
from flowery_logging.foreign import BOUND_VARIABLES
from flowery_logging.request import greenlet_here
from flowery_logging.signalled import is_let_through, let_through

Processor = Callable[[dict[str, Any]], "dict[str, Any] | None"]

_SEPARATORS: Final = tuple(filter(None, (os.sep, os.altsep)))
_SCALARS: Final = frozenset({str, int, float, bool})


class _AtWork(threading.local):
    """The processors that are running in this thread: the `id` of the greenlet, and theirs."""

    def __init__(self) -> None:
        self.processors: set[tuple[int, int]] = set()


_at_work: Final = _AtWork()


class Sink:
    """Takes events to the writer; `ready` once `setup()` has been called.

    Loggers made earlier hold the sink, so what `setup()` changes reaches them.
    """

    __slots__ = ("counters", "encoder", "gates", "processors", "ready", "unusual", "writer")

    def __init__(self, counters: Counters) -> None:
        self.counters = counters
        self.ready = False
        self.encoder: LineEncoder
        self.writer: Writer
        self.processors: tuple[Processor, ...] = ()
        self.gates: tuple[Gate, ...] = ()
        self.unusual = False  # all events take the general way

    def open(
        self,
        encoder: LineEncoder,
        writer: Writer,
        processors: tuple[Processor, ...],
        gates: tuple[Gate, ...] = (),
    ) -> None:
        """Begin to take events."""
        self.encoder, self.writer = encoder, writer
        self.processors, self.gates = processors, gates
        self.unusual = bool(processors or gates)
        self.ready = True

    @asks_others
    def put(
        self, created: float, site: Site, message: object, fields: Fields, thread: bytes
    ) -> bool:
        """Write an event without an exception; False, and nothing written, if it is unusual.

        Then the general way is to be taken, by `emit_event`. What a signal handler raises meanwhile
        (a time limit) is the application's: it is let through, and so the write itself lies outside
        of any `try`, as the event is not to be written twice.
        """
        if BOUND_VARIABLES or self.unusual:
            return False
        try:
            before = self.encoder.join(created, site, message, fields, context.current(), thread)
        except BaseException:  # of a bound object that ends the program, or of a signal handler
            self._write_bare(Event(created, site, message, thread, fields, bound_fields()))
            raise
        if before is None:
            return False
        self.writer.write(before, thread)
        return True

    def encode_event(self, event: Event, bound: Fields | None = None) -> Halves | None:
        """Return the halves of any event, after the processors; None if one drops it.

        `bound` are the fields of the context that it was logged in, if that is another one.
        """
        event.bound = _bound_with(event.error) if bound is None else bound
        if self.processors and not self._process(event):
            self.counters.add("dropped_by_processors")
            return None
        return self.encoder.encode_event(event)

    @asks_others
    def emit_event(self, event: Event, bound: Fields | None = None) -> None:
        """Write any event, after the processors have seen it.

        Raises nothing but what ends a program, if an object of the event's does: when the event
        has been written.
        """
        message = event.message
        target: Any = self.writer
        try:
            if self.gates:
                if bound is None and not BOUND_VARIABLES and event.error is None:
                    event.scope = context.current()
                event.bound = bound = _bound_with(event.error) if bound is None else bound
                target = self._through_gates(event)
            halves = None if target is None else self.encode_event(event, bound)
        except BaseException:
            self._write_bare(event)
            raise
        if halves is not None:
            target.write(*halves)
        bring_about(message)

    def write(self, event: Event) -> None:
        """Write an event of the library's own as it stands. Never raises."""
        self.writer.write(*self.encoder.encode_event(event))

    def tell(self) -> None:
        """Say what was left out: the process may end. Never raises."""
        for gate in self.gates:
            gate.tell()

    def _through_gates(self, event: Event) -> Any:
        """Return what takes the halves of an event; None if it is left out."""
        target: Any = self.writer
        try:
            for gate in self.gates:
                found = gate.target(event)
                if found is None:
                    return None
                target = target if found is PASSES else found
        except Exception as error:  # of a mapping of the caller's
            let_through(error)
            self.counters.add("fallbacks")
        return target

    def _write_bare(self, event: Event) -> None:
        """Write an event without what its objects say of themselves."""
        self.writer.write(*self.encoder.encode_event(bare(event)))

    def _process(self, event: Event) -> bool:
        """Let the processors change an event; False if one of them drops it.

        One that raises, or returns something else, is counted, and the event goes on without it.
        What one logs itself does not come back to it: it could have no end.
        """
        for processor in self.processors:
            if _is_at_work(processor):
                continue
            given = {**event.bound, **_without_message(event.fields), "message": event.message}
            try:
                returned: Any = _asked(processor, given)
            except Exception as error:
                let_through(error)
                self.counters.add("processor_errors")
                continue
            if returned is None:
                return False
            if not isinstance(returned, dict):
                self.counters.add("processor_errors")
                continue
            event.message = returned.get("message", event.message)
            event.fields = {name: value for name, value in returned.items() if name != "message"}
            event.bound, event.scope = NO_FIELDS, None
        return True


def _is_at_work(processor: Processor) -> bool:
    return (id(greenlet_here()), id(processor)) in _at_work.processors


def _asked(processor: Processor, given: dict[str, Any]) -> Any:
    """Return what a processor makes of an event; until then it is at work."""
    running, here = _at_work.processors, (id(greenlet_here()), id(processor))
    running.add(here)
    try:
        return processor(given)
    finally:
        running.discard(here)


@asks_others
def simply_formatted(template: object, args: tuple[Any, ...]) -> Any:
    """Return a text with its `%` arguments, or None where that is no simple matter. Never raises.

    What does not fit is kept apart: both loggers look at that themselves. If an argument ends the
    program (`SystemExit`, `KeyboardInterrupt`), or a signal handler raises meanwhile, what is
    returned brings that about once it is written.
    """
    if type(template) is not str:
        return None
    try:
        if len(args) == 1 and type(args[0]) not in _SCALARS:
            return template % mapping_or_all(args)
        return template % args
    except Exception as error:  # arguments that do not fit, or a handler's
        return Interrupted(template, args, error) if is_let_through(error) else None
    except BaseException as error:  # of an argument: written, then let through
        return Interrupted(template, args, error)


def mapping_or_all(args: tuple[Any, ...]) -> Any:
    """Return a mapping that is the only argument, which has a meaning of its own."""
    only = args[0]
    return only if isinstance(only, Mapping) and only else args


def site_of(encoder: LineEncoder, frame: FrameType, logger: str | None, level: str) -> Site:
    """Return the call site where a frame stands; without a logger's name it is the module's."""
    code = frame.f_code
    key = (id(code), frame.f_lasti, level, logger)  # a code object's hash goes through all of it
    known = encoder.known_site(key)
    if known is not None:
        return known
    name, file = logger or frame.f_globals.get("__name__"), _file_name(code.co_filename)
    site = encoder.site(key, level, name, file, frame.f_lineno, code.co_name)
    site.code = code  # kept alive, so that no other code gets its `id`
    return site


def this_thread(encoder: LineEncoder) -> bytes:
    """Return the second half of a line that this thread writes."""
    return encoder.thread(threading.get_ident(), threading.current_thread().name)


def _file_name(path: str) -> str:
    """Return what `os.path.basename` does, without `os.fspath`: a test may have replaced that."""
    return path[max(map(path.rfind, _SEPARATORS)) + 1 :]


def _without_message(fields: Fields) -> Fields:
    """Return the fields; one that is named as the text of the event moves to `labels`."""
    if "message" not in fields:
        return fields
    others = {name: value for name, value in fields.items() if name != "message"}
    return {**others, "labels.message": fields["message"]}


def _bound_with(error: BaseException | None) -> Fields:
    """Return what is bound here; where nothing is, what was bound where an exception came from."""
    here = bound_fields()
    if here or error is None:
        return here
    scope = context.as_left(context.scope_of_failure(error))
    return NO_FIELDS if scope is None else scope.fields()


def bound_fields() -> Fields:
    """Return what is bound here: ours, over what was bound with `structlog.contextvars`."""
    ours = context.fields()
    if not BOUND_VARIABLES:
        return ours
    try:
        theirs = structlog_contextvars.get_contextvars()
    except Exception as error:
        let_through(error)
        return ours
    return {**theirs, **ours} if theirs else ours
