"""Lines that come back: an object in the place of `sys.stderr` may log what is printed on it."""

from __future__ import annotations

from collections import deque
from typing import Final

from flowery_logging.files import stderr

_MOST_TEXTS: Final = 64
_MOST_LINES: Final = 256
"""So many texts, and lines below the first ones of those that came back, are remembered."""


class Echoes:
    """Texts that were printed lately, each of which comes back at most once.

    A first line carries its own time, so it is known also within another text. What stands below
    may be anybody's message. So it is waited for only when its first line has come back, and whole,
    between what the object has put around that.
    """

    def __init__(self) -> None:
        self._printed: deque[list[str]] = deque(maxlen=_MOST_TEXTS)
        self._awaited: deque[str] = deque(maxlen=_MOST_LINES)

    def note(self, text: str) -> None:
        """Remember a text; not where a real stream takes it."""
        if stderr.is_replaced():
            self._printed.append([line.strip() for line in text.splitlines()])

    def has(self, message: str) -> bool:
        """Tell whether a message is something that was printed, which is forgotten then."""
        for lines in self._printed:
            before, first, after = message.partition(lines[0])
            if first:
                self._printed.remove(lines)
                below = (line for line in lines[1:] if line not in after)
                self._awaited.extend(_spaced(f"{before}{line}{after}") for line in below)
                return True
        return self._comes_next(message)

    def _comes_next(self, message: str) -> bool:
        line = _spaced(message) if self._awaited else ""
        if line not in self._awaited:
            return False
        self._awaited.remove(line)
        return True


def _spaced(text: str) -> str:
    """Return a text with single blanks: who logs a line may take away how it is indented."""
    return " ".join(text.split())
