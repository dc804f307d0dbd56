"""Numbers the events of this process and writes each as one line, whatever happens.

`Writer.write(before, after)` takes the two halves of an event from `ecs/`, splices in what only
the writer knows (the process's identity and the event's sequence number) and writes the line with
one `write()`. It takes one lock; a call that re-enters (a signal handler, a `__del__`) finds the
journal busy and leaves its event in the inbox for the outer frame.
"""

from __future__ import annotations

import weakref
from _thread import RLock  # a real one also where gevent has patched `threading`
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

from flowery_logging.counters import Counters
from flowery_logging.files import complaints, platform
from flowery_logging.files.journal import Halves, Identity, Journal, Target
from flowery_logging.files.upkeep import RecordFactory, Upkeep

LAST_EVENTS: Final = 100
"""After so many events more a process that was about to end evidently goes on."""


class Writer:
    """Writes the events of this process; safe under threads, signal handlers and forks.

    Args:
        target: makes the place where lines go, from the process's `entity_id`.
        identity: makes the bytes to splice in, from the `entity_id`.
        record: makes the halves of the writer's own records.
        counters: where faults are counted.
        mirrors: called with each line (a console); what they raise is dropped.
    """

    def __init__(
        self,
        target: Callable[[str], Target],
        identity: Callable[[str], Identity],
        record: RecordFactory,
        counters: Counters,
        mirrors: tuple[Callable[[bytes], None], ...] = (),
    ) -> None:
        self._target = target
        self._identity = identity
        self._record = record
        self._counters = counters
        self._upkeep = Upkeep(record, counters)
        self._mirrors = mirrors
        self._lock = RLock()
        self._journal = Journal(target, identity)
        _writers.add(self)

    @property
    def entity(self) -> str:
        """`process.entity_id` of this process."""
        return self._journal.entity

    @property
    def number(self) -> int:
        """The sequence number of the last event: how many this process has had."""
        return self._journal.number

    @property
    def path(self) -> str:
        """The file that is written now (or was last)."""
        return self._journal.target.path

    @property
    def waiting(self) -> int:
        """How many events wait in memory for the disk."""
        return self._journal.backlog.lines + len(self._journal.inbox)

    def write(self, before: bytes, after: bytes) -> None:
        """Number and write one event. Never raises for what happens to the file."""
        with self._lock:
            journal = self._journal
            if journal.busy:
                journal.inbox.append((before, after))
                return
            journal.busy = True
            try:
                number = journal.number + 1
                digits = b"%d" % number
                head, middle, tail = journal.identity
                line = b"".join((before, head, digits, middle, digits, tail, after))
                length = len(line)
                target = journal.target
                if (
                    target.size + length > target.max_size
                    or monotonic() >= target.look_at
                    or journal.flight is not None
                    or journal.backlog.active
                ):
                    self._write_with_care(journal, _given(before, after), length)
                else:
                    journal.flight = line
                    written = target.write(target.descriptor, line)
                    if written == length:
                        # No call from the write to here: see journal.py.
                        journal.number = number
                        target.size += written
                        journal.flight = None
                    else:
                        journal.note(line, written)
                        self._upkeep.prepare(journal, 0)
                    if self._mirrors:
                        self._mirror(line)
            except OSError as error:
                self._upkeep.settle(journal, error)
            finally:
                journal.busy = False
        while journal.inbox:
            self._drain()

    def _drain(self) -> None:
        """Write what re-entered calls have left, in their order; callbacks are called."""
        callbacks: list[Callable[[], None]] = []
        with self._lock:
            journal = self._journal
            if journal.busy:
                return
            journal.busy = True
            try:
                self._empty_inbox(journal, callbacks)
            except OSError as error:
                self._upkeep.settle(journal, error)
            finally:
                journal.busy = False
        for callback in callbacks:
            with self._lock:
                callback()

    def _empty_inbox(self, journal: Journal, callbacks: list[Callable[[], None]]) -> None:
        """Write what lies in the inbox. Raises OSError.

        A loop must not stand in a `try` (or `with`) of its own function: what a signal handler
        raises when Python 3.13 jumps back to its beginning passes by the `finally`.
        """
        while journal.taken < len(journal.inbox):
            entry = journal.inbox[journal.taken]
            if callable(entry):
                callbacks.append(entry)
                journal.taken += 1
            else:
                self._write_with_care(journal, _given(*entry), from_inbox=True)
        # Not clear(): a handler may have left another entry since the loop's last test.
        del journal.inbox[: journal.taken]
        journal.taken = 0

    def when_idle(self, callback: Callable[[], None]) -> None:
        """Call back when no write is in progress: at once, or from the frame that is writing.

        No other thread writes before the callback has returned.
        """
        with self._lock:
            if self._journal.busy:
                self._journal.inbox.append(callback)
            else:
                callback()

    def _mirror(self, line: bytes) -> None:
        for mirror in self._mirrors:
            try:
                mirror(line)
            except Exception:
                self._counters.add("mirror_errors")

    def _write_with_care(
        self,
        journal: Journal,
        make: Callable[[], Halves],
        length: int = 0,
        *,
        from_inbox: bool = False,
    ) -> None:
        """Write an event when something stands in the way: no file yet, a full one, a fault.

        Its halves are made when the file is ready, and so its number is known. `length` is about
        that of the line, in bytes.
        """
        if journal.retired:
            return  # we are the child of a fork that happened in the middle of a parent's call
        try:
            self._upkeep.prepare(journal, length)
        except OSError as error:
            self._upkeep.settle(journal, error)
        line = journal.line(*make())
        if from_inbox:
            journal.inbox_line = line
        if journal.target.descriptor >= 0 and not journal.backlog.active:
            journal.append(line)
        elif not journal.keep(line):
            self._counters.add("dropped")
        if self._mirrors:
            self._mirror(line)
        if journal.ending:
            self._close_again(journal)

    def reconfigure(
        self,
        target: Callable[[str], Target],
        mirrors: tuple[Callable[[bytes], None], ...],
    ) -> None:
        """Go on, with the next number, in another place; what waits is written there."""
        with self._lock:
            journal = self._journal
            old = journal.target
            self._target, self._mirrors = target, mirrors
            journal.target = target(journal.entity)
            journal.ending = 0
            journal.backlog.rewind()
            old.close()

    def checkpoint(self, reason: str | None = None) -> None:
        """Write a closing record with the count of events, unless the last line is one.

        The process is about to end, but others may have something to say yet: each of the next
        `LAST_EVENTS` events is followed by a closing record of its own, until `go_on()`.
        `reason` is the name of the signal that ends the process, if one does.
        """
        with self._lock:
            if self._journal.inbox:
                self._drain()
            journal = self._journal
            told = journal.number == journal.checkpoint and reason in (None, journal.reason)
            journal.reason = reason or journal.reason
            journal.ending = LAST_EVENTS
            journal.target.look_at = 0.0
            if journal.busy or told:
                return
            journal.busy = True
            try:
                self._close_again(journal)
            except OSError as error:
                self._upkeep.settle(journal, error)
            finally:
                journal.busy = False
            if journal.backlog.active:
                complaints.complain(f"{self.waiting} events could not be written", last=True)

    def go_on(self) -> None:
        """Take note that the process does not end after all."""
        self._journal.ending = 0

    def _close_again(self, journal: Journal) -> None:
        """Write a closing record behind what stands there now. Raises OSError."""
        left, journal.ending = journal.ending, 0
        try:
            self._write_with_care(journal, lambda: self._closing(journal))
            journal.checkpoint = journal.number
        finally:
            journal.ending = left - 1
            if journal.ending:
                journal.target.look_at = 0.0  # the next event takes the careful way too

    def _closing(self, journal: Journal) -> Halves:
        facts: dict[str, Any] = {"events": journal.number + 1}
        if journal.reason is not None:
            facts["event.reason"] = journal.reason
        return self._record("closed", facts)

    def close(self) -> None:
        """Write a closing record and close the file. A later event opens the next file."""
        with self._lock:
            self.checkpoint()
            self.go_on()
            journal = self._journal
            if not journal.busy:
                journal.target.close()

    def start_child(self) -> None:
        """Begin anew in a forked child: own identity, own file, own lock; the parent's are left."""
        parent = self._journal
        parent.retired = True
        self._lock = RLock()
        self._journal = Journal(self._target, self._identity)
        try:
            parent.target.retire()
        except OSError:
            pass


def _given(before: bytes, after: bytes) -> Callable[[], Halves]:
    # A lambda in `write` itself would make cells of its arguments, at each call.
    return lambda: (before, after)


_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


def _start_children() -> None:
    for writer in list(_writers):
        writer.start_child()


platform.after_fork_in_child(_start_children)
