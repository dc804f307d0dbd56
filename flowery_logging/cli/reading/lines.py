"""A line of a file as people read it: an event as the console shows it, any other one marked."""

from __future__ import annotations

from typing import Final

from flowery_logging.cli.reading.output import is_coloured, terminal_columns
from flowery_logging.files.event_line import EventLine
from flowery_logging.files.printable import printable
from flowery_logging.files.reader import Kind, Line

_MARKS: Final = {Kind.FOREIGN: "not an event", Kind.TORN: "torn line"}
_YELLOW: Final = "33"


class Lines:
    """Makes texts of lines, for the standard output that there is: a pipe gets all of them.

    Args:
        utc: times in UTC, not in local time.
    """

    def __init__(self, *, utc: bool) -> None:
        self._event = EventLine(colours=is_coloured(), columns=None, utc=utc)

    def text(self, line: Line) -> str:
        """Return a line as text, without its end."""
        self._event.columns = terminal_columns()  # the window may have another size by now
        if line.kind is Kind.EVENT:
            return self._event.text(line.record)
        text = printable(line.data.decode("utf-8", "backslashreplace").rstrip("\r\n"))
        mark = f"[{_MARKS[line.kind]} in {line.file.name.service}]"
        return f"\x1b[{_YELLOW}m{mark}\x1b[0m {text}" if self._event.colours else f"{mark} {text}"
