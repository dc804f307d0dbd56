"""What was counted, for people as tables and for programs as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from flowery_logging.cli.reading import output
from flowery_logging.cli.stats.kinds import COLUMNS, Key
from flowery_logging.cli.stats.tally import Group, Tally
from flowery_logging.cli.table import Cell, Column, lines
from flowery_logging.files.event_line import local_time
from flowery_logging.files.printable import printable
from flowery_logging.files.shown import duration_text

SHARES: Final = (50, 95, 99)
TITLES: Final = {
    "service": "services", "level": "levels", "logger": "loggers", "route": "routes",
    "error": "errors", "callsite": "call sites, by bytes",
}  # fmt: skip

Clock = Callable[[str], str]
"""Returns an `@timestamp` as it is shown."""

_RED, _YELLOW = "1;31", "33"


def as_json(tally: Tally) -> dict[str, Any]:
    """Return everything as JSON values; durations in milliseconds, times in UTC."""
    total = tally.total
    return {
        "events": total.events,
        "bytes": total.size,
        "errors": total.errors,
        "foreign_lines": tally.foreign,
        "first": total.first,
        "last": total.last,
        "seconds": tally.seconds,
        "events_per_second": tally.rate(total.events),
        "bytes_per_second": tally.rate(total.size),
        "by": {
            kind: [_as_json(tally, kind, key, group) for key, group in tally.largest(kind)]
            for kind in tally.kinds
        },
    }


def _as_json(tally: Tally, kind: str, key: Key, group: Group) -> dict[str, Any]:
    found: dict[str, Any] = {
        **dict(zip(COLUMNS[kind], key, strict=True)),
        "events": group.events,
        "events_per_second": tally.rate(group.events),
        "bytes": group.size,
        "bytes_share": share(group.size, tally.total.size),
        "errors": group.errors,
        "first": group.first,
        "last": group.last,
    }
    if kind == "route":
        found |= {"client_errors": group.client_errors, "failed": group.failed}
        for name, nanoseconds in zip(SHARES, group.durations.percentiles(*SHARES), strict=True):
            found[f"p{name}_ms"] = None if nanoseconds is None else nanoseconds / 1e6
    elif kind == "error":
        found |= {"message": group.message, "services": sorted(group.services)}
    return found


def text(tally: Tally, most: int, *, utc: bool) -> Iterator[str]:
    """Yield the lines for people: a summary and a table for each kind."""

    def clock(time: str) -> str:
        return local_time(time, utc=utc)

    yield from summary(tally, clock)
    coloured, width = output.is_coloured(), output.columns()
    for kind in tally.kinds:
        groups = tally.largest(kind)
        if not groups and len(tally.kinds) > 1:
            continue
        yield ""
        yield f"\x1b[1m{TITLES[kind]}\x1b[0m" if coloured else TITLES[kind]
        yield from lines(columns(tally, kind, groups[:most], clock), width, coloured=coloured)
        if len(groups) > most:
            yield f"… and {len(groups) - most} more (-n {len(groups)})"


def summary(tally: Tally, clock: Clock) -> Iterator[str]:
    """Yield what all events have in common."""
    total = tally.total
    if not total.events:
        yield "no events"
        return
    rate = tally.rate(total.events)
    speed = f", {rate_text(rate)}" if rate else ""
    yield f"{total.events} events, {size_text(total.size)}{speed}, {total.errors} errors"
    yield f"{clock(total.first)} to {clock(total.last)}"
    if tally.foreign:
        yield f"{tally.foreign} lines are no events of ours"


def columns(tally: Tally, kind: str, groups: list[tuple[Key, Group]], clock: Clock) -> list[Column]:
    """Return the table of a kind; what it is about has rank 0."""

    def numbers(name: str, rank: int, value: Callable[[Group], str], colour: str = "") -> Column:
        texts = [value(group) for _, group in groups]
        cells = [Cell(text, colour if text.strip("0%. ") else "") for text in texts]
        return Column(name, cells, rank, right=True)

    names = [
        Column(name, [Cell(printable(key[at])) for key, _ in groups], shrinks=True)
        for at, name in enumerate(COLUMNS[kind])
    ]
    found = [
        *names,
        numbers("events", 0, lambda group: str(group.events)),
        numbers("rate", 3, lambda group: rate_text(tally.rate(group.events))),
    ]
    if kind == "route":
        return [*found, *_of_routes(numbers, groups)]
    if kind == "error":
        return [*found[:-1], *_of_errors(groups, clock)]
    return [
        *found,
        numbers("errors", 2, lambda group: str(group.errors), _RED),
        numbers("bytes", 1, lambda group: size_text(group.size)),
        numbers("share", 1, lambda group: f"{100 * share(group.size, tally.total.size):.1f}%"),
    ]


def _of_routes(numbers: Callable[..., Column], groups: list[tuple[Key, Group]]) -> Iterator[Column]:
    found = [group.durations.percentiles(*SHARES) for _, group in groups]
    for at, name in enumerate(SHARES):
        texts = (one[at] for one in found)
        cells = [Cell("" if ns is None else duration_text(ns)) for ns in texts]
        yield Column(f"p{name}", cells, rank=0 if name != SHARES[-1] else 1, right=True)
    yield numbers("4xx", 2, lambda group: str(group.client_errors), _YELLOW)
    yield numbers("5xx", 0, lambda group: str(group.failed), _RED)


def _of_errors(groups: list[tuple[Key, Group]], clock: Clock) -> Iterator[Column]:
    def texts(name: str, rank: int, value: Callable[[Group], str], *, shrinks: bool) -> Column:
        cells = [Cell(printable(value(group)).partition("\n")[0]) for _, group in groups]
        return Column(name, cells, rank, shrinks=shrinks)

    yield texts("first seen", 1, lambda group: clock(group.first), shrinks=False)
    yield texts("last seen", 1, lambda group: clock(group.last), shrinks=False)
    yield texts("services", 2, lambda group: ", ".join(sorted(group.services)), shrinks=True)
    yield texts("message", 3, lambda group: group.message, shrinks=True)


def share(part: int, whole: int) -> float:
    """Return a part of a whole, from 0 to 1."""
    return part / whole if whole else 0.0


def size_text(number: float) -> str:
    """Return bytes with a unit: `803 B`, `1.2 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    raise AssertionError


def rate_text(rate: float | None) -> str:
    """Return a rate with the unit in which it is a number of one or more: `12.5/s`, `3/min`."""
    if not rate:
        return ""
    for unit, seconds in (("s", 1), ("min", 60), ("h", 3600)):
        if rate * seconds >= 1 or unit == "h":
            return f"{rate * seconds:.1f}/{unit}"
    raise AssertionError
