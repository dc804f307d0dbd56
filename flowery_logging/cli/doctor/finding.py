"""What the doctor finds: what is wrong, and what mends it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

FAULT: Final = "fault"
NOTE: Final = "note"
"""Something to know; it may be right as it is, and does not change the exit code."""

CHECKS: Final[Mapping[str, str]] = {
    "directory": "the log directory, its rights and its file system",
    "disk": "room on the disk",
    "retention": "whether retention leaves a day for an outage",
    "clock": "the machine's clock",
    "configuration": "who configures logging after setup()",
    "loggers": "detached and disabled loggers",
    "handlers": "handlers that send each event a second time",
    "workers": "processes in which setup() was not called",
    "variables": "FLOWERY_* variables and their values",
    "names": "how many names of labels a process makes",
    "lines": "what else lies in the files, and what was dropped",
    "versions": "Python, libraries, servers",
    "filebeat": "Filebeat's configuration against the directory",
    "templates": "index templates and roles in Elasticsearch",
    "ignored": "fields that Elasticsearch has ignored",
}
"""What is looked at, in the order of the report."""


class Finding(NamedTuple):
    """One thing that is wrong."""

    check: str  # a key of CHECKS
    severity: str  # FAULT or NOTE
    what: str
    fix: str


class Diagnosis:
    """The checks that were made, and what they found."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.checked: set[str] = set()
        self.skipped: dict[str, str] = {}  # check → why it could not be made

    def add(self, check: str, findings: Iterable[Finding] = ()) -> None:
        """Take note that a check was made, and what it found."""
        self.checked.add(check)
        self.findings += dict.fromkeys(findings)

    def skip(self, check: str, reason: str) -> None:
        """Take note that a check could not be made."""
        self.skipped[check] = reason

    def is_healthy(self) -> bool:
        """Tell whether nothing needs to be mended."""
        return not any(finding.severity == FAULT for finding in self.findings)

    def by_check(self) -> Iterator[tuple[str, list[Finding]]]:
        """Yield each check that was made, in order, with its findings."""
        for check in CHECKS:
            if check in self.checked:
                yield check, [one for one in self.findings if one.check == check]


def fault(check: str, what: str, fix: str) -> Finding:
    """Return a finding that needs to be mended."""
    return Finding(check, FAULT, what, fix)


def note(check: str, what: str, fix: str) -> Finding:
    """Return a finding that somebody should know."""
    return Finding(check, NOTE, what, fix)
