"""The command line of `trace`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import orjson

from flowery_logging.cli.access import access_options, connect, index_option
from flowery_logging.cli.reading.directories import directories_of, list_files, require_files
from flowery_logging.cli.reading.fields import text_of
from flowery_logging.cli.reading.options import (
    directories_argument,
    json_option,
    time_options,
    utc_option,
)
from flowery_logging.cli.reading.output import is_coloured, quiet_output, terminal_columns
from flowery_logging.cli.reading.wanted import Wanted
from flowery_logging.cli.trace.gathering import Gathered, gather
from flowery_logging.cli.trace.hops import Record, time_of
from flowery_logging.cli.trace.ids import Asked, parse_id
from flowery_logging.cli.trace.text import Tree, day_and_time
from flowery_logging.cli.trace.tree import Trace, build

if TYPE_CHECKING:
    from flowery_logging.cli.elasticsearch import Elasticsearch

NOT_FOUND: Final = 1
UNREACHABLE: Final = 4
_SHOWN: Final = 20

_EPILOG = """\b
Exit codes:
  0  the trace is shown
  1  no event has such an ID, or several traces have it
  2  wrong arguments, no log files, or files that cannot be read
  4  Elasticsearch gives no answer, or refuses
\b
Examples:
  flowery-logging trace 4bf92f35
  flowery-logging trace 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
  flowery-logging trace my-request-id --html request.html
  flowery-logging trace 4bf92f35 --elasticsearch https://localhost:9200
"""


@click.command(epilog=_EPILOG)
@click.argument("id_", metavar="ID")
@directories_argument
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write one page to send or to keep; - is standard output.",
)
@click.option("--elasticsearch", metavar="URL", help="Ask there, in place of reading files.")
@index_option
@access_options
@time_options
@json_option
@utc_option
def trace(
    id_: str,
    directories: tuple[Path, ...],
    html: Path | None,
    elasticsearch: str | None,
    index: str,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
    utc: bool,
    **access: object,
) -> None:
    """Show one request as a tree: its services, calls and tasks, with the lines of each.

    ID is a trace ID, a request ID, a traceparent, the ID of a task, a span or an event, or how one
    begins. DIR is where the services write; without it, where setup() would: FLOWERY_LOG_DIR,
    /var/log/flowery, ./logs.
    """
    try:
        asked = parse_id(id_)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="ID") from None
    server = connect(elasticsearch, access)
    with quiet_output():
        if server is None:
            gathered = _from_files(directories, asked, Wanted(since=since, until=until))
        else:
            gathered = _from_server(server, index, asked, since, until)
        found = _the_one(gathered, id_, utc=utc)
        if html is not None:
            _write_page(found, html, utc=utc)
        elif as_json:
            _write_json(found)
        else:
            _write_tree(found, utc=utc)
        if gathered.left_out:
            click.echo(f"{gathered.left_out} more events are not shown", err=True)


def _from_files(directories: tuple[Path, ...], asked: Asked, wanted: Wanted) -> Gathered:
    places = directories_of(directories)
    require_files(places)
    return gather(list_files(places, wanted.selection), asked, wanted)


def _from_server(
    server: Elasticsearch, index: str, asked: Asked, since: datetime | None, until: datetime | None
) -> Gathered:
    from flowery_logging.cli.elasticsearch import ElasticsearchError
    from flowery_logging.cli.trace.arrived import gather_arrived

    try:
        return gather_arrived(server, index, asked, since, until)
    except ElasticsearchError as error:
        click.echo(f"Elasticsearch cannot be asked: {error}", err=True)
        sys.exit(UNREACHABLE)


def _the_one(gathered: Gathered, asked: str, *, utc: bool) -> Trace:
    """Return the trace; exit if there is none, or more than one."""
    if gathered.records:
        return build(gathered.records)
    if gathered.others:
        click.echo(
            f"{len(gathered.others)} traces have the ID {asked}; one of them is wanted:", err=True
        )
        _list(gathered.others, utc=utc)
    else:
        click.echo(f"no event has the ID {asked}", err=True)
    sys.exit(NOT_FOUND)


def _list(traces: Mapping[str, Record], *, utc: bool) -> None:
    """Say which traces there are, the youngest first."""
    ordered = sorted(traces.items(), key=lambda item: time_of(item[1]), reverse=True)
    for trace_id, record in ordered[:_SHOWN]:
        when = day_and_time(time_of(record), utc=utc)
        click.echo(f"  {trace_id}  {when}  {text_of(record, 'service.name')}", err=True)
    if len(ordered) > _SHOWN:
        click.echo(f"  … and {len(ordered) - _SHOWN} older ones", err=True)


def _write_tree(found: Trace, *, utc: bool) -> None:
    tree = Tree(found, coloured=is_coloured(), columns=terminal_columns(), utc=utc)
    for line in tree.lines():
        sys.stdout.write(line + "\n")


def _write_json(found: Trace) -> None:
    from flowery_logging.cli.trace.as_json import as_json

    content: Any = as_json(found)
    sys.stdout.write(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n")


def _write_page(found: Trace, path: Path, *, utc: bool) -> None:
    from flowery_logging.cli.page import write
    from flowery_logging.cli.trace.page import page

    content = page(found, utc=utc)
    if str(path) == "-":
        sys.stdout.write(content)
        return
    write(path, content)
