"""Records below the level that nobody has asked for: not written.

Sphinx, and torch where it runs on several machines, set their logger apart at DEBUG and leave the
choice to the levels of their handlers; without us nothing would ever show what those do not take.
A logger that was made by its class, as Dagster's, is below no logger that has a level: unless it
was given one, it lets all pass.
"""

from __future__ import annotations

import logging

from flowery_logging.capture.logger_tree import LOGGERS, alone, way_of
from flowery_logging.capture.structlog_output import own_level


def is_held_back(record: logging.LogRecord, ours: logging.Handler) -> bool:
    """Tell whether a record, which is below the level, is one that nobody has asked for.

    False where a level of the set-up names the logger.
    """
    if own_level(record.name) is not None:
        return False
    if _has_no_level(record):
        return True
    # The chain may go up to the root logger, or have no handler but ours.
    others = [one for one in _apart(record.name) if one is not ours and not _is_null(one)]
    return bool(others) and all(record.levelno < one.level for one in others)


def _has_no_level(record: logging.LogRecord) -> bool:
    """Tell whether a record comes from a logger made by its class, to which nobody gave a level.

    A record has no more of its logger than the name, which others may have too. If one of them lets
    it pass by a level, it may be that one's.
    """
    made = alone(record.name)
    if any(logger.getEffectiveLevel() != logging.NOTSET for logger in made):
        return False
    known = LOGGERS.get(record.name)
    is_asked = isinstance(known, logging.Logger) and known.isEnabledFor(record.levelno)
    return bool(made) and not is_asked


def _apart(name: str) -> list[logging.Handler]:
    """Return the handlers of a logger's chain; none if that is not set apart from the root's."""
    logger = LOGGERS.get(name)
    way = list(way_of(logger)) if isinstance(logger, logging.Logger) else []
    is_apart = bool(way) and way[-1].parent is not None
    return [one for logger in way for one in logger.handlers] if is_apart else []


def _is_null(handler: logging.Handler) -> bool:
    return isinstance(handler, logging.NullHandler)
