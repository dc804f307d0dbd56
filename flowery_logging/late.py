"""Patterns that are compiled when they are first needed.

Most programs never need most of them: the quick look finds nothing in most texts, and few requests
bring what has to be taken apart. To compile all takes a fifth of the start-up's imports. Those that
ordinary events are looked at with are compiled at once: `re`'s own objects are found faster.
"""

from __future__ import annotations

import re
from re import compile as _compile  # a test may have replaced that of `re` when one is needed
from typing import Any, AnyStr, Generic, cast


def late(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what is like the compiled pattern, and compiles it at the first use."""
    return cast("re.Pattern[AnyStr]", _Late(pattern, flags))


class _Late(Generic[AnyStr]):
    def __init__(self, pattern: AnyStr, flags: int) -> None:
        self._args: tuple[AnyStr, int] = pattern, flags

    def __getattr__(self, name: str) -> Any:
        # Kept, so that the next use finds it as that of a compiled pattern.
        found = getattr(_compile(*self._args), name)
        setattr(self, name, found)
        return found
