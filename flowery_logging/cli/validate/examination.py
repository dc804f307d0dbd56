"""The lines of files, one after the other, and what is counted over all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Final, NamedTuple

from flowery_logging.cli.validate.finding import RULES, Finding
from flowery_logging.cli.validate.lines import CheckedLine

MAX_LINE_BYTES: Final = 10 * 1024 * 1024
"""Filebeat's `message_max_bytes`: what is longer does not arrive whole."""

MAX_CUSTOM: Final = 10_000
"""So many names that are none of ECS's are compared over the lines, and counted by name."""

OTHERS: Final = "(others)"


class Place(NamedTuple):
    """Where a line lies."""

    file: str
    line: int  # from 1 on

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Fault(NamedTuple):
    """One finding and its place."""

    place: Place
    finding: Finding


@dataclass
class Group:
    """Equal faults: one rule broken by one field."""

    count: int = 0
    first: Place | None = None


@dataclass
class Totals:
    """What was counted over all lines."""

    files: int = 0
    lines: int = 0
    faulty: int = 0  # lines with a finding
    groups: dict[tuple[str, str], Group] = field(default_factory=dict)  # by rule and field
    custom: Counter[str] = field(default_factory=Counter)  # names that ECS does not have

    @property
    def findings(self) -> int:
        """How many findings there are."""
        return sum(group.count for group in self.groups.values())


class Examination:
    """Checks lines and remembers what one line says of the next: the types of custom fields."""

    def __init__(self, declared: Mapping[str, str]) -> None:
        self.totals = Totals()
        self._declared = declared
        self._kinds: dict[str, tuple[str, Place]] = {}  # of custom fields, as first seen

    def read(self, name: str, stream: BinaryIO) -> Iterator[Fault]:
        """Yield the faults of one file's lines, in order. Raises OSError."""
        self.totals.files += 1
        for number, line in enumerate(_lines(stream), 1):
            place = Place(name, number)
            self.totals.lines += 1
            findings = list(self._check(line, place))
            self.totals.faulty += bool(findings)
            for finding in findings:
                self._count(finding, place)
                yield Fault(place, finding)

    def _check(self, line: bytes | None, place: Place) -> Iterable[Finding]:
        if line is None:
            wrong = f"it is longer than {MAX_LINE_BYTES} bytes"
            return [Finding("json", "", wrong, RULES["json"])]
        checked = CheckedLine(line, self._declared)
        for name in checked.custom:
            known = name in self.totals.custom or len(self.totals.custom) < MAX_CUSTOM
            self.totals.custom[name if known else OTHERS] += 1
        conflicts = (self._compare(name, kind, place) for name, kind in checked.custom.items())
        return checked.findings + [one for one in conflicts if one is not None]

    def _compare(self, name: str, kind: str, place: Place) -> Finding | None:
        """Compare the kind of a custom field with that of the first line that had it."""
        first = self._kinds.get(name)
        if first is None:
            if len(self._kinds) < MAX_CUSTOM:
                self._kinds[name] = kind, place
            return None
        known, where = first
        # What was first a text takes numbers and booleans too.
        if known in {kind, "a text"} or kind == "null":
            return None
        return Finding("conflict", name, f"{kind}, but {known} at {where}", RULES["conflict"])

    def _count(self, finding: Finding, place: Place) -> None:
        key, groups = (finding.rule, finding.field), self.totals.groups
        if key not in groups and len(groups) >= MAX_CUSTOM:
            key = (finding.rule, OTHERS)  # names that are made of anything have no end
        group = groups.setdefault(key, Group())
        group.count += 1
        group.first = group.first or place


def _lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """Yield each line without its end; None for one that is too long. Memory stays bounded."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        if len(line) <= MAX_LINE_BYTES or line.endswith(b"\n"):
            yield line.removesuffix(b"\n").removesuffix(b"\r")
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE_BYTES)
        yield None
