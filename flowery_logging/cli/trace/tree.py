"""The events of a trace as a tree: requests, tasks and calls, each with its lines.

A hop is what one service does for a request: the events that have its `transaction.id`. It hangs
below the call, or the hop, whose span its `parent.id` names. Where no event tells that (an agent's
span that logs nothing, events of an older version), it hangs below the youngest one that was
running when it began.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from flowery_logging.cli.reading.fields import first_of, text_of, values_of
from flowery_logging.cli.reading.times import moment_of

Record = dict[str, Any]
Key = tuple[str, ...]

_ACCESS: Final = "flowery_logging.access"
_TASK: Final = "flowery_logging.task"
_CLIENT: Final = "flowery_logging.client"
_CALLS: Final = "labels.call_span_ids"
"""The spans of a request's calls, which its last event tells where calls have no events."""

_FAILING: Final = frozenset({"error", "critical", "fatal"})
_COMPARED: Final = 1000
"""Each of so many hops is compared with the others, to guess what no event tells."""

_LATE: Final = 1_000_000  # nanoseconds by which two clocks may differ


@dataclass
class Hop:
    """One request, task or call; `begin` and `end` are nanoseconds since the epoch."""

    kind: str  # request, task, call, or work: events whose end nobody tells
    service: str
    host: str
    span: str  # transaction.id, or of a call span.id; "" if unknown
    parent: str  # parent.id
    closing: Record | None  # the event that tells its end
    lines: list[Record] = field(default_factory=list)
    begin: int = 0
    end: int = 0
    children: list[Hop] = field(default_factory=list)

    @property
    def duration(self) -> int:
        """Its duration in nanoseconds."""
        return self.end - self.begin

    @property
    def failed(self) -> bool:
        """Whether it ended in a failure, or one of its own lines is an error."""
        if self.closing is not None:
            if first_of(self.closing, "event.outcome") == "failure" and self.kind != "call":
                return True
            status = first_of(self.closing, "http.response.status_code")
            if isinstance(status, int) and status >= 500:
                return True
        own = [*self.lines, *([self.closing] if self.closing else ())]
        return any(is_error(record) for record in own)

    @property
    def title(self) -> str:
        """What it was, as its last event says it."""
        if self.closing is None:
            return "…" if self.span else "outside of requests"
        return text_of(self.closing, "message")

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Hop]]:
        """Yield it and all below it, each with its depth."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


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
        groups[_key(record)].append(record)
    hops = [_hop(group) for group in groups.values()]
    calls = {hop.span: hop for group in groups.values() for hop in _calls(group)}
    owners = _owners(groups.values(), hops)
    for hop in (*hops, *calls.values()):
        hop.lines.sort(key=time_of)
    roots = _hang(hops, calls, owners)
    everything = [*hops, *calls.values()]
    return Trace(
        _first(records, "trace.id"),
        _first(records, "http.request.id"),
        sorted(roots, key=lambda hop: hop.begin),
        records,
        min((hop.begin for hop in everything), default=0),
        max((hop.end for hop in everything), default=0),
    )


def time_of(record: Record) -> int:
    """Return an event's `@timestamp` in nanoseconds since the epoch; 0 if it has none."""
    found = moment_of(text_of(record, "@timestamp"))
    if found is None:
        return 0
    return int(found.replace(microsecond=0).timestamp()) * 10**9 + found.microsecond * 1000


def is_error(record: Record) -> bool:
    """Tell whether an event is an error."""
    return text_of(record, "log.level").lower() in _FAILING


def _key(record: Record) -> Key:
    transaction = text_of(record, "transaction.id")
    if transaction:
        return (transaction,)
    return ("", text_of(record, "service.name"), text_of(record, "process.entity_id"))


def _kind(record: Record) -> str:
    logger = text_of(record, "log.logger")
    if first_of(record, "event.duration") is None:
        return ""
    return {_ACCESS: "request", _TASK: "task", _CLIENT: "call"}.get(logger, "")


