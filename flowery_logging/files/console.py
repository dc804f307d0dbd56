"""Lines for people: each written line again, on a terminal."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

import orjson

from flowery_logging.files import stderr
from flowery_logging.files.channel import STDERR
from flowery_logging.files.echoes import Echoes
from flowery_logging.files.event_line import EventLine
from flowery_logging.files.unshown import Unshown

_FOR_MACHINES: Final = frozenset({"log-file-opened", "log-closed"})


class Console:
    """Prints all lines on stderr: in colours on a terminal, without them elsewhere.

    Safe against escapes. An object in the place of `sys.stderr` that logs, perhaps from another
    thread, makes an event of each text that is printed; such an event is not printed again.

    Args:
        is_printed: tells, of a logger's name, whether the interpreter prints its events.
        kept: the lines stand in a file too.
    """

    threshold = 0

    def __init__(self, is_printed: Callable[[str], bool], *, kept: bool) -> None:
        self._is_printed = is_printed
        self._line = EventLine(colours=False, columns=None)
        self._on_terminal: bool | None = None  # not yet looked
        self._echoes = Echoes()
        self._shown = Unshown(kept=kept)

    def __call__(self, line: bytes) -> None:
        """Print one line. May raise."""
        document = orjson.loads(line)
        if document["event"].get("action") in _FOR_MACHINES:
            self._shown.tell()  # it may be the last line
            return
        logger = str(document.get("log", {}).get("logger", ""))
        if self._is_printed(logger) or self._echoes.has(document["message"]):
            return
        self._look_at_terminal()
        text = self._line.text(document) + "\n"
        self._echoes.note(text)
        self._shown.put(text)

    def _look_at_terminal(self) -> None:
        """See where the line goes: by now to another stream, or a window of another size."""
        terminal = stderr.terminal()
        self._line.columns = None if terminal is None else terminal_columns(terminal)
        if self._on_terminal != (terminal is not None):
            self._on_terminal = terminal is not None
            self._line.colours = wants_colours(terminal=self._on_terminal)


def wants_colours(*, terminal: bool) -> bool:
    """Tell whether to write colours: NO_COLOR, FORCE_COLOR and TERM decide as in Python itself."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return terminal and os.environ.get("TERM") != "dumb"


def terminal_columns(descriptor: int = STDERR) -> int | None:
    """Return the columns of a terminal, by COLUMNS or itself; None where there is no terminal."""
    try:
        found = os.get_terminal_size(descriptor).columns
    except (OSError, ValueError):
        return None
    given = os.environ.get("COLUMNS", "")
    return (int(given) if given.isdecimal() else 0) or found or None
