"""What is remembered of loggers that are not ours, by identity: they may have no hash."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final

MOST_HELD: Final = 1024
"""Loggers that are held because they cannot be referred to weakly; the oldest are forgotten."""


class Notes:
    """A note on each of some loggers, for as long as the logger lives."""

    def __init__(self) -> None:
        self._notes: dict[int, tuple[Callable[[], Any], Any]] = {}
        self._held: deque[int] = deque()

    def add(self, logger: object, note: object) -> None:
        """Remember a note, unless there is one."""
        if self.get(logger) is None:
            self._notes[id(logger)] = self._reference(logger), note

    def get(self, logger: object) -> Any:
        """Return the note on a logger, or None."""
        reference, note = self._notes.get(id(logger), (None, None))
        return note if reference is not None and reference() is logger else None

    def _reference(self, logger: object) -> Callable[[], Any]:
        key = id(logger)
        try:
            return weakref.ref(logger, lambda _: self._forget(key))
        except TypeError:  # a class with __slots__, as structlog's BytesLogger
            self._held.append(key)
            if len(self._held) > MOST_HELD:
                self._forget(self._held.popleft())
            return partial(_itself, logger)

    def _forget(self, key: int) -> None:
        self._notes.pop(key, None)


def _itself(logger: object) -> Any:
    return logger
