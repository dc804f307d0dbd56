"""Lines to standard output, for containers whose engine keeps the log; or to nowhere.

Workers that share a pipe would tear each other's lines above PIPE_BUF (4 096 bytes), and a short
line could fall into a long one. So each writes under a lock on a file that it opened itself; the
file's name comes from the pipe, so that all who share the pipe find the same one.
"""

from __future__ import annotations

import math
import os
import stat
import sys
from typing import Final

from flowery_logging.files import platform
from flowery_logging.files.retention import Removed

STDOUT: Final = 1


class Stream:
    """Standard output as a place for lines: it never fills, ages or goes missing.

    After an interruption a pipe cannot be asked what it took. What `write` knows to be written
    counts; the rest of the line is written again, under the same ID.
    """

    path = "standard output"

    def __init__(self, entity: str) -> None:  # noqa: ARG002 - the same signature as files
        self.descriptor = -1
        self.size = 0
        self.max_size = sys.maxsize
        self.look_at = 0.0
        self._lock = -1
        from tempfile import gettempdir  # a heavy module, of no use for files

        self._lock_directory = gettempdir()  # here, as it takes a lock the first time
        self._written = 0

    def open_next(self) -> bool:
        """Take the descriptor, and a lock if it is shared; there is no header to write."""
        if self._lock < 0:
            self._lock = open_lock(STDOUT, self._lock_directory)
        self.look_at = math.inf
        self.descriptor = STDOUT
        return False

    def write(self, descriptor: int, line: bytes) -> int:
        """Write a whole line without another's in it. Raises OSError."""
        self._written = 0
        if self._lock < 0:
            return os.write(descriptor, line)
        platform.lock(self._lock)
        try:
            while self._written < len(line):
                self._written += os.write(descriptor, line[self._written :])
        finally:
            platform.unlock(self._lock)
        return self._written

    def is_due(self, now: float) -> bool:  # noqa: ARG002
        """A stream is never exchanged."""
        self.look_at = math.inf
        return False

    def stranded(self) -> bytes:
        """Nothing is ever taken back."""
        return b""

    def found(self, line: bytes) -> tuple[int, int]:
        """Return what is known to be written of a line that was interrupted."""
        return min(self._written, len(line)), 0

    def postpone(self) -> None:
        """There is nothing to postpone."""

    def lose(self) -> None:
        """Try the same descriptor again: who has closed standard output may open it again."""

    def retain(self) -> list[Removed]:
        """Nothing is kept."""
        return []

    def retire(self) -> None:
        """Leave the lock to the parent; the stream is shared."""
        self.close()

    def close(self) -> None:
        """Leave the stream to the process."""
        lock, self._lock = self._lock, -1
        self.descriptor = -1
        if lock >= 0:
            os.close(lock)


def open_lock(descriptor: int, directory: str) -> int:
    """Open the lock file of a pipe or terminal; -1 where there is nothing to lock or no place."""
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) or not platform.HAS_LOCKS:
            return -1  # each write to a regular file is whole
        name = f"flowery-logging-{os.getuid()}-{status.st_dev}-{status.st_ino}.lock"
        return platform.open_lock_file(os.path.join(directory, name))
    except OSError:
        return -1


class Nowhere(Stream):
    """Numbers events without keeping lines: for output to a console alone."""

    path = "nowhere"

    def open_next(self) -> bool:
        """Take no descriptor; any number that is not negative will do."""
        self.look_at = math.inf
        self.descriptor = 0
        return False

    def write(self, descriptor: int, line: bytes) -> int:  # noqa: ARG002
        """Take the line; the mirrors have it."""
        return len(line)
