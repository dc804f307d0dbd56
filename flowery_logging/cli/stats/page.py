"""What was counted as one page to send: tables and plots, no script, nothing loaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta, timezone
from typing import Final

from flowery_logging.cli.page import cell, escape, page, table
from flowery_logging.cli.reading.times import moment_of
from flowery_logging.cli.stats.kinds import Key
from flowery_logging.cli.stats.report import SHARES, TITLES, Clock, columns, size_text, summary
from flowery_logging.cli.stats.tally import Group, Tally
from flowery_logging.cli.table import Column
from flowery_logging.files.shown import duration_text

BARS: Final = 120
WIDTH: Final = 960
PLOT_HEIGHT: Final = 140
ROW_HEIGHT: Final = 22
LABEL_WIDTH: Final = 320
NAME_CHARS: Final = 45

_CLASSES: Final = {"1;31": "bad", "33": "warn"}


def as_page(tally: Tally, most: int, *, utc: bool) -> str:
    """Return the page; times as the reader of the command has them."""

    def clock(time: str) -> str:
        return _day_and_time(time, utc=utc)

    body = [f"<p>{escape(line)}</p>" for line in summary(tally, clock)]
    body += _timeline(tally, clock)
    for kind in tally.kinds:
        groups = tally.largest(kind)[:most]
        if groups:
            body.append(f"<h2>{escape(TITLES[kind])}</h2>")
            body += _plot(kind, groups)
            body.append(_table(columns(tally, kind, groups, clock)))
    return page("Events in log files", body)


def _day_and_time(time: str, *, utc: bool) -> str:
    """Return a time with its date and zone: a page is read elsewhere, and later."""
    moment = moment_of(time)
    if moment is None:
        return time
    return f"{moment.astimezone(timezone.utc if utc else None):%Y-%m-%d %H:%M:%S %Z}"


def _table(shown: Sequence[Column]) -> str:
    cells = ([_cell(column, at) for column in shown] for at in range(len(shown[0].cells)))
    return table([column.name for column in shown], cells)


def _cell(column: Column, at: int) -> str:
    one = column.cells[at]
    value = int(one.text) if column.right and one.text.isdecimal() else one.text
    looks = ("n" if column.right else "", _CLASSES.get(one.colour, ""))
    return cell(value, " ".join(filter(None, looks)))


def _timeline(tally: Tally, clock: Clock) -> Iterator[str]:
    """Yield a plot of events over time, with the errors among them."""
    first, last = moment_of(tally.total.first), moment_of(tally.total.last)
    if first is None or last is None or len(tally.minutes) < 2:
        return
    begin = first.replace(second=0, microsecond=0)
    minutes = int((last - begin) / timedelta(minutes=1)) + 1
    step = -(-minutes // BARS)
    bars = -(-minutes // step)
    events, errors = [0] * bars, [0] * bars
    for counts, source in ((events, tally.minutes), (errors, tally.error_minutes)):
        for minute, number in source.items():
            moment = moment_of(f"{minute}:00Z")
            if moment is not None and moment >= begin:
                counts[int((moment - begin) / timedelta(minutes=step))] += number
    what = f"events every {step} min, errors in red; at most {max(events):,}"
    yield f"<h2>{escape(what)}</h2>"
    ends = clock(tally.total.first), clock(tally.total.last)
    yield "".join(_bars(events, errors, ends))


def _bars(events: list[int], errors: list[int], ends: tuple[str, str]) -> Iterator[str]:
    highest, width = max(events), WIDTH / len(events)
    yield _svg(PLOT_HEIGHT + 18)
    for at, (all_of_it, wrong) in enumerate(zip(events, errors, strict=True)):
        for number, kind in ((all_of_it, "bar"), (wrong, "bad")):
            height = PLOT_HEIGHT * number / highest
            if number:
                yield _rect(at * width, PLOT_HEIGHT - height, max(width - 1, 0.5), height, kind)
    yield _label(0, PLOT_HEIGHT + 14, ends[0])
    yield _label(WIDTH, PLOT_HEIGHT + 14, ends[1], anchor="end")
    yield "</svg>"


def _plot(kind: str, groups: list[tuple[Key, Group]]) -> Iterator[str]:
    """Yield bars of what a kind is about: durations of routes, bytes of services and call sites."""
    if kind == "route":
        values = [group.durations.percentiles(SHARES[1])[0] or 0 for _, group in groups]
        yield "".join(_rows(groups, values, [f"p95 {duration_text(one)}" for one in values]))
    elif kind in {"service", "callsite"}:
        values = [group.size for _, group in groups]
        yield "".join(_rows(groups, values, [size_text(one) for one in values]))


def _rows(groups: list[tuple[Key, Group]], values: list[int], texts: list[str]) -> Iterator[str]:
    highest = max(values) or 1
    room = WIDTH - LABEL_WIDTH - 110
    yield _svg(ROW_HEIGHT * len(groups) + 4)
    for at, ((key, group), value) in enumerate(zip(groups, values, strict=True)):
        y, width = at * ROW_HEIGHT, room * value / highest
        name, look = " ".join(key), "bad" if group.failed else "bar"
        shown = name if len(name) <= NAME_CHARS else f"…{name[1 - NAME_CHARS :]}"
        yield _label(LABEL_WIDTH - 8, y + 15, shown, "end")
        yield _rect(LABEL_WIDTH, y + 3, max(width, 1), ROW_HEIGHT - 6, look)
        yield _label(LABEL_WIDTH + max(width, 1) + 6, y + 15, texts[at])
    yield "</svg>"


def _svg(height: int) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">'


def _rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" class="{kind}"/>'
    )


def _label(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
