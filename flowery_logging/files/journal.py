"""The state of one process's log, and the rule that keeps it consistent.

*Sequence and line commit together.* A signal handler may log, or raise, after any call. So a line
is noted as in flight before its `write()`, and what follows a `write()` are plain assignments,
between which Python runs no handler: no call and no loop, and up to Python 3.10 no `if` either. A
note found later means an interruption: the file then tells whether that line was committed, torn
or absent.

*A handler may also fork.* Then the frame that it has interrupted goes on in the child too, with the
parent's journal, which is `retired` there. So right before each `write()` it is looked whether this
is still the same process (see process.py): at `mark`, and not by a call, since a handler may run as
that returns.
"""

from __future__ import annotations

import errno
from _thread import RLock  # a real one also where gevent has patched `threading`
from collections.abc import Callable
from typing import Final, Protocol

from flowery_logging import process
from flowery_logging.event_parts import Halves
from flowery_logging.files.backlog import Backlog
from flowery_logging.files.faults import is_ours
from flowery_logging.files.removal import Removed
from flowery_logging.files.retention import Retention
from flowery_logging.files.tally import Tally, Write
from flowery_logging.process import mark
from flowery_logging.system import System

Identity = tuple[bytes, bytes, bytes]
"""What the writer puts between them, around the sequence number, which comes twice."""

BLOCK: Final = b"the first line of the backlog"
"""What is noted as in flight while a line is written that has waited, and is counted already."""


class Target(Protocol):
    """Where lines go: the files of one process, or a stream."""

    descriptor: int
    size: int
    max_size: int
    look_at: float
    header_due: bool  # set together with `descriptor`: this place begins with a header

    @property
    def path(self) -> str: ...
    @property
    def place(self) -> str | None: ...  # where a reader looks for lines; None: nobody can
    @property
    def is_file(self) -> bool: ...  # whether `write` is one `write()` to a file of our own
    @property
    def retention(self) -> Retention | None: ...  # None: nothing is kept
    @property
    def write(self) -> Callable[[int, bytes], int]: ...  # as os.write
    def open_next(self) -> bool: ...  # whether it begins with a header
    def is_due(self, now: float) -> bool: ...
    def stranded(self) -> bytes: ...
    def found(self, line: bytes) -> tuple[int, int]: ...
    def is_gone(self) -> bool: ...
    def postpone(self) -> None: ...
    def lose(self) -> None: ...
    def renew_patience(self) -> None: ...
    def wrap_writes(self, wrapped: Callable[[Write], Write] | None) -> None: ...
    def retire(self) -> None: ...
    def close(self) -> None: ...


