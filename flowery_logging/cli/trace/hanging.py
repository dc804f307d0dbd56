"""Where a hop hangs: below the call, or the hop, whose span its `parent.id` names.

Where no event tells that (an agent's span that logs nothing, events of an older version), it hangs
below the youngest one that was running when it began.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flowery_logging.cli.reading.fields import text_of, values_of
from flowery_logging.cli.trace.hops import Hop, Record

DEEPEST: Final = 20
"""A task that sends itself again makes a chain without an end."""

_CALLS: Final = "labels.call_span_ids"
"""The spans of a request's calls, which its last event tells where calls have no events."""

_COMPARED: Final = 1000
"""Each of so many hops is compared with the others, to guess what no event tells."""

_LATE: Final = 1_000_000  # nanoseconds by which two clocks may differ


def owners_of(groups: Iterable[list[Record]], hops: list[Hop]) -> dict[str, Hop]:
    """Return the hop of each span that one of its events names, or that it is itself."""
    owners: dict[str, Hop] = {}
    for group, hop in zip(groups, hops, strict=True):
        for record in group:
            for span in (text_of(record, "span.id"), *values_of(record, _CALLS)):
                owners.setdefault(str(span), hop)
    owners.update((hop.span, hop) for hop in hops)
    owners.pop("", None)
    return owners


class _Parents:
    """Which hop hangs below which; none hangs below itself."""

    def __init__(self) -> None:
        self._parents: dict[int, Hop] = {}
        self._above: dict[int, Hop] = {}  # the same or one higher up: shortcuts of long chains

    def __contains__(self, hop: Hop) -> bool:
        return id(hop) in self._parents

    def set(self, hop: Hop, parent: Hop) -> None:
        """Hang a hop that has no parent below another one, which is not below it."""
        self._parents[id(hop)] = self._above[id(hop)] = parent

    def top(self, hop: Hop) -> Hop:
        """Return the hop below which all above this one hang."""
        passed = []
        while id(hop) in self._above:
            passed.append(id(hop))
            hop = self._above[id(hop)]
        self._above.update(dict.fromkeys(passed, hop))
        return hop

    def roots(self, hops: list[Hop]) -> list[Hop]:
        """Give each hop its children; return those that have no parent."""
        for hop in hops:
            if hop in self:
                self._parents[id(hop)].children.append(hop)
        return [hop for hop in hops if hop not in self]


def hang(hops: list[Hop], calls: dict[str, Hop], owners: dict[str, Hop]) -> list[Hop]:
    """Hang each hop below its parent; return those that have none."""
    everything = sorted([*hops, *calls.values()], key=lambda hop: hop.begin)
    parents = _Parents()
    for hop in everything:
        told = owners.get(hop.span) if hop.kind == "call" else calls.get(hop.parent)
        told = told or owners.get(hop.parent)
        if told is not None and parents.top(told) is not hop:
            parents.set(hop, told)
    knowing = any(hop.parent for hop in hops)
    for hop in everything if len(everything) <= _COMPARED else ():
        if hop not in parents and (hop.parent or not knowing):
            found = _running(hop, everything, parents)
            if found is not None:
                parents.set(hop, found)
    roots = parents.roots(everything)
    _flatten(roots)
    return roots


def _flatten(roots: list[Hop]) -> None:
    """Let what lies deeper than DEEPEST stand side by side: no reader indents so far."""
    level = roots
    for _ in range(DEEPEST - 2):
        level = [child for hop in level for child in hop.children]
    for hop in level:
        below: list[Hop] = []
        rest = hop.children
        while rest:
            below += rest
            rest = [child for one in rest for child in one.children]
        for one in below:
            one.children = []
        hop.children = sorted(below, key=lambda one: one.begin)


def _running(hop: Hop, others: list[Hop], parents: _Parents) -> Hop | None:
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
        and parents.top(other) is not hop
    ]
    running = [other for other in begun if other.end + _LATE >= hop.begin]
    elsewhere = [other for other in running if other.service != hop.service]
    youngest = max(elsewhere or running, key=lambda other: other.begin, default=None)
    if youngest is None and hop.kind == "task":
        requests = [other for other in begun if other.kind == "request"]
        return max(requests, key=lambda other: other.end, default=None)
    return youngest
