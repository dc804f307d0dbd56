"""The numbers of levels, by the names that lines have."""

from __future__ import annotations

import logging
from typing import Final

from flowery_logging.foreign import levels_by_name

_NUMBERED: Final = "level "
"""What stands before the number of a level that has no name of its own."""


def number_of(name: str, otherwise: int) -> int:
    """Return the number of a level by its name in any case, or of `level 35`."""
    known = logging.getLevelName(name.upper())
    if isinstance(known, int):
        return known
    digits = name.lower().removeprefix(_NUMBERED)
    if digits.isdecimal():
        return int(digits)
    named = levels_by_name()
    return next((n for other, n in named.items() if other.lower() == name.lower()), otherwise)
