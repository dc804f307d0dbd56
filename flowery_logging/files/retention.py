"""When old files are removed: once a file was opened, at its looks, on a full disk, at the end.

Which ones, and how: removal.py.
"""

from __future__ import annotations

import os
from typing import Final, Protocol

from flowery_logging.files import platform
from flowery_logging.files.faults import is_ours
from flowery_logging.files.removal import GRACE_SECONDS, Removal, Removed, RetentionSettings
from flowery_logging.system import System

FINISHING: Final = "08"
"""How the entity of a process ends that finishes the work as it ends: one in eight."""

ROOM_SECONDS: Final = 1.0
"""How often room is made while the disk is full."""

STEADY_SECONDS: Final = 10.0
"""A clock that has gone so much less or more than the monotonic one was set."""


class OwnFile(Protocol):
    """The file that this process has open."""

    descriptor: int

    @property
    def path(self) -> str: ...


class Retention:
    """Removes old files of a service, with bounded work at a time."""

    def __init__(self, settings: RetentionSettings) -> None:
        self._removal = Removal(settings)
        self._room_at = 0.0
        self.is_due = False  # a file was opened, or there is more to do
        self.after = 0.0  # not before, on the monotonic clock
        self._ages_from = 0.0  # before that, ages are those of another clock
        self._began: float | None = None  # when the monotonic clock was 0, as files tell the time

    def work(self, own: OwnFile) -> list[Removed]:
        """Go on, if it is due. Returns what was removed: whoever announces it empties the list."""
        if not self.is_due or System.monotonic() < self.after:
            return []
        removed = self._step(own)
        self.is_due = self._removal.is_under_way() or bool(removed) or self.waits
        return removed

    def unannounced(self) -> list[Removed]:
        """Return what else was removed and is to be announced, as `work` does."""
        return self._removal.unannounced()

    def make_room(self, own: OwnFile) -> None:
        """Remove old files because the disk is full: else they may be what keeps it so.

        Once a second. Nothing can be announced now: `work` gives what was removed when it can.
        """
        now = System.monotonic()
        if own.descriptor >= 0 and now >= self._room_at:
            self._room_at = now + ROOM_SECONDS
            self.is_due = True
            self._step(own, is_urgent=True)

    def is_left_to(self, entity: str) -> bool:
        """Tell whether a process, which ends, is one that finishes what there is to remove.

        Where all processes are short, none comes to the end of a large directory by its looks.
        """
        return self.is_due and entity[-1] in FINISHING

    def hurry(self, until: float) -> None:
        """Have the next calls of `work` finish; `until` is when it must know what there is."""
        self.after = 0.0
        self._removal.hurry(until)

    def _step(self, own: OwnFile, *, is_urgent: bool = False) -> list[Removed]:
        in_use = own.path.rpartition(os.sep)[2]
        is_now = platform.touch(own.descriptor)
        now = _time_of(own.descriptor)
        if is_now:  # else it is that of the last write, from which no clock is told
            self._compare_clocks(now)
        if self.waits:
            return self.unannounced()
        return self._removal.step(in_use, now, is_urgent=is_urgent)

    @property
    def waits(self) -> bool:
        """Whether a file of a moment ago may seem old, as the clock was set."""
        return System.monotonic() < self._ages_from

    def _compare_clocks(self, now: float) -> None:
        """Notice that the clock was set, as after a start without a clock or a suspension."""
        monotonic = System.monotonic()
        began, self._began = self._began, now - monotonic
        if began is not None and abs(self._began - began) > STEADY_SECONDS:
            self.after = self._ages_from = monotonic + GRACE_SECONDS


def _time_of(descriptor: int) -> float:
    """Return the time as the file system tells it, of our file: ages are compared with that.

    No clock of the process can be trusted: freezegun and others turn it. Where the time of our own
    file cannot be set, it is that of the last write: nothing then seems older than it is.
    """
    try:
        return System.fstat(descriptor).st_mtime
    except OSError as error:
        if not is_ours(error):
            raise
        return 0.0  # then nothing is old
