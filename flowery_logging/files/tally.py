"""Counts the lines of this process by service and level, for whoever shows them (metrics).

Each line is counted under the writer's lock as it sets out, and only where somebody has asked for
it. So the counts are those of the lines, whatever happens to the disk or interrupts the call.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from flowery_logging import process
from flowery_logging.files.levels import level_of_line

MOST_LEVELS: Final = 32
"""So many levels of a service are told apart, since a level may be any number."""

OTHER: Final = b"_OTHER"

WRITE_SECONDS: Final = (
    0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.001, 0.01, 0.1, 1.0, 10.0,
)  # fmt: skip
"""Upper bounds of the classes of `write()` calls: a local disk takes some microseconds."""

Write = Callable[[int, bytes], int]
"""As os.write."""


@dataclass(slots=True, eq=False)
class Count:
    """How many lines of one service and level, and their bytes with the ends of lines."""

    service: str
    level: bytes  # as `log.level` has it
    events: int = 0
    size: int = 0


class Writes:
    """How long the calls of `write()` have taken, as a histogram of `WRITE_SECONDS` and beyond."""

    def __init__(self) -> None:
        self.classes = [0] * (len(WRITE_SECONDS) + 1)
        self.seconds = 0.0
        self.last = 0  # the class of the last call

    def note(self, seconds: float) -> None:
        """Count a call that has succeeded."""
        self.last = bisect_left(WRITE_SECONDS, seconds)
        self.classes[self.last] += 1
        self.seconds += seconds


class Tally:
    """The counts of one process; a forked child begins at 0.

    `listener` is called with each count that has changed, under the writer's lock: it must neither
    log nor wait.
    """

    def __init__(self) -> None:
        self.listener: Callable[[Count], None] | None = None
        self.last = b""
        self.writes = Writes()
        self.service = ""  # of the lines to come
        self._counts: dict[str, dict[bytes, Count]] = {}
        self._levels: dict[bytes, Count] = {}  # of the current service
        process.renew_in_children(self)

    def name(self, service: str) -> None:
        """Count the lines to come for this service."""
        self.service = service
        self._levels = self._counts.setdefault(service, {})

    def start_child(self) -> None:
        """Begin at 0: the parent's lines are the parent's."""
        self._counts, self.writes = {}, Writes()
        self.name(self.service)

    def take(self, line: bytes) -> None:
        """Count one line. A signal handler finds it counted or not, and `last` says which."""
        count = self._levels.get(level_of_line(line))
        if count is None:
            count = self._begin(level_of_line(line))
        size = len(line)
        # From here on no call, so that no signal handler can run between the assignments.
        self.last = line
        count.events += 1
        count.size += size
        if self.listener is not None:
            self.listener(count)

    def _begin(self, level: bytes) -> Count:
        if len(self._levels) >= MOST_LEVELS:
            level = OTHER
        return self._levels.setdefault(level, Count(self.service, level))

    def __iter__(self) -> Iterator[Count]:
        """Yield the counts there are now."""
        process.look()
        for levels in self._counts.copy().values():
            yield from levels.copy().values()
