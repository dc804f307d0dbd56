"""What every command asks first: what the files hold, and what of it has arrived."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from flowery_logging.cli.audit import arrivals
from flowery_logging.cli.audit.reading import Accounts, Advance, list_files, take_account
from flowery_logging.cli.audit.verdict import Finding, Verdict, deliver
from flowery_logging.cli.elasticsearch import Elasticsearch
from flowery_logging.cli.reading.output import cannot_read


def read_files(directories: list[Path], horizon: float) -> Accounts:
    """Return what the files hold, with a bar on a terminal while they are read.

    `horizon`: events logged at this time (seconds since the epoch) or later are young. Raises
    click.UsageError if there are none, or if one cannot be read.
    """
    for directory in directories:
        if not directory.exists():
            raise click.UsageError(f"{directory} does not exist: DIR is where services write")
    try:
        size = sum(file.size for file in list_files(directories))
        with _progress(size) as advance:
            accounts = take_account(
                directories, datetime.fromtimestamp(horizon, timezone.utc), advance
            )
    except OSError as error:
        raise cannot_read(error) from None
    if not accounts.files:
        raise click.UsageError(f"no log files in {', '.join(map(str, directories))}")
    return accounts


def judge(
    accounts: Accounts, server: Elasticsearch | None, index: str, settled_before: float
) -> Verdict:
    """Return the verdict on the accounts, with what has arrived if there is a server.

    `settled_before`: see `deliver`. Raises ElasticsearchError.
    """
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
