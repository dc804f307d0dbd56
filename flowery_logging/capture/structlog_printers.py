"""Which of structlog's loggers print to standard output or error: our file takes their place."""

from __future__ import annotations

import sys
from typing import Any, Final

from flowery_logging.foreign import PRINTED_TO, PRINTERS
from flowery_logging.signalled import let_through

_PRINTERS: Final = tuple(
    kind
    for kind in (getattr(PRINTERS, f"{n}Logger", None) for n in ("Print", "Write", "Bytes"))
    if kind is not None
)
_STREAMS: Final = ("stdout", "stderr", "__stdout__", "__stderr__")
_STANDARD_FDS: Final = (1, 2)


def prints(logger: object) -> bool:
    """Tell whether a logger is one of structlog's that print to standard output or error."""
    file = getattr(logger, PRINTED_TO, None)
    if type(logger) not in _PRINTERS or file is None:
        return False
    if any(file is stream or file is getattr(stream, "buffer", None) for stream in _streams()):
        return True
    try:
        return file.fileno() in _STANDARD_FDS
    except (AttributeError, OSError, ValueError):  # no file of the system's, or closed
        return False


def _streams() -> list[Any]:
    """Return what stands for standard output and error: now, at first, and for structlog."""
    found = [getattr(module, name, None) for module in (sys, PRINTERS) for name in _STREAMS]
    return [stream for stream in found if stream is not None]


def printer_of(factory: Any) -> str | None:
    """Return the name of a factory of structlog's whose loggers print to standard output."""
    kind = type(factory).__name__
    if type(factory).__module__ != PRINTERS.__name__ or not kind.endswith("Factory"):
        return None
    try:
        return kind if prints(factory()) else None
    except Exception as error:  # a factory of somebody's own class, which needs arguments
        let_through(error)
        return None


def name_of(processor: object) -> str:
    """Return what a processor is called."""
    return str(getattr(processor, "__qualname__", type(processor).__qualname__))
