"""The names of labels that a process makes, of which the mapping of all services has to hold each.

An index takes 1 000 fields. One service that makes names at run time (`{f"user_{id}": 1}`) would
use them up for the whole team: fields beyond it cannot be searched. So a process has names for a
limited number of labels; the fields of further names go into one label together.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Final

from flowery_logging.system import System

FORGOTTEN_AFTER: Final = 86_400.0
"""Seconds after which a process that has used up its names begins anew: an index is as old."""


class LabelNames:
    """Which names of labels a process has made: at most `limit` of them at a time.

    `on_full` is called with the first name that finds no room. Safe under threads and signal
    handlers without a lock: a name takes a number, and two that ask at once may waste one.
    """

    def __init__(self, limit: int, on_full: Callable[[str], None]) -> None:
        self._limit = limit
        self._on_full = on_full
        self._forgetting: list[Callable[[], None]] = []
        self._begin()

    def _begin(self) -> None:
        self._since = System.monotonic()
        self._is_told = False
        self._numbers = count()
        self._known: dict[tuple[bool, str], int] = {}

    def admits(self, name: str, *, numeric: bool) -> bool:
        """Tell whether a label of this name may stand; a name once admitted goes on to."""
        known, key = self._known, (numeric, name)
        if key in known:
            return True
        if len(known) < self._limit and next(self._numbers) < self._limit:
            known.setdefault(key, len(known))
            return True
        if System.monotonic() - self._since >= FORGOTTEN_AFTER:
            self._forget()
            return self.admits(name, numeric=numeric)
        if not self._is_told:
            self._is_told = True
            self._on_full(name)
        return False

    def when_forgotten(self, forget: Callable[[], None]) -> None:
        """Call `forget` when all names are forgotten: what was learnt of them no longer holds."""
        self._forgetting.append(forget)

    def _forget(self) -> None:
        self._begin()
        for forget in self._forgetting:
            forget()

    def __len__(self) -> int:
        return len(self._known)
