"""Plans: what is learnt of events whose fields have the same names and kinds.

A program logs few shapes of events. The rules say by name and kind where a value goes, so they are
asked once a shape: its marks are laid out as a document, which is compiled into one function from
values to the first half of a line. A value that its step has no place for makes an event one of
another shape, with another kind in that place. So whatever a value is, it costs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from flowery_logging.ecs.document import Placer
from flowery_logging.ecs.kinds import (
    CERTAIN,
    DATE,
    KNOWN,
    NOTHING,
    NUMBER,
    OBJECTS,
    SCALARS,
    TEXT,
    Kind,
    UnusualError,
    as_date,
    conversion,
    hidden,
)
from flowery_logging.ecs.layout import Layout
from flowery_logging.ecs.opening import MOST_VALUES, Names, Opening, checked_name
from flowery_logging.ecs.plain import plain
from flowery_logging.ecs.steps import Tally
from flowery_logging.kept import Kept
from flowery_logging.redaction.structures import is_value, may_be_named

MAX_PLANS: Final = 1024
"""Plans that are kept; one takes about 5 kB."""

LEARNT_AFTER: Final = 4
"""How often a shape has to be looked for until it gets a plan: making one takes as long as about a
hundred events by a plan."""

Leaves = tuple[tuple[str, Kind], ...]
"""By name: is it a field, a text or a number?"""


class Shape:
    """What the fields of a context are: what was placed of them, and how many there were.

    Plans of events are made for the shape of their context, whose values come encoded. Their keys
    have it, which a tuple would make slow: it would be hashed anew each time.
    """

    __slots__ = ("given", "leaves")

    def __init__(self, leaves: Leaves = (), given: int = 0) -> None:
        self.leaves = leaves
        self.given = given


class Shapes(Kept[tuple[Leaves, int], Shape]):
    """The shapes of contexts, one for what is the same."""

    __slots__ = ()

    def of(self, layout: Layout) -> Shape:
        """Return the shape of what has been placed."""
        key = tuple((path, kind) for path, kind, _ in layout.placed), layout.given
        return self.get(key) or self.keep(key, Shape(*key))


class Plan:
    """What is known of a shape.

    `encode` is its compiled function (see source.py). `shape` is that of the context: the one its
    events are in, or the one its fields make.
    """

    __slots__ = ("encode", "names", "shape")

    def __init__(self, names: Names, encode: Callable[..., Any], shape: Shape) -> None:
        self.names = names
        self.encode = encode
        self.shape = shape


CAREFUL: Final = object()
"""Stands for a shape that has no plan: each of its events goes the careful way."""

Compile = Callable[[Names, "Shape | None"], Plan]
"""Makes a plan for events in a context, or for a context where there is None.

