"""An event as a person reads it: one line of a terminal, with a traceback below.

Time, level, service, message, fields, and the beginning of the trace ID. What does not fit into the
columns is left out from the end and counted: the file has all of it. The message of a warning or an
error is never cut. On a terminal a message's further lines stand below its first one; elsewhere an
event stays one line, for `grep`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timezone
from functools import lru_cache
from time import time as _now
from typing import Any, Final, NamedTuple

from flowery_logging.files.columns import MORE, clipped, folded, padded, width
from flowery_logging.files.event_traceback import HEADING, LIBRARY, OWN, TEXT, TraceLine, readable
from flowery_logging.files.printable import printable
from flowery_logging.files.shown import (
    as_text,
    at,
    cleaned,
    is_exchange,
    message_of,
    one_line,
    shown_fields,
)
from flowery_logging.late import late

_TRACE_CHARS: Final = 8
"""Of a trace ID: enough to tell requests apart, and to ask for one by `flowery-logging trace`."""

_VALUE_COLUMNS: Final = 60
_SERVICE_COLUMNS: Final = 16
_LEVEL_COLUMNS: Final = 7
_NARROW: Final = 80
"""With fewer columns the time has no milliseconds, and the name of the service is shorter."""

_INDENT: Final = "    "
_MOST_LINES: Final = 10
"""So many further lines of a message are shown, unless it is one that is never cut."""

BOLD, DIM, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN = "1", "2", "31", "32", "33", "34", "35", "36"
_ALARM: Final = f"{BOLD};{RED}"
_LEVELS: Final = {
    "trace": DIM, "debug": DIM, "info": GREEN, "warning": YELLOW, "warn": YELLOW,
    "error": _ALARM, "critical": _ALARM, "fatal": _ALARM,
}  # fmt: skip
_ERRORS: Final = frozenset({"error", "critical", "fatal", "alert", "emergency"})
_NEVER_CUT: Final = _ERRORS | {"warning", "warn"}
_QUIET: Final = frozenset({"debug", "trace"})
_STATUSES: Final = {"2": GREEN, "3": CYAN, "4": YELLOW, "5": _ALARM}


class _Message(NamedTuple):
    """A message as it is shown: what stands in the event's line, and below that."""

    first: str
    below: list[str]
    is_folded: bool  # its first line goes on below


