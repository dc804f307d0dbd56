"""Where a caller's field goes: reserved names, ECS and declared fields, labels (DESIGN: the line).

Decided per leaf, by the first rule that applies, so that one field never has two types over all
services and no two events can disagree with the mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any, Final

from flowery_logging.counters import Counters
from flowery_logging.ecs.conversion import MISFIT
from flowery_logging.ecs.encode import CYCLE, to_json
from flowery_logging.ecs.labels import Labels, label_path
from flowery_logging.ecs.limits import Limits
from flowery_logging.ecs.plain import AS_IS, MAX_ITEMS, Model, entries, key_text, plain
from flowery_logging.ecs.redact import MARKER, NoRedactor, Redactor
from flowery_logging.ecs.schema import Place, Schema, is_reserved, objects, put
from flowery_logging.ecs.slots import Slots

MAX_VISITS: Final = 4096
"""How many values of one event are looked at, however they are nested."""

MORE: Final = "more_fields"
"""The label that holds, as JSON, the fields beyond the limit of one event."""

QUERIES: Final = frozenset({"query", "query_string", "querystring"})
"""Last parts of names whose values are the query of a URL, without its question mark."""


class Document:
    """The placed fields of one event: `tree` with ECS and declared ones, and the labels."""

    __slots__ = ("labels", "paths", "tree")

    def __init__(self, labels: Labels) -> None:
        self.tree: dict[str, Any] = {}
        self.labels = labels
        self.paths: dict[str, int] = {}  # the caller's dotted name → its layer


class Placer:
    """Places the fields of events, by the configuration of one `setup()`.

    Args:
        declared: the team's own typed fields, e.g. `{"flowery.order.id": "long"}`.
        redactor: what must not be shown.
        limits: what one event may hold.
        counters: where conflicts and cuts are counted.

    """

    def __init__(
        self,
        declared: Mapping[str, str],
        redactor: Redactor,
        limits: Limits,
        counters: Counters,
    ) -> None:
        self.schema = Schema(declared)
        self.redactor = redactor
        self.limits = limits
        self.counters = counters
        self.protect = True  # reserved names (see schema.py) are the library's
        self._begin()

    def _begin(self) -> None:
        self.slots = Slots(
            self.schema, self.redactor, self.limits, queries=QUERIES, protect=self.protect
        )

    def relaxed(self, limits: Limits) -> Placer:
        """Return a placer by other limits, for documents of the library's own: none is reserved."""
        other = copy(self)
        other.limits, other.protect = limits, False
        other._begin()  # noqa: SLF001 - of this class
        return other

    def unredacted(self) -> Placer:
        """Return a placer that hides nothing, for the library's own records."""
        other = copy(self)
        other.redactor = NoRedactor()
        other._begin()  # noqa: SLF001 - of this class
        return other

    def place(self, *layers: Mapping[Any, Any]) -> Document:
        """Place the fields of all layers; where two give the same name, the first stands."""
        return _Placing(self).run(layers)

    def cut(self, text: str) -> str:
        """Return a text without secrets, at most as long as a label may be."""
        return Labels(self.limits, self.redactor, self.counters).text(text)


