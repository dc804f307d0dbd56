"""Lines to standard output, for containers whose engine keeps the log; or to nowhere."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

from flowery_logging.files.channel import STDOUT, Channel
from flowery_logging.files.tally import Write


class Stream:
    """Standard output as a place for lines: it never fills, ages or goes missing.

    A reader that is slow is like a full disk: the line waits in memory. A pipe cannot be asked what
    it took, so each part is counted as it is written; after an interruption the rest follows.
    """

    path = "standard output"
    place: str | None = path
    is_file = False
    retention = None

    def __init__(self, entity: str) -> None:  # noqa: ARG002 - the same signature as files
        self.descriptor = -1
        self.size = 0
        self.max_size = sys.maxsize
        self.look_at = 0.0
        self.header_due = False
        self._channel = Channel(STDOUT)
        self.write: Write = self._write

    def open_next(self) -> bool:
        """Take the descriptor; there is no header to write."""
        self.look_at = math.inf
        self.descriptor = STDOUT
        return False

    def _write(self, descriptor: int, line: bytes) -> int:  # noqa: ARG002
        """Write a whole line without another's in it. Raises OSError."""
        return self._channel.write(line)

    def is_due(self, now: float) -> bool:  # noqa: ARG002
        """Return False: a stream is never exchanged."""
        self.look_at = math.inf
        return False

    def stranded(self) -> bytes:
        """Nothing is ever taken back."""
        return b""

    def found(self, line: bytes) -> tuple[int, int]:
        """Return what is written of a line that was interrupted."""
        return self._channel.taken_of(line), 0

    def is_gone(self) -> bool:
        """Say no: a stream never had a name."""
        return False

    def postpone(self) -> None:
        """There is nothing to postpone."""

    def lose(self) -> None:
        """Try the same descriptor again: who has closed standard output may open it again."""

    def renew_patience(self) -> None:
        """Wait for the reader once more, as long as for the first time."""
        self._channel.renew_patience()

    def wrap_writes(self, wrapped: Callable[[Write], Write] | None) -> None:
        """Write by what `wrapped` makes of our own; None: by itself."""
        self.write = self._write if wrapped is None else wrapped(self._write)

    def retire(self) -> None:
        """Leave the lock to the parent; the stream is shared."""
        self.close()

    def close(self) -> None:
        """Leave the stream to the process."""
        self.descriptor = -1
        self._channel.close()


class Nowhere(Stream):
    """Numbers events without keeping lines: for output to a console alone, or to nowhere."""

    path = "nowhere"
    place = None

    def open_next(self) -> bool:
        """Take no descriptor; any number that is not negative will do."""
        self.look_at = math.inf
        self.descriptor = 0
        return False

    def _write(self, descriptor: int, line: bytes) -> int:  # noqa: ARG002
        """Take the line; the mirrors have it."""
        return len(line)
