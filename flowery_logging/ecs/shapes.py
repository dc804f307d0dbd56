"""Events of one shape: their fields have the same names, and values of the same types.

A program logs few shapes; all access events of a service have two or three. Where every value fits
its slot (see slots.py), two events of a shape differ in the values alone, so the rest of a line is
made once, as a template. Both ways give the same document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from flowery_logging.ecs.encode import dumps
from flowery_logging.ecs.redact import Redactor
from flowery_logging.ecs.schema import objects
from flowery_logging.ecs.slots import Slot, Slots

MAX_KEPT: Final = 512
"""Shapes that are kept; beyond it nothing more is."""

_MOST_FIELDS: Final = 64

_OURS: Final = frozenset({"message", "service", "host", "data_stream", "log", "process"})
"""What a line has before the fields: who changes a part of it takes the general path."""

_UNKNOWN: Final = object()

_dumps = orjson.dumps

_MARK: Final = re.compile(rb"\0(\d+)\0")  # no JSON has this byte


class Shapes:
    """The shapes that the events of one configuration had, None for what is none."""

    def __init__(self, slots: Slots, redactor: Redactor, fields: int, dataset: str) -> None:
        self._slots = slots.by_type
        self._suspects = redactor.suspects
        self._most_fields = min(fields, _MOST_FIELDS)
        self._dataset = dataset
        self._known: dict[Any, Any] = {}

    def encode(
        self, fields: Mapping[str, Any], bound: Mapping[str, Any], message: str
    ) -> bytes | None:
        """Return what a line has from its fields on, `event` being open; None if it is unusual.

        That is also one whose message may hold a secret. Never raises.
        """
        try:
            if type(fields) is not dict or type(bound) is not dict:
                return None
            if len(fields) + len(bound) > self._most_fields:
                return None
            given = {**bound, **fields}
            key = (*given, *map(type, given.values()))
            known = self._known.get(key, _UNKNOWN)
            shape: Shape | None = self._learn(key, given) if known is _UNKNOWN else known
            if shape is None:
                return None
            return shape.encode(list(given.values()), message, self._suspects)
        except Exception:
            return None  # a name may raise when it is looked up, a text may have no UTF-8

    def _learn(self, key: Any, given: dict[str, Any]) -> Shape | None:
        if len(self._known) >= MAX_KEPT or not all(type(name) is str for name in given):
            return None
        shape = self._known[key] = self._shape(given)
        return shape

    def _shape(self, given: dict[str, Any]) -> Shape | None:
        kinds = list(map(type, given.values()))
        if not self._slots.keys() >= set(kinds):
            return None
        slots = [self._slots[kind][name] for kind, name in zip(kinds, given, strict=True)]
        found = [slot for slot in slots if slot is not None]
        tree = _tree(found, kinds) if len(found) == len(slots) else None
        if tree is None or not _OURS.isdisjoint(tree):
            return None
        tree["event"] = {"dataset": self._dataset, **tree.pop("event", {})}
        return Shape(dumps(tree), found, kinds)


def _tree(slots: list[Slot], kinds: list[type]) -> dict[str, Any] | None:
    """Return a document with a mark for each value; None if two are in each other's way."""
    tree: dict[str, Any] = {}
    labels: dict[str, Any] = {}
    numbers: dict[str, Any] = {}
    for index, (slot, kind) in enumerate(zip(slots, kinds, strict=True)):
        if slot.parents is None:
            node = numbers if slot.convert is None and kind is not str else labels
            taken = slot.name in labels or slot.name in numbers
        else:
            found = objects(tree, slot.parents)
            node = {} if found is None else found
            taken = found is None or slot.name in node
        if taken:
            return None
        node[slot.name] = orjson.Fragment(b"\0%d\0" % index)
    own = {"labels": labels, "numeric_labels": numbers}
    return {**tree, **{name: entries for name, entries in own.items() if entries}}


class Shape:
    """What the events of one shape share: the template, and which values fit.

    Ordinary texts and integers are looked at all at once: the longest, the least, the greatest.
    """

    def __init__(self, marked: bytes, slots: list[Slot], kinds: list[type]) -> None:
        parts = _MARK.split(marked[1:-2])
        literal = (part.replace(b"%", b"%%") for part in parts[::2])
        self._template = b"," + b"%b".join(literal) + b","
        self._order = [int(index) for index in parts[1::2]]
        every = list(enumerate(zip(slots, kinds, strict=True)))
        self._texts = [i for i, (slot, kind) in every if kind is str and slot.check is None]
        self._longest = min((slots[i].most for i in self._texts), default=0)
        self._integers = [i for i, kind in enumerate(kinds) if kind is int]
        self._least = max((slots[i].least for i in self._integers), default=0)
        self._most = min((slots[i].most for i in self._integers), default=0)
        together = {*self._texts, *self._integers}
        self._others = [(i, slot) for i, (slot, _) in every if i not in together]
        self._converted = [(i, s.convert) for i, (s, _) in every if s.convert not in {None, list}]

    def encode(
        self, values: list[Any], message: str, suspects: Callable[[str], bool]
    ) -> bytes | None:
        """Return the template with these values; None if one does not fit, or may be a secret."""
        integers = [values[index] for index in self._integers]
        if integers and (min(integers) < self._least or max(integers) > self._most):
            return None
        asked = [message]
        for index, slot in self._others:
            value = values[index]
            if slot.check is not None:
                text = slot.check(value) if len(value) <= slot.most else None
                if text is None:
                    return None
                asked.append(text)
            elif type(value) is list:
                if not slot.holds(value):
                    return None
                asked += value
            elif not slot.least <= value <= slot.most:
                return None
        texts = [values[index] for index in self._texts]
        joined = "\n".join(texts + asked)
        if len(joined) > self._longest and max(map(len, texts), default=0) > self._longest:
            return None
        if suspects(joined):
            return None
        for index, convert in self._converted:
            values[index] = convert(values[index])
        return self._template % tuple([_dumps(values[index]) for index in self._order])
