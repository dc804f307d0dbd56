"""The parts of a text that stand around signs.

A pattern that begins with no sign which `re` finds at once is tried at each character of a text.
What it finds has such a sign further on: so it is asked around these alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator


def places_of(text: str, *signs: str) -> Iterator[int]:
    """Yield where each of some signs begins: first all of the first one."""
    for sign in signs:
        place = text.find(sign)
        while place >= 0:
            yield place
            place = text.find(sign, place + 1)


def _around(signs: Iterable[int], before: int, behind: int) -> Iterator[tuple[int, int]]:
    """Yield what stands so far before and behind some places, in order; where it meets, as one."""
    start = end = -1
    for place in sorted(signs):
        if place - before > end:
            if end >= 0:
                yield start, end
            start = max(0, place - before)
        end = place + behind
    if end >= 0:
        yield start, end


def matches_around(
    pattern: re.Pattern[str], text: str, signs: Iterable[int], before: int, behind: int
) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern, each of which has one of the signs in it.

    It begins no further before its sign, and ends no further behind the place of that.
    """
    for start, end in _around(signs, before, behind):
        yield from pattern.finditer(text, start, end)
