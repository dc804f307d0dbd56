"""The command line of `find`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click
import orjson

from flowery_logging.cli.find.requests import Match, Matches, find_requests
from flowery_logging.cli.find.value import Value
from flowery_logging.cli.reading.directories import (
    directories_of,
    hint_at_services,
    list_files,
    require_files,
)
from flowery_logging.cli.reading.fields import first_of, text_of
from flowery_logging.cli.reading.options import (
    directories_argument,
    json_option,
    service_option,
    time_options,
    utc_option,
)
from flowery_logging.cli.reading.output import is_coloured, quiet_output, terminal_columns
from flowery_logging.cli.reading.wanted import Wanted
from flowery_logging.cli.trace.hops import Hop
from flowery_logging.cli.trace.text import one_line
from flowery_logging.cli.trace.tree import Trace
from flowery_logging.files.columns import clipped, width
from flowery_logging.files.event_line import BOLD, DIM, RED, local_time
from flowery_logging.files.shown import duration_text
from flowery_logging.redaction import pseudonyms

NOT_FOUND: Final = 1

_EPILOG = """\b
Exit codes:
  0  there are such requests
  1  there is none
  2  wrong arguments, no log files, or files that cannot be read
\b
Examples:
  flowery-logging find 7
  flowery-logging find customer-5 --since 1d
  flowery-logging find "결제 실패" -n 5
"""


@click.command(epilog=_EPILOG)
@click.argument("value")
@directories_argument
@click.option(
    "-n", "--lines", "most", type=click.IntRange(min=1), default=20, show_default=True,
    metavar="N", help="Only the newest N requests.",
)  # fmt: skip
@service_option
@time_options
@json_option
@utc_option
def find(
    value: str,
    directories: tuple[Path, ...],
    most: int,
    services: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
    utc: bool,
) -> None:
    """Show the requests in which VALUE occurs, the newest first, each with its trace ID.

    VALUE is an order number, a user, a text: looked for in messages, errors, URLs and fields, not
    in what only says how an event came about (processes, durations, files). A number is found only
    as a whole. With FLOWERY_LOG_PSEUDONYM_KEY, fields are found too in which a service writes the
    pseudonym of VALUE, however VALUE is written: 010-1234-5678 or +82 10 1234 5678. DIR is where
    the services write; without it, where setup() would: FLOWERY_LOG_DIR, /var/log/flowery, ./logs.
    """
    if not value.strip():
        raise click.BadParameter("it is empty", param_hint="VALUE")
    places, wanted = directories_of(directories), Wanted(services, since=since, until=until)
    with quiet_output():
        require_files(places)
        hint_at_services(places, wanted)
        looked_for = Value(value, _pseudonyms(value))
        matches = find_requests(list_files(places), looked_for, wanted, most)
        if as_json:
            sys.stdout.write(_as_json(matches))
        else:
            _show(matches, value, utc=utc)
    sys.exit(0 if matches.newest else NOT_FOUND)


def _pseudonyms(value: str) -> tuple[str, ...]:
    """Return what services write in place of the value, if there is a key for that."""
    variables = (pseudonyms.KEY_VARIABLE, pseudonyms.OLD_KEYS_VARIABLE)
    if not any(os.environ.get(name, "").strip() for name in variables):
        return ()
    try:
        return pseudonyms.every(value)
    except pseudonyms.NoKeyError as error:
        raise click.UsageError(str(error)) from None


def _show(matches: Matches, value: str, *, utc: bool) -> None:
    look = _Look(utc=utc)
    for match in matches.newest:
        for line in look.lines(match):
            sys.stdout.write(line + "\n")
    sys.stdout.flush()
    if not matches.newest:
        click.echo(f"{value} occurs in no request", err=True)
    if matches.more:
        noun = "request is" if matches.more == 1 else "requests are"
        click.echo(f"{matches.more} older {noun} not shown: see -n", err=True)


class _Look:
    def __init__(self, *, utc: bool) -> None:
        self._coloured = is_coloured()
        self._columns = terminal_columns()
        self._utc = utc

    def lines(self, match: Match) -> Iterator[str]:
        """Yield what a person wants to know of a request, in two lines."""
        trace = match.trace
        root = root_of(trace)
        failed = bool(trace and trace.errors)
        time = local_time(text_of(match.first, "@timestamp"), utc=self._utc)
        yield self._line([
            (time, DIM),
            (one_line(root.title) if root else "", f"{BOLD};{RED}" if failed else BOLD),
            (duration_text(root.duration) if root and root.closing else "", ""),
            (", ".join(map(one_line, trace.services)) if trace else "", ""),
            (_errors(trace), RED),
        ])  # fmt: skip
        where = one_line(f"{match.place.name}={match.place.value}")
        lines = f"in {match.count} line{'' if match.count == 1 else 's'}"
        named = f"trace {match.trace_id}" if match.trace_id else "no trace"
        yield self._line([("    " + named, ""), (lines, DIM), (where, DIM)])

    def _line(self, parts: list[tuple[str, str]]) -> str:
        """Return parts side by side, cut where the terminal ends."""
        shown, left = [], self._columns or sys.maxsize
        for text, code in parts:
            cut = clipped(text, left)
            if cut:
                shown.append(self._paint(cut, code))
                left -= width(cut) + 2
        return "  ".join(shown)

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._coloured and code else text


def root_of(trace: Trace | None) -> Hop | None:
    """Return the first hop of a trace that tells what it was: its first request or task."""
    if trace is None or not trace.roots:
        return None
    return next((hop for hop in trace.hops if hop.closing is not None), trace.roots[0])


def _errors(trace: Trace | None) -> str:
    count = len(trace.errors) if trace else 0
    return f"{count} error{'' if count == 1 else 's'}" if count else ""


def _as_json(matches: Matches) -> str:
    content = {"requests": [_request(match) for match in matches.newest], "more": matches.more}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n"


def _request(match: Match) -> dict[str, Any]:
    trace, root = match.trace, root_of(match.trace)
    closing = root.closing if root and root.closing else {}
    return {
        "trace_id": match.trace_id,
        "request_id": match.request_id,
        "time": text_of(match.first, "@timestamp"),
        "title": root.title if root else "",
        "status": first_of(closing, "http.response.status_code"),
        "duration_ms": root.duration / 1_000_000 if root and root.closing else None,
        "services": trace.services if trace else [],
        "errors": len(trace.errors) if trace else 0,
        "matching_events": match.count,
        "field": match.place.name,
        "first_event": match.first,
    }
