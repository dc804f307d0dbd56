"""The verdict for people, as a table with the details below it, and for programs, as JSON."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import click

from flowery_logging.cli import page, table
from flowery_logging.cli.audit.ranges import Ranges
from flowery_logging.cli.audit.verdict import Delivery, Exit, Finding, Verdict
from flowery_logging.cli.reading.output import is_coloured
from flowery_logging.cli.table import Cell, Column, in_one_line

_LOOKS = {"clean": "green", "running": "cyan", "signal": "green", "unclean": "yellow"}
PIPE_COLUMNS: Final = 80
"""How wide the table is in a pipe: it is read in mails and tickets. COLUMNS changes that."""

_COLOURS: Final = {
    "red": "31", "bold red": "1;31", "yellow": "33", "green": "32", "cyan": "36", "dim": "2",
}  # fmt: skip
_CLASSES: Final = {"red": "bad", "bold red": "bad", "yellow": "warn", "dim": "dim"}
_SENTENCES = {
    Exit.COMPLETE: ("Nothing is lost: every gap is announced.", "green"),
    Exit.LOST: ("Events were lost.", "bold red"),
    Exit.ON_ITS_WAY: ("Nothing is lost; some events are still on their way.", "yellow"),
}


def as_json(verdict: Verdict) -> dict[str, Any]:
    """Return the verdict as JSON values; sequence numbers are texts like `12-40,42`."""
    accounts, result = verdict.accounts, verdict.exit
    return {
        "result": result.name.lower(),
        "exit_code": int(result),
        "files": accounts.files,
        "bytes": accounts.size,
        "foreign_lines": accounts.foreign,
        "removed_files": len(accounts.removals.files),
        "failure_store": verdict.failure_store,
        "processes": [_finding_as_json(finding) for finding in verdict.findings],
    }


def _finding_as_json(finding: Finding) -> dict[str, Any]:
    process, absent = finding.process, finding.absent
    return {
        "process": process.entity,
        "service": process.service,
        "host": process.host,
        "pid": process.pid,
        "start": process.start,
        "end": process.end.value,
        "reason": process.closing.reason if process.closing else "",
        "files": [file.file.path for file in process.files],
        "events": process.events,
        "first": process.numbers.first,
        "last": process.numbers.last,
        "lost": [
            {"sequences": str(Ranges([gap])), "after": before, "before": behind}
            for gap in finding.lost
            for before, behind in [finding.neighbours(gap)]
        ],
        "lost_events": finding.lost_events,
        "clashing": str(finding.clashing),
        "dropped": str(absent.dropped),
        "removed": str(absent.removed),
        "waiting": str(absent.waiting),
        "repeated": str(process.repeated),
        "repeated_lines": process.repeats,
        "torn": [place._asdict() for place in process.torn],
        "delivery": _delivery_as_json(finding, finding.delivery) if finding.delivery else None,
    }


def _delivery_as_json(finding: Finding, delivery: Delivery) -> dict[str, Any]:
    return {
        "arrived_events": len(delivery.arrived),
        "missing": [
            {"file": path, "sequences": str(part)}
            for path, part in finding.files_of(delivery.missing)
        ],
        "missing_events": len(delivery.missing),
        "on_its_way": str(delivery.on_its_way),
        "on_its_way_events": len(delivery.on_its_way),
        "refused": str(delivery.refused),
        "repeated": str(delivery.repeated),
        "repeated_documents": delivery.repeats,
        "removed_unshipped": str(delivery.unshipped),
    }


def show(verdict: Verdict) -> None:
    """Print the verdict: a table as wide as the output, and below it what the table counts."""
    coloured = is_coloured()
    asked = any(finding.delivery is not None for finding in verdict.findings)
    for line in table.lines(_columns(verdict, asked=asked), _width(), coloured=coloured):
        click.echo(line)
    for finding in verdict.findings:
        for look, text in _details(finding):
            click.echo(_painted(f"{_name(finding)}: {text}", look, coloured=coloured))
    for text in _remarks(verdict):
        click.echo(text)
    text, look = _SENTENCES[verdict.exit]
    click.echo(_painted(text, look, coloured=coloured))


def page_of(verdict: Verdict) -> str:
    """Return the verdict as a page to send."""
    text, look = _SENTENCES[verdict.exit]
    asked = any(finding.delivery is not None for finding in verdict.findings)
    shown = _columns(verdict, asked=asked, short=False)
    rows = zip(
        *([_html_cell(column, one) for one in column.cells] for column in shown), strict=True
    )
    details = [
        [page.cell(_name(finding)), page.cell(text, _CLASSES.get(look, ""))]
        for finding in verdict.findings
        for look, text in _details(finding)
    ]
    body = [
        f'<p class="{_CLASSES.get(look, "")}">{page.escape(text)}</p>',
        page.table([column.name for column in shown], rows),
        *([page.table(["process", "what"], details)] if details else []),
        *(f"<p>{page.escape(text)}</p>" for text in _remarks(verdict)),
    ]
    return page.page("Audit of log files", body)


def _width() -> int:
    return shutil.get_terminal_size((PIPE_COLUMNS, 24)).columns


def _html_cell(column: Column, cell: Cell) -> str:
    look = {_COLOURS[name]: kind for name, kind in _CLASSES.items()}.get(cell.colour, "")
    return page.cell(int(cell.text) if column.right and cell.text.isdecimal() else cell.text, look)


def _columns(verdict: Verdict, *, asked: bool, short: bool = True) -> list[Column]:
    """Return the columns; what tells of loss has rank 0, so that it is never left out."""
    findings = verdict.findings

    def texts(name: str, rank: int, values: Iterable[str], *, shrinks: bool = False) -> Column:
        cells = [Cell(in_one_line(value)) for value in values]
        return Column(name, cells, rank, shrinks=shrinks)

    def counts(name: str, rank: int, values: Iterable[int], look: str = "") -> Column:
        cells = [Cell(str(n), _COLOURS[look if n else "dim"] if look else "") for n in values]
        return Column(name, cells, rank, right=True)

    processes = [finding.process for finding in findings]
    ends = [Cell(one.end.value, _COLOURS[_LOOKS[one.end.value]]) for one in processes]
    found = [
        texts("service", 0, (one.service for one in processes), shrinks=True),
        texts("host", 4, (one.host for one in processes)),
        texts("pid", 6, (str(one.pid) for one in processes)),
        texts("process", 0, (one.entity[: 8 if short else None] for one in processes)),
        texts("start", 7, (one.start for one in processes)),
        Column("end", ends),
        counts("events", 0, (one.events for one in processes)),
        texts("numbers", 8, (f"{one.numbers.first}-{one.numbers.last}" for one in processes)),
        counts("lost", 0, (one.lost_events for one in findings), "bold red"),
        counts("announced", 2, (_announced(one) for one in findings), "yellow"),
        counts("repeated", 3, (one.repeats for one in processes), "yellow"),
        counts("torn", 5, (len(one.torn) for one in processes), "yellow"),
    ]
    return found + _delivery_columns(findings, counts) if asked else found


def _delivery_columns(findings: list[Finding], counts: Callable[..., Column]) -> list[Column]:
    deliveries = [one.delivery for one in findings if one.delivery is not None]
    missing = (len(one.missing) + len(one.refused) for one in deliveries)
    return [
        counts("arrived", 1, (len(one.arrived) for one in deliveries)),
        counts("missing", 0, missing, "bold red"),
        counts("on its way", 1, (len(one.on_its_way) for one in deliveries), "yellow"),
        counts("twice", 1, (one.repeats for one in deliveries), "yellow"),
    ]


def _announced(finding: Finding) -> int:
    return len(finding.absent.dropped) + len(finding.absent.removed)


def _name(finding: Finding) -> str:
    return f"{finding.process.service} {finding.process.entity}"


def _details(finding: Finding) -> Iterator[tuple[str, str]]:
    """Yield what the table only counts, each with its look."""
    process, absent = finding.process, finding.absent
    for gap in finding.lost:
        yield "red", f"lost {Ranges([gap])} {_between(*finding.neighbours(gap))}"
    if finding.clashing:
        yield "red", f"different events under one ID {finding.clashing}: one of each is kept"
    if absent.dropped:
        yield "yellow", f"dropped {absent.dropped} while the disk took none (announced)"
    if absent.removed:
        yield "", f"removed {absent.removed} by retention (announced)"
    if absent.waiting:
        yield "yellow", f"waiting {absent.waiting} in the process's memory"
    if process.repeated:
        yield "yellow", f"repeated {process.repeated} in the files"
    for place in process.torn:
        yield "yellow", f"torn line in {place.file} at byte {place.offset}"
    if finding.delivery is not None:
        yield from _delivery_details(finding, finding.delivery)


def _delivery_details(finding: Finding, delivery: Delivery) -> Iterator[tuple[str, str]]:
    for path, numbers in finding.files_of(delivery.missing):
        yield "red", f"missing in Elasticsearch {numbers} of {path}"
    for path, numbers in finding.files_of(delivery.refused):
        yield "red", f"refused, in the failure store {numbers} of {path}"
    for path, numbers in finding.files_of(delivery.on_its_way):
        yield "yellow", f"on its way {numbers} of {path}"
    if delivery.repeated:
        yield "yellow", f"delivered more than once {delivery.repeated}"
    if delivery.unshipped:
        yield "yellow", f"removed before it had arrived {delivery.unshipped} (announced)"


def _remarks(verdict: Verdict) -> Iterator[str]:
    accounts = verdict.accounts
    events = sum(finding.process.events for finding in verdict.findings)
    yield f"{events} events of {len(verdict.findings)} processes in {accounts.files} files."
    if accounts.foreign:
        yield f"{accounts.foreign} foreign lines."
    if accounts.removals.files:
        yield f"{len(accounts.removals.files)} files removed by retention (announced)."


def _between(before: str, behind: str) -> str:
    before, behind = os.path.basename(before), os.path.basename(behind)
    if before == behind:
        return f"within {before}"
    if before and behind:
        return f"between {before} and {behind}"
    return f"next to {before or behind}"


def _painted(text: str, look: str, *, coloured: bool) -> str:
    """Return a text without what could command a terminal, in its colour: it comes from files."""
    shown = in_one_line(text)
    return f"\x1b[{_COLOURS[look]}m{shown}\x1b[0m" if coloured and look else shown
