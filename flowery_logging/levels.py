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
    """Return the number of a level by its name in any case, or of `level 35`."""
    known = logging.getLevelName(name.upper())
    if isinstance(known, int):
        return known
    digits = name.lower().removeprefix(_NUMBERED)
    if digits.isdecimal():
        return int(digits)
    named = levels_by_name()
    wanted = name.lower()
    return next((n for other, n in named.items() if str(other).lower() == wanted), otherwise)
