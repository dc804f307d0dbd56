"""The verdict on each process and on all: what is lost, what is announced, what is on its way."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from flowery_logging.cli.audit.account import Absent, ProcessAccount
from flowery_logging.cli.audit.arrivals import Arrived
from flowery_logging.cli.audit.ranges import Pair, Ranges
from flowery_logging.cli.audit.reading import Accounts


class Exit(IntEnum):
    """Exit codes of the audit."""

    COMPLETE = 0  # nothing is missing but what is announced
    LOST = 1  # something was lost unannounced, or has not arrived in Elasticsearch
    USAGE = 2  # wrong arguments; no log files; files that cannot be read
    ON_ITS_WAY = 3  # nothing is lost, but some events have not arrived yet
    UNREACHABLE = 4  # Elasticsearch gives no answer, or refuses


@dataclass(frozen=True)
class Delivery:
    """What became of one process's events behind its files."""

    arrived: Ranges
    missing: Ranges  # in the files, not in Elasticsearch
    on_its_way: Ranges
    refused: Ranges  # in the failure store
    repeated: Ranges
    repeats: int  # documents too many: repeats that straddle a rollover
    clashing: Ranges  # the same, but different events: of others, within an index, one is lost
    unshipped: Ranges  # removed by retention before they had arrived (announced)


@dataclass(frozen=True)
class Finding:
    """One process, its account and the verdict."""

    process: ProcessAccount
    absent: Absent
    delivery: Delivery | None = None  # None: Elasticsearch was not asked

    @property
    def lost(self) -> Ranges:
        """Numbers that no file has and nothing announces, unless they have arrived."""
        lost = self.absent.lost
        return lost - self.delivery.arrived if self.delivery is not None else lost

    @property
    def clashing(self) -> Ranges:
        """Numbers that different events have, in the files or in Elasticsearch."""
        clashing = self.process.clashing
        return clashing | self.delivery.clashing if self.delivery is not None else clashing

    @property
    def lost_events(self) -> int:
        """How many events are lost: gaps, and those whose ID another event has."""
        elsewhere = len(self.clashing - self.process.clashing)
        return len(self.lost) + self.process.clashes + elsewhere

    def files_of(self, numbers: Ranges) -> list[tuple[str, Ranges]]:
        """Return the files in which numbers lie, each with those that lie in it."""
        parts = ((file.file.path, file.numbers & numbers) for file in self.process.files)
        return [(path, part) for path, part in parts if part]

    def neighbours(self, gap: Pair) -> tuple[str, str]:
        """Return the files of the events before and behind a gap; "" where there is none."""
        before = behind = ""
        for file in self.process.files:
            if gap[0] - 1 in file.numbers:
                before = file.file.path
            if gap[1] + 1 in file.numbers:
                behind = file.file.path
        return before, behind


@dataclass(frozen=True)
class Verdict:
    """What the audit says."""

    accounts: Accounts
    findings: list[Finding] = field(default_factory=list)
    failure_store: bool | None = None  # None: not asked; False: the server has none

    @property
    def exit(self) -> Exit:
        """The exit code."""
        if any(finding.lost or finding.clashing for finding in self.findings):
            return Exit.LOST
        deliveries = [f.delivery for f in self.findings if f.delivery is not None]
        if any(delivery.missing or delivery.refused for delivery in deliveries):
            return Exit.LOST
        return Exit.ON_ITS_WAY if any(d.on_its_way for d in deliveries) else Exit.COMPLETE


def deliver(
    process: ProcessAccount, absent: Absent, arrived: Arrived, settled_before: float
) -> Delivery:
    """Judge what has arrived of one process.

    An event that has not is on its way if it is young, or if it is above the highest number that
    arrived and its process still runs or last wrote at `settled_before` (seconds since the epoch)
    or later.
    """
    outstanding = process.numbers - arrived.numbers - arrived.refused
    last = process.numbers.last
    on_its_way = Ranges([(process.young_from, last)] if process.young_from else ())
    if process.running or process.written >= settled_before:
        on_its_way.add_range(arrived.numbers.last + 1, last)
    return Delivery(
        arrived.numbers,
        outstanding - on_its_way,
        outstanding & on_its_way,
        arrived.refused,
        arrived.repeated,
        arrived.repeats,
        arrived.clashing,
        absent.removed - arrived.numbers,
    )
