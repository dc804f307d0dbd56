"""How a plan is made: marks for values are laid out as a document, and that is compiled."""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from flowery_logging.ecs import fields as ecs_fields
from flowery_logging.ecs.conversion import MISFIT
from flowery_logging.ecs.document import Placer, ValueLeaf
from flowery_logging.ecs.encode import dumps
from flowery_logging.ecs.event import Static, merged
from flowery_logging.ecs.kinds import (
    DATE,
    FIELD,
    ISO,
    NOTHING,
    NUMBER,
    OBJECTS,
    SCALARS,
    TEXT,
    Kind,
    UnusualError,
)
from flowery_logging.ecs.layout import Layout
from flowery_logging.ecs.opening import Names
from flowery_logging.ecs.plan import Plan, Shape, Shapes
from flowery_logging.ecs.schema import Place
from flowery_logging.ecs.source import Source
from flowery_logging.ecs.steps import Step, Steps, Tally
from flowery_logging.redaction import Make
from flowery_logging.redaction.values import SHOWN_SIGNS, names_methods, names_sessions

_AS_SCALARS: Final = SCALARS | {ISO}

_ELSEWHERE: Final = frozenset({TEXT, NUMBER})
"""Kinds of values that their name, asked of what they were first, does not hide."""

_MAY_BE_SHOWN: Final = rf"v > '\x7f' or {' or '.join(f'{sign!r} in v' for sign in SHOWN_SIGNS)}"
"""Code that tells, quickly, whether a text may say that it is no secret: a form's message, say."""

_MARK: Final = re.compile(rb"\0(\w+)\0")  # no JSON has this byte


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
        if self._kind in _ELSEWHERE:
            return MISFIT
        self._is_field, self.step = True, self._steps.field(place, self._kind)
        return self._fragment()

    def label(self) -> tuple[bool, Any] | None:
        if self._kind is DATE or (self._is_field and self._kind not in _AS_SCALARS):
            raise UnusualError  # which label it becomes depends on the value, as it was given
        is_number = self._kind in {int, float, NUMBER}
        self.step = self._steps.label(self._path, self._kind, numeric=is_number)
        return is_number, self._fragment()

    def _fragment(self) -> Any:
        return orjson.Fragment(b"\0e%d\0" % self._index)


class _Made(_Mark):
    """Stands for scalars in whose place a text is written that is made of each."""

    def __init__(self, steps: Steps, index: int, path: str, make: Make) -> None:
        super().__init__(steps, index, path, str)
        self._make = make

    def field(self, place: Place) -> Any:
        self.step = self._steps.made_field(place, self._make)
        return MISFIT if self.step is None else self._fragment()

    def label(self) -> tuple[bool, Any] | None:
        self.step = self._steps.made_label(self._path, self._make)
        return False, self._fragment()


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

    def __init__(self, placer: Placer, static: Static, shapes: Shapes) -> None:
        self._placer = placer
        self._static = static
        self._shapes = shapes
        self._steps = Steps(placer)

    def compile(self, names: Names, shape: Shape | None) -> Plan:
        """Return the plan of a shape in a context; of a context, if `shape` is None.

        Raises UnusualError where the rules cannot be told from the kinds alone.
        """
        tally = Tally()
        layout = self._placer.layout(tally)
        hidden: dict[int, str] = {}
        source = Source(self._placer, names, self._put(names, layout, tally, hidden), hidden)
        found = layout.given + (0 if shape is None else shape.given)
        _refuse_unnamed(layout)
        if found + bool(names.opened) > self._placer.limits.fields:
            raise UnusualError  # some are too many, perhaps a dict that came to nothing
        if shape is None:
            encode = source.of_context(_encoded(layout), dict(tally))
        else:
            counts = dict(tally)  # those of the context's fields have been counted
            for index, (path, kind) in enumerate(shape.leaves):
                layout.put(path, _Piece(index, kind), 1)
            _refuse_unnamed(layout)
            encode = source.of_event(self._template(layout), len(shape.leaves), counts)
        return Plan(names, encode, shape or self._shapes.of(layout))

    def _put(
        self, names: Names, layout: Layout, tally: Tally, hidden: dict[int, str]
    ) -> dict[int, Step]:
        """Put a mark for each value of an event into its layout; return their steps.

        Added to `hidden` are those that their name hides, unless they themselves say otherwise, and
        in code when they are to be asked.
        """
        marks: dict[int, _Mark] = {}
        for index in names.in_order():
            path, kind = names.paths[index], names.kinds[index]
            if index in names.opened or kind is NOTHING:
                continue
            if kind is dict and self._placer.schema.is_value(path):
                raise UnusualError
            secret = self._kind_of(path, kind)
            if secret is not None and kind is str and names_methods(path):
                raise UnusualError  # the value tells whether it is a secret
            if secret is not None:
                if kind in {str, list}:
                    hidden[index] = (
                        _MAY_BE_SHOWN if kind is str and not names_sessions(path) else "True"
                    )
                values, shown = (
                    self._placer.values(Tally()),
                    self._placer.redactor.hide(secret, tally),
                )
                layout.put(path, ValueLeaf(values, path, shown, shown), 0)
            else:
                marks[index] = self._mark(index, path, kind)
                layout.put(path, marks[index], 0)
        return {index: mark.step for index, mark in marks.items() if mark.step is not None}

    def _kind_of(self, path: str, kind: Kind) -> str | None:
        """Return the kind of secret that a name says of values of a kind; None: it is shown."""
        if kind in _ELSEWHERE:
            return None
        return self._placer.kind_of(path, of_object=kind in OBJECTS)

    def _mark(self, index: int, path: str, kind: Kind) -> _Mark:
        make = self._placer.redactor.maker(path)
        if make is None:
            return _Mark(self._steps, index, path, kind)
        if kind not in _AS_SCALARS:
            raise UnusualError  # a list of them, say
        return _Made(self._steps, index, path, make)

    def _template(self, layout: Layout) -> list[bytes | str]:
        """Return what stands after the message: bytes, and names of the function's variables."""
        tree, static = layout.tree, self._static
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


def _refuse_unnamed(layout: Layout) -> None:
    """Raise UnusualError where a label has no name: the careful way collects such values."""
    if layout.unnamed:
        raise UnusualError


def _encoded(layout: Layout) -> list[str | bytes]:
    """Return of all that was placed the variable it is in, or its bytes."""
    encoded = (dumps(value) for _, _, value in layout.placed)
    return [e if b"\0" not in e else e.strip(b"\0").decode() for e in encoded]
