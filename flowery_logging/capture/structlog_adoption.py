"""structlog as the application has configured it, before or after `setup()`, writes to our file.

The configuration stays the application's: it is looked at where events come in. Each bound logger
of structlog's runs its processors in `BoundLoggerBase._process_event`, which is replaced while
`setup()` holds: the configured processors run, and the event is ours where the renderer would come.
So loggers that were bound or cached before are reached as well. A logger that was given processors
of its own, or an output of its own, with `structlog.wrap_logger`, is left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, MutableMapping
from typing import Any, Final

import structlog
from structlog import BoundLoggerBase

from flowery_logging import context
from flowery_logging.capture.handed import Pending, pending
from flowery_logging.capture.others import heard_by_others
from flowery_logging.capture.patch import Patch
from flowery_logging.capture.sink import Sink
from flowery_logging.capture.stdlib import Handler
from flowery_logging.capture.structlog_chain import Chain
from flowery_logging.capture.structlog_notes import Notes
from flowery_logging.capture.structlog_output import (
    Output,
    app_frame,
    interpolated,
    level_name,
    make_event,
    number_of,
    render,
    sink_for,
    stdlib_target,
    write,
)
from flowery_logging.capture.structlog_printers import name_of, printer_of, prints
from flowery_logging.foreign import (
    CALLER_OF_PROCESS_EVENT,
    CONFIGURATION,
    CONFIGURES,
    PROCESS_EVENT,
    Proxy,
    arguments_of,
    context_of,
    getframe,
    logger_of,
    processors_of,
)
from flowery_logging.signalled import let_through

PROCESSORS: Final[list[Any]] = [render]
"""The processors of all our loggers; tools such as `capture_logs` replace its content."""

_SETTINGS: Final = (
    "default_processors", "default_context_class", "default_wrapper_class", "logger_factory",
    "cache_logger_on_first_use",
)  # fmt: skip
_MOST_LISTS: Final = 64

_PROXIES: Final = {CALLER_OF_PROCESS_EVENT}
"""Who calls `_process_event`, and takes DropEvent for the end of it."""

Returned = tuple[Any, Any]


class Adoption:
    """What is replaced in structlog while a set-up holds.

    `warn` is told, once a set-up, what of the application's configuration cannot be kept.
    """

    def __init__(self, sink: Sink, warn: Callable[[str], None]) -> None:
        self._sink = sink
        self._warn = warn
        self._warned = False
        self._ours: dict[str, Any] = {}
        self._before: dict[str, Any] = {}
        self._patches = [
            (Patch(BoundLoggerBase, PROCESS_EVENT), self._process_event),
            (Patch(Proxy, "bind"), self._bind),
            (Patch(structlog, "configure_once"), self._configure_once),
            (Patch(CONFIGURES, "configure_once"), self._configure_once),
        ]
        self._lists: dict[int, Any] = {}  # processors that were configured at some time
        self._names = Notes()  # logger → the name that it was asked for by
        self._own_outputs = Notes()  # loggers given to `wrap_logger`

    def install(self, **ours: Any) -> None:
        """Begin to take events; configure structlog as `ours` if nobody has configured it."""
        self._warned = True  # until `tell`: the warning is an event too
        self._note_list(CONFIGURATION.default_processors)
        self._before = {name: getattr(CONFIGURATION, name) for name in _SETTINGS}
        self._ours = {}
        if not structlog.is_configured():
            structlog.configure(processors=PROCESSORS, **ours)
            self._ours = {name: getattr(CONFIGURATION, name) for name in _SETTINGS}
        for patch, make in self._patches:
            patch.apply(make)

    def tell(self) -> None:
        """Warn, once, of what cannot be kept of a configuration: now, or when one is made."""
        self._warned = False
        self._tell_what_is_lost()

    def uninstall(self) -> None:
        """Put back what was there: where the application has configured since, what it wants."""
        for patch, _ in self._patches:
            patch.undo()
        self._lists.clear()
        kept = 0
        for name, value in self._ours.items():
            if getattr(CONFIGURATION, name) is value:
                setattr(CONFIGURATION, name, self._before[name])
            else:
                kept += 1
        if self._ours and not kept:
            CONFIGURATION.is_configured = False

    def _configure_once(self, theirs: Any) -> Any:
        def configure_once(*args: Any, **named: Any) -> None:
            if self._ours and all(
                getattr(CONFIGURATION, name) is value for name, value in self._ours.items()
            ):
                structlog.configure(*args, **named)
            else:
                theirs(*args, **named)

        return configure_once

    def _bind(self, theirs: Any) -> Any:
        """Wrap what makes each bound logger, to know which configuration it is of."""

        def bind(proxy: Any, **new_values: Any) -> Any:
            bound = theirs(proxy, **new_values)
            made = bound
            if not isinstance(bound, BoundLoggerBase):
                made = getattr(bound, "sync_bl", None)  # of an AsyncBoundLogger
            if isinstance(made, BoundLoggerBase) and type(logger_of(made)) is not Output:
                self._look_at(proxy, made)
            return bound

        return bind

    def _look_at(self, proxy: Any, bound: Any) -> None:
        if processors_of(proxy) is None:
            self._note_list(processors_of(bound))
            self._tell_what_is_lost()
        given = logger_of(proxy)
        if given is not None:
            self._own_outputs.add(given, note=True)
        name = next(iter(arguments_of(proxy)), None)
        if isinstance(name, str):
            self._names.add(logger_of(bound), name)

    def _note_list(self, processors: object) -> None:
        if id(processors) in self._lists:
            return
        if len(self._lists) >= _MOST_LISTS:
            self._lists.pop(next(iter(self._lists), 0), None)  # another thread may be here too
        self._lists[id(processors)] = processors

    def _tell_what_is_lost(self) -> None:
        if self._warned or not structlog.is_configured():
            return
        printer = printer_of(CONFIGURATION.logger_factory)
        if printer is None:
            return
        self._warned = True
        last = [name_of(p) for p in list(CONFIGURATION.default_processors)[-1:] if p is not render]
        instead = f" ({last[0]} at the end is replaced by ours)" if last else ""
        self._warn(
            f"structlog was configured to print with {printer}: its events go to the log files "
            f"instead; its processors go on{instead}"
        )

    def _takes(self, bound: Any) -> bool:
        """Tell whether a bound logger's events are ours."""
        logger = logger_of(bound)
        if type(logger) is Output:
            return self._sink.ready
        if not self._sink.ready or id(processors_of(bound)) not in self._lists:
            return False
        return isinstance(logger, logging.Logger) or not self._own_outputs.get(logger)

    def _process_event(self, theirs: Any) -> Any:
        def _process_event(bound: Any, method_name: str, event: Any, event_kw: Any) -> Returned:
            # A wrapper class that asks for the result, to log it itself, may not know DropEvent.
            dropping = getframe(1).f_code in _PROXIES
            if not self._takes(bound) or not (dropping or _is_foreign(logger_of(bound))):
                returned: Returned = theirs(bound, method_name, event, event_kw)
                return returned
            values = context_of(bound).copy()
            values.update(event_kw)
            if event is not None:
                values["event"] = event
            return self._take(bound, method_name, values, dropping=dropping)

        replacement: Any = _process_event
        replacement.takes = self._takes
        return replacement

    def _take(
        self, bound: Any, method_name: str, values: MutableMapping[str, Any], *, dropping: bool
    ) -> Returned:
        """Write an event. Raises DropEvent, or returns what goes on to the application's output."""
        logger, processors = logger_of(bound), processors_of(bound)
        if processors is PROCESSORS:
            processors = CONFIGURATION.default_processors
        chain = Chain(logger, method_name, values, self._sink.counters)
        chain.run(processors, render)
        level = level_name(method_name)
        if chain.interrupted is not None:
            self._write_alone(logger, level, chain)
            raise chain.interrupted
        if isinstance(logger, logging.Logger):
            self._write_beside_record(logger, method_name, level, chain)
            raise structlog.DropEvent
        sink, name = self._end(logger)
        message, args, fields = chain.result(level, name)
        ends_here = dropping and (type(logger) is Output or prints(logger))
        # What goes on to an output of the application's own has never gone to `logging`'s handlers.
        target = sink_for(sink, number_of(level), name)
        write(
            sink, name, level, message, args, fields,
            merged=chain.merged, target=target, handed_out=ends_here,
        )  # fmt: skip
        if ends_here:
            raise structlog.DropEvent
        try:
            returned: Returned = chain.rendered()
        except structlog.DropEvent:
            raise
        except Exception as error:
            let_through(error)
            self._sink.counters.add("processor_errors")
            raise structlog.DropEvent from None
        return returned

    def _end(self, logger: object) -> tuple[Sink, str | None]:
        if type(logger) is Output:
            return logger.sink, logger.name
        return self._sink, self._names.get(logger)

    def _write_alone(self, logger: object, level: str, chain: Chain) -> None:
        """Write an event whose processors were interrupted, as far as they have come."""
        number = number_of(level)
        sink, name = self._end(logger)
        if isinstance(logger, logging.Logger):
            name = logger.name
            passes = logger.isEnabledFor(number)
            target = stdlib_target(sink, logger, number) if passes else None
        else:
            target = sink_for(sink, number, name)
        message, args, fields = chain.result(level, name)
        write(
            sink, name, level, message, args, fields,
            merged=chain.merged, target=target, handed_out=False,
        )  # fmt: skip

    def _write_beside_record(
        self, logger: logging.Logger, method_name: str, level: str, chain: Chain
    ) -> None:
        """Write an event whose output is `logging`; other handlers get what they got without us."""
        number, sink = number_of(level), self._sink
        if not logger.isEnabledFor(number):
            return
        message, args, fields = chain.result(level, logger.name)
        alone = not (heard_by_others(logger) or logger.filters or logger.disabled)
        if alone or not hasattr(logger, method_name):
            target = stdlib_target(sink, logger, number)
            write(
                sink, logger.name, level, message, args, fields, merged=chain.merged, target=target
            )
            return
        if args:
            message, more = interpolated(message, args)
            fields = {**more, **fields}
        event = make_event(sink, logger.name, level, message, fields, app_frame())
        given = Pending(event, merged=chain.merged)
        raised = True
        try:
            self._call(logger, method_name, chain, given)
            raised = False
        finally:  # a handler that raises may stand before ours
            if not given.taken and not logger.filters and (raised or not _reaches_us(logger)):
                sink.emit_event(event, context.fields() if chain.merged else None)

    def _call(self, logger: logging.Logger, method_name: str, chain: Chain, given: Pending) -> None:
        """Call a stdlib logger as structlog does, with what the application's renderer returns."""
        try:
            args, named = chain.rendered()
        except Exception as error:  # of the application's renderer: the event is ours all the same
            let_through(error)
            self._sink.counters.add("processor_errors")
            args, named = (given.event.message,), {}
        given.message = args[0] if args else named.get("msg")
        with pending(given):
            getattr(logger, method_name)(*args, **named)


def _is_foreign(logger: object) -> bool:
    """Tell whether a logger neither is ours nor has a handler of ours on its chain."""
    return type(logger) is not Output and not isinstance(logger, logging.Logger)


def takes_drop_event(function: Any) -> Any:
    """Say that a function of ours calls `_process_event` and takes DropEvent for the end of it."""
    _PROXIES.add(function.__code__)
    return function


def is_adopted(bound: object) -> bool:
    """Tell whether the events of a bound logger of structlog's go to our file."""
    takes: Any = getattr(getattr(BoundLoggerBase, PROCESS_EVENT), "takes", None)
    return takes is not None and bool(takes(bound))


def _reaches_us(logger: logging.Logger) -> bool:
    """Tell whether our handler is on a logger's chain."""
    while not any(type(handler) is Handler for handler in logger.handlers):
        if not logger.propagate or logger.parent is None:
            return False
        logger = logger.parent
    return True


# structlog's processors look for the caller outside of modules named like structlog's own.
__name__ = "structlog.flowery_logging.adoption"
