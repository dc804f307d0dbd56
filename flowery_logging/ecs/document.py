"""The careful way: any fields, however they are made, walked into and placed one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, Final

from flowery_logging.counters import Counters
from flowery_logging.ecs.conversion import MISFIT
from flowery_logging.ecs.encode import CYCLE, nodes_of, to_json
from flowery_logging.ecs.label_names import LabelNames
from flowery_logging.ecs.layout import Layout
from flowery_logging.ecs.limits import Limits
from flowery_logging.ecs.named import Model
from flowery_logging.ecs.plain import AS_IS, MAX_ITEMS, entries, key_text, plain
from flowery_logging.ecs.schema import Place, Schema
from flowery_logging.ecs.values import Values
from flowery_logging.event_parts import MORE
from flowery_logging.redaction import Counting, Redaction, is_marker, structures

MAX_VISITS: Final = 4096
"""How many values of one event are looked at, however they are nested."""


class Placer:
    """Places the fields of events, by the configuration of one `setup()`.

    Args:
        declared: the team's own typed fields, e.g. `{"flowery.order.id": "long"}`.
        redactor: what must not be shown.
        limits: what one event may hold.
        counters: where conflicts and cuts are counted.
        on_full: called with the first label name that finds no room.

    """

    def __init__(
        self,
        declared: Mapping[str, str],
        redactor: Redaction,
        limits: Limits,
        counters: Counters,
        on_full: Callable[[str], None] = lambda name: None,  # noqa: ARG005
    ) -> None:
        self.schema = Schema(declared)
        self.redactor = redactor
        self.limits = limits
        self.counters = counters
        self.label_names: LabelNames | None = LabelNames(limits.label_names, on_full)
        self.protect = True  # reserved names (see schema.py) are the library's

    def relaxed(self, limits: Limits) -> Placer:
        """Return a placer by other limits, to place documents again: no name is refused."""
        other = copy(self)
        other.limits, other.protect, other.label_names = limits, False, None
        return other

    def unredacted(self) -> Placer:
        """Return a placer that hides nothing, for the library's own records."""
        other = copy(self)
        other.redactor, other.label_names = Redaction(), None
        return other

    def place(self, *layers: Mapping[Any, Any]) -> Layout:
        """Place the fields of all layers; where two give the same name, the first stands."""
        return _Walk(self).run(layers)

    def clean_text(self, text: str) -> str:
        """Return a message or the text of an exception without secrets, which are counted."""
        return self.redactor.clean(text, self.counters)

    def layout(self, counters: Counting) -> Layout:
        """Return an empty layout."""
        return Layout(self.schema, self.limits, counters, self.label_names, protect=self.protect)

    def values(self, counters: Counting) -> Values:
        """Return what makes of values what stands in a line, counting cuts there."""
        return Values(self.schema, self.redactor, self.limits, counters)

    def kind_of(self, path: str, *, of_object: bool) -> str | None:
        """Return the kind of secret that the value of a dotted name is; None: shown."""
        return self.redactor.kind_at(path, of_object=of_object)


class ValueLeaf:
    """A value, plain and as given."""

    __slots__ = ("_given", "_path", "_value", "_values")

    def __init__(self, values: Values, path: str, value: object, given: object) -> None:
        self._values = values
        self._path = path
        self._value = value
        self._given = given

    def field(self, place: Place) -> Any:
        """Return it as a field holds it, or MISFIT."""
        return self._values.field(place, self._given)

    def label(self) -> tuple[bool, Any] | None:
        """Return whether it is a number, and as what it stands in a label."""
        return self._values.label(self._path, self._value)


