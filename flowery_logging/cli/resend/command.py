"""The command line of `resend`: what the audit finds missing is created again."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from flowery_logging.cli.access import access_options, connect, index_option
from flowery_logging.cli.audit.examination import judge, read_files
from flowery_logging.cli.audit.ranges import Ranges
from flowery_logging.cli.audit.verdict import Finding, Verdict
from flowery_logging.cli.elasticsearch import ElasticsearchError
from flowery_logging.cli.reading.options import MOST_SECONDS, NumberRange
from flowery_logging.cli.reading.output import cannot_read
from flowery_logging.cli.resend.events import Document, documents
from flowery_logging.cli.resend.sending import Sent, send
from flowery_logging.files.reader import LogFile

NOT_ALL = 1
UNREACHABLE = 4

_SHOWN = 10  # events that were refused, each with its reason

_EXIT_CODES = """\b
Exit codes:
  0  everything that was missing is there now, or nothing was missing
  1  some of it was refused
  2  wrong arguments, no log files, or files that cannot be read
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
@click.option("--elasticsearch", metavar="URL", required=True)
@index_option
@click.option(
    "--grace",
    type=NumberRange(0, MOST_SECONDS),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="What may still be on its way is left alone: see `flowery-logging audit`.",
)
@click.option("--refused", is_flag=True, help="Also what lies in the failure store.")
@click.option("--dry-run", is_flag=True, help="Say what is missing, create none of it.")
@access_options
def resend(
    directories: tuple[Path, ...],
    elasticsearch: str,
    index: str,
    grace: float,
    refused: bool,
    dry_run: bool,
    **access: object,
) -> None:
    """Create again in Elasticsearch what the log files of DIR hold and the audit finds missing.

    Each event is created straight from its file, in the stream that it names, under its own ID: one
    that has arrived meanwhile stays as it is. The key needs the roles flowery_reader and
    flowery_writer.
    """
    server = connect(elasticsearch, access)
    assert server is not None  # noqa: S101 - the option is required
    now = time.time()
    accounts = read_files(list(directories), now - grace)
    try:
        missing = list(_missing(judge(accounts, server, index, now - grace), refused=refused))
        if dry_run:
            _say_missing(missing)
            return
        outside: list[str] = []
        sent = send(server, _documents(missing, outside))
    except ElasticsearchError as error:
        click.echo(f"Elasticsearch: {error}", err=True)
        sys.exit(UNREACHABLE)
    except OSError as error:
        raise cannot_read(error) from None
    sent.refused += [f"{identity}: its stream is not served by the kit" for identity in outside]
    _say(sent)
    sys.exit(NOT_ALL if sent.refused else 0)


def _missing(verdict: Verdict, *, refused: bool) -> Iterator[tuple[LogFile, Finding, Ranges]]:
    """Yield the files in which missing events lie, each with their numbers."""
    for finding in verdict.findings:
        if finding.delivery is None:
            continue
        wanted = Ranges(finding.delivery.missing)
        if refused:
            wanted.update(finding.delivery.refused)
        for file in finding.process.files:
            numbers = file.numbers & wanted
            if numbers:
                yield file.file, finding, numbers


def _documents(
    missing: list[tuple[LogFile, Finding, Ranges]], outside: list[str]
) -> Iterator[Document]:
    for file, finding, numbers in missing:
        for found in documents(file, finding.process.entity, numbers):
            if isinstance(found, Document):
                yield found
            else:
                outside.append(found)


def _say_missing(missing: list[tuple[LogFile, Finding, Ranges]]) -> None:
    for file, finding, numbers in missing:
        click.echo(f"{finding.process.service} {finding.process.entity}: {numbers} of {file.path}")
    click.echo(f"{sum(len(numbers) for _, _, numbers in missing)} events are missing.")


def _say(sent: Sent) -> None:
    click.echo(f"{sent.created} events created, {sent.there} were there already.")
    if sent.refused:
        click.echo(f"{len(sent.refused)} were refused:", err=True)
        for text in sent.refused[:_SHOWN]:
            click.echo(f"  {text}", err=True)
