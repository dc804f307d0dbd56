"""Patterns that are compiled when they are first needed.

The quick look finds nothing in most texts, so most programs never need what looks with care; to
compile it takes longer than all else of the start-up's imports of this room.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial

Late = Callable[[], "re.Pattern[str]"]


def late(pattern: str, flags: int = 0) -> Late:
    """Return what returns the compiled pattern, the same one each time."""
    return cache(partial(re.compile, pattern, flags))