class EventLine:
    """Makes the lines of events, documents as `orjson.loads` gives them, of any origin.

    Args:
        colours: write the escapes for colours.
        columns: of the terminal; None cuts nothing.
        utc: times in UTC in place of local time.
    """

    def __init__(self, *, colours: bool, columns: int | None, utc: bool = False) -> None:
        self.colours = colours
        self.columns = columns
        self._utc = utc
        self._service = 0  # columns of the longest name so far

    def text(self, document: Mapping[str, Any]) -> str:
        """Return an event without a newline at its end. Never raises for what a line may hold."""
        columns = self.columns
        level = as_text(at(document, "log.level")).lower()
        head, used = self._head(document, level, narrow=columns is not None and columns < _NARROW)
        trace = as_text(at(document, "trace.id"))[:_TRACE_CHARS]
        room = None if columns is None else columns - used - (len(trace) + 2 if trace else 0)
        message = self._message(document, level, room)
        painted = self._coloured_message(document, message.first, level)
        left = None if room is None else room - width(message.first)
        shown = "" if message.is_folded else self._fields(document, left)
        end = f"  {self._paint(trace, DIM)}"
        below = [f"{_INDENT}{self._paint(one, _of_message(level))}" for one in message.below]
        first = f"{head}{painted}{shown}{end}".rstrip()
        return "\n".join([first, *below, *self._trace(document)])

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colours and text and code else text

    def _head(self, document: Mapping[str, Any], level: str, *, narrow: bool) -> tuple[str, int]:
        """Return time, level and service, and their columns."""
        moment = local_time(as_text(at(document, "@timestamp")), utc=self._utc)
        moment = moment[:-4] if narrow and moment[-4:-3] == "." else moment
        most = _SERVICE_COLUMNS // 2 if narrow else _SERVICE_COLUMNS
        service = clipped(one_line(at(document, "service.name")), most)
        self._service = min(most, max(self._service, width(service)))
        named = padded(clipped(printable(level), 8), _LEVEL_COLUMNS)
        service = padded(service, self._service)
        parts = [(moment, DIM), (named, _LEVELS.get(level, "")), (service, CYAN)]
        shown = [self._paint(text, code) for text, code in parts if text]
        return " ".join(shown) + " ", sum(width(text) + 1 for text, _ in parts if text)

    def _message(self, document: Mapping[str, Any], level: str, room: int | None) -> _Message:
        text = message_of(document)
        if room is None:
            return _Message(one_line(text), [], is_folded=False)
        first, *others = _lines(text)
        indented = max((self.columns or 0) - len(_INDENT), 8)
        if level not in _NEVER_CUT:
            below = [clipped(line, indented) for line in others[:_MOST_LINES]]
            left = len(others) - _MOST_LINES
            more = [f"{MORE} {left} more line{'s'[: left > 1]}"] if left > 0 else []
            return _Message(clipped(first, max(room, 1)), below + more, is_folded=False)
        first, *rest = folded(first, max(room, 8), indented)
        below = [part for line in others for part in folded(line, indented, indented)]
        return _Message(first, rest + below, is_folded=bool(rest))

    def _coloured_message(self, document: Mapping[str, Any], message: str, level: str) -> str:
        status = as_text(at(document, "http.response.status_code"))
        before, found, after = message.rpartition(f" {status}")
        if status and found and is_exchange(document) and (not after or after[0] == " "):
            return f"{before} {self._paint(status, _STATUSES.get(status[0], ''))}{after}"
        return self._paint(message, _of_message(level))

    def _fields(self, document: Mapping[str, Any], room: int | None) -> str:
        """Return the fields that fit, and how many do not."""
        pairs = [(name, clipped(value, _VALUE_COLUMNS)) for name, value in shown_fields(document)]
        sizes = [width(name) + width(value) + 2 for name, value in pairs]
        if room is None or sum(sizes) + 1 <= room:
            return " " * bool(pairs) + "".join(self._field(*pair) for pair in pairs)
        more = f" +{len(pairs)}"
        room -= len(more) + 1
        shown, left = "", 0
        for pair, size in zip(pairs, sizes, strict=True):
            if size <= room:
                shown += self._field(*pair)
                room -= size
            else:
                left += 1
        return f" {shown}{self._paint(f' +{left}', DIM)}" if room >= 0 else ""

    def _field(self, name: str, value: str) -> str:
        return f" {self._paint(f'{name}=', DIM)}{value}"

    def _trace(self, document: Mapping[str, Any]) -> Iterator[str]:
        trace = at(document, "error.stack_trace")
        if isinstance(trace, str) and trace:
            for line in readable(printable(trace)):
                for part in self._parts(line):
                    yield f"{_INDENT}{self._coloured_trace(part)}".rstrip()

    def _parts(self, line: TraceLine) -> Iterator[TraceLine]:
        """Yield a line of a traceback; the text of an exception in as many as it takes."""
        if line.kind != TEXT or self.columns is None:
            yield line
            return
        room = max(self.columns - len(_INDENT), 8)
        for text in folded(line.text, room, room):
            yield TraceLine(TEXT, text)

    def _coloured_trace(self, line: TraceLine) -> str:
        if line.kind == OWN:
            left = None if self.columns is None else self.columns - len(_INDENT) - width(line.text)
            source = f"  {line.source}"
            if left is not None:
                source = clipped(source, left) if left > 8 else ""
            return self._paint(line.text, CYAN) + source
        if line.kind in {LIBRARY, HEADING}:
            return self._paint(line.text, DIM)
        return self._paint(line.text, RED)


def _of_message(level: str) -> str:
    return "" if level in _QUIET else BOLD


def _lines(value: object) -> list[str]:
    """Return the lines of a text that are not blank, at least one, made like `_line`."""
    return [line.rstrip() for line in cleaned(value).split("\n") if line.strip()] or [""]


def local_time(timestamp: str, *, utc: bool = False) -> str:
    """Return the time of day of an RFC 3339 time, with the day where that is not today."""
    try:
        day, clock = _moment(timestamp[:19] + _zone(timestamp), utc)
    except (ValueError, OverflowError, OSError):
        return printable(timestamp[11:23] or timestamp)
    today = datetime.fromtimestamp(_now(), timezone.utc if utc else None).date()
    fraction = _FRACTION.match(timestamp, 19)
    digits = "" if fraction is None else fraction[1]
    return f"{_day(day, today)}{clock}.{digits:0<3}"


def _zone(timestamp: str) -> str:
    """Return a time's distance from UTC as Python 3.10 reads it; ours are in UTC."""
    found = _ZONE.search(timestamp, 19)
    return "+00:00" if found is None else f"{found[1]}:{found[2] or '00'}"


_FRACTION: Final = late(r"\.([0-9]{1,3})")
_ZONE: Final = late(r"([+-]\d\d):?(\d\d)?$")


@lru_cache(1024)
def _moment(second: str, utc: bool) -> tuple[date, str]:
    """Return the day and the time of day of a time up to the second, with its zone."""
    moment = datetime.fromisoformat(second)
    moment = moment.astimezone(timezone.utc if utc else None)
    return moment.date(), f"{moment:%H:%M:%S}"


@lru_cache(16)
def _day(day: date, today: date) -> str:
    if day == today:
        return ""
    return f"{day:%m-%d} " if day.year == today.year else f"{day:%Y-%m-%d} "
