"""An event of structlog's on its way through the application's own processors.

They run as configured, up to the renderer that would make a text of the event: ours stands in its
place. What they add that a line has anyway (time, level, logger, call site, the exception as a
text) becomes no label, unless another processor has changed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Final

import structlog
from structlog import dev, processors as stock, stdlib as for_stdlib
from structlog.contextvars import get_contextvars, merge_contextvars

from flowery_logging import context
from flowery_logging.circles import asks_others
from flowery_logging.counters import Counters
from flowery_logging.ecs.exception import exc_info_of, exception_of, qualified_name, traceback_of
from flowery_logging.signalled import is_let_through

_RENDERER_TYPES: Final = frozenset({
    dev.ConsoleRenderer, stock.JSONRenderer, stock.KeyValueRenderer, stock.LogfmtRenderer,
})  # fmt: skip
_RENDERERS: Final = tuple(
    function
    for function in (
        for_stdlib.ProcessorFormatter.wrap_for_formatter,
        for_stdlib.render_to_log_kwargs,
        getattr(for_stdlib, "render_to_log_args_and_kwargs", None),
    )
    if function is not None
)
_REPEATING_TYPES: Final = tuple(
    kind
    for kind in (
        stock.TimeStamper,
        stock.CallsiteParameterAdder,
        getattr(stock, "MaybeTimeStamper", None),
    )
    if kind is not None
)
_REPEATING: Final = (
    structlog.processors.add_log_level, for_stdlib.add_log_level_number, for_stdlib.add_logger_name,
)  # fmt: skip
_MORE_THAN_A_LINE: Final = frozenset({"pathname", "process_name", "qual_module", "qual_name"})
"""What `CallsiteParameterAdder` knows and a line does not say."""

_OTHER_MESSAGES: Final = ("message", "msg")
"""Where the text of an event is that has lost its key `event`."""

_COMPARED: Final = frozenset({str, int, float})

_ABSENT: Final = object()


def is_renderer(processor: object) -> bool:
    """Tell whether a processor is known to make a text, or a call of `logging`, of an event."""
    kind = type(processor)
    return (
        kind in _RENDERER_TYPES
        or any(processor is known for known in _RENDERERS)
        or kind.__module__ == "structlog.twisted"
        or any(
            base.__name__ == "StructlogFormatter" and base.__module__.startswith("ecs_logging")
            for base in kind.__mro__
        )
    )


class Chain:
    """One run of an event dict through processors."""

    def __init__(
        self, logger: object, method_name: str, values: MutableMapping[str, Any], counters: Counters
    ) -> None:
        self.merged = False  # whether structlog's contextvars were among the fields
        self.values: Any = values
        self._logger = logger
        self._method_name = method_name
        self._counters = counters
        self._given = dict(values)
        self._message_key = "event"
        self._repeated: dict[str, tuple[Any, Any]] = {}  # what was added → what was there before
        self._exception: tuple[Any, Any, str] | None = None
        self._encoded = False
        self._rest: list[Any] = []  # the renderer, and what comes after it
        self._rendered: Any = _ABSENT
        self.interrupted: BaseException | None = None  # is to be raised once the event is written

    def run(self, processors: Iterable[Any], render: object) -> None:
        """Run the processors before the renderer. Raises DropEvent as they do, nothing else.

        One that fails is counted, and the event goes on. What ends the program, or a signal handler
        raises meanwhile, ends the run, and is `interrupted`. `render` is ours.
        """
        chain = list(processors)
        for index, processor in enumerate(chain):
            if processor is render or is_renderer(processor):
                self._rest = chain[index:]
                return
            if not self._step(processor):
                self._rest = chain[index + 1 :]
                return

    @asks_others
    def _step(self, processor: Any) -> bool:
        """Run one processor; False if it has made something else than an event dict."""
        if processor is merge_contextvars:
            self._merge()
            return True
        before = dict(self.values)
        try:
            returned = processor(self._logger, self._method_name, self.values)
        except structlog.DropEvent:
            raise
        except BaseException as error:
            if not isinstance(error, Exception) or is_let_through(error):
                self.values, self.interrupted = before, error
                return False
            # Somebody's processor has failed: the event goes on without it.
            self._counters.add("processor_errors")
            return True
        if isinstance(returned, Mapping):
            self.values = returned if isinstance(returned, MutableMapping) else dict(returned)
            self._note(processor, before)
            return True
        if returned is None:  # a forgotten `return`
            self._counters.add("processor_errors")
            return True
        self.values, self._rendered = before, returned
        return False

    def _merge(self) -> None:
        """Merge structlog's contextvars, below what is bound with `flowery_logging.bind`."""
        self.merged = True
        ours = context.fields()
        for name, value in get_contextvars().items():
            if name not in ours:
                self.values.setdefault(name, value)

    def _note(self, processor: object, before: Mapping[str, Any]) -> None:
        """Remember what a known processor has done that a line does not need."""
        if isinstance(processor, stock.EventRenamer):
            self._message_key = processor.to
        elif isinstance(processor, stock.UnicodeEncoder):
            self._encoded = True
        elif isinstance(processor, stock.ExceptionRenderer):
            given, text = before.get("exc_info"), self.values.get("exception")
            exc_info = exc_info_of(exception_of(given), traceback_of(given))
            if exc_info is not None and text is not None:
                self._exception = exc_info, text, repr(text)
        elif isinstance(processor, _REPEATING_TYPES) or processor in _REPEATING:
            for name, value in self.values.items():
                old = before.get(name, _ABSENT)
                if value is not old and name not in _MORE_THAN_A_LINE:
                    self._repeated[name] = value, old

    def rendered(self) -> Any:
        """Return what the rest of the chain makes of the event, as structlog would pass it on."""
        value = dict(self.values) if self._rendered is _ABSENT else self._rendered
        for processor in self._rest:
            value = processor(self._logger, self._method_name, value)
        if isinstance(value, (str, bytes, bytearray)):
            return (value,), {}
        return ((), value) if isinstance(value, dict) else value

    def result(self, level: str, name: str | None) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        """Return the event's text, its `%` arguments and its fields."""
        fields = dict(self.values)
        if self._encoded:
            fields = {n: _decoded(v) for n, v in fields.items()}
        self._leave_out_repeated(fields, level, name)
        self._take_exception_back(fields)
        message = self._take_message(fields)
        args = fields.pop("positional_args", ())
        return message, args if isinstance(args, tuple) else (args,), fields

    def _leave_out_repeated(self, fields: dict[str, Any], level: str, name: str | None) -> None:
        for key, (value, old) in self._repeated.items():
            if _same(fields.get(key), value):
                del fields[key]
                if old is not _ABSENT:
                    fields[key] = old
        for key, said in (("level", level), ("logger", name)):
            added = None if key in self._given else fields.get(key)
            if isinstance(added, str) and added.lower() == str(said).lower():
                del fields[key]

    def _take_exception_back(self, fields: dict[str, Any]) -> None:
        """Put the exception in the place of its text, unless somebody has changed that."""
        if self._exception is None or "exception" not in fields:
            return
        exc_info, value, shown = self._exception
        found = fields["exception"]
        if (found is value and repr(value) == shown) or (isinstance(value, str) and found == value):
            del fields["exception"]
            fields["exc_info"] = exc_info
        else:
            fields.setdefault("error.type", qualified_name(exc_info[0]))

    def _take_message(self, fields: dict[str, Any]) -> Any:
        for key in (self._message_key, "event", *_OTHER_MESSAGES):
            if key in fields:
                message = fields.pop(key)
                extra = fields.get("extra")
                if key == "msg" and isinstance(extra, Mapping):  # arguments for a stdlib logger
                    del fields["extra"]
                    fields.update(extra)
                return message
        return self._given.get("event", "")


def _same(value: object, added: object) -> bool:
    return value is added or (type(value) is type(added) in _COMPARED and value == added)


def _decoded(value: object) -> Any:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else value


# structlog's processors look for the caller outside of modules named like structlog's own.
__name__ = "structlog.flowery_logging.chain"
