"""The result of a scan, for people and for programs."""

from __future__ import annotations

from typing import Any

import click

from flowery_logging.cli.reading.output import rich_console
from flowery_logging.cli.scan.findings import Findings, Place


def as_data(findings: Findings, code: int) -> dict[str, Any]:
    """Return the result as plain data."""
    return {
        "events": findings.events,
        "foreign_lines": findings.foreign,
        "found": findings.total,
        "kinds": findings.kinds(),
        "places": [
            {**place._asdict(), "count": count} for place, count in findings.ordered()
        ],
        "exit_code": code,
    }  # fmt: skip


def show(findings: Findings) -> None:
    """Print the result as a table, and what it comes to."""
    looked = f"{findings.events} events"
    if findings.foreign:
        looked += f" and {findings.foreign} lines that are none"
    if not findings.total:
        click.echo(f"{looked}: nothing was found.")
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("count", justify="right")
    for name in ("kind", "field", "call site", "logger", "service"):
        table.add_column(name, overflow="fold")
    for place, count in findings.ordered():
        site = _site(place)
        table.add_row(str(count), place.kind, place.field, site, place.logger, place.service)
    rich_console().print(table)
    kinds = ", ".join(f"{count} {kind}" for kind, count in findings.kinds().items())
    click.echo(f"{looked}: {findings.total} found ({kinds}).")


def _site(place: Place) -> str:
    return f"{place.file}:{place.line}" if place.file and place.line else place.file
