"""What is wrong with the files that a writer has left: numbers, events, headers, announcements."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from tests.files.cases import OLD, Case


def faults_of(case: Case) -> list[str]:
    """Tell what is wrong with the files of a case."""
    paths = sorted(case.directory.glob("*.ndjson"))
    own = [path for path in paths if case.writer.entity in path.name]
    lines = [line for path in own for line in whole(path)]
    records = [json.loads(line) for line in lines]
    return [
        *children_at_fault([path for path in paths if path not in own]),
        *numbers_at_fault(case, lines, records),
        *events_at_fault(case, lines, records),
        *files_at_fault(case, [json.loads(line) for path in paths for line in whole(path)]),
    ]


def children_at_fault(paths: list[Path]) -> list[str]:
    """Each child of a fork has files of its own, in which its numbers begin at 1."""
    return [
        f"numbers {numbers} in {path.name}"
        for path in paths
        for numbers in [[json.loads(line)["event"]["sequence"] for line in whole(path)]]
        if numbers != [*range(1, len(numbers) + 1)]
    ]


def whole(path: Path) -> list[bytes]:
    """The lines of a file but for a torn last one, which no reader takes."""
    return [] if path.name == OLD else path.read_bytes().split(b"\n")[:-1]


def numbers_at_fault(case: Case, lines: list[bytes], records: list[Any]) -> list[str]:
    counted = Counter(r["event"]["sequence"] for r in records)
    different = Counter(r["event"]["sequence"] for r in map(json.loads, dict.fromkeys(lines)))
    twice = different if case.may_repeat else counted
    missing = set(range(1, max(counted) + 1)) - set(counted) - announced(records)
    return [
        *(f"number {number} {times} times" for number, times in twice.items() if times > 1),
        *(f"number {number} is missing" for number in missing),
    ]


def announced(records: list[Any]) -> set[int]:
    """The numbers that are announced as dropped."""
    texts = [
        r["facts"].get("dropped_sequences", "") for r in records if r.get("kind") == "recovered"
    ]
    pairs = [map(int, pair.split("-")) for text in texts for pair in text.split(",") if pair]
    return {number for low, high in pairs for number in range(low, high + 1)}


def events_at_fault(case: Case, lines: list[bytes], records: list[Any]) -> list[str]:
    """Each event is there once if its call returned, else at most once, or was dropped."""
    found = Counter(json.loads(line).get("message") for line in dict.fromkeys(lines))
    may_miss = len(announced(records))
    lost = [text for text in case.returned if not found[text]]
    if case.may_repeat and case.place.descriptor != -1:
        lost = []
    twice = [text for text, times in found.items() if text and times > 1]
    return [*(f"{t!r} twice" for t in twice), *(f"{t!r} lost" for t in lost[may_miss:])]


def files_at_fault(case: Case, records: list[Any]) -> list[str]:
    told = [r["facts"]["removed_files"] for r in records if r.get("kind") == "removed"]
    gone = case.keep_seconds == 1.0 and not (case.directory / OLD).exists() and [OLD] not in told
    heads = [path for path in case.directory.glob("s-*-0*.ndjson") if path.name != OLD]
    return [
        *(["a removal that nobody announces"] if gone else []),
        *(f"no header in {path.name}" for path in heads if not has_header(path)),
    ]


def has_header(path: Path) -> bool:
    """Tell whether a file begins as Filebeat needs it; an empty one is that of an interruption."""
    first, end, _ = path.read_bytes().partition(b"\n")
    return not first or not end or (len(first) >= 1023 and b'"opened"' in first)
