"""One line against the rules: each of its names once, each value of ECS's type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from flowery_logging.cli.validate import spec
from flowery_logging.cli.validate.finding import RULES, Finding, kind_of, shown
from flowery_logging.cli.validate.parsing import (
    JsonObject,
    NotANumber,
    NotJsonError,
    has_surrogate,
    parse,
)
from flowery_logging.cli.validate.types import check
from flowery_logging.ecs import fields as ecs_fields
from flowery_logging.ecs.declared import MAX_DEPTH
from flowery_logging.event_parts import LABELS

MAX_NAMES: Final = 4096
"""So many names are looked at once; of more, the oldest are forgotten."""

_OPEN: Final = frozenset({"object", "flattened", "geo_point"})
"""Types of fields in which anything may lie."""

_LABEL_SIGNS: Final = re.compile(r"[.*\\]")


class CheckedLine:
    """What was found in one line, and which of its fields are none of ECS's."""

    def __init__(self, line: bytes, declared: Mapping[str, str]) -> None:
        self.findings: list[Finding] = []
        self.custom: dict[str, str] = {}  # name → kind_of its value
        self._declared = declared
        self._values: dict[str, Any] = {}  # by dotted name
        self._objects: set[str] = set()
        try:
            document = parse(line)
        except NotJsonError as error:
            self._find("json", "", str(error))
            return
        self._walk(document, "", 1)
        for name in sorted(self._objects & self._values.keys()):
            if self._values[name] is not None:
                self._find("clash", name, "it is a value and an object")
        self.findings += spec.check(document, self._values)

    def _find(self, rule: str, field: str, wrong: str) -> None:
        self.findings.append(Finding(rule, field, wrong, RULES[rule]))

    def _walk(self, node: JsonObject, prefix: str, depth: int) -> None:
        """Look at the names of one object, and at what lies in it."""
        if depth > MAX_DEPTH:
            self._find("depth", prefix.rstrip("."), f"an object at depth {depth}")
            return
        keys: set[str] = set()
        for key, value in node.pairs:
            name = prefix + key
            if key in keys:
                self._find("duplicate", name, "the key stands twice in its object")
            elif name in self._values and not isinstance(value, JsonObject):
                self._find("clash", name, "it stands there dotted and nested")
            keys.add(key)
            self._check_name(name, key)
            self._look_at(name, value, depth)

    def _check_name(self, name: str, key: str) -> None:
        if not _is_name(key):
            self._find("name", name, f"{shown(key)}")
        parent = name[: -len(key) - 1] if key else ""
        if parent in LABELS and _LABEL_SIGNS.search(key):
            self._find("label", name, f'the name "{key}"')
        elif "." in key:
            self._objects.update(_parents(name))

    def _look_at(self, name: str, value: object, depth: int) -> None:
        if isinstance(value, JsonObject):
            self._look_at_object(name, value, depth)
            return
        self._values[name] = value
        if self._is_sound(name, value, depth):
            self._check_type(name, value)

    def _look_at_object(self, name: str, value: JsonObject, depth: int) -> None:
        self._objects.add(name)
        kind = self._kind(name)
        if kind is not None and name not in {*LABELS, spec.TIME}:
            self._add(check(name, kind, value))
        elif _parent(name) in LABELS:
            self._find("label", name, "an object")
        self._walk(value, f"{name}.", depth + 1)

    def _is_sound(self, name: str, value: object, depth: int) -> bool:
        """Look at numbers and texts, in lists too; False if one is none."""
        sound = True
        for one in _scalars(value, depth):
            if isinstance(one, JsonObject):
                inner = CheckedObject(one, name, depth + 1, self._declared)
                self.findings += inner.findings
            elif _is_no_number(one):
                self._find("number", name, shown(one))
                sound = False
            elif isinstance(one, str) and not isinstance(one, NotANumber) and has_surrogate(one):
                self._find("json", name, "half a character (a lone surrogate)")
        return sound

    def _check_type(self, name: str, value: object) -> None:
        kind = self._kind(name)
        if name == spec.TIME:
            return  # the specification asks more of it
        if kind is not None:
            self._add(check(name, kind, value))
        elif name in ecs_fields.parents() or name in LABELS:
            if value is not None:
                self._find_no_object(name, value)
        elif _parent(name) == "numeric_labels":
            if any(kind_of(one) != "a number" for one in _scalars(value, 0) if one is not None):
                self._find("label", name, f"{shown(value)}, not a number")
        elif value is not None and value != [] and not self._is_open(name):
            self.custom[name] = _kind_of_all(value)

    def _find_no_object(self, name: str, value: object) -> None:
        wrong = f"{shown(value)}; Elasticsearch refuses the document"
        self.findings.append(Finding("type", name, wrong, "an object (of ECS)"))

    def _kind(self, name: str) -> str | None:
        return self._declared.get(name) or ecs_fields.types().get(name)

    def _is_open(self, name: str) -> bool:
        """Tell whether a name lies in an object that may hold anything."""
        while name := _parent(name):
            if name in LABELS or self._kind(name) in _OPEN:
                return True
        return False

    def _add(self, finding: Finding | None) -> None:
        if finding is not None:
            self.findings.append(finding)


class CheckedObject(CheckedLine):
    """What was found in one object of a list: its names may stand again in the next one."""

    def __init__(
        self, node: JsonObject, name: str, depth: int, declared: Mapping[str, str]
    ) -> None:
        self.findings = []
        self.custom = {}
        self._declared = declared
        self._values = {}
        self._objects = set()
        self._walk(node, f"{name}.", depth)


@lru_cache(MAX_NAMES)
def _is_name(key: str) -> bool:
    return all(map(str.strip, key.split("."))) and not has_surrogate(key)


@lru_cache(MAX_NAMES)
def _parents(name: str) -> tuple[str, ...]:
    """Return the dotted names of the objects in which a name lies."""
    parts = name.split(".")
    return tuple(".".join(parts[:end]) for end in range(1, len(parts)))


def _parent(name: str) -> str:
    return name.rpartition(".")[0]


def _scalars(value: object, depth: int) -> Iterator[Any]:
    """Yield a value, or what lies in a list and in lists in it, to the depth that is allowed."""
    if not isinstance(value, list):
        yield value
    elif depth <= MAX_DEPTH:
        for one in value:
            yield from _scalars(one, depth + 1)


def _is_no_number(value: Any) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, NotANumber) or (whole and not -(2**63) <= value < 2**63)


def _kind_of_all(value: object) -> str:
    """Return the kind of a value, or of the first one in a list: Elasticsearch has no lists."""
    first = next((one for one in _scalars(value, 0) if one is not None), None)
    return kind_of(first)
