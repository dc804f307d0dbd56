"""The numbers of levels by the names that lines have, and the names that records have."""

from __future__ import annotations

import logging
from typing import Final

from flowery_logging.colours import without_colours
from flowery_logging.foreign import levels_by_name

_NUMBERED: Final = "level "
"""What stands before the number of a level that has no name of its own."""


def name_of(record: logging.LogRecord) -> str:
    """Return the name of a record's level, also where a handler before ours has dressed it up.

    Formatters that colour, pad or shorten it write it back into the record.
    """
    name = record.levelname
    if not isinstance(name, str) or _is_known(name):
        return name
    plain = without_colours(name).strip()
    by_number: str = logging.getLevelName(record.levelno)
    return by_number if _is_known(by_number) and not _is_known(plain.upper()) else plain


def _is_known(name: str) -> bool:
    return isinstance(logging.getLevelName(name), int)


def number_of(name: str, otherwise: int) -> int:
    """Return the number of a level by the name that a line has for it: its own, or `level 35`."""
    number = number_of_name(name)
    if number is not None:
        return number
    digits = name.lower().removeprefix(_NUMBERED)
    return int(digits) if digits.isdecimal() else otherwise


def number_of_name(name: str) -> int | None:
    """Return the number of the level that has a name, in any case; None where none has it."""
    known = logging.getLevelName(name.upper())
    if isinstance(known, int):
        return known
    wanted = name.lower()
    named = levels_by_name().items()
    return next((number for other, number in named if str(other).lower() == wanted), None)