class _Walk:
    """The way through the fields of one event."""

    __slots__ = (
        "_around", "_beyond", "_layer", "_layout", "_left", "_more", "_placer", "_values",
        "_visits",
    )  # fmt: skip

    def __init__(self, placer: Placer) -> None:
        self._placer = placer
        self._layout = placer.layout(placer.counters)
        self._values = placer.values(placer.counters)
        self._layer = 0
        self._left = placer.limits.fields
        self._visits = MAX_VISITS
        self._more: dict[str, Any] = {}
        self._beyond = 0  # values that are not even looked at
        self._around: list[Any] = []  # the mappings that a value lies in

    def run(self, layers: tuple[Mapping[Any, Any], ...]) -> Layout:
        # What is bound keeps its room: a line is found by its trace, whatever else is on it.
        bound = min(sum(map(len, layers[1:])), max(1, self._left // 2))
        self._left -= bound
        for self._layer, layer in enumerate(layers):
            if self._layer == 1:
                self._left += bound
            self._visits = MAX_VISITS
            self._walk_all(layer, "", 1)
        placer, unnamed = self._placer, self._layout.unnamed
        if self._more or self._beyond:
            placer.counters.add("fields_over_limit", len(self._more) + self._beyond)
        if unnamed:
            placer.counters.add("label_names_over_limit", len(unnamed))
        if self._more or unnamed:
            more = {**unnamed, **self._more}
            text = to_json(more, placer.redactor, placer.limits.depth, placer.counters)
            self._layout.add_text(MORE, self._values.text(text))
        return self._layout

    def _walk_all(self, values: Mapping[Any, Any], before: str, depth: int) -> None:
        """Walk the entries of a mapping; `before` stands before each of their names."""
        own = [*entries(values)]
        named = structures.kind_among(own, self._placer.redactor.kind_at)
        for index, (key, value) in enumerate(own):
            if self._visits <= 0:
                self._beyond += len(own) - index
                break
            name = self._name(key)
            self._visits -= nodes_of(name)
            self._walk(f"{before}{name}", self._unless_named(key, value, named), depth)

    def _walk(self, path: str, given: Any, depth: int) -> None:
        self._visits -= 1
        value = given if type(given) in AS_IS else plain(given, self._placer.redactor, path)
        if type(value) is Model or issubclass(type(given), tuple):
            given = value  # whether a tuple is one with names is told by the redactor
        if value is None or (type(value) in {list, dict} and not value):
            return
        kind = self._placer.kind_of(path, of_object=isinstance(value, Mapping))
        if kind is not None and self._placer.redactor.shows(path, value):
            kind = None
        if kind is not None:
            if not is_marker(value):  # a document that is placed again has been counted
                value = self._placer.redactor.hide(kind, self._placer.counters)
            given = value
        elif any(value is outer for outer in self._around):
            value = given = CYCLE
        is_open = self._left > 0 and depth <= self._placer.limits.depth
        is_set = is_open and self._is_set(path, value)
        if kind is None and self._placer.redactor.by_path and not is_set:
            value = given = self._made(path, value)
        if is_set:
            self._around.append(value)
            self._walk_all(value, f"{path}.", depth + 1)
            self._around.pop()
        else:
            self._store(path, value, given)

    def _made(self, path: str, value: object) -> Any:
        """Return what stands for a value whose scalars are made anew; mostly it stays."""
        redactor = self._placer.redactor
        make = redactor.maker(path)
        if make is None:
            return value
        counters = self._placer.counters
        if isinstance(value, list) and all(type(item) in AS_IS for item in value):
            return [item if item is None else make(item, counters) for item in value]
        if isinstance(value, (Mapping, list)):
            return to_json(value, redactor, self._placer.limits.depth, counters, path)
        return make(value, counters)

    def _name(self, key: object) -> str:
        return self._placer.redactor.clean_name(key_text(key))

    def _unless_named(self, key: object, value: object, kind: str | None) -> Any:
        """Return a value, or the marker where what stands beside it says that it is a secret."""
        if kind is None or value is None or not structures.is_value(key) or is_marker(value):
            return value
        return self._placer.redactor.hide(kind, self._placer.counters)

    def _store(self, path: str, value: object, given: object) -> None:
        """Place one leaf, or keep it aside where an event has too many."""
        if self._left > 0 and self._visits > 0:
            self._left -= 1
            self._layout.put(path, ValueLeaf(self._values, path, value, given), self._layer)
        elif len(self._more) < MAX_ITEMS:
            self._more[path] = value

    def _is_set(self, path: str, value: object) -> bool:
        """Tell whether a value is a set of fields, each of which has a place of its own."""
        if not isinstance(value, Mapping) or isinstance(value, Model):
            return False
        schema = self._placer.schema
        place = schema.locate(path) if schema.is_value(path) else None
        return self._visits > 0 and (place is None or self._values.field(place, value) is MISFIT)
