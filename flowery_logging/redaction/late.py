"""Patterns that are compiled when they are first needed.

The quick look finds nothing in most texts, so most programs never need what looks with care; to
compile it takes longer than all else of the start-up's imports of this room.
"""

from __future__ import annotations

import re
from typing import Any, cast


def late(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Return what is like the compiled pattern, and compiles it at the first use."""
    return cast("re.Pattern[str]", _Late(pattern, flags))


class _Late:
    def __init__(self, pattern: str, flags: int) -> None:
        self._args = pattern, flags

    def __getattr__(self, name: str) -> Any:
        # Kept, so that the next use finds it as that of a compiled pattern.
        found = getattr(re.compile(*self._args), name)
        setattr(self, name, found)
        return found
