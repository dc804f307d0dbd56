"""The levels that `setup()` and `set_level()` give to loggers, and what theirs were before."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Mapping
from typing import Any, Final

from flowery_logging.capture import structlog as structlog_capture
from flowery_logging.capture.attachment import Attachment
from flowery_logging.capture.flight import FlightRecorder
from flowery_logging.capture.patch import Patch
from flowery_logging.capture.stdlib import Handler
from flowery_logging.capture.structlog_output import Levels
from flowery_logging.foreign import CLEAR_CACHE
from flowery_logging.library_code import OWN_LOGGER

ROOT: Final = "root"
_GENERAL: Final = frozenset({ROOT, OWN_LOGGER})
"""Loggers whose level is not that of single ones of `get_logger()`."""


class GivenLevels:
    """The levels that are ours, and the way back.

    Those of `get_logger()` follow `logging.disable()` too: who silences `logging` means them all.

    Args:
        handler: ours.
        recorder: what needs records below the level.
        attachment: what watches the root logger's level.
    """

    def __init__(self, handler: Handler, recorder: FlightRecorder, attachment: Attachment) -> None:
        self._handler = handler
        self._recorder = recorder
        self._attachment = attachment
        self._level: int = logging.NOTSET
        self._levels: Mapping[str, int] = {}
        self._recorded: int | None = None
        self._named: dict[str, int] = {}  # of single loggers, but for the root and our own
        self._patch = Patch(logging.Manager, CLEAR_CACHE)  # called when levels have changed
        self.before: dict[str, int] = {}  # what the levels were, by logger

    def give(self, level: int, levels: Mapping[str, int], recorded: int | None) -> None:
        """Give all loggers those of a set-up; the others get theirs back.

        `recorded` is the level from which on the flight recorder keeps events; None: it is off.
        """
        stay = {ROOT, OWN_LOGGER, *levels}
        for name in [name for name in self.before if name not in stay]:
            _logger(name).setLevel(self.before[name])
            del self.before[name]
        for name, number in levels.items():
            self._give(name, number)
        self._levels, self._recorded = levels, recorded
        self._named = {name: number for name, number in levels.items() if name not in _GENERAL}
        self._patch.apply(self._noticing)
        self.give_all(level)

    def give_one(self, name: str, level: int) -> None:
        """Give one logger, and those below it, a level."""
        self._give(name, level)
        self._named = {**self._named, name: level}
        self._apply()

    def give_all(self, level: int) -> None:
        """Give all loggers a level that have none of their own."""
        self._level = level
        lowest = self._apply()  # what the recorder needs
        self._give(ROOT, lowest)
        self._attachment.root_level = lowest
        self._handler.general = level
        if OWN_LOGGER not in self._levels:
            self._give(OWN_LOGGER, lowest)

    def given(self) -> dict[str, int]:
        """Return the levels that are ours now, by logger, for `give_again`."""
        return {name: _logger(name).level for name in self.before}

    def give_again(self, given: Mapping[str, int]) -> None:
        """Give the levels that were ours without a set-up."""
        for name, level in given.items():
            if name == ROOT:
                self.give_all(level)
            elif name != OWN_LOGGER:
                self.give_one(name, level)

    def _give(self, name: str, level: int) -> None:
        logger = _logger(name)
        self.before.setdefault(name, logger.level)
        logger.setLevel(level)

    def _apply(self) -> int:
        """Let `get_logger()` go by what stands now; return the lowest level that is recorded."""
        is_watched = self._patch.ours is not None
        disabled = logging.root.manager.disable if is_watched else logging.NOTSET
        structlog_capture.set_level(self._level, self._named, disabled)
        return self._recorder.set_levels(self._recorded, self._level)

    def _noticing(self, theirs: Callable[[Any], None]) -> Callable[[Any], None]:
        def clear_cache(manager: Any) -> None:
            theirs(manager)
            if manager.disable != Levels.disabled:
                self._apply()

        return clear_cache

    def take_back(self, but: Container[str] = ()) -> None:
        """Give loggers the levels that they had before ours, but for some that stay."""
        for name, before in list(self.before.items()):
            if name not in but:
                _logger(name).setLevel(before)
                self.before.pop(name, None)
        self._patch.undo()
        self._levels, self._named, self._recorded = {}, {}, None
        if ROOT not in but:
            structlog_capture.set_level(logging.NOTSET)


def _logger(name: str) -> logging.Logger:
    return logging.getLogger(None if name == ROOT else name)
