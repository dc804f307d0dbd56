"""The function of a plan: values in, the first half of a line out.

As attrs compiles `__init__`, the steps of a shape are compiled into one function. Names of fields
and other texts of callers stand in its constants alone, never in its code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import CodeType
from typing import Any, Final

import orjson

from flowery_logging.ecs import fields as ecs_fields
from flowery_logging.ecs.conversion import MISFIT
from flowery_logging.ecs.document import Placer, ValueLeaf
from flowery_logging.ecs.encode import dumps
from flowery_logging.ecs.event import Static, merged
from flowery_logging.ecs.kept import Kept
from flowery_logging.ecs.kinds import (
    DATE,
    FIELD,
    NOTHING,
    NUMBER,
    SCALARS,
    TEXT,
    Kind,
    UnusualError,
)
from flowery_logging.ecs.layout import Layout
from flowery_logging.ecs.plan import Names, Plan, Shape, Shapes
from flowery_logging.ecs.redact import MARKER
from flowery_logging.ecs.schema import Place
from flowery_logging.ecs.steps import BY_RULES, Step, Steps, Tally

_BEFORE: Final = frozenset({"message", "host", "data_stream", "log", "process"})
"""What a line has before the fields, or after them."""

_MARK: Final = re.compile(rb"\0(\w+)\0")  # no JSON has this byte

_SIGNATURE: Final = "def encode(values, message, pieces, beginning, micros, site, room):"
_VARIABLE: Final = re.compile(r"\b[veaci]\b")


class _Mark:
    """Stands for the values of one kind, and notes which step they take."""

    def __init__(self, steps: Steps, index: int, path: str, kind: Kind) -> None:
        self._steps = steps
        self._index = index
        self._path = path
        self._kind = kind
        self._is_field = False
        self.step: Step | None = None

    def field(self, place: Place) -> Any:
        if self._kind in {TEXT, NUMBER}:
            return MISFIT
        self._is_field, self.step = True, self._steps.field(place, self._kind)
        return self._fragment()

    def label(self) -> tuple[bool, Any] | None:
        if self._kind is DATE or (self._is_field and self._kind not in SCALARS):
            raise UnusualError  # which label it becomes depends on the value, as it was given
        is_number = self._kind in {int, float, NUMBER}
        self.step = self._steps.label(self._path, self._kind, numeric=is_number)
        return is_number, self._fragment()

    def _fragment(self) -> Any:
        return orjson.Fragment(b"\0e%d\0" % self._index)


class _Piece:
    """Stands for a value of the context, which comes encoded."""

    def __init__(self, index: int, kind: Kind) -> None:
        self._kind = kind
        self._fragment = orjson.Fragment(b"\0p%d\0" % index)

    def field(self, place: Place) -> Any:  # noqa: ARG002 - it has been found to fit
        return self._fragment if self._kind is FIELD else MISFIT

    def label(self) -> tuple[bool, Any] | None:
        if self._kind is FIELD:
            raise UnusualError  # something is in its way; which label it becomes is unknown
        return self._kind is NUMBER, self._fragment


class Compiler:
    """Compiles the plans of one configuration."""

    def __init__(
        self, placer: Placer, static: Static, aside: frozenset[str], shapes: Shapes
    ) -> None:
        self._placer = placer
        self._static = static
        self._aside = aside
        self._shapes = shapes
        self._steps = Steps(placer)

    def compile(self, names: Names, shape: Shape | None) -> Plan:
        """Return the plan of a shape in a context; of a context, if `shape` is None.

        Raises UnusualError where the rules cannot be told from the kinds alone.
        """
        tally = Tally()
        layout = self._placer.layout(tally)
        source = _Source(self._placer, names, self._put(names, layout))
        found = layout.given + (0 if shape is None else shape.given)
        if found + bool(names.opened) > self._placer.limits.fields:
            raise UnusualError  # some are too many, perhaps a dict that came to nothing
        if shape is None:
            encode = source.of_context(_encoded(layout), dict(tally))
        else:
            counts = dict(tally)  # those of the context's fields have been counted
            for index, (path, kind) in enumerate(shape.leaves):
                layout.put(path, _Piece(index, kind), 1)
            encode = source.of_event(self._template(layout), len(shape.leaves), counts)
        plainly = not layout.clashes and self._aside.isdisjoint(names.paths)
        return Plan(names, encode, self._shapes.of(layout), plainly=plainly)

    def _put(self, names: Names, layout: Layout) -> dict[int, Step]:
        """Put a mark for each value of an event into its layout; return their steps."""
        marks: dict[int, _Mark] = {}
        for index in names.in_order():
            path, kind = names.paths[index], names.kinds[index]
            if index in names.opened or kind is NOTHING:
                continue
            if kind is dict and self._placer.schema.is_value(path):
                raise UnusualError
            if self._placer.hides(path):
                values = self._placer.values(Tally())
                layout.put(path, ValueLeaf(values, path, MARKER, MARKER), 0)
            else:
                marks[index] = _Mark(self._steps, index, path, kind)
                layout.put(path, marks[index], 0)
        return {index: mark.step for index, mark in marks.items() if mark.step is not None}

    def _template(self, layout: Layout) -> list[bytes | str]:
        """Return what stands after the message: bytes, and names of the function's variables."""
        tree, static = layout.tree, self._static
        if not _BEFORE.isdisjoint(tree):
            raise UnusualError
        own = {"labels": layout.texts, "numeric_labels": layout.numbers}
        event = merged({"dataset": static.dataset}, tree.pop("event", {}))
        found: list[bytes | str] = ["site.suffix"]
        if "service" in tree:
            tree["service"] = merged(static.service, tree["service"])
            rest = {"host": static.host, "data_stream": static.data_stream}
            version = {"ecs.version": ecs_fields.VERSION}
            found = [b"," + dumps({**version, **rest})[1:-1], "site.origin"]
        body = {**tree, **{name: entries for name, entries in own.items() if entries}}
        encoded = b"%b,%b," % (dumps(body)[:-1], dumps({"event": event})[1:-2])
        parts: list[Any] = _MARK.split(b"," + encoded[1:] if body else encoded[1:])
        for index, part in enumerate(parts):
            found.append(part.decode() if index % 2 else part)
        return [part for part in found if part]


