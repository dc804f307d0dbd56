"""What the kernel knows of the handlers of signals, where Python knows of its own alone."""

from __future__ import annotations

from typing import Final

from flowery_logging.files import platform
from flowery_logging.files.faults import is_ours

_STATUS: Final = "/proc/self/status"  # of Linux
_CAUGHT: Final = b"\nSigCgt:"


def is_caught(number: int) -> bool:
    """Tell whether a signal has a handler, of Python's or one that was set in C.

    False where the kernel does not tell.
    """
    mask = _status().partition(_CAUGHT)[2].split(b"\n", 1)[0].strip()
    return bool(int(mask or b"0", 16) >> (number - 1) & 1)


def _status() -> bytes:
    try:
        return platform.read_whole(_STATUS)
    except OSError as error:
        if not is_ours(error):
            raise
        return b""
