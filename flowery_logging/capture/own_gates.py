"""Records below the level that a library's own handlers keep from being shown: not written.

Sphinx, and torch where it runs on several machines, set their logger apart at DEBUG and leave the
choice to the levels of their handlers. Nobody has asked for these records, and without us nothing
would ever show them.
"""

from __future__ import annotations

import logging

from flowery_logging.capture.logger_tree import LOGGERS, way_of
from flowery_logging.capture.structlog_output import own_level


def is_held_back(record: logging.LogRecord, ours: logging.Handler) -> bool:
    """Tell whether a record, which is below the level, is one that no handler of its chain takes.

    False where the chain goes up to the root logger, has no handler but ours, or where a level of
    the set-up names the logger.
    """
    others = [one for one in _apart(record.name) if one is not ours and not _is_null(one)]
    if not others or own_level(record.name) is not None:
        return False
    return all(record.levelno < one.level for one in others)


def _apart(name: str) -> list[logging.Handler]:
    """Return the handlers of a logger's chain; none if that is not set apart from the root's."""
    logger = LOGGERS.get(name)
    way = list(way_of(logger)) if isinstance(logger, logging.Logger) else []
    is_apart = bool(way) and way[-1].parent is not None
    return [one for logger in way for one in logger.handlers] if is_apart else []


def _is_null(handler: logging.Handler) -> bool:
    return isinstance(handler, logging.NullHandler)
