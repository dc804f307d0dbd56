"""A trace as a tree for terminals and pipes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowery_logging.cli.reading.fields import text_of
from flowery_logging.cli.reading.times import moment_at
from flowery_logging.cli.trace.hops import Hop, Record, is_error, time_of
from flowery_logging.cli.trace.timeline import Gap, Item, timeline
from flowery_logging.cli.trace.tree import Trace
from flowery_logging.files.columns import clipped, folded, width
from flowery_logging.files.event_line import BOLD, CYAN, DIM, RED, YELLOW
from flowery_logging.files.event_traceback import readable
from flowery_logging.files.printable import printable
from flowery_logging.files.shown import duration_text, shown_fields

_FULL_COLUMNS: Final = 100
_BAR_COLUMNS: Final = 20
_BAR_FROM: Final = 90
"""With fewer columns there is no room for bars."""

_CLOCK_COLUMNS: Final = 10


class Tree:
    """Makes the lines of a trace.

    Args:
        trace: what is shown.
        coloured: with the escape sequences of a terminal.
        columns: of the terminal; None cuts nothing.
        utc: times in UTC, not in local time.
    """

    def __init__(self, trace: Trace, *, coloured: bool, columns: int | None, utc: bool) -> None:
        self._trace = trace
        self._coloured = coloured
        self._columns = columns
        self._room = columns or _FULL_COLUMNS
        self._bar = _BAR_COLUMNS if self._room >= _BAR_FROM else 0
        self._utc = utc

    def lines(self) -> Iterator[str]:
        """Yield the lines, without their ends."""
        yield from self._heading()
        for root in self._trace.roots:
            yield from self._hop(root, "", "")

    def _heading(self) -> Iterator[str]:
        trace = self._trace
        yield self._paint(f"trace {trace.trace_id or '(none)'}", BOLD)
        if trace.request_id:
            yield f"request {printable(trace.request_id)}"
        when = day_and_time(trace.begin, utc=self._utc)
        yield f"{when} · {duration_text(trace.end - trace.begin)}"
        errors = len(trace.errors)
        told = self._paint(counted(errors, "error"), RED) if errors else "no errors"
        events = counted(len(trace.records), "event")
        yield f"{counted(len(trace.services), 'service')} · {events} · {told}"
        yield ""

    def _hop(self, hop: Hop, before: str, below: str) -> Iterator[str]:
        """Yield a hop and all below it; `before` stands before its title, `below` before others."""
        yield self._title(hop, before)
        told: set[tuple[str, str]] = set()  # fields, which most lines of a hop repeat
        items = list(timeline(hop, self._trace))
        for place, item in enumerate(items):
            last = place == len(items) - 1
            if isinstance(item, Hop):
                joint, line = ("└─ ", "   ") if last else ("├─ ", "│  ")
                yield from self._hop(item, below + joint, below + line)
            else:
                yield from self._line(item, told, f"{below}{'╵' if last else '│'} ")

    def _title(self, hop: Hop, before: str) -> str:
        took = duration_text(hop.duration) if hop.closing is not None else ""
        bar = self._bar_of(hop)
        end = f" {took:>10}" + (f" {bar}" if self._bar else "")
        mark = "✗ " if hop.failed else ""
        service = "→" if hop.kind == "call" else one_line(hop.service)
        title = f"{mark}{one_line(hop.title)}"
        room = self._room - _CLOCK_COLUMNS - width(before) - width(service) - 2 - width(end)
        if self._columns is not None:
            title = clipped(title, max(room, 8))
        painted = self._paint(title, f"{BOLD};{RED}" if hop.failed else BOLD)
        blanks = " " * max(0, room - width(title))
        name = self._paint(service, CYAN)
        return f"{self._clock(hop.begin)}{before}{name}  {painted}{blanks}{end}".rstrip()

    def _line(self, item: Item, told: set[tuple[str, str]], before: str) -> Iterator[str]:
        if isinstance(item, Gap):
            text = f"… {duration_text(item.duration)} without a line"
            yield f"{self._clock(item.begin)}{before}{self._paint(text, DIM)}"
        elif not isinstance(item, Hop):
            yield from self._event(item, told, before)

    def _event(self, record: Record, told: set[tuple[str, str]], before: str) -> Iterator[str]:
        level = text_of(record, "log.level")
        mark = "" if level in {"info", "debug", "trace"} else f"{printable(level)} "
        colour = RED if is_error(record) else YELLOW if mark else ""
        text = mark + one_line(text_of(record, "message"))
        new = [pair for pair in shown_fields(record) if pair not in told]
        told.update(new)
        fields = " ".join(f"{name}={value}" for name, value in new)
        yield from self._folded(self._clock(time_of(record)), before, text, fields, colour)
        trace = printable(text_of(record, "error.stack_trace"))
        for line in readable(trace) if trace else ():
            shown = f"{line.text}  {line.source}" if line.source else line.text
            blank = f"{' ' * _CLOCK_COLUMNS}{before.replace('╵', ' ')}    "
            yield blank + self._paint(self._cut(shown, blank), RED if line.kind == "text" else DIM)

    def _folded(
        self, clock: str, before: str, text: str, fields: str, colour: str
    ) -> Iterator[str]:
        """Yield a text in as many lines as it takes, and what of the fields fits behind it."""
        if self._columns is None:
            shown = f"  {fields}" if fields else ""
            yield f"{clock}{before}{self._paint(text, colour)}{shown}"
            return
        room = max(self._columns - _CLOCK_COLUMNS - width(before), 8)
        first, *rest = folded(text, room, room - 2)
        left = room - width(first) - 2
        shown = (
            "" if rest or left < 8 or not fields else f"  {self._paint(clipped(fields, left), DIM)}"
        )
        yield f"{clock}{before}{self._paint(first, colour)}{shown}"
        blank = " " * _CLOCK_COLUMNS + before.replace("╵", " ") + "  "
        yield from (blank + self._paint(part, colour) for part in rest)

    def _cut(self, text: str, before: str) -> str:
        if self._columns is None:
            return text
        return clipped(text, max(self._columns - width(before), 8))

    def _clock(self, moment: int) -> str:
        """Return how long after the beginning of the trace something was, in the first columns."""
        text = f"+{duration_text(max(0, moment - self._trace.begin))}"
        return self._paint(f"{text:<{_CLOCK_COLUMNS}}", DIM)

    def _bar_of(self, hop: Hop) -> str:
        return bar(hop, self._trace, self._bar) if self._bar and hop.closing is not None else ""

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._coloured and code and text.strip() else text


def bar(hop: Hop, trace: Trace, columns: int) -> str:
    """Return when in a trace a hop ran, as blocks in so many columns."""
    whole = max(1, trace.end - trace.begin)
    first = min(columns - 1, (hop.begin - trace.begin) * columns // whole)
    count = max(1, round(hop.duration * columns / whole))
    return " " * first + "█" * min(count, columns - first)


def day_and_time(nanoseconds: int, *, utc: bool) -> str:
    """Return a time with its date and zone, for people."""
    moment = moment_at(nanoseconds)
    local = moment if utc else moment.astimezone()
    return f"{local:%Y-%m-%d %H:%M:%S}.{nanoseconds // 10**6 % 1000:03} {local:%Z}"


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def one_line(text: str) -> str:
    """Return a text without control characters, line ends written out."""
    return printable(text).replace("\n", " ⏎ ").replace("\t", " ")
