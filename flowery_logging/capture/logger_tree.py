"""The tree of `logging`: which loggers there are, and the way of a record up to where it ends."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any, Final
from weakref import WeakValueDictionary

LOGGERS: Final = logging.Logger.manager.loggerDict
"""Loggers, and placeholders for those above them, by name."""

_ALONE: Final[WeakValueDictionary[int, logging.Logger]] = WeakValueDictionary()
"""Loggers in no tree that have logged, by their identity: several may have one name."""


def loggers() -> Iterator[logging.Logger]:
    """All loggers there are, the root logger first."""
    yield logging.getLogger()
    # As it stands now: a test may have put another tree in its place.
    for logger in list(logging.Logger.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            yield logger


def ends() -> Iterator[logging.Logger]:
    """All loggers at which the way of records ends."""
    return (logger for logger in loggers() if logger.parent is None or not logger.propagate)


def is_known(logger: logging.Logger) -> bool:
    """Tell whether a logger is of the tree, and not one made by its class."""
    known = logging.Logger.manager.loggerDict
    return isinstance(logger, logging.RootLogger) or known.get(logger.name) is logger


def note_alone(logger: logging.Logger) -> None:
    """Remember a logger that logs, if it is in no tree, as long as somebody else keeps it."""
    if not is_known(logger):
        _ALONE[id(logger)] = logger


def alone(name: str) -> list[logging.Logger]:
    """Return the remembered loggers of a name that are in no tree."""
    found = (reference() for reference in _ALONE.valuerefs())
    return [one for one in found if one is not None and one.name == name]


def way_of(logger: logging.Logger) -> Iterator[logging.Logger]:
    """Yield the loggers whose handlers get the records of a logger, itself first."""
    here: logging.Logger | None = logger
    while here is not None:
        yield here
        here = here.parent if here.propagate else None


def end_of(logger: logging.Logger) -> logging.Logger:
    """Return the logger at which the way of a logger's records ends."""
    while logger.propagate and logger.parent is not None:
        logger = logger.parent
    return logger


def holds(handlers: Iterable[Any], handler: object) -> bool:
    """Tell whether a handler itself is among others, which may say that they equal anything."""
    for one in handlers:  # noqa: SIM110 - a generator costs more, and each record comes by
        if one is handler:
            return True
    return False


def reaches(logger: logging.Logger, handler: logging.Handler) -> bool:
    """Tell whether a handler gets the records of a logger."""
    here: logging.Logger | None = logger
    while here is not None:  # not `way_of`, nor `holds`: each record comes by
        for one in here.handlers:
            if one is handler:
                return True
        here = here.parent if here.propagate else None
    return False


def has_own_level(logger: logging.Logger | None) -> bool:
    """Tell whether a level below the root logger's lets the records of `logger` pass."""
    while logger is not None and logger.parent is not None:
        if logger.level:
            return True
        logger = logger.parent
    return False


def nearest(name: str) -> logging.Logger:
    """Return the logger of a name or, where there is none, the one above it."""
    return nearest_lasting(name)[0]


def nearest_lasting(name: str) -> tuple[logging.Logger, bool]:
    """Return the nearest logger of a name, and whether it stays that until one is added.

    No logger is made: a program may use any number of names. Where a placeholder stands for the
    name, a logger that takes its place leaves the number of entries as it is.
    """
    lasting = True
    while name:
        known = LOGGERS.get(name)
        if isinstance(known, logging.Logger):
            return known, lasting
        lasting = lasting and known is None
        name = name.rpartition(".")[0]
    return logging.root, lasting