class _Placing:
    """The placing of one event."""

    __slots__ = (
        "_around", "_counters", "_document", "_labels", "_layer", "_left", "_limits", "_more",
        "_nodes", "_protect", "_redactor", "_schema", "_slots", "_visits",
    )  # fmt: skip

    def __init__(self, placer: Placer) -> None:
        self._schema = placer.schema
        self._redactor = placer.redactor
        self._counters = placer.counters
        self._limits = limits = placer.limits
        self._protect = placer.protect
        self._slots = placer.slots.by_type
        self._labels = Labels(limits, placer.redactor, placer.counters)
        self._document = Document(self._labels)
        self._nodes: dict[str, dict[str, Any]] = {}  # the objects of the tree by dotted name
        self._layer = 0
        self._left = limits.fields
        self._visits = MAX_VISITS
        self._more: dict[str, Any] = {}
        self._around: list[Any] = []  # the mappings that a value lies in

    def run(self, layers: tuple[Mapping[Any, Any], ...]) -> Document:
        for self._layer, layer in enumerate(layers):
            self._put_all(list(entries(layer)))
        if self._more:
            self._counters.add("fields_over_limit", len(self._more))
            self._labels.put(MORE, to_json(self._more, self._redactor, self._limits.depth))
        return self._document

    def _put_all(self, given: list[tuple[Any, Any]]) -> None:
        """Put each value into its slot; by the rules where it has none, or is not for it."""
        calm = not self._redactor.suspects(_joined(given, self._limits.items))
        for path, value in given:
            if type(path) is not str or not self._is_slotted(path, value, calm=calm):
                self._walk(key_text(path), value, 1)

    def _is_slotted(self, path: str, value: Any, *, calm: bool) -> bool:
        """Put a value into its slot; False if it has none, or is not for it.

        `calm` tells that no text without `=` may be a secret: they have all been looked at.
        """
        kind = type(value)
        slot = self._slots[kind][path] if kind in self._slots else None
        if slot is None or path in self._document.paths or self._left <= 0 or self._visits <= 1:
            return False
        suspects = self._redactor.suspects
        if kind is str:
            fits = len(value) <= slot.most
            if fits and slot.check is not None:
                asked = slot.check(value)
                fits = asked is not None and not suspects(asked)
            elif fits and not (calm and "=" not in value):
                fits = not suspects(value)
        elif kind is list:
            fits = slot.holds(value) and (calm or not any(map(suspects, value)))
        else:
            fits = slot.least <= value <= slot.most
        if not fits or not self._put_at_once(slot, value):
            return False
        self._document.paths[path] = self._layer
        self._left -= 1
        self._visits -= 1
        return True

    def _put_at_once(self, slot: Any, value: Any) -> bool:
        """Put a value that fits into its slot; False if something is there already."""
        if slot.convert is not None:
            value = slot.convert(value)
        if slot.parents is None:
            return self._labels.put_at_once(slot.name, value)
        node = self._nodes.get(slot.home)
        if node is None:
            node = objects(self._document.tree, slot.parents)
            if node is None:
                return False
            self._nodes[slot.home] = node
        if slot.name in node:
            return False
        node[slot.name] = value
        return True

    def _walk(self, path: str, given: Any, depth: int) -> None:
        self._visits -= 1
        value = given if type(given) in AS_IS else plain(given)
        if value is None or (type(value) in {list, dict} and not value):
            return
        if any(map(self._redactor.hides, path.split("."))):
            value = given = MARKER
        elif any(value is outer for outer in self._around):
            value = given = CYCLE
        if self._left > 0 and depth <= self._limits.depth and self._is_set(path, value):
            self._around.append(value)
            for key, item in entries(value):
                inner = f"{path}.{key_text(key)}"
                if not self._is_slotted(inner, item, calm=False):
                    self._walk(inner, item, depth + 1)
            self._around.pop()
        else:
            self._store(path, value, given)

    def _store(self, path: str, value: Any, given: Any) -> None:
        """Place one leaf, plain and as given, or keep it aside where an event has too many."""
        if self._left > 0 and self._visits > 0:
            self._left -= 1
            self._place(path, value, given)
        elif len(self._more) < MAX_ITEMS:
            self._more[path] = value

    def _is_set(self, path: str, value: Any) -> bool:
        """Tell whether a value is a set of fields, each of which has a place of its own."""
        if not isinstance(value, Mapping) or isinstance(value, Model):
            return False
        place = self._schema.locate(path) if self._schema.is_value(path) else None
        return self._visits > 0 and (place is None or self._fit(place, value) is MISFIT)

    def _place(self, path: str, value: Any, given: Any) -> None:
        known = self._document.paths.get(path)
        if known is not None and known < self._layer:
            return  # a bound field, overridden by the event's own
        place = self._schema.locate(path)
        if self._protect and is_reserved(path):
            self._counters.add("reserved_names")
        elif place is not None:
            converted = self._fit(place, given) if known is None else MISFIT
            if converted is not MISFIT and put(self._document.tree, place.path, converted):
                self._document.paths[path] = self._layer
                return
            self._counters.add("misfits")
        self._document.paths.setdefault(path, self._layer)
        self._labels.put(label_path(path), _query(path, value, self._redactor))

    def _fit(self, place: Place, value: Any) -> Any:
        try:
            converted = self._schema.fit(place, _query(place.path, value, self._redactor))
            return converted if converted is MISFIT else self._clean(converted)
        except Exception:
            return MISFIT

    def _clean(self, value: Any) -> Any:
        """Clean and cut the strings of a converted value; MISFIT where the marker would not fit."""
        if type(value) is str:
            return self._labels.text(value)
        if isinstance(value, list):
            items = [self._clean(item) for item in self._labels.first(value)]
            return MISFIT if any(item is MISFIT for item in items) else items
        if isinstance(value, dict):
            return self._clean_entries(value)
        return value

    def _clean_entries(self, value: Mapping[str, Any]) -> Any:
        clean: dict[str, Any] = {}
        for key, item in value.items():
            hidden = self._redactor.hides(key)
            clean[key] = (MARKER if type(item) is str else MISFIT) if hidden else self._clean(item)
        return MISFIT if any(item is MISFIT for item in clean.values()) else clean


def _joined(given: list[tuple[Any, Any]], limit: int) -> str:
    """Return the texts that are asked at once whether one may be a secret.

    Values with `=` are left out, which makes any two suspicious, and is in every query.
    """
    texts = [value for _, value in given if type(value) is str and "=" not in value]
    for _, value in given:
        if type(value) is list and len(value) <= limit:
            texts += [item for item in value if type(item) is str]
    return "\n".join(texts)


def _query(path: str, value: Any, redactor: Redactor) -> Any:
    """Return the value; the query of a URL without the secrets in its parameters."""
    if type(value) is str and path.rpartition(".")[2] in QUERIES:
        return redactor.clean(f"?{value}")[1:]
    return value
