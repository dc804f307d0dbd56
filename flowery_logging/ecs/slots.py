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
from typing import Any, Final, NamedTuple

from flowery_logging.ecs.conversion import KEYWORDS, TEXTS, bounds_as_is, is_ip
from flowery_logging.ecs.labels import label_path
from flowery_logging.ecs.limits import Limits
from flowery_logging.ecs.names import label_name
from flowery_logging.ecs.plain import MAX_SAFE_INTEGER
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


class Slot(NamedTuple):
    """Where a value goes, and which: `least` to `most` for a number, the length of a text.

    A label has no `parents`: they are None. `as_text` and `as_list` say what becomes of the value;
    `check` tells whether a text fits and is no secret, where there is more to that than its length.
    """

    parents: tuple[str, ...] | None
    name: str
    least: float
    most: float
    as_text: bool = False
    as_list: bool = False
    check: Callable[[str], bool] | None = None


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
        self.by_type: dict[type, dict[str, Slot | None]] = {
            str: {}, int: {}, float: {}, bool: {}, list: {},
        }  # fmt: skip

    def learn(self, kind: type, name: Any) -> Slot | None:
        """Return the slot for values of a type under a name that is not known yet, and keep it."""
        if type(name) is not str or len(name) > _LONGEST_NAME:
            return None
        known = self.by_type[kind]
        if len(known) >= MAX_KEPT:
            return None
        slot = known[name] = self._slot(kind, name)
        return slot

    def shows(self, query: str) -> bool:
        """Tell whether the query of a URL is surely without secrets, as is."""
        if "?" in query or ";" in query or self._redactor.suspects(query.replace("=", "\n")):
            return False
        names = [part.partition("=")[0] for part in query.split("&")]
        return all(map(self._is_harmless, names))

    def _is_ip(self, text: str) -> bool:
        return is_ip(text) and not self._redactor.suspects(text)

    def _is_harmless(self, parameter: str) -> bool:
        return _PARAMETER.fullmatch(parameter) is not None and not self._redactor.hides(parameter)

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
        return slot._replace(check=self.shows) if kind is str and not slot.as_list else None

    def _label(self, kind: type, path: str) -> Slot | None:
        name = label_name(label_path(path), self._limits.name_chars)
        if kind is str:
            return Slot(None, name, 0, self._limits.label_chars)
        if kind is int:
            return Slot(None, name, -MAX_SAFE_INTEGER, SMALLEST_NUMBER - 1)
        if kind is float:
            return Slot(None, name, -sys.float_info.max, sys.float_info.max)
        return Slot(None, name, 0, 1, as_text=True) if kind is bool else None

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
        check = self._is_ip if place.kind == "ip" else None
        return Slot(tuple(parents), name, least, most, place.kind in _AS_TEXT, is_array, check)


def _bounds(kind: type, field: str) -> tuple[float, float] | None:
    """Return which values of this type a field holds; a short integer may stand as a text."""
    if kind is int and field in _AS_TEXT:
        return -_FEW_DIGITS, _FEW_DIGITS
    return bounds_as_is(kind, field)
