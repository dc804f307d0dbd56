"""`flowery-logging tail`: the last events of all services in the order of time, and new ones."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import orjson

from flowery_logging.cli.reading.directories import (
    directories_of,
    hint_at_services,
    list_files,
    require_files,
)
from flowery_logging.cli.reading.events import last_lines, merged
from flowery_logging.cli.reading.lines import Lines
from flowery_logging.cli.reading.options import (
    directories_argument,
    event_options,
    json_option,
    utc_option,
    wanted,
)
from flowery_logging.cli.reading.output import is_closed, quiet_output
from flowery_logging.cli.reading.wanted import Wanted
from flowery_logging.ecs.encode import dumps
from flowery_logging.files.follow import POLL_SECONDS, Follower
from flowery_logging.files.reader import Kind, Line, is_in_use

LAST: int = 20

_EXAMPLES = """\b
Examples:
  flowery-logging tail -f
  flowery-logging tail --since 10m --level warning
  flowery-logging tail --since today --where order_id=7
  flowery-logging tail --where 'http.response.status_code>=500' -n 5
  flowery-logging tail -f --service orders --json | jq .message
"""


@click.command(epilog=_EXAMPLES)
@directories_argument
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on.")
@click.option(
    "-n",
    "--lines",
    "count",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Only the last N events. Without it {LAST}, and with --since all.",
)
@event_options
@json_option
@utc_option
def tail(
    directories: tuple[Path, ...],
    follow: bool,
    count: int | None,
    as_json: bool,
    utc: bool,
    **options: Any,
) -> None:
    """Show the last events of all services, in the order of time.

    DIR is where the services write; without it, where setup() would: FLOWERY_LOG_DIR,
    /var/log/flowery, ./logs. With -f, rotations and new processes are followed too. A line that is
    no event is shown, and marked.
    """
    asked, places = wanted(**options), directories_of(directories)
    with quiet_output():
        if not follow:
            require_files(places)
        hint_at_services(places, asked)
        write = _json_writer() if as_json else _text_writer(utc=utc)
        follower = Follower(places)
        write(_history(places, asked, count, follower))
        if follow:
            for lines in _new(follower, asked):
                write(lines)


def _history(
    places: list[Path], asked: Wanted, count: int | None, follower: Follower
) -> Iterable[Line]:
    """Return what lay there when the follower began."""
    read = follower.positions
    files = [file for file in list_files(places, asked.selection, absent=True) if file.path in read]
    # What stands behind the last line end of a file that nobody writes to stays as it is: torn.
    ends = {
        file.path: read[file.path]
        for file in files
        if read[file.path] == file.size or is_in_use(file)
    }
    if count is None and asked.since is not None:
        return merged(files, asked, ends)
    return last_lines(files, asked, LAST if count is None else count, ends)


def _new(follower: Follower, asked: Wanted) -> Iterator[Iterable[Line]]:
    """Yield what comes, look by look, until nobody reads it."""
    while not is_closed():
        yield (
            line for line in follower.look() if asked.admits_file(line.file) and asked.admits(line)
        )
        time.sleep(POLL_SECONDS)


def _text_writer(*, utc: bool) -> Any:
    lines = Lines(utc=utc)

    def write(found: Iterable[Line]) -> None:
        for line in found:
            sys.stdout.write(lines.text(line) + "\n")
        sys.stdout.flush()

    return write


def _json_writer() -> Any:
    def write(found: Iterable[Line]) -> None:
        for line in found:
            sys.stdout.buffer.write(as_json_line(line))
        sys.stdout.buffer.flush()

    return write


def as_json_line(line: Line) -> bytes:
    """Return an event as it lies in its file; another line in an object that says where."""
    if line.kind is Kind.EVENT:
        return line.data
    text = line.data.decode("utf-8", "backslashreplace").rstrip("\r\n")
    place = {"file": line.file.path, "offset": line.offset, "kind": line.kind.value}
    return dumps({"foreign": place | {"line": text}}, orjson.OPT_APPEND_NEWLINE)
