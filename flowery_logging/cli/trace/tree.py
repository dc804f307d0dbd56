"""The events of a trace as a tree: requests, tasks and calls, each with its lines.

A hop is what one service does for a request: the events that have its `transaction.id`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from flowery_logging.cli.reading.fields import text_of
from flowery_logging.cli.trace.hanging import hang, owners_of
from flowery_logging.cli.trace.hops import (
    Hop,
    Key,
    Record,
    calls_of,
    hop_of,
    is_error,
    key,
    time_of,
)


@dataclass
class Trace:
    """One trace: its roots and what is known of the whole."""

    trace_id: str
    request_id: str
    roots: list[Hop]
    records: list[Record]
    begin: int  # nanoseconds since the epoch
    end: int

    @property
    def hops(self) -> list[Hop]:
        """All hops, in the order in which they are shown."""
        return [hop for root in self.roots for _, hop in root.walk()]

    @property
    def services(self) -> list[str]:
        """The services that took part, in the order in which they did."""
        return list(dict.fromkeys(text_of(record, "service.name") for record in self.records))

    @property
    def errors(self) -> list[Record]:
        """The events that are errors."""
        return [record for record in self.records if is_error(record)]


def build(records: list[Record]) -> Trace:
    """Return the tree of a trace's events, which are in the order of time."""
    groups: dict[Key, list[Record]] = defaultdict(list)
    for record in records:
        groups[key(record)].append(record)
    hops = [hop_of(group) for group in groups.values()]
    calls = {hop.span: hop for group in groups.values() for hop in calls_of(group)}
    owners = owners_of(groups.values(), hops)
    for hop in (*hops, *calls.values()):
        hop.lines.sort(key=time_of)
    roots = hang(hops, calls, owners)
    everything = [*hops, *calls.values()]
    return Trace(
        _first(records, "trace.id"),
        _first(records, "http.request.id"),
        sorted(roots, key=lambda hop: hop.begin),
        records,
        min((hop.begin for hop in everything), default=0),
        max((hop.end for hop in everything), default=0),
    )


def _first(records: list[Record], path: str) -> str:
    return next(filter(None, (text_of(record, path) for record in records)), "")