class Journal:
    """Who this process is, how far it has counted, what is under way.

    A fork gives the child a new journal, with a lock of its own. A frame of the parent's that goes
    on in the child still holds the old one (`retired`) and can do no harm to the new.
    """

    __slots__ = (
        "backlog",
        "begun",
        "busy",
        "checkpoint",
        "checkpoint_before",
        "ending",
        "entity",
        "flight",
        "identity",
        "inbox",
        "inbox_line",
        "lock",
        "number",
        "reason",
        "retired",
        "stranded",
        "taken",
        "tally",
        "target",
        "thread",
        "way",
    )

    def __init__(
        self, target: Callable[[str], Target], identity: Callable[[str], Identity]
    ) -> None:
        self.lock = RLock()
        self.entity = System.urandom(12).hex()
        self.identity = identity(self.entity)
        self.target = target(self.entity)
        self.number = 0
        self.begun = 0  # the number before the first one in this place
        self.checkpoint = 0  # the number of the last closing record
        self.checkpoint_before = 0  # that of the last one before this place
        self.ending = 0  # how many of the next events are followed by another one
        self.reason: str | None = None  # the name of the signal that it says
        self.busy = False
        self.retired = False
        self.flight: bytes | None = None
        self.inbox: list[Halves | Callable[[], None]] = []  # what re-entered calls have left
        self.taken = 0  # how many of these are done; counted together with their lines
        self.inbox_line: bytes | None = None  # the line made from the next one
        self.stranded = b""  # lines of a removed file, to be written again in the next
        self.backlog = Backlog()
        self.tally: Tally | None = None
        self.thread = b""  # the half of the last line that tells its thread
        self.way: Callable[[Write], Write] | None = None  # what makes another `write()` of one

    def move(self, target: Target) -> None:
        """Go on in another place. Numbers of lines that nobody can read are used again."""
        unseen = self.target.place is None
        # From here on neither a call nor an `if`: a handler that logs would take such a number.
        self.number -= (self.number - self.begun) * unseen
        self.checkpoint -= (self.checkpoint - self.checkpoint_before) * unseen
        self.begun = self.number
        self.checkpoint_before = self.checkpoint
        self.ending = 0
        self.target = target

    def count_by(self, tally: Tally | None) -> None:
        """Count lines as they set out, and time the calls that write them; None: no more."""
        self.tally = tally
        self._wrap_writes()

    def write_by(self, way: Callable[[Write], Write] | None) -> None:
        """Write by what is made of `write()`; None: by itself."""
        self.way = way
        self._wrap_writes()

    def _wrap_writes(self) -> None:
        is_plain = self.tally is None and self.way is None
        self.target.wrap_writes(None if is_plain else self._wrapped)

    def _wrapped(self, write: Write) -> Write:
        if self.way is not None:
            write = self.way(write)
        return write if self.tally is None else self._counting(write)

    def _counting(self, write: Write) -> Write:
        """Return `write`, counting each line that it is given for the first time.

        A line in flight is committed whatever becomes of this call, so it counts before. What a
        signal handler raises behind the write interrupts it as it always may: the file then tells.
        """

        def counting(descriptor: int, line: bytes) -> int:
            tally = self.tally
            if tally is None or self.retired:
                return write(descriptor, line)
            if self.flight is line:  # not a rest that has waited
                tally.take(line)
            begun = System.monotonic()
            written = write(descriptor, line)
            tally.writes.note(System.monotonic() - begun)
            return written

        return counting

    def line(self, before: bytes, after: bytes) -> bytes:
        """Return an event as the line that comes next."""
        number = b"%d" % (self.number + 1)
        head, middle, tail = self.identity
        return b"".join((before, head, number, middle, number, tail, after))

    def append(self, line: bytes, announced: list[Removed] | None = None) -> None:
        """Write the line that comes next, past what waits. Raises OSError; then `settle`.

        `announced` is what this line tells: it is emptied as the line sets out.
        """
        told = [] if announced is None else announced
        if not mark[0]:
            process.begin()
        self.flight = line
        del told[:]
        self.note(line, self.target.write(self.target.descriptor, line))

    def begin_file(self, header: bytes) -> None:
        """Write the first line of a file. Raises OSError; then `settle`."""
        target = self.target
        if not mark[0]:
            process.begin()
        self.flight = header
        target.header_due = False
        self.note(header, target.write(target.descriptor, header))

    def note(self, line: bytes, written: int) -> None:
        """Commit the line in flight, of which so many bytes were written; the rest waits."""
        if written == len(line):
            target = self.target
            self.number += 1
            self.taken += line is self.inbox_line
            target.size += written
            self.flight = None
        else:
            self._commit_first(line, written, written)

    def _commit_first(self, line: bytes, done: int, grown: int) -> None:
        """Count the line in flight and let it wait before all others.

        `done` bytes of it lie in the file already, which has grown by `grown` bytes.
        """
        target, backlog = self.target, self.backlog
        block = line + backlog.block[backlog.offset :]
        backlog.active = True
        backlog.block = block
        backlog.offset = done
        self.number += 1
        self.taken += line is self.inbox_line
        target.size += grown
        self.flight = None

    def keep(self, line: bytes) -> bool:
        """Let the line that comes next wait behind the others; False if memory is full.

        From the first assignment on no call, so that no note of a flight is needed.
        """
        backlog, length = self.backlog, len(line)
        if not backlog.has_room(length):
            dropped = backlog.dropped_with(self.number + 1)
            backlog.active = True
            backlog.dropped = dropped
            self.number += 1
            self.taken += line is self.inbox_line
            return False
        backlog.active = True
        backlog.waiting += [line]
        backlog.waiting_bytes += length
        backlog.delayed += 1
        self.number += 1
        self.taken += line is self.inbox_line
        return True

    def write_out(self) -> None:
        """Write what waits, a line at a time. Raises OSError; then `settle`."""
        backlog, target = self.backlog, self.target
        while rest := backlog.next_line():
            if not mark[0]:
                process.begin()
            self.flight = BLOCK
            written = target.write(target.descriptor, rest)
            target.size += written
            backlog.offset += written
            self.flight = None
            if written < 1:
                raise OSError(errno.ENOSPC, "write() takes nothing")

    def rewrite_stranded(self) -> None:
        """Let the lines of a removed file wait before all others."""
        backlog = self.backlog
        block = self.stranded + backlog.block[backlog.offset :]
        backlog.active = True
        backlog.block = block
        backlog.offset = 0
        self.stranded = b""

    def settle(self) -> None:
        """Find out what became of the line in flight after an error or an interruption."""
        line, backlog = self.flight, self.backlog
        if line is None:
            return
        if line is BLOCK:
            done, grown = self._found(backlog.next_line())
            target = self.target
            target.size += grown
            backlog.offset += done
            self.flight = None
        else:
            found = self._found(line)
            self.count(line)  # before the commit: interrupted in between, it is asked again
            self._commit_first(line, *found)

    def count(self, line: bytes) -> None:
        """Count a line that has its number now, unless it was counted as it set out."""
        if self.tally is not None and self.tally.last is not line and not self.retired:
            self.tally.take(line)

    def _found(self, line: bytes) -> tuple[int, int]:
        try:
            return self.target.found(line)
        except OSError as error:
            if not is_ours(error):
                raise  # the line stays noted: asked again at the next call
            self._leave_file()
            return 0, 0

    def _leave_file(self) -> None:
        """Leave a file that cannot be looked at: a part of the line may lie in it.

        Nothing is written behind that. The line goes into the next file, under the same ID.
        """
        try:
            self.target.close()
        except OSError as error:
            if not is_ours(error):
                raise
