"""What is counted of each group, in one pass over the lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from flowery_logging.cli.reading.fields import text_of
from flowery_logging.cli.reading.times import moment_of
from flowery_logging.cli.reading.wanted import LEVELS
from flowery_logging.cli.stats.durations import Durations
from flowery_logging.cli.stats.kinds import KINDS, Key, Record, duration_of, status_of
from flowery_logging.files.reader import Kind, Line

MAX_GROUPS: Final = 10_000
"""So many groups of a kind are told apart; what further ones have is counted together."""

OTHER: Final = "(others)"
MINUTE: Final = len("2026-11-27T12:36")
"""How much of a timestamp says the minute."""


@dataclass
class Group:
    """What events of one group have in common."""

    events: int = 0
    size: int = 0  # bytes of their lines
    errors: int = 0  # events of level error and higher
    first: str = ""  # the earliest @timestamp
    last: str = ""
    client_errors: int = 0  # responses 4xx
    failed: int = 0  # responses 5xx
    services: set[str] = field(default_factory=set)
    message: str = ""  # of an exception: the first one's
    durations: Durations = field(default_factory=Durations)

    def add(self, record: Record, size: int, *, is_error: bool) -> None:
        """Count an event."""
        self.events += 1
        self.size += size
        self.errors += is_error
        time = text_of(record, "@timestamp")
        self.first = min(self.first or time, time)
        self.last = max(self.last, time)


@dataclass
class Tally:
    """What was counted."""

    kinds: tuple[str, ...]
    total: Group = field(default_factory=Group)
    groups: dict[str, dict[Key, Group]] = field(default_factory=dict)  # by kind
    foreign: int = 0  # lines that are no events
    minutes: Counter[str] = field(default_factory=Counter)  # events, by minute
    error_minutes: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.groups = {kind: {} for kind in self.kinds}

    def add(self, line: Line) -> None:
        """Count a line."""
        if line.kind is not Kind.EVENT:
            self.foreign += 1
            return
        record, size = line.record, len(line.data)
        is_error = LEVELS.get(text_of(record, "log.level").lower(), 0) >= LEVELS["error"]
        self.total.add(record, size, is_error=is_error)
        minute = line.timestamp[:MINUTE]
        self.minutes[minute] += 1
        self.error_minutes[minute] += is_error
        for kind in self.kinds:
            key = KINDS[kind](record)
            if key is not None:
                group = self._group(kind, key)
                group.add(record, size, is_error=is_error)
                _add_details(group, kind, record)

    def _group(self, kind: str, key: Key) -> Group:
        groups = self.groups[kind]
        if len(groups) >= MAX_GROUPS and key not in groups:
            key = (OTHER, *("" for _ in key[1:]))
        found = groups.get(key)
        if found is None:
            found = groups[key] = Group()
        return found

    def largest(self, kind: str) -> list[tuple[Key, Group]]:
        """Return the groups of a kind, call sites by their bytes, others by their events."""
        groups = list(self.groups[kind].items())
        if kind == "callsite":
            return sorted(groups, key=lambda item: (-item[1].size, item[0]))
        return sorted(groups, key=lambda item: (-item[1].events, item[0]))

    @property
    def seconds(self) -> float:
        """How long a time the events cover: from the first to the last one."""
        first, last = moment_of(self.total.first), moment_of(self.total.last)
        return (last - first).total_seconds() if first and last else 0.0

    def rate(self, events: int) -> float | None:
        """Return events a second over that time; None where it is none."""
        return events / self.seconds if self.seconds > 0 else None


def _add_details(group: Group, kind: str, record: Record) -> None:
    if kind == "route":
        group.durations.add(duration_of(record) or 0)
        status = status_of(record)
        group.client_errors += 400 <= status < 500
        group.failed += status >= 500
    elif kind == "error":
        group.services.add(text_of(record, "service.name"))
        group.message = group.message or text_of(record, "error.message")


def count(lines: Iterable[Line], kinds: tuple[str, ...]) -> Tally:
    """Count lines by kinds of groups. Raises what the lines raise."""
    tally = Tally(kinds)
    for line in lines:
        tally.add(line)
    return tally
