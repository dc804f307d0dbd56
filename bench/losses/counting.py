"""Which calls were found again, how often, and which never."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Call = tuple[str, int]
"""The caller's name and the number of its call."""


@dataclass(frozen=True)
class Count:
    """Of so many calls so many were not found, and so many found again."""

    calls: int
    lost: int
    repeated: int


def count(returned: Mapping[str, int], found: Iterable[Call]) -> Count:
    """Compare the callers' own counts with the calls that were found."""
    times = Counter(found)
    calls = [(name, number) for name, last in returned.items() for number in range(1, last + 1)]
    lost = sum(1 for call in calls if call not in times)
    return Count(len(calls), lost, times.total() - len(times))


def on_disk(directory: Path, pattern: str) -> Iterator[Call]:
    """The calls in the files; a line that is no JSON object holds none."""
    for path in directory.glob(pattern):
        if path.suffix == ".lock":
            continue
        for line in path.read_bytes().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            yield from call_of(event)


def call_of(event: Any) -> Iterator[Call]:
    """The call that an event is from, if it is from one: each library has its place for it."""
    if isinstance(event, dict):
        labels, numbers = event.get("labels", {}), event.get("numeric_labels", {})
        caller, number = labels.get("caller"), numbers.get("call")
        if caller is None:
            caller, number = event.get("caller"), event.get("call")
        if caller is not None and number is not None:
            yield str(caller), int(number)
