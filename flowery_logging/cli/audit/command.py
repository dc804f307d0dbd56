"""The command line of the audit: its options, its order of work and its exit codes."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from flowery_logging.cli.audit import arrivals, report
from flowery_logging.cli.audit.reading import Accounts, Advance, list_files, take_account
from flowery_logging.cli.audit.verdict import Exit, Finding, Verdict, deliver
from flowery_logging.cli.elasticsearch import Access, Elasticsearch, ElasticsearchError

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
@click.option("--api-key", envvar="ELASTICSEARCH_API_KEY", show_envvar=True, metavar="KEY")
@click.option("--user", envvar="ELASTICSEARCH_USER", show_envvar=True, metavar="NAME")
@click.option("--password", envvar="ELASTICSEARCH_PASSWORD", show_envvar=True, metavar="TEXT")
@click.option(
    "--ca-certs",
    type=click.Path(exists=True, dir_okay=False),
    help="A PEM file with the authorities to trust.",
)
@click.option("--insecure", is_flag=True, help="Do not check the server's certificate.")
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
    server = _connect(elasticsearch, access)
    now = time.time()
    accounts = _read(list(directories), now - grace)
    try:
        verdict = _judge(accounts, server, index, now - grace)
    except ElasticsearchError as error:
        click.echo(f"Elasticsearch cannot be asked: {error}", err=True)
        sys.exit(Exit.UNREACHABLE)
    if as_json:
        click.echo(orjson.dumps(report.as_json(verdict), option=orjson.OPT_INDENT_2))
    else:
        report.show(verdict, _console())
    sys.exit(verdict.exit)


def _connect(url: str | None, access: dict[str, Any]) -> Elasticsearch | None:
    if url is None:
        return None
    try:
        return Elasticsearch(Access(url, **access))
    except (ValueError, OSError) as error:
        raise click.BadParameter(str(error), param_hint="--elasticsearch") from None


def _read(directories: list[Path], horizon: float) -> Accounts:
    try:
        size = sum(file.size for file in list_files(directories))
        with _progress(size) as advance:
            accounts = take_account(
                directories, datetime.fromtimestamp(horizon, timezone.utc), advance
            )
    except OSError as error:
        raise click.UsageError(f"cannot read {error.filename}: {error.strerror}") from None
    if not accounts.files:
        raise click.UsageError(f"no log files in {', '.join(map(str, directories))}")
    return accounts


def _judge(
    accounts: Accounts, server: Elasticsearch | None, index: str, settled_before: float
) -> Verdict:
    processes = accounts.processes.values()
    absent = {process.entity: process.absent(accounts.removals) for process in processes}
    if server is None:
        return Verdict(accounts, [Finding(p, absent[p.entity]) for p in processes])
    written = {process.entity: process.numbers for process in processes}
    arrived = arrivals.ask(server, index, written)

    def findings() -> Iterator[Finding]:
        for process in processes:
            entity = process.entity
            delivery = deliver(process, absent[entity], arrived[entity], settled_before)
            yield Finding(process, absent[entity], delivery)

    missing = {
        finding.process.entity: finding.delivery.missing
        for finding in findings()
        if finding.delivery is not None and finding.delivery.missing
    }
    store = arrivals.ask_failures(server, index, missing, arrived) if missing else None
    return Verdict(accounts, list(findings()), store)


@contextmanager
def _progress(size: int) -> Iterator[Advance]:
    """Show a bar on stderr, if that is a terminal, and yield what moves it."""
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=size)
        yield lambda count: bar.advance(task, count)


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=_PIPE_WIDTH)
