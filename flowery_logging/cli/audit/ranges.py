"""Sets of sequence numbers, kept as ranges: a process without gaps is one pair of numbers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

Pair = tuple[int, int]
"""First and last number of a range, both within it."""


class Ranges:
    """A set of integers. Numbers that come in order cost no memory."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, pairs: Iterable[Pair] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in pairs:
            self.add_range(first, last)

    def add(self, number: int) -> bool:
        """Add a number; False if it was there already."""
        lasts = self._lasts
        if lasts and number == lasts[-1] + 1:
            lasts[-1] = number
            return True
        if number in self:
            return False
        self.add_range(number, number)
        return True

    def add_range(self, first: int, last: int) -> None:
        """Add all numbers from `first` to `last`; none if `last` is lower."""
        if last < first:
            return
        low = bisect_right(self._lasts, first - 2)  # the first range that touches this one
        high = bisect_right(self._firsts, last + 1)
        if low < high:
            first = min(first, self._firsts[low])
            last = max(last, self._lasts[high - 1])
        self._firsts[low:high] = [first]
        self._lasts[low:high] = [last]

    def update(self, other: Ranges) -> None:
        """Add all numbers of another set."""
        for first, last in other:
            self.add_range(first, last)

    def __contains__(self, number: int) -> bool:
        index = bisect_right(self._firsts, number) - 1
        return index >= 0 and number <= self._lasts[index]

    def __iter__(self) -> Iterator[Pair]:
        """Yield the ranges in order; there is a gap between any two."""
        return zip(self._firsts, self._lasts, strict=True)

    def __len__(self) -> int:
        """Return how many numbers there are."""
        return sum(self._lasts) - sum(self._firsts) + len(self._firsts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        """Return `1-40,42`."""
        return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in self)

    @property
    def first(self) -> int:
        """The lowest number, 0 if there is none."""
        return self._firsts[0] if self._firsts else 0

    @property
    def last(self) -> int:
        """The highest number, 0 if there is none."""
        return self._lasts[-1] if self._lasts else 0

    def __and__(self, other: Ranges) -> Ranges:
        return Ranges(
            (max(first, low), min(last, high))
            for first, last in self
            for low, high in other._touching(first, last)
        )

    def __sub__(self, other: Ranges) -> Ranges:
        rest = Ranges()
        for first, last in self:
            for low, high in other._touching(first, last):
                rest.add_range(first, low - 1)
                first = high + 1  # noqa: PLW2901 - what is left of the range
            rest.add_range(first, last)
        return rest

    def __or__(self, other: Ranges) -> Ranges:
        union = Ranges(self)
        union.update(other)
        return union

    def _touching(self, first: int, last: int) -> Iterator[Pair]:
        """Yield the ranges that share a number with this one."""
        start = bisect_right(self._lasts, first - 1)
        end = bisect_right(self._firsts, last)
        return zip(self._firsts[start:end], self._lasts[start:end], strict=True)


def parse(text: str) -> Ranges:
    """Return the numbers of `12-40,42`; parts of another form are passed over."""
    found = Ranges()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first.isdecimal() and (last.isdecimal() or not last):
            found.add_range(int(first), int(last or first))
    return found
