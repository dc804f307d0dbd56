"""Where a scalar goes at once: what the rules of `document.py` say of a name, kept with the name.

Most values fit the type of their field as they are: a text of ordinary length a keyword, a status
a long. For such a value the rules decide by its name and type alone, so their verdict is a *slot*:
the place, and the range of values that it takes. Whatever has no slot, and whatever lies outside
the range, goes by the rules themselves; both ways give the same document.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from flowery_logging.ecs.conversion import KEYWORDS, TEXTS, bounds_as_is, is_ip
from flowery_logging.ecs.labels import label_path
from flowery_logging.ecs.limits import Limits
from flowery_logging.ecs.names import label_name
from flowery_logging.ecs.plain import MAX_SAFE_INTEGER, scalar_text
from flowery_logging.ecs.redact import SMALLEST_NUMBER, Redactor
from flowery_logging.ecs.schema import Place, Schema, is_reserved

MAX_KEPT: Final = 4096
"""Names of each type that are kept; beyond it nothing more is."""

_LONGEST_NAME: Final = 256

_PARAMETER: Final = re.compile(r"[\w.-]{0,64}")
"""Names of parameters without escapes."""

_AS_TEXT: Final = KEYWORDS | TEXTS
_FEW_DIGITS: Final = 10**10
"""Integers below it are never secrets, also as texts."""


class Slot:
    """Where a value goes, and which: `least` to `most` for a number, the length of a text.

    A label has no `parents`: they are None. `home` is their dotted name. `convert` makes of the
    value what stands there, if it is another one. A list may have so many `items`. Before a text is
    put there the redactor is asked; of what, is told by `check`, which returns None for a text that
    does not fit.
    """

    __slots__ = ("check", "convert", "home", "items", "least", "most", "name", "parents")

    def __init__(
        self,
        parents: tuple[str, ...] | None,
        name: str,
        least: float,
        most: float,
        convert: Callable[[Any], Any] | None = None,
        check: Callable[[str], str | None] | None = None,
        items: int = 0,
    ) -> None:
        self.parents = parents
        self.home = ".".join(parents or ())
        self.name = name
        self.least = least
        self.most = most
        self.convert = convert
        self.check = check
        self.items = items

    def holds(self, items: list[Any]) -> bool:
        """Tell whether all items of a list are texts of ordinary length, and there are some."""
        for item in items:
            if type(item) is not str or len(item) > self.most:
                return False
        return 0 < len(items) <= self.items


class Slots:
    """The slots of one configuration, by type and name; None for what has none.

    A value is the query of a URL where the last part of its name is in `queries`. Reserved names
    have no slot if `protect`.
    """

    def __init__(
        self,
        schema: Schema,
        redactor: Redactor,
        limits: Limits,
        *,
        queries: frozenset[str],
        protect: bool,
    ) -> None:
        self._schema = schema
        self._redactor = redactor
        self._limits = limits
        self._queries = queries
        self._protect = protect
        self._parameters: dict[str, bool] = {}  # of queries: is it no secret's?
        self.by_type: dict[type, dict[str, Slot | None]] = {
            kind: _Known(partial(self._slot, kind)) for kind in (str, int, float, bool, list)
        }

    def _asked_of_query(self, query: str) -> str | None:
        """Return the query of a URL without its equals signs, if no parameter is a secret's.

        With them any two parameters are suspicious.
        """
        if "?" in query or ";" in query:
            return None
        for part in query.split("&"):
            if not self._is_harmless(part.partition("=")[0]):
                return None
        return query.replace("=", "\n")

    def _is_harmless(self, parameter: str) -> bool:
        verdict = self._parameters.get(parameter)
        if verdict is None:
            plain = _PARAMETER.fullmatch(parameter) is not None
            verdict = plain and not self._redactor.hides(parameter)
            if len(self._parameters) < MAX_KEPT and plain:
                self._parameters[parameter] = verdict
        return verdict

    def _slot(self, kind: type, name: str) -> Slot | None:
        if any(map(self._redactor.hides, name.split("."))):
            return None
        if self._protect and is_reserved(name):
            return None
        place = self._schema.locate(name)
        path = name if place is None else place.path
        slot = self._label(kind, name) if place is None else self._field(kind, place)
        if slot is None or path.rpartition(".")[2] not in self._queries:
            return slot
        slot.check = self._asked_of_query
        return slot if kind is str and slot.convert is None else None

    def _label(self, kind: type, path: str) -> Slot | None:
        name = label_name(label_path(path), self._limits.name_chars)
        if kind is str:
            return Slot(None, name, 0, self._limits.label_chars)
        if kind is int:
            return Slot(None, name, -MAX_SAFE_INTEGER, SMALLEST_NUMBER - 1)
        if kind is float:
            return Slot(None, name, -sys.float_info.max, sys.float_info.max)
        return Slot(None, name, 0, 1, scalar_text) if kind is bool else None

    def _field(self, kind: type, place: Place) -> Slot | None:
        """Return the slot of a field with a type of its own."""
        is_array = self._schema.is_array(place)
        bounds = _bounds(str if kind is list else kind, place.kind)
        if bounds is None or (kind is list and (not is_array or place.kind == "ip")):
            return None
        *parents, name = place.path.split(".")
        least, most = bounds
        if kind is str or kind is list:
            most = min(most, self._limits.label_chars)
        convert = _conversion(kind, place.kind, is_array=is_array)
        check = _asked_of_ip if place.kind == "ip" else None
        return Slot(tuple(parents), name, least, most, convert, check, self._limits.items)


class _Known(dict[str, "Slot | None"]):
    """The slots of one type by name, made when they are first asked for."""

    def __init__(self, make: Callable[[str], Slot | None]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> Slot | None:
        if len(self) >= MAX_KEPT or len(name) > _LONGEST_NAME:
            return None
        slot = self[name] = self._make(name)
        return slot


def _asked_of_ip(text: str) -> str | None:
    return text if is_ip(text) else None


def _bounds(kind: type, field: str) -> tuple[float, float] | None:
    """Return which values of this type a field holds; a short integer may stand as a text."""
    if kind is int and field in _AS_TEXT:
        return -_FEW_DIGITS, _FEW_DIGITS
    return bounds_as_is(kind, field)


def _conversion(kind: type, field: str, *, is_array: bool) -> Callable[[Any], Any] | None:
    """Return what makes a field's value of one that fits; None if it stands there as it is."""
    if kind is list:
        return list  # a copy: the caller may go on changing his own
    if kind is int and field in _AS_TEXT:
        return (lambda value: [str(value)]) if is_array else str
    return (lambda value: [value]) if is_array else None
