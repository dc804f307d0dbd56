"""Where the leaves of an event stand: the one place where that is decided.

Decided per leaf, by the first rule that applies, so that one field never has two types over all
services and no two events can disagree with the mapping:

1. a name that is the library's own is kept as a label;
2. an ECS or declared field takes the values that fit its type;
3. everything else is a label: a number under `numeric_labels`, all else as text under `labels`.
"""

from __future__ import annotations

from typing import Any, Protocol

from flowery_logging.ecs.conversion import MISFIT
from flowery_logging.ecs.kinds import FIELD, NUMBER, TEXT, Kind
from flowery_logging.ecs.label_names import LabelNames
from flowery_logging.ecs.limits import Limits
from flowery_logging.ecs.names import label_name
from flowery_logging.ecs.schema import OWN_LABELS, Place, Schema, is_reserved, put
from flowery_logging.redaction import Counting


class Leaf(Protocol):
    """A value to be placed, or a mark that stands for values of one kind."""

    def field(self, place: Place) -> Any:
        """Return it as a field of this place holds it, or MISFIT."""
        ...

    def label(self) -> tuple[bool, Any] | None:
        """Return whether it is a number, and as what it stands in a label; None for nothing."""
        ...


class Layout:
    """The document of one event, as far as the caller's fields make it.

    `tree` has the ECS and declared fields, `texts` and `numbers` the labels. The fields come in
    layers, the event's own before the bound ones: of two with the same name the first stands.
    `placed` has what was placed, in order: its name, which of the three it became, its value.
    `given` is how many leaves there were; one may come to nothing.
    `unnamed` has the values of labels whose names find no room (see label_names.py).
    """

    __slots__ = (
        "_counters", "_known_names", "_name_chars", "_names", "_protect", "_schema",
        "given", "numbers", "paths", "placed", "texts", "tree", "unnamed",
    )  # fmt: skip

    def __init__(
        self,
        schema: Schema,
        limits: Limits,
        counters: Counting,
        known_names: LabelNames | None,
        *,
        protect: bool,
    ) -> None:
        self._schema = schema
        self._name_chars = limits.name_chars
        self._counters = counters
        self._known_names = known_names
        self._protect = protect
        self._names: set[str] = set()
        self.tree: dict[str, Any] = {}
        self.texts: dict[str, Any] = {}
        self.numbers: dict[str, Any] = {}
        self.paths: dict[str, int] = {}  # the caller's dotted name → its layer
        self.placed: list[tuple[str, Kind, Any]] = []
        self.given = 0
        self.unnamed: dict[str, Any] = {}

    def put(self, path: str, leaf: Leaf, layer: int) -> None:
        """Place one leaf of a layer by its dotted name."""
        self.given += 1
        known = self.paths.get(path)
        if known is not None and known < layer:
            return  # a bound field, overridden by the event's own
        place = self._schema.locate(path)
        if self._protect and is_reserved(path):
            self._counters.add("reserved_names")
        elif place is not None:
            if known is None and self._is_put(path, place, leaf):
                self.paths[path] = layer
                return
            self._counters.add("misfits")
        self.paths.setdefault(path, layer)
        found = leaf.label()
        if found is not None:
            self._put_label(path, *found)

    def _put_label(self, path: str, is_number: bool, value: object) -> None:
        name = self._free_name(_label_path(path))
        known = self._known_names
        if known is None or known.admits(name, numeric=is_number):
            self.placed.append((path, NUMBER if is_number else TEXT, value))
            entries = self.numbers if is_number else self.texts
            entries[name] = value
        else:
            self.unnamed[path] = value

    def add_text(self, name: str, text: object) -> None:
        """Add a label of the library's own."""
        self.texts[self._free_name(name)] = text

    def _is_put(self, path: str, place: Place, leaf: Leaf) -> bool:
        """Put a leaf into its field; False if it does not fit, or something is in its way."""
        value = leaf.field(place)
        if value is MISFIT:
            return False
        if put(self.tree, place.path, value):
            self.placed.append((path, FIELD, value))
            return True
        return False

    def _free_name(self, path: str) -> str:
        """Return a label's name that no other field of this event has."""
        limit = self._name_chars
        wanted = name = label_name(path, limit)
        number = 1
        while name in self._names:
            number += 1
            suffix = f"_{number}"
            name = wanted[: limit - len(suffix)] + suffix
        if number > 1:
            self._counters.add("renamed_labels")
        self._names.add(name)
        return name


def _label_path(path: str) -> str:
    """Return the name of a label-to-be: a caller's own `labels={…}` loses that first part."""
    root, _, rest = path.partition(".")
    return rest if rest and root in OWN_LABELS else path
