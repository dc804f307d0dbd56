"""Lines that wait in memory, already numbered, while the disk takes none."""

from __future__ import annotations

from typing import Any, Final

MAX_BYTES: Final = 8 * 1024 * 1024

RANGES_PER_RECORD: Final = 300
"""As many ranges, of 12-digit numbers, as fit into one label of 8 192 characters."""

Ranges = tuple[tuple[int, int], ...]
"""Sequence numbers as (first, last) pairs, in order."""


class Backlog:
    """Lines in order, up to `max_bytes`; beyond that only the numbers of the dropped ones.

    Two parts: `block`, which is being written out from `offset` on, and `waiting` behind it.
    `active` is set as long as anything may wait. Whoever changes more than one attribute does so
    by plain assignments, so that a signal handler that raises leaves them consistent.
    """

    __slots__ = (
        "active",
        "block",
        "delayed",
        "dropped",
        "max_bytes",
        "offset",
        "waiting",
        "waiting_bytes",
    )

    def __init__(self) -> None:
        self.max_bytes = MAX_BYTES
        self.active = False
        self.block = b""
        self.offset = 0
        self.waiting: list[bytes] = []
        self.waiting_bytes = 0
        self.delayed = 0  # events that have waited since the last announcement
        self.dropped: Ranges = ()  # given up since the last announcement

    @property
    def lines(self) -> int:
        """The number of lines that wait (a line written in part counts)."""
        return self.block.count(b"\n", self.offset) + len(self.waiting)

    def has_room(self, length: int) -> bool:
        """Tell whether a line of so many bytes may still wait.

        Once lines are dropped, that goes on until half of the room is free: the dropped numbers
        then are few ranges.
        """
        pending = len(self.block) - self.offset + self.waiting_bytes
        return pending + length <= (self.max_bytes // 2 if self.dropped else self.max_bytes)

    def facts(self) -> list[dict[str, Any]]:
        """Return the fields of the record that announces the recovery.

        More than one record's if many ranges were dropped: a label holds only so many.
        """
        count = sum(last - first + 1 for first, last in self.dropped)
        records: list[dict[str, Any]] = [
            {"delayed_events": self.delayed, "dropped_events": count},
            *({} for _ in range(RANGES_PER_RECORD, len(self.dropped), RANGES_PER_RECORD)),
        ]
        for number, record in enumerate(records):
            some = self.dropped[number * RANGES_PER_RECORD : (number + 1) * RANGES_PER_RECORD]
            if some:
                record["dropped_sequences"] = ",".join(f"{first}-{last}" for first, last in some)
        return records

    def dropped_with(self, number: int) -> Ranges:
        """Return `dropped` with one more number; neighbours become one range."""
        if self.dropped and self.dropped[-1][1] == number - 1:
            return (*self.dropped[:-1], (self.dropped[-1][0], number))
        return (*self.dropped, (number, number))

    def next_line(self) -> bytes:
        """Return the unwritten rest of the first line, or b"" if nothing waits."""
        if self.offset >= len(self.block) and self.waiting:
            block = b"".join(self.waiting)
            self.block, self.offset, self.waiting, self.waiting_bytes = block, 0, [], 0
        end = self.block.find(b"\n", self.offset) + 1
        return self.block[self.offset : end]

    def pending(self) -> list[bytes]:
        """Return the lines that wait, each as a whole."""
        start = self.block.rfind(b"\n", 0, self.offset) + 1
        return [*self.block[start:].splitlines(keepends=True), *self.waiting]

    def first_length(self) -> int:
        """Return the length of the first line, with what of it lies in the file already."""
        start = self.block.rfind(b"\n", 0, self.offset) + 1
        return self.block.find(b"\n", self.offset) + 1 - start

    def rewind(self) -> None:
        """Begin the first line again: the file that has its first part takes no more."""
        start = self.block.rfind(b"\n", 0, self.offset) + 1
        self.offset = start
