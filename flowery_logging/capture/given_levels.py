"""The levels that `setup()` and `set_level()` give to loggers, and what theirs were before."""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping

from flowery_logging.capture import structlog as structlog_capture
from flowery_logging.capture.attachment import Attachment
from flowery_logging.capture.flight import FlightRecorder
from flowery_logging.library_code import OWN_LOGGER

ROOT = "root"


class GivenLevels:
    """The levels that are ours, and the way back.

    Args:
        recorder: what needs records below the level.
        attachment: what watches the root logger's level.
    """

    def __init__(self, recorder: FlightRecorder, attachment: Attachment) -> None:
        self._recorder = recorder
        self._attachment = attachment
        self.before: dict[str, int] = {}  # what the levels were, by logger

    def give(self, level: int, levels: Mapping[str, int], recorded: int | None) -> None:
        """Give all loggers those of a set-up; the others get theirs back.

        `recorded` is the level from which on the flight recorder keeps events; None: it is off.
        """
        wanted = {ROOT: level, OWN_LOGGER: level, **levels}
        for name in [name for name in self.before if name not in wanted]:
            _logger(name).setLevel(self.before[name])
            del self.before[name]
        for name, number in wanted.items():
            self.give_one(name, number)
        self.give_own(level, levels, recorded)

    def give_one(self, name: str, level: int) -> None:
        """Give one logger its level; `root` is the root logger."""
        logger = _logger(name)
        self.before.setdefault(name, logger.level)
        logger.setLevel(level)

    def give_own(self, level: int, levels: Mapping[str, int], recorded: int | None) -> None:
        """Set that of `get_logger()`; the recorder needs the root logger's as low as its own."""
        structlog_capture.set_level(level)
        lowest = self._recorder.set_levels(recorded, level)
        logging.getLogger().setLevel(lowest)
        self._attachment.root_level = lowest
        if OWN_LOGGER not in levels:
            self.give_one(OWN_LOGGER, lowest)

    def take_back(self, but: Container[str] = ()) -> None:
        """Give loggers the levels that they had before ours, but for some that stay."""
        for name, before in list(self.before.items()):
            if name not in but:
                _logger(name).setLevel(before)
                self.before.pop(name, None)
        if ROOT not in but:
            structlog_capture.set_level(logging.NOTSET)


def _logger(name: str) -> logging.Logger:
    return logging.getLogger(None if name == ROOT else name)
