"""A line of a file as people read it: one line an event, its stack trace below."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Final

from flowery_logging.cli.reading.fields import text_of
from flowery_logging.cli.reading.times import moment_of
from flowery_logging.files.plain import extras_of, printable
from flowery_logging.files.reader import Kind, Line

_COLOURS: Final = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "1;31"}
_MARKS: Final = {Kind.FOREIGN: "no event of ours", Kind.TORN: "torn line"}


class Lines:
    """Makes texts of lines.

    Args:
        coloured: with the escape sequences of a terminal.
        utc: times in UTC, not in local time.
    """

    def __init__(self, *, coloured: bool, utc: bool) -> None:
        self._coloured = coloured
        self._utc = utc

    def text(self, line: Line) -> str:
        """Return a line as text, without its end."""
        if line.kind is not Kind.EVENT:
            return self._foreign(line)
        record = line.record
        level = text_of(record, "log.level")
        fields = " ".join(
            f"{self._paint(name, '2')}={value}" for name, value in extras_of(record).items()
        )
        parts = [
            self._paint(self.clock(line.timestamp), "2"),
            self._paint(f"{printable(level):8}", _COLOURS.get(level, "")),
            self._paint(printable(text_of(record, "service.name")), "36"),
            printable(text_of(record, "message")),
            fields,
        ]
        trace = printable(text_of(record, "error.stack_trace")).rstrip("\n")
        text = "  ".join(part for part in parts if part)
        return (text + ("\n" + trace if trace else "")).replace("\n", "\n    ")

    def clock(self, timestamp: str) -> str:
        """Return a time as a clock shows it; with the date if that is not today's."""
        found = moment_of(timestamp)
        if found is None:
            return printable(timestamp)
        zone = timezone.utc if self._utc else None
        local = found.astimezone(zone)
        form = (
            "%H:%M:%S"
            if local.date() == datetime.now(timezone.utc).astimezone(zone).date()
            else "%Y-%m-%d %H:%M:%S"
        )
        return f"{local:{form}}.{local.microsecond // 1000:03}" + ("Z" if self._utc else "")

    def _foreign(self, line: Line) -> str:
        text = printable(line.data.decode("utf-8", "backslashreplace").rstrip("\r\n"))
        mark = self._paint(f"[{_MARKS[line.kind]}, {line.file.name.service}]", "33")
        return f"{mark} {text}"

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._coloured and code and text else text
