"""What still waits in memory when a process ends: shown on stderr rather than nowhere."""

from __future__ import annotations

from flowery_logging.files import complaints, stderr
from flowery_logging.files.journal import Journal


class Leftovers:
    """Hands each line that waits to stderr once: at an end, which may not be the last.

    They are at most `backlog.MAX_BYTES`, and stay in memory: the disk may come back.
    """

    def __init__(self) -> None:
        self._shown = b""  # the last line that was handed over
        self._lines: list[bytes] = []
        self._path = ""
        self._gone = 0

    def take(self, journal: Journal) -> None:
        """Take what waits, under the writer's lock."""
        lines = journal.backlog.pending() if journal.backlog.active else []
        if self._shown in lines:
            lines = lines[lines.index(self._shown) + 1 :]
        self._lines, self._path = lines, journal.target.path
        self._gone = sum(last - first + 1 for first, last in journal.backlog.dropped)

    def show(self) -> None:
        """Write what was taken to stderr, after the lock is released. Never raises."""
        lines, self._lines = self._lines, []
        if not lines:
            return
        self._shown = lines[-1]
        gone = f", {self._gone} more were dropped" if self._gone else ""
        text = f"{len(lines)} events could not be written to {self._path}, they follow{gone}"
        complaints.complain(text, last=True)
        stderr.say_lines(b"".join(lines))
