"""The command line of the audit: its options, its order of work and its exit codes."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click
import orjson

from flowery_logging.cli import page
from flowery_logging.cli.access import access_options, connect, index_option
from flowery_logging.cli.audit import report
from flowery_logging.cli.audit.examination import judge, read_files
from flowery_logging.cli.audit.verdict import Exit
from flowery_logging.cli.elasticsearch import ElasticsearchError
from flowery_logging.cli.reading.directories import directories_of
from flowery_logging.cli.reading.options import MOST_SECONDS, NumberRange, directories_argument
from flowery_logging.cli.reading.output import quiet_output
from flowery_logging.ecs.encode import dumps

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
@directories_argument
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the result as a page to send: one file, no script.",
)
@click.option("--elasticsearch", metavar="URL", help="Compare with what has arrived there.")
@index_option
@click.option(
    "--grace",
    type=NumberRange(0, MOST_SECONDS),
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
    html: Path | None,
    elasticsearch: str | None,
    index: str,
    grace: float,
    **access: object,
) -> None:
    """Count the events in the log files of DIR and tell what is missing.

    DIR is where the services write; without it, where setup() would: FLOWERY_LOG_DIR,
    /var/log/flowery, ./logs.

    Every process numbers its events 1, 2, 3 …; a gap that no record announces is a loss. With
    --elasticsearch, also tell what of the files has not arrived there, and in which file it lies.
    """
    server = connect(elasticsearch, access)
    now = time.time()
    accounts = read_files(directories_of(directories), now - grace)
    try:
        verdict = judge(accounts, server, index, now - grace)
    except ElasticsearchError as error:
        click.echo(f"Elasticsearch cannot be asked: {error}", err=True)
        sys.exit(Exit.UNREACHABLE)
    if html is not None:
        page.write(html, report.page_of(verdict))
    with quiet_output():
        if as_json:
            click.echo(dumps(report.as_json(verdict), orjson.OPT_INDENT_2))
        else:
            report.show(verdict)
    sys.exit(verdict.exit)
