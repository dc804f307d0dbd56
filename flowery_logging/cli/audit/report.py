"""The verdict for people, as a table with the details below it, and for programs, as JSON."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flowery_logging.cli.audit.account import ProcessAccount
from flowery_logging.cli.audit.ranges import Ranges
from flowery_logging.cli.audit.verdict import Delivery, Exit, Finding, Verdict

_LOOKS = {"clean": "green", "running": "cyan", "signal": "green", "unclean": "yellow"}
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


def show(verdict: Verdict, console: Console) -> None:
    """Print the verdict."""
    asked = any(finding.delivery is not None for finding in verdict.findings)
    console.print(_table(verdict, asked=asked))
    for finding in verdict.findings:
        for look, text in _details(finding):
            line = f"{finding.process.service} {finding.process.entity}: {text}"
            console.print(_plain(line, look), soft_wrap=True)
    for text in _remarks(verdict):
        console.print(_plain(text, ""), soft_wrap=True)
    console.print(_plain(*_SENTENCES[verdict.exit]), soft_wrap=True)


def _table(verdict: Verdict, *, asked: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("service", "host", "pid", "process", "start", "end"):
        table.add_column(name, no_wrap=True)
    for name in ("events", "numbers", "lost", "announced", "repeated", "torn"):
        table.add_column(name, no_wrap=True, justify="right")
    for name in ("arrived", "missing", "on its way", "twice") if asked else ():
        table.add_column(name, no_wrap=True, justify="right")
    for finding in verdict.findings:
        table.add_row(*_row(finding.process, finding))
    return table


def _row(process: ProcessAccount, finding: Finding) -> Iterator[Text]:
    yield from (_plain(text, "") for text in (process.service, process.host, str(process.pid)))
    yield from (_plain(process.entity, ""), _plain(process.start, ""))
    yield _plain(process.end.value, _LOOKS[process.end.value])
    yield _plain(str(process.events), "")
    yield _plain(f"{process.numbers.first}-{process.numbers.last}", "")
    yield _count(finding.lost_events, "bold red")
    yield _count(len(finding.absent.dropped) + len(finding.absent.removed), "yellow")
    yield from (_count(process.repeats, "yellow"), _count(len(process.torn), "yellow"))
    delivery = finding.delivery
    if delivery is not None:
        yield _plain(str(len(delivery.arrived)), "")
        yield _count(len(delivery.missing) + len(delivery.refused), "bold red")
        yield from (_count(len(delivery.on_its_way), "yellow"), _count(delivery.repeats, "yellow"))


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


def _count(number: int, look: str) -> Text:
    return Text(str(number), style=look if number else "dim")


def _plain(text: str, look: str) -> Text:
    """Return a text as it is, without what could command a terminal: it comes from files."""
    return Text("".join(c if c.isprintable() else "�" for c in text), style=look)
