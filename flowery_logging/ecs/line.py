"""An event becomes the two halves of a line, between which the writer puts ID and sequence.

An event differs from the one before it in its time, message and fields; all else is prepared: per
process (service, host, data stream), per call site (level, logger, file, line, function), per
context (trace, bound fields), per thread, and per shape (see plan.py). What no plan is for (an
exception, an object inside itself, a line that is too long) goes the careful way (see compose.py).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol

from flowery_logging.counters import Counters
from flowery_logging.ecs.compiled import Compiler
from flowery_logging.ecs.compose import SPLICE_BYTES, Composer
from flowery_logging.ecs.document import Placer
from flowery_logging.ecs.encode import dumps, text
from flowery_logging.ecs.event import (
    Clock,
    Event,
    Site,
    Static,
    Unfinished,
    log_fields,
    thread_fields,
    usable_time,
)
from flowery_logging.ecs.opening import Opening
from flowery_logging.ecs.plan import CAREFUL, Found, Plan, Plans, Shape, Shapes
from flowery_logging.event_parts import MORE, Fields, Halves
from flowery_logging.kept import Kept
from flowery_logging.signalled import let_through


class Scope(Protocol):
    """What a context gives the encoder (see context.py)."""

    def fields(self) -> Fields:
        """Return the bound fields."""
        ...

    def rendered(self, render: Any) -> Any:
        """Return `render(fields())`, made anew only after a change."""
        ...


class Context(NamedTuple):
    """The fields of a context as they stand in a line: their encoded values.

    `shape` is None where they are too many.
    """

    shape: Shape | None
    pieces: tuple[bytes, ...]


_NO_VALUES: Final[list[Any]] = []
_EMPTY: Final = Context(Shape(), ())


class LineEncoder:
    """Encodes the events of one process, by the configuration of one `setup()`.

    A field whose name is in `aside` makes an event unusual: whoever captured it looks at it first.
    """

    def __init__(
        self,
        static: Static,
        placer: Placer,
        counters: Counters,
        aside: frozenset[str] = frozenset(),
    ) -> None:
        self.static = static
        self.placer = placer
        self._clock = Clock()
        self._max_bytes = placer.limits.line_bytes - SPLICE_BYTES
        self._static_bytes = static.encoded()
        self._sites: Kept[Any, Site] = Kept()
        self._threads: Kept[tuple[Any, Any], bytes] = Kept()
        self._shapes = Shapes()
        self._plans = Plans(placer, Compiler(placer, static, self._shapes).compile, aside)
        self._known_plan = self._plans.known
        if placer.label_names is not None:
            placer.label_names.when_forgotten(self._plans.forget)
        self._composer = Composer(static, placer, counters)
        self._render = self._render_context  # one object, so that caches can compare it
        self.known_site = self._sites.get
        self.known_thread = self._threads.get

    def site(self, key: Any, level: Any, logger: Any, file: Any, line: Any, function: Any) -> Site:
        """Return the call site of this key, making it the first time."""
        known = self._sites.get(key)
        if known is not None:
            return known
        log = log_fields(logger, file, line, function)
        site = Site(level, log, self._static_bytes)
        site.suspects = self.placer.redactor.asker()
        return self._sites.keep(key, site)

    def thread(self, ident: Any, name: Any) -> bytes:
        """Return the second half of a line: the thread's fields and the end."""
        half = self._threads.get((ident, name))
        if half is None:
            half = b'"thread":%b}}\n' % dumps(thread_fields(ident, name))
            self._threads.keep((ident, name), half)
        return half

    def join(
        self,
        created: float,
        site: Site,
        message: Any,
        fields: Fields,
        scope: Scope | None,
        thread: bytes,
    ) -> bytes | None:
        """Return the first half of an event, or None if it is unusual.

        The second half is `thread`. Raises what a signal handler does meanwhile.
        """
        try:
            context = _EMPTY if scope is None else scope.rendered(self._render)
            if type(message) is not str:
                if isinstance(message, Unfinished):
                    return None
                message = text(message, self.placer.redactor)
            second = int(created)
            known, beginning = self._clock.known
            if known != second:
                beginning = self._clock.beginning(second)
            micros = b"%06d" % ((created - second) * 1_000_000)
            room = self._max_bytes - len(thread)
            shape, pieces = context
            if shape is None or type(fields) is not dict:
                return None
            if fields:
                own = {**fields}  # another thread may change the caller's meanwhile
                values = [*own.values()]
                key = (shape, *own, *map(type, values))
            else:
                own, values, key = fields, _NO_VALUES, (shape,)
            plan = self._known_plan(key)
            while type(plan) is Opening:
                key = plan.go_on(key, values)
                plan = self._known_plan(key)
            if type(plan) is Plan:
                half = plan.encode(values, message, pieces, beginning, micros, site, room)
                if type(half) is not int:
                    return half  # type: ignore[no-any-return]
                found = self._plans.elsewhere(Found(plan, values, key), half)
            else:  # to be learnt; what never will be is not converted and opened once more
                found = None if plan is CAREFUL else self._found(shape, own)
            around = (message, pieces, beginning, micros, site, room)
            return self._half(found, around)
        except Exception as error:
            let_through(error)
            return None  # the careful way finds out what it is, and counts it

    def encode_event(self, event: Event) -> Halves:
        """Return the halves of any event. Never raises."""
        if event.error is None and event.stack is None and not self._fills_a_line(event):
            half = self._by_plan(event)
            if half is not None:
                return half, event.thread
        return self._composer.compose(event)

    def _fills_a_line(self, event: Event) -> bool:
        """Tell whether the texts of an event surely fill more than a line, also when they are cut.

        A plan would look at all of them first, and find it out then.
        """
        limits, size = self.placer.limits, 0
        for value in [*event.fields.values()] if type(event.fields) is dict else ():
            items = value[: limits.items] if type(value) is list else (value,)
            size += sum(min(len(item), limits.label_chars) for item in items if type(item) is str)
        return size > limits.line_bytes

    def _by_plan(self, event: Event) -> bytes | None:
        try:
            if type(event.fields) is not dict:
                return None
            if event.scope is not None:
                shape, pieces = event.scope.rendered(self._render)
            else:
                shape, pieces = self._render_context(event.bound) if event.bound else _EMPTY
            if shape is None:
                return None
            created = usable_time(event.created)
            second = int(created)
            micros = b"%06d" % ((created - second) * 1_000_000)
            beginning, room = self._clock.beginning(second), self._max_bytes - len(event.thread)
            around = (
                text(event.message, self.placer.redactor),
                pieces,
                beginning,
                micros,
                event.site,
                room,
            )
            return self._half(self._found(shape, event.fields), around)
        except Exception as error:
            let_through(error)
            return None

    def _found(self, shape: Shape | None, fields: Fields) -> Found | None:
        own = dict(fields)
        values = [*own.values()]
        return self._plans.find(own, values, (shape, *own, *map(type, values)))

    def _half(self, found: Found | None, around: tuple[Any, ...]) -> bytes | None:
        """Return the first half of an event by its plan; None where there is none."""
        while found is not None:
            half: Any = found.plan.encode(found.values, *around)
            if type(half) is not int:
                return half  # type: ignore[no-any-return]
            found = self._plans.elsewhere(found, half)
        return None

    def _render_context(self, fields: Fields) -> Context:
        """Return the fields of a context, encoded once for all events in it."""
        try:
            return self._context_by_plan(fields) or self._placed_context(fields)
        except Exception as error:  # a name, or a value, may raise when it is looked at
            let_through(error)
            return self._placed_context(fields)

    def _context_by_plan(self, fields: Fields) -> Context | None:
        found = self._found(None, fields)
        while found is not None:
            pieces: Any = found.plan.encode(found.values, "", (), b"", b"", None, 0)
            if type(pieces) is tuple:
                return Context(found.plan.shape, pieces)
            found = self._plans.elsewhere(found, pieces)
        return None

    def _placed_context(self, fields: Fields) -> Context:
        layout = self.placer.place(fields)
        if MORE in layout.texts:
            return Context(None, ())
        return Context(self._shapes.of(layout), tuple(dumps(v) for _, _, v in layout.placed))
