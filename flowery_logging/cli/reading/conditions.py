"""Conditions on fields: order_id=7, http.response.status_code>=500, service.name!=gateway."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from flowery_logging.cli.reading.fields import values_of

ALLOWED: Final = (
    "NAME=VALUE, or with !=, >, >=, <, <= in place of =; a bare NAME is one of your own fields "
    "(order_id=7) or a first key of the event, a dotted one that of ECS "
    "(http.response.status_code>=500)"
)

_TELLING_CHARS: Final = 3
"""A shorter value stands in nearly every line."""

_PLAIN_FROM, _PLAIN_TO = 1e-4, 1e15
_FORM = re.compile(r"\s*(?P<name>[^=!<>\s]+)\s*(?P<sign>!=|>=|<=|==?|>|<)(?P<value>.*)", re.DOTALL)
_ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip


class Condition(NamedTuple):
    """One condition: the events that it admits."""

    name: str
    sign: str
    value: str

    def admits(self, record: Mapping[str, Any]) -> bool:
        """Tell whether an event fulfils the condition.

        `=` asks for one value that is equal, a number as a number (7 is 7.0), a text as a text;
        `!=` admits what `=` does not, so events without the field too. The others compare numbers,
        and what texts say them, with a number, and texts with a text.
        """
        values = values_of(record, self.name)
        if self.sign in _ORDERS:
            return any(self._orders(value) for value in values)
        return any(self._equals(value) for value in values) is (self.sign == "=")

    def _equals(self, value: object) -> bool:
        if as_text(value) == self.value:
            return True
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return is_number and value == as_number(self.value)

    def _orders(self, value: object) -> bool:
        wanted, number = as_number(self.value), as_number(value)
        compare = _ORDERS[self.sign]
        if wanted is not None:
            return number is not None and compare(number, wanted)
        return isinstance(value, str) and compare(value, self.value)

    def spellings(self) -> tuple[str, ...]:
        """Return texts of which each event holds one that has the value; none if many could be."""
        number = as_number(self.value)
        if self.sign != "=" or len(self.value) < _TELLING_CHARS:
            return ()
        if number is None:
            return (self.value,)
        if not _PLAIN_FROM <= abs(number) < _PLAIN_TO:
            return ()  # JSON may write it with an exponent
        whole = (str(int(number)),) if number == int(number) else ()
        return tuple(dict.fromkeys((self.value, repr(number), *whole)))


def parse_condition(text: str) -> Condition:
    """Return the condition that a text says. Raises ValueError."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no condition; allowed: {ALLOWED}")
    sign = "=" if match["sign"] == "==" else match["sign"]
    return Condition(match["name"], sign, match["value"].strip())


def as_text(value: object) -> str:
    """Return a value as JSON writes it, a text without its quotes."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def as_number(value: object) -> int | float | None:
    """Return the number that a value is or says; None if it is none, or no finite one."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or not value.isascii() or "_" in value:
        return None
    try:
        return int(value)
    except ValueError:
        pass
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