def _hop(group: list[Record]) -> Hop:
    """Return a hop of its events, without those of its calls."""
    closing = next((r for r in reversed(group) if _kind(r) in {"request", "task"}), None)
    lines = [r for r in group if r is not closing and not _is_call(r)]
    first = group[0]
    kind = "work" if closing is None else _kind(closing)
    parents = (text_of(r, "parent.id") for r in ([closing] if closing else lines))
    hop = Hop(
        kind, text_of(first, "service.name"), text_of(first, "host.name"),
        text_of(first, "transaction.id"), next(filter(None, parents), ""), closing, lines,
    )  # fmt: skip
    hop.begin, hop.end = time_of(group[0]), time_of(group[-1])
    if closing is not None:
        _take_times(hop, closing)
    return hop


def _calls(group: list[Record]) -> Iterator[Hop]:
    for record in filter(_is_call, group):
        call = Hop(
            "call", text_of(record, "service.name"), text_of(record, "host.name"),
            text_of(record, "span.id"), text_of(record, "transaction.id"), record,
        )  # fmt: skip
        _take_times(call, record)
        yield call


def _is_call(record: Record) -> bool:
    return _kind(record) == "call" and bool(text_of(record, "span.id"))


def _take_times(hop: Hop, closing: Record) -> None:
    duration = first_of(closing, "event.duration")
    hop.end = time_of(closing)
    hop.begin = hop.end - (duration if isinstance(duration, int) else 0)


def _owners(groups: Iterable[list[Record]], hops: list[Hop]) -> dict[str, Hop]:
    """Return the hop of each span that one of its events names, or that it is itself."""
    owners: dict[str, Hop] = {}
    for group, hop in zip(groups, hops, strict=True):
        for record in group:
            for span in (text_of(record, "span.id"), *values_of(record, _CALLS)):
                owners.setdefault(str(span), hop)
    owners.update((hop.span, hop) for hop in hops)
    owners.pop("", None)
    return owners


def _hang(hops: list[Hop], calls: dict[str, Hop], owners: dict[str, Hop]) -> list[Hop]:
    """Hang each hop below its parent; return those that have none."""
    everything = sorted([*hops, *calls.values()], key=lambda hop: hop.begin)
    parents: dict[int, Hop] = {}
    for hop in everything:
        told = owners.get(hop.span) if hop.kind == "call" else calls.get(hop.parent)
        told = told or owners.get(hop.parent)
        if told is not None and not _is_below(told, hop, parents):
            parents[id(hop)] = told
    knowing = any(hop.parent for hop in hops)
    for hop in everything if len(everything) <= _COMPARED else ():
        if id(hop) not in parents and (hop.parent or not knowing):
            found = _running(hop, everything, parents)
            if found is not None:
                parents[id(hop)] = found
    for hop in everything:
        if id(hop) in parents:
            parents[id(hop)].children.append(hop)
    return [hop for hop in everything if id(hop) not in parents]


def _running(hop: Hop, others: list[Hop], parents: dict[int, Hop]) -> Hop | None:
    """Return the youngest hop that was running when this one began; of a task, or had been.

    Hops whose parents are one span stand side by side. Those of other services come first: who
    calls two times at once calls another service more often than the first call does.
    """
    begun = [
        other
        for other in others
        if other.begin < hop.begin + (0 if other.host == hop.host else _LATE)
        and other.kind != "work"
        and not (hop.parent and other.parent == hop.parent)
        and not _is_below(other, hop, parents)
    ]
    running = [other for other in begun if other.end + _LATE >= hop.begin]
    elsewhere = [other for other in running if other.service != hop.service]
    youngest = max(elsewhere or running, key=lambda other: other.begin, default=None)
    if youngest is None and hop.kind == "task":
        requests = [other for other in begun if other.kind == "request"]
        return max(requests, key=lambda other: other.end, default=None)
    return youngest


def _is_below(hop: Hop, above: Hop, parents: dict[int, Hop]) -> bool:
    """Tell whether a hop is another one, or hangs below it."""
    while hop is not above:
        if id(hop) not in parents:
            return False
        hop = parents[id(hop)]
    return True


def _first(records: list[Record], path: str) -> str:
    return next(filter(None, (text_of(record, path) for record in records)), "")
