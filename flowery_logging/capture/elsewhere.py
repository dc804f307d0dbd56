"""Which events people see on stderr anyway: what the interpreter and other handlers print."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final

from flowery_logging.files import stderr

_BY_THE_INTERPRETER: Final = frozenset(
    {"sys.excepthook", "threading.excepthook", "sys.unraisablehook", "py.warnings",
     "multiprocessing"}
)  # fmt: skip
"""Our names for what the interpreter reports, and `multiprocessing` of a child: they print it."""

_OWN: Final = __name__.partition(".")[0]
"""The logger above the library's own, whose records go no further up."""


def is_shown_on_stderr(logger: str, level: str) -> bool:
    """Tell whether an event stands on stderr without us. `level` is written in lower case."""
    if logger in _BY_THE_INTERPRETER:
        return True
    number = logging.getLevelName(level.upper())
    number = number if isinstance(number, int) else logging.CRITICAL
    return any(number >= h.level and _writes_to_stderr(h) for h in _handlers(logger))


def _handlers(name: str) -> Iterator[logging.Handler]:
    """All handlers that would get a record of a logger, which may not exist."""
    logger = _nearest(name)
    is_own = _is_own(name)
    while logger is not None and is_own == _is_own(logger.name):
        yield from list(logger.handlers)
        logger = logger.parent if logger.propagate else None


def _is_own(name: str) -> bool:
    return name.partition(".")[0] == _OWN


def _nearest(name: str) -> logging.Logger | None:
    """Return the logger of a name or, where there is none, the one above it."""
    known = logging.Logger.manager.loggerDict
    while name:
        found = known.get(name)
        if isinstance(found, logging.Logger):
            return found
        name = name.rpartition(".")[0]
    return logging.getLogger()


def _writes_to_stderr(handler: logging.Handler) -> bool:
    """Tell whether a handler is one for a stream, and that stream is standard error."""
    stream = getattr(handler, "stream", None)  # StreamHandler, and those made like it
    stream = stream or getattr(getattr(handler, "console", None), "file", None)  # rich's
    return stderr.is_standard_error(stream)
