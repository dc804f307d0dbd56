"""What loguru shows on stderr: its own events, and those that a handler of `logging` gives it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any, Final

from flowery_logging.late import late

_SINK: Final = late(r"level=(\d+), sink=<stderr>")
"""How `repr(loguru.logger)` tells of a sink."""

_writing: Final[set[int]] = set()  # threads


@contextmanager
def writing() -> Iterator[None]:
    """Write an event of loguru's in this block."""
    thread = get_ident()
    _writing.add(thread)
    try:
        yield
    finally:
        _writing.discard(thread)


def shows_own(level: int) -> bool:
    """Tell whether the event that this thread writes is loguru's, and shown by it."""
    return get_ident() in _writing and _shows(level)


def shows_given(handler: object, level: int) -> bool:
    """Tell whether a handler gives loguru its records (see its `InterceptHandler`), to be shown."""
    loguru = _logger()
    if loguru is None:
        return False
    known = getattr(getattr(type(handler), "emit", None), "__globals__", {})
    return any(type(value) is type(loguru) for value in [*known.values()]) and _shows(level)


def _shows(level: int) -> bool:
    return any(level >= int(least) for least in _SINK.findall(repr(_logger())))


def _logger() -> Any:
    return getattr(sys.modules.get("loguru"), "logger", None)