_codes: Final[Kept[str, CodeType]] = Kept(1024)
"""Compiled sources, which many plans share: names and limits of their own stand in constants."""


class _Source:
    """The source of one function, and what its names stand for."""

    def __init__(self, placer: Placer, names: Names, steps: Mapping[int, Step]) -> None:
        self._placer = placer
        self._steps = steps
        self._texts = {i: step for i, step in steps.items() if step.longest is not None}
        self._variables = [f"v{index}" for index in range(len(names.kinds))]
        self._known: dict[str, Any] = {
            "Tally": Tally,
            "clean": self._clean_message,
            "clean_texts": self._clean_texts,
            "is_long": self._is_long,
            "count": self._count,
            "dumps": orjson.dumps,
            "join": b"".join,
            "suspects": placer.redactor.suspects_json,
        }
        for index, step in steps.items():
            self._known[f"c{index}"] = step.careful
            self._known.update(step.helpers)

    def of_event(self, template: list[bytes | str], pieces: int, counts: Mapping[str, int]) -> Any:
        """Return the function of an event's plan."""
        first = [f"{_tuple(f'p{i}' for i in range(pieces))} = pieces"] if pieces else []
        shown = ", ".join(self._constant(part) for part in template)
        return self._compiled([
            *first,
            "m = dumps(message)",
            *self._encoding(),
            *self._asking(["m"], ["m = clean(message)"]),
            f"half = join((beginning, micros, site.prefix, m, {shown}))",
            "if len(half) > room: return None",
            *self._counting(counts),
            "return half",
        ])  # fmt: skip

    def of_context(self, pieces: list[str | bytes], counts: Mapping[str, int]) -> Any:
        """Return the function of a context's plan, which makes the pieces of its events."""
        shown = _tuple(self._constant(part) for part in pieces)
        return self._compiled([
            *self._encoding(),
            *self._asking([], []),
            *self._counting(counts),
            f"return {shown}",
        ])  # fmt: skip

    def _compiled(self, lines: list[str]) -> Any:
        unpacked = [f"{_tuple(self._variables)} = values"] if self._variables else []
        source = "\n    ".join([_SIGNATURE, *unpacked, "tally = None", *lines])
        code = _codes.get(source) or _codes.keep(source, compile(source, "<plan>", "exec"))
        exec(code, self._known)  # noqa: S102 - as attrs does
        return self._known["encode"]

    def _constant(self, part: bytes | str) -> str:
        """Return the name of a variable, or of a constant with these bytes."""
        if type(part) is str:
            return part
        name = f"k{len(self._known)}"
        self._known[name] = part
        return name

    def _encoding(self) -> list[str]:
        return [_of(index, line) for index, step in self._steps.items() for line in step.code]

    def _asking(self, asked: list[str], clean: list[str]) -> list[str]:
        """Return what asks the redactor of all texts at once, and looks at each if need be."""
        texts = self._texts
        lists = [index for index, step in self._steps.items() if step.asks]
        asked = [*asked, *(f"e{i}" for i in texts), *(f"a{i}" for i in lists)]
        if not asked:
            return []
        together = " + ".join(asked) if len(asked) < 4 else f"join({_tuple(asked)})"
        lines = [f"asked = {together}"]
        condition = "suspects(asked)"
        if texts:
            values, encoded = (_tuple(f"{letter}{i}" for i in texts) for letter in "ve")
            longest = min(step.longest or 0 for step in texts.values())
            condition += f" or (len(asked) > {longest} and is_long({values}))"
            clean = [
                *clean,
                f"cleaned = clean_texts({values}, {encoded}, tally := tally or Tally())",
                "if type(cleaned) is int: return cleaned",
                f"{encoded} = cleaned",
            ]
        for index in lists:
            clean += [f"if a{index}:", *(f"    {_of(index, line)}" for line in BY_RULES)]
        return [*lines, f"if {condition}:", *(f"    {line}" for line in clean)]

    def _counting(self, counts: Mapping[str, int]) -> list[str]:
        self._known["counts"] = dict(counts)
        return ["count(counts)"] * bool(counts) + ["if tally: count(tally)"]

    def _clean_message(self, message: str) -> bytes:
        return dumps(self._placer.clean_text(message))

    def _is_long(self, values: tuple[str, ...]) -> bool:
        """Tell whether one of the texts is longer than its step takes."""
        steps = self._texts.values()
        return any(len(v) > (step.longest or 0) for v, step in zip(values, steps, strict=True))

    def _clean_texts(
        self, values: tuple[str, ...], encoded: tuple[bytes, ...], tally: Tally
    ) -> list[bytes] | int:
        """Return texts as they stand in the line, each looked at; the number of a misfit step."""
        clean = self._placer.redactor.clean
        found: list[bytes] = []
        for index, value, known in zip(self._texts, values, encoded, strict=True):
            step = self._texts[index]
            as_is = len(value) <= (step.longest or 0) and clean(value) == value
            made = known if as_is else step.careful(value, tally)
            if made is None:
                return index
            found.append(made)
        return found

    def _count(self, tally: Mapping[str, int]) -> None:
        for name, number in tally.items():
            self._placer.counters.add(name, number)


def _encoded(layout: Layout) -> list[str | bytes]:
    """Return of all that was placed the variable it is in, or its bytes."""
    encoded = (dumps(value) for _, _, value in layout.placed)
    return [e if b"\0" not in e else e.strip(b"\0").decode() for e in encoded]


def _tuple(names: Iterable[str]) -> str:
    return "(" + "".join(f"{name}, " for name in names) + ")"


def _of(index: int, line: str) -> str:
    """Return a line of a step's code with the variables of its value."""
    return _VARIABLE.sub(
        lambda match: str(index) if match[0] == "i" else f"{match[0]}{index}", line
    )
