"""The faults for people, as they are found, with a summary; and for programs, as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from flowery_logging.cli.table import in_one_line
from flowery_logging.cli.validate.examination import Fault, Totals
from flowery_logging.cli.validate.finding import RULES

_GROUPS_SHOWN = 30
_CUSTOM_SHOWN = 10  # names that ECS does not have


def as_json(faults: Iterable[Fault], totals: Totals, exit_code: int) -> dict[str, Any]:
    """Return everything as JSON values."""
    return {
        "result": "faulty" if exit_code else "valid",
        "exit_code": exit_code,
        "files": totals.files,
        "lines": totals.lines,
        "faulty_lines": totals.faulty,
        "findings": [_fault_as_json(fault) for fault in faults],
        "findings_count": totals.findings,
        "counts": [
            {"rule": rule, "field": field, "count": group.count, "first": str(group.first)}
            for (rule, field), group in _largest_first(totals)
        ],
        "custom_fields": dict(totals.custom.most_common()),
    }


def _fault_as_json(fault: Fault) -> dict[str, Any]:
    return {"file": fault.place.file, "line": fault.place.line, **fault.finding._asdict()}


def show_fault(fault: Fault) -> None:
    """Print one fault on a line: place, field, what is wrong, what is allowed."""
    finding = fault.finding
    field = f"{finding.field}: " if finding.field else ""
    text = f"{fault.place}: {field}{finding.wrong} [{finding.rule}]; allowed: {finding.allowed}"
    click.echo(in_one_line(text))


def show_totals(totals: Totals, shown: int) -> None:
    """Print what was counted."""
    if totals.findings > shown:
        click.echo(f"… and {totals.findings - shown} more (--limit 0 shows all)")
    if totals.groups:
        click.echo("")
    groups = _largest_first(totals)
    for (rule, field), group in groups[:_GROUPS_SHOWN]:
        click.echo(in_one_line(f"{group.count:>7} {rule} {field or 'line'}, first {group.first}"))
    if len(groups) > _GROUPS_SHOWN:
        click.echo(f"        … and {len(groups) - _GROUPS_SHOWN} more kinds of findings (--json)")
    if totals.custom:
        names = ", ".join(name for name, _ in totals.custom.most_common(_CUSTOM_SHOWN))
        more = ", …" if len(totals.custom) > _CUSTOM_SHOWN else ""
        click.echo(in_one_line(f"fields of your own, not in ECS: {names}{more}"))
    verdict = f"{totals.faulty} of {totals.lines} lines are faulty"
    click.echo(f"{verdict}, {totals.findings} findings in {totals.files} files.")


def show_rules() -> None:
    """Print what is checked."""
    width = max(map(len, RULES))
    for name, text in RULES.items():
        click.echo(f"{name:<{width}}  {text}")


def _largest_first(totals: Totals) -> list[tuple[tuple[str, str], Any]]:
    return sorted(totals.groups.items(), key=lambda item: (-item[1].count, item[0]))
