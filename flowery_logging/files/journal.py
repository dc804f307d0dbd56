"""The state of one process's log, and the rule that keeps it consistent.

*Sequence and line commit together.* A signal handler may log, or raise, after any call. So a line
is noted as in flight before its `write()`, and what follows a `write()` are plain assignments,
between which Python runs no handler: no call and no loop, and up to Python 3.10 no `if` either. A
note found later means an interruption: the file then tells whether that line was committed, torn
or absent.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

from flowery_logging.files.backlog import Backlog
from flowery_logging.files.faults import is_ours
from flowery_logging.files.retention import Removed

Halves = tuple[bytes, bytes]
"""What stands before and what stands after `event.id` and `event.sequence` in a line."""

Identity = tuple[bytes, bytes, bytes]
"""What the writer puts between them, around the sequence number, which comes twice."""


class Target(Protocol):
    """Where lines go: the files of one process, or a stream."""

    descriptor: int
    size: int
    max_size: int
    look_at: float

    @property
    def path(self) -> str: ...
    @property
    def write(self) -> Callable[[int, bytes], int]: ...  # as os.write
    def open_next(self) -> bool: ...  # whether it begins with a header
    def is_due(self, now: float) -> bool: ...
    def stranded(self) -> bytes: ...
    def found(self, line: bytes) -> tuple[int, int]: ...
    def postpone(self) -> None: ...
    def lose(self) -> None: ...
    def retain(self) -> list[Removed]: ...
    def retire(self) -> None: ...
    def close(self) -> None: ...


class Journal:
    """Who this process is, how far it has counted, what is under way.

    A fork gives the child a new journal; a frame of the parent's that goes on in the child still
    holds the old one (`retired`) and can do no harm to the new.
    """

    __slots__ = (
        "backlog",
        "busy",
        "checkpoint",
        "ending",
        "entity",
        "flight",
        "identity",
        "inbox",
        "inbox_line",
        "number",
        "reason",
        "retired",
        "taken",
        "target",
    )

    def __init__(
        self, target: Callable[[str], Target], identity: Callable[[str], Identity]
    ) -> None:
        self.entity = os.urandom(12).hex()
        self.identity = identity(self.entity)
        self.target = target(self.entity)
        self.number = 0
        self.checkpoint = 0  # the number of the last closing record
        self.ending = 0  # how many of the next events are followed by another one
        self.reason: str | None = None  # the name of the signal that it says
        self.busy = False
        self.retired = False
        self.flight: bytes | None = None
        self.inbox: list[Halves | Callable[[], None]] = []  # what re-entered calls have left
        self.taken = 0  # how many of these are done; counted together with their lines
        self.inbox_line: bytes | None = None  # the line made from the next one
        self.backlog = Backlog()

    def line(self, before: bytes, after: bytes) -> bytes:
        """Return an event as the line that comes next."""
        number = b"%d" % (self.number + 1)
        head, middle, tail = self.identity
        return b"".join((before, head, number, middle, number, tail, after))

    def append(self, line: bytes) -> None:
        """Write the line that comes next, past what waits. Raises OSError; then `settle`."""
        self.flight = line
        self.note(line, self.target.write(self.target.descriptor, line))

    def note(self, line: bytes, written: int) -> None:
        """Commit the line in flight, of which so many bytes were written; the rest waits."""
        if written != len(line):
            self.backlog.put_first(line, written)
        self._count(line, written)

    def _count(self, line: bytes, written: int) -> None:
        """Count the line in flight, of which the file has got so many bytes."""
        target = self.target
        self.number += 1
        self.taken += line is self.inbox_line
        target.size += written
        self.flight = None

    def keep(self, line: bytes) -> bool:
        """Let the line that comes next wait behind the others; False if memory is full."""
        backlog, length = self.backlog, len(line)
        if not backlog.has_room(length):
            dropped = backlog.dropped_with(self.number + 1)
            backlog.active = True
            backlog.dropped = dropped
            self.number += 1
            self.taken += line is self.inbox_line
            self.flight = None
            return False
        backlog.active = True
        self.flight = line
        backlog.waiting.append(line)
        backlog.waiting_bytes += length
        backlog.delayed += 1
        self.number += 1
        self.taken += line is self.inbox_line
        self.flight = None
        return True

    def write_out(self) -> None:
        """Write what waits, a line at a time. Raises OSError; then `settle`."""
        backlog, target = self.backlog, self.target
        while rest := backlog.next_line():
            self.flight = backlog.block
            written = target.write(target.descriptor, rest)
            target.size += written
            backlog.offset += written
            self.flight = None

    def settle(self) -> None:
        """Find out what became of the line in flight after an error or an interruption."""
        line, backlog = self.flight, self.backlog
        if line is None:
            return
        if line is backlog.block:
            self._settle_block()
        elif backlog.waiting and backlog.waiting[-1] is line:
            self._settle_waiting(len(line))
        elif backlog.active and backlog.block.startswith(line):
            self._count(line, backlog.offset)  # `put_first` was done, the count was not
        else:
            done, grown = self._found(line)
            block = line + backlog.block[backlog.offset :]
            target = self.target
            backlog.active = True
            backlog.block = block
            backlog.offset = done
            self.number += 1
            self.taken += line is self.inbox_line
            target.size += grown
            self.flight = None

    def _settle_waiting(self, length: int) -> None:
        self.backlog.waiting_bytes += length
        self.backlog.delayed += 1
        self.number += 1
        self.taken += self.flight is self.inbox_line
        self.flight = None

    def _settle_block(self) -> None:
        done, grown = self._found(self.backlog.next_line())
        self.target.size += grown
        self.backlog.offset += done
        self.flight = None

    def _found(self, line: bytes) -> tuple[int, int]:
        try:
            return self.target.found(line)
        except OSError as error:
            if not is_ours(error):
                raise  # the line stays noted: asked again at the next call
            return 0, 0  # nothing can be learnt: written again, under the same ID
