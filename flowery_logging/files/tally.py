"""Counts the lines of this process by service and level, for whoever shows them (metrics).

The writer counts under its lock, with each line that it has numbered, and only where somebody has
asked for it. So the counts are those of the lines, whatever happens to the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from flowery_logging import process
from flowery_logging.files.levels import level_of_line

MOST_LEVELS: Final = 32
"""So many levels of a service are told apart, since a level may be any number."""

OTHER: Final = b"_OTHER"


@dataclass(slots=True, eq=False)
class Count:
    """How many lines of one service and level, and their bytes with the ends of lines."""

    service: str
    level: bytes  # as `log.level` has it
    events: int = 0
    size: int = 0


class Tally:
    """The counts of one process; a forked child begins at 0.

    `listener` is called with each count that has changed, under the writer's lock: it must neither
    log nor wait.
    """

    def __init__(self) -> None:
        self.listener: Callable[[Count], None] | None = None
        self._service = ""
        self._counts: dict[str, dict[bytes, Count]] = {}
        self._levels: dict[bytes, Count] = {}  # of the current service
        process.in_each_child(self._start_child)

    def name(self, service: str) -> None:
        """Count the lines to come for this service."""
        self._service = service
        self._levels = self._counts.setdefault(service, {})

    def _start_child(self) -> None:
        self._counts = {}
        self.name(self._service)

    def take(self, line: bytes) -> None:
        """Count one line."""
        count = self._levels.get(level_of_line(line))
        if count is None:
            count = self._begin(level_of_line(line))
        count.events += 1
        count.size += len(line)
        if self.listener is not None:
            self.listener(count)

    def _begin(self, level: bytes) -> Count:
        if len(self._levels) >= MOST_LEVELS:
            level = OTHER
        return self._levels.setdefault(level, Count(self._service, level))

    def __iter__(self) -> Iterator[Count]:
        """Yield the counts there are now."""
        process.look()
        for levels in list(self._counts.values()):
            yield from list(levels.values())
