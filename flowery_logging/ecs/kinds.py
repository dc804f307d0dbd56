"""The kinds of values that an event's shape is made of: their types, and a few more."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from flowery_logging.ecs.conversion import MISFIT, fit
from flowery_logging.ecs.named import Model
from flowery_logging.ecs.plain import FREQUENT, plain
from flowery_logging.redaction import MARKER, Redaction


class UnusualError(Exception):
    """An event has a value that no plan is for: it goes the careful way."""


class TEXT:
    """What stands in `labels`, whatever its type: its step goes by the rules."""


class FIELD:
    """What stands in a field of its own."""


class NUMBER:
    """What stands in `numeric_labels` although its type is expected elsewhere."""


class DATE:
    """What was a date and is one of a date field's texts."""


class ISO:
    """What was a date and is a text by ISO 8601, in which no secret is."""


Kind = type
"""The type of a value, or one of the classes above."""

NOTHING: Final = type(None)

SCALARS: Final = frozenset({str, int, float, bool})

OBJECTS: Final = frozenset({dict, Model})

KNOWN: Final = SCALARS | {NOTHING, list, dict, Model, TEXT, NUMBER, DATE, ISO}
"""The kinds that a plan may have; values of other types are converted to one of these first."""

_CONVERSIONS: Final[Mapping[type, Callable[[Any], Any]]] = {
    **FREQUENT,
    Counter: dict,
    defaultdict: dict,
    OrderedDict: dict,
}
"""What `plain` makes of frequent types, and dicts whose class tells nothing of what is in them."""


def conversion(kind: Kind, redaction: Redaction, path: str) -> Callable[[Any], Any]:
    """Return what makes a value of a known kind from one of another type."""
    # Not partial(): it would hand these on by their names, which takes longer.
    return _CONVERSIONS.get(kind) or (lambda value: plain(value, redaction, path))


def as_date(value: object) -> str:
    """Return a date as a date field holds it. Raises UnusualError where that is not possible."""
    text = fit(value, "date")
    if text is MISFIT:
        raise UnusualError
    return str(text)


CERTAIN: Final[Mapping[Callable[[Any], Any], Kind]] = {
    str: str,
    datetime.isoformat: ISO,
    date.isoformat: ISO,
    list: list,
    as_date: DATE,
}
"""Conversions whose results are always of the same kind."""


def hidden(redaction: Redaction, path: str) -> Callable[[Any], str | None]:
    """Return what makes the marker of values that their name hides; None of what is left out.

    It raises UnusualError for a value that says that it is no secret.
    """

    def convert(value: object) -> str | None:
        data = plain(value)
        if data is None or (type(data) in {list, dict} and not data):
            return None
        if redaction.shows(path, data):
            raise UnusualError
        return MARKER

    return convert


def kind_of(value: object) -> Kind:
    """Return the kind of a converted value. Raises UnusualError if there is no plan for it."""
    kind = type(value)
    if kind not in KNOWN:
        raise UnusualError
    return kind
