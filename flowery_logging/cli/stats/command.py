"""The command line of `stats`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import click
import orjson

from flowery_logging.cli import page
from flowery_logging.cli.reading.directories import directories_of, list_files, require_files
from flowery_logging.cli.reading.events import of_all, wanted_lines
from flowery_logging.cli.reading.options import (
    directories_argument,
    event_options,
    json_option,
    utc_option,
    wanted,
)
from flowery_logging.cli.reading.output import quiet_output
from flowery_logging.cli.reading.wanted import Wanted
from flowery_logging.cli.stats import report
from flowery_logging.cli.stats.kinds import KINDS
from flowery_logging.cli.stats.page import as_page
from flowery_logging.cli.stats.tally import Tally, count
from flowery_logging.files.reader import LogFile

OVERVIEW: Final = ("service", "level", "route", "error", "callsite")
"""What is shown without --by."""

OVERVIEW_ROWS: Final = 5
ROWS: Final = 30

_EPILOG = """\b
Exit codes:
  0  counted (also where there is nothing to count)
  2  wrong arguments, no log files, or files that cannot be read
\b
Examples:
  flowery-logging stats --since today
  flowery-logging stats --by route --service orders
  flowery-logging stats --by error --since 7d --html errors.html
  flowery-logging stats --by callsite        # what costs storage
"""


@click.command(epilog=_EPILOG)
@directories_argument
@click.option(
    "--by",
    type=click.Choice(list(KINDS)),
    help="Only this table, and all of it. route: p50, p95, p99 of the requests; error: groups of "
    "equal errors, with the first and last time; callsite: bytes by the place of the call.",
)
@click.option(
    "-n", "--rows", "most", type=click.IntRange(min=1), metavar="N",
    help=f"So many rows of each table.  [default: {OVERVIEW_ROWS}; with --by {ROWS}]",
)  # fmt: skip
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it as a page to send, with plots: one file, no script.",
)
@event_options
@json_option
@utc_option
def stats(
    directories: tuple[Path, ...],
    by: str | None,
    most: int | None,
    html: Path | None,
    as_json: bool,
    utc: bool,
    **options: Any,
) -> None:
    """Count events: by service, level, route, error and call site.

    DIR is where the services write; without it, where setup() would: FLOWERY_LOG_DIR,
    /var/log/flowery, ./logs. Rates are those over the time from the first to the last event.
    """
    asked, places = wanted(**options), directories_of(directories)
    most = most or (OVERVIEW_ROWS if by is None else ROWS)
    with quiet_output():
        require_files(places)
        tally = _count(list_files(places, asked.selection), asked, by)
        if html is not None:
            page.write(html, as_page(tally, most, utc=utc))
        if as_json:
            click.echo(orjson.dumps(report.as_json(tally), option=orjson.OPT_INDENT_2))
        elif html is None:
            for line in report.text(tally, most, utc=utc):
                click.echo(line)
    sys.exit(0)


def _count(files: list[LogFile], asked: Wanted, by: str | None) -> Tally:
    lines = of_all(files, lambda file: wanted_lines(file, asked))
    return count(lines, OVERVIEW if by is None else (by,))
