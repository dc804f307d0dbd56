"""The last resort: a sentence on stderr when logs themselves cannot be written."""

from __future__ import annotations

from typing import Final

from flowery_logging.files import stderr
from flowery_logging.system import System

INTERVAL: Final = 60.0
"""At most one complaint in so many seconds; the counts tell the rest."""

_last = -INTERVAL


def complain(text: str, *, last: bool = False) -> None:
    """Write one line to stderr, unless that was done less than a minute ago. Never raises.

    `last` words are always said: the process ends.
    """
    global _last
    now = System.monotonic()
    if now - _last < INTERVAL and not last:
        return
    _last = now
    stderr.say(f"flowery_logging: {text}\n")
