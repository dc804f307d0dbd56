"""Callers' own counts against the documents in Elasticsearch, one by one."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.e2e.pipeline import at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Hit = dict[str, Any]

FIELDS = (
    "labels.caller",
    "labels.dropped_sequences",
    "labels.removed_sequences",
    "numeric_labels.call",
    "event.id",
    "event.sequence",
    "process.entity_id",
)
"""The fields of a document that the comparison needs."""

UNKNOWN = "processes of which nothing arrived"


@dataclass
class Verdict:
    """What came of the calls; `wrong` is empty if each promise was kept."""

    callers: int = 0
    calls: int = 0
    documents: int = 0
    straddling: int = 0
    dropped: int = 0
    removed_files: int = 0
    removed_unshipped: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass
class _Process:
    """One `process.entity_id`: its numbers that arrived, and those that records announce.

    A removed file need not be a loss. As files are shipped from their start, only what comes after
    all that arrived of it was removed too early.
    """

    numbers: set[int] = field(default_factory=set)
    dropped: set[int] = field(default_factory=set)
    removed: list[set[int]] = field(default_factory=list)  # by file

    def unshipped(self) -> set[int]:
        ends = (max(file & self.numbers, default=0) for file in self.removed)
        pairs = zip(self.removed, ends, strict=True)
        return {number for file, end in pairs for number in file if number > end}

    def lost(self) -> set[int]:
        return (self.dropped - self.numbers) | self.unshipped()

    def gaps(self) -> set[int]:
        """Numbers below the highest that neither arrived nor were announced."""
        return set(range(1, max(self.numbers, default=0) + 1)) - self.numbers - self.lost()


def compare(returned: Mapping[str, int], hits: Iterable[Hit]) -> Verdict:
    """Judge the documents (search hits) by the calls that returned, by caller.

    Every call that returned is there, but for as many as the process's own records announce as
    dropped or removed; no other call is, but for the one under way when its caller was killed;
    each process's numbers have no gap that is not announced; and no event is there twice, but for
    repeats in different backing indices.
    """
    hits = list(hits)
    processes = _processes(hits)
    home, calls = _calls(hits)
    verdict = Verdict(len(returned), sum(returned.values()), len(hits))
    _count_announced(hits, processes.values(), verdict)
    _find_missing(returned, home, calls, processes, verdict)
    _find_strange(returned, calls, verdict)
    _find_gaps(processes, verdict)
    _find_repeats(hits, verdict)
    return verdict


def _processes(hits: Iterable[Hit]) -> dict[str, _Process]:
    """By `process.entity_id`; of some nothing arrived but that their files were removed."""
    processes: defaultdict[str, _Process] = defaultdict(_Process)
    for hit in hits:
        source = hit["_source"]
        entity = source["process"]["entity_id"]
        processes[entity].numbers.add(source["event"]["sequence"])
        for text in _texts(at(source, "labels.dropped_sequences")):
            processes[entity].dropped |= _numbers(text)
        for text in _texts(at(source, "labels.removed_sequences")):
            removed, _, numbers = text.partition(":")
            processes[removed].removed.append(_numbers(numbers))
    return dict(processes)


def _count_announced(hits: Iterable[Hit], processes: Iterable[_Process], verdict: Verdict) -> None:
    for hit in hits:
        verdict.removed_files += len(_texts(at(hit["_source"], "labels.removed_sequences")))
    for process in processes:
        verdict.dropped += len(process.dropped)
        verdict.removed_unshipped += len(process.unshipped())


def _texts(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


def _numbers(ranges: str) -> set[int]:
    """The numbers of `4-9,12-12`; a range whose ends could not be read has none."""
    pairs = (part.split("-") for part in ranges.split(",") if "None" not in part)
    return {number for first, last in pairs for number in range(int(first), int(last) + 1)}


def _calls(hits: Iterable[Hit]) -> tuple[dict[str, str], dict[str, Counter[int]]]:
    """By caller: its process, and under how many different IDs each of its calls arrived."""
    home: dict[str, str] = {}
    ids: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for hit in hits:
        source = hit["_source"]
        caller = at(source, "labels.caller")
        if caller is not None:
            home[caller] = source["process"]["entity_id"]
            ids[caller][source["event"]["id"]] = int(at(source, "numeric_labels.call"))
    return home, {caller: Counter(calls.values()) for caller, calls in ids.items()}


def _find_missing(
    returned: Mapping[str, int],
    home: Mapping[str, str],
    calls: Mapping[str, Counter[int]],
    processes: Mapping[str, _Process],
    verdict: Verdict,
) -> None:
    missing: Counter[str] = Counter()
    for caller, count in returned.items():
        absent = [n for n in range(1, count + 1) if n not in calls.get(caller, ())]
        if absent:
            missing[home.get(caller, UNKNOWN)] += len(absent)
    announced: Counter[str] = Counter()
    for entity, process in processes.items():
        announced[entity if process.numbers else UNKNOWN] += len(process.lost())
    verdict.wrong += [
        f"{entity}: {count} calls are missing, {announced[entity]} announced"
        for entity, count in missing.items()
        if count > announced[entity]
    ]


def _find_strange(
    returned: Mapping[str, int], calls: Mapping[str, Counter[int]], verdict: Verdict
) -> None:
    for caller, numbers in calls.items():
        last = returned.get(caller, -1) + 1
        verdict.wrong += [
            f"{caller}: call {number} was never made" for number in numbers if number > last
        ]
        verdict.wrong += [
            f"{caller}: call {number} is there under {ids} IDs"
            for number, ids in numbers.items()
            if ids > 1
        ]


def _find_gaps(processes: Mapping[str, _Process], verdict: Verdict) -> None:
    for entity, process in processes.items():
        gaps = process.gaps()
        if gaps:
            examples = sorted(gaps)[:10]
            verdict.wrong.append(f"{entity}: {len(gaps)} numbers are missing, as {examples}")


def _find_repeats(hits: Iterable[Hit], verdict: Verdict) -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for hit in hits:
        places[hit["_source"]["event"]["id"]].append(hit["_index"])
    for event_id, indices in places.items():
        if len(set(indices)) < len(indices):
            verdict.wrong.append(f"{event_id} is there twice in one index")
        verdict.straddling += len(indices) - 1
