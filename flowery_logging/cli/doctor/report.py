"""The diagnosis for people, check by check, and for programs, as JSON."""

from __future__ import annotations

import textwrap
from typing import Any, Final

from flowery_logging.cli.doctor.finding import CHECKS, FAULT, Diagnosis, Finding
from flowery_logging.cli.reading.output import columns, is_coloured
from flowery_logging.files.printable import printable

_MARKS: Final = {
    "ok": ("ok", "32"), "fault": ("!!", "1;31"), "note": ("--", "33"), "skipped": ("??", "2"),
}  # fmt: skip
_NARROW: Final = 40


def as_json(diagnosis: Diagnosis, facts: dict[str, Any], exit_code: int) -> dict[str, Any]:
    """Return the diagnosis as JSON values."""
    return {
        "result": "healthy" if diagnosis.is_healthy() else "faulty",
        "exit_code": exit_code,
        **facts,
        "findings": [finding._asdict() for finding in diagnosis.findings],
        "checked": [check for check in CHECKS if check in diagnosis.checked],
        "skipped": dict(diagnosis.skipped),
    }


def lines(diagnosis: Diagnosis, facts: dict[str, Any]) -> list[str]:
    """Return the diagnosis as lines as wide as the output."""
    width = max(columns(), _NARROW)
    found = [f"{name} {value}" for name, value in facts["versions"].items()]
    shown = [_wrapped(f"{', '.join(found)}; {facts['directory']}", width), ""]
    for check, findings in diagnosis.by_check():
        if not findings and check not in diagnosis.skipped:
            shown.append(f"{_mark('ok')} {CHECKS[check]}")
        for finding in findings:
            shown += _finding(finding, width)
    for check, reason in diagnosis.skipped.items():
        shown.append(_wrapped(f"{CHECKS[check]}: {reason}", width, _mark("skipped")))
    faults = sum(finding.severity == FAULT for finding in diagnosis.findings)
    shown += ["", f"{faults} to mend." if faults else "Nothing to mend."]
    return shown


def _finding(finding: Finding, width: int) -> list[str]:
    what = _wrapped(finding.what, width, _mark(finding.severity))
    return [what, _wrapped(f"fix: {finding.fix}", width, "  ")]


def _wrapped(text: str, width: int, mark: str = "") -> str:
    """Return a text within a width, further lines below its beginning; paths stay whole."""
    lead = "   " if mark else ""
    body = textwrap.wrap(
        printable(text), width, initial_indent=lead, subsequent_indent=lead,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    joined = "\n".join(body)
    return f"{mark} {joined[3:]}" if mark else joined


def _mark(state: str) -> str:
    sign, code = _MARKS[state]
    return f"\x1b[{code}m{sign}\x1b[0m" if is_coloured() else sign
