"""The command line of the audit: its options, its order of work and its exit codes."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click
import orjson
from rich.console import Console

from flowery_logging.cli.audit import report
from flowery_logging.cli.audit.examination import access_options, connect, judge, read_files
from flowery_logging.cli.audit.verdict import Exit
from flowery_logging.cli.elasticsearch import ElasticsearchError

_PIPE_WIDTH = 220  # columns of the table where there is no terminal to tell

_EXIT_CODES = """\b
Exit codes:
  0  nothing is missing but what is announced
  1  something was lost unannounced, or is missing in Elasticsearch
  2  wrong arguments, no log files, or files that cannot be read
  3  nothing is lost, but some events are still on their way to Elasticsearch
  4  Elasticsearch gives no answer, or refuses
  5  the extra is not installed: pip install 'flowery_logging[cli]'
"""


@click.command(epilog=_EXIT_CODES)
@click.argument(
    "directories",
    metavar="DIR...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.option("--elasticsearch", metavar="URL", help="Compare with what has arrived there.")
@click.option("--index", default="logs-flowery*", show_default=True, help="Where to look for it.")
@click.option(
    "--grace",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="An event that has not arrived is still on its way if it was logged so short a time ago, "
    "or if it comes after all that arrived of a process that still runs or wrote so short a time "
    "ago.",
)
@access_options
def audit(
    directories: tuple[Path, ...],
    as_json: bool,
    elasticsearch: str | None,
    index: str,
    grace: float,
    **access: Any,
) -> None:
    """Count the events in the log files of DIR and tell what is missing.

    Every process numbers its events 1, 2, 3 …; a gap that no record announces is a loss. With
    --elasticsearch, also tell what of the files has not arrived there, and in which file it lies.
    """
    server = connect(elasticsearch, access)
    now = time.time()
    accounts = read_files(list(directories), now - grace)
    try:
        verdict = judge(accounts, server, index, now - grace)
    except ElasticsearchError as error:
        click.echo(f"Elasticsearch cannot be asked: {error}", err=True)
        sys.exit(Exit.UNREACHABLE)
    if as_json:
        click.echo(orjson.dumps(report.as_json(verdict), option=orjson.OPT_INDENT_2))
    else:
        report.show(verdict, _console())
    sys.exit(verdict.exit)


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=_PIPE_WIDTH)