It raises UnusualError where the rules cannot be told from the kinds alone.
"""


def _may_be_named(names: Names) -> bool:
    """Tell whether one value of an event may be the name of another, which is a secret then.

    Numbers are not told: with them a plan asks what the name is (see `Names.naming`).
    """
    found: dict[int, list[str]] = {}
    for path, kind, parent in zip(names.paths, names.kinds, names.parents, strict=True):
        if kind not in _MEASURED or not is_value(path.rpartition(".")[2]):
            found.setdefault(parent, []).append(path.rpartition(".")[2])
    return any(map(may_be_named, found.values()))


_MEASURED: Final = frozenset({int, float, bool, NOTHING})
"""Kinds of values that are mostly measured, where they stand under `name` and `value`."""


class _Seen:
    """A shape without a plan yet."""

    __slots__ = ("names", "times")

    def __init__(self, names: Names) -> None:
        self.names = names
        self.times = 0


class Found(NamedTuple):
    """A plan, the values it is for, and the key that it is kept under."""

    plan: Plan
    values: list[Any]
    key: tuple[Any, ...]


class Plans:
    """The plans of one configuration."""

    def __init__(self, placer: Placer, compile_plan: Compile, aside: frozenset[str]) -> None:
        self._placer = placer
        self._aside = aside
        self._compile = compile_plan
        self._known: Kept[Any, Any] = Kept(MAX_PLANS)
        self.known = self._known.get

    def forget(self) -> None:
        """Learn all anew: the names of labels that plans were made with are no longer taken."""
        self._known.clear()

    def find(
        self, fields: Mapping[str, Any], values: list[Any], key: tuple[Any, ...]
    ) -> Found | None:
        """Return the plan for fields, by their key: the shape of their context, names and types.

        None where there is none, or not yet. Raises UnusualError, or what the caller's do.
        """
        entry = self._known.get(key)
        if type(entry) is not Plan:
            if entry is None:
                entry = self._known.keep(key, self._first(fields, values, key))
            while type(entry) is Opening:
                entry, key = self._opened(entry, key, values)
            entry = self._made(entry, key)
        return None if entry is None else Found(entry, values, key)

    def elsewhere(self, found: Found, index: int) -> Found | None:
        """Return the plan for the same fields, of which one value is not where it mostly is.

        None where there is none, or not yet. Raises UnusualError.
        """
        plan, values, key = found
        kind = self._label_kind(plan.names, index, values[index])
        longer = (*key, index, kind)
        entry = self._known.get(longer)
        if entry is None:
            entry = self._known.keep(longer, _Seen(plan.names.with_kinds({index: kind})))
        entry = self._made(entry, longer)
        return None if entry is None else Found(entry, values, longer)

    def _first(self, fields: Mapping[str, Any], values: list[Any], key: tuple[Any, ...]) -> Any:
        """Return what is to be kept for fields that come for the first time."""
        if key[0] is not None and not self._aside.isdisjoint(fields):
            return CAREFUL  # an event whose exception, say, is not to be asked for its text
        kinds = tuple(map(type, values))
        try:
            paths = tuple(map(checked_name, fields))
        except UnusualError:
            return CAREFUL
        return self._next(Names(paths, kinds, (-1,) * len(kinds), frozenset()))

    def _opened(
        self, opening: Opening, key: tuple[Any, ...], values: list[Any]
    ) -> tuple[Any, tuple[Any, ...]]:
        """Return what is known after an opening, and the key of that. Raises as `go_on`."""
        longer = opening.go_on(key, values)
        entry = self._known.get(longer)
        if entry is None:
            try:
                entry = self._next(opening.next_names(key, longer))
            except UnusualError:
                entry = CAREFUL
            self._known.keep(longer, entry)
        return entry, longer

    def _made(self, entry: object, key: tuple[Any, ...]) -> Plan | None:
        """Return the plan of a shape, making it once the shape has come often enough."""
        if type(entry) is not _Seen:
            return entry if type(entry) is Plan else None
        entry.times += 1
        if entry.times < LEARNT_AFTER:
            return None
        known: object = entry
        try:
            # What an audit hook logs as code is compiled would be compiled as well, without end.
            self._known[key] = CAREFUL
            known = self._compile(entry.names, key[0])
        except UnusualError:
            known = CAREFUL
        finally:
            self._known[key] = known
        return known if type(known) is Plan else None

    def _next(self, names: Names) -> Any:
        """Return what is to be done with values of these names and kinds: open some, or plan."""
        if len(names.kinds) > MOST_VALUES or _may_be_named(names):
            return CAREFUL
        clean_name = self._placer.redactor.clean_name
        if any(clean_name(key) != key for key in names.own()):
            return CAREFUL
        conversions: dict[int, Callable[[Any], Any]] = {}
        dicts: list[int] = []
        for index, (path, kind) in enumerate(zip(names.paths, names.kinds, strict=True)):
            if index in names.opened or kind in SCALARS or kind is NOTHING:
                continue
            if self._is_hidden(path, kind):
                conversions[index] = hidden(self._placer.redactor, path)
            elif kind not in KNOWN:
                conversions[index] = self._conversion(path, kind)
            elif kind is dict and self._is_set(names, index):
                dicts.append(index)
        if not conversions:
            return Opening(names, {}, dicts) if dicts else _Seen(names)
        if dicts or not CERTAIN.keys() >= {*conversions.values()}:
            return Opening(names, conversions, [])
        kinds = {index: CERTAIN[convert] for index, convert in conversions.items()}
        return _Seen(names.with_kinds(kinds)._replace(conversions=conversions))

    def _is_hidden(self, path: str, kind: Kind) -> bool:
        """Tell whether a name hides values of a kind; unknown ones may become objects or others."""
        asked = {kind in OBJECTS} if kind in KNOWN else {True, False}
        return all(self._placer.kind_of(path, of_object=one) is not None for one in asked)

    def _conversion(self, path: str, kind: Kind) -> Callable[[Any], Any]:
        place = self._placer.schema.locate(path)
        is_date = place is not None and place.kind == "date"
        if is_date and issubclass(kind, date):
            return as_date
        return conversion(kind, self._placer.redactor, path)

    def _is_set(self, names: Names, index: int) -> bool:
        """Tell whether the entries of a dict are fields of their own; deep ones are one text."""
        is_deep = len([*names.ancestors(index)]) >= self._placer.limits.depth
        return not (is_deep or self._placer.schema.is_value(names.paths[index]))

    def _label_kind(self, names: Names, index: int, value: object) -> Kind:
        """Return the kind of label that a value is which its step has no place for."""
        if type(value) is list and not value:
            return NOTHING
        label = self._placer.values(Tally()).label(names.paths[index], plain(value))
        kind = names.kinds[index]
        if label is None or kind is DATE:
            raise UnusualError
        other: Kind = NUMBER if label[0] else TEXT
        if other is kind:
            raise UnusualError
        return other
