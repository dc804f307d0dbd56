"""Numbers the events of this process and writes each as one line, whatever happens.

`Writer.write(before, after)` takes the two halves of an event from `ecs/`, splices in what only
the writer knows (the process's identity and the event's sequence number) and writes the line with
one `write()`. It takes one lock; a call that re-enters (a signal handler, a `__del__`) finds the
journal busy and leaves its event in the inbox for the outer frame.

Each entry first looks whether this is the child of a fork (see process.py), whose journal and lock
are its own.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

from flowery_logging import process
from flowery_logging.counters import Counters
from flowery_logging.files import complaints
from flowery_logging.files.journal import Halves, Identity, Journal, Target
from flowery_logging.files.upkeep import RecordFactory, Upkeep
from flowery_logging.process import mark
from flowery_logging.system import System


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
        self._journal = Journal(target, identity)
        _writers.add(self)

    def _own_journal(self) -> Journal:
        """Return the journal of this process, in the child of a fork a new one."""
        process.look()
        return self._journal

    @property
    def entity(self) -> str:
        """`process.entity_id` of this process."""
        return self._own_journal().entity

    @property
    def number(self) -> int:
        """The sequence number of the last event: how many this process has had."""
        return self._own_journal().number

    @property
    def path(self) -> str:
        """The file that is written now (or was last)."""
        return self._own_journal().target.path

    @property
    def waiting(self) -> int:
        """How many events wait in memory for the disk."""
        journal = self._own_journal()
        return journal.backlog.lines + len(journal.inbox)

    def write(self, before: bytes, after: bytes) -> None:
        """Number and write one event. Never raises for what happens to the file."""
        if not mark[0]:
            process.begin()
        journal = self._journal
        with journal.lock:
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
                    or System.monotonic() >= target.look_at
                    or journal.flight is not None
                    or journal.backlog.active
                    or not mark[0]  # last: a signal handler may have forked after any call
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
                journal.busy = False  # Python 3.12 jumps from here: a handler passes by the finally
            finally:
                journal.busy = False
        while journal.inbox and not journal.retired:
            self._drain(journal)

    def _drain(self, journal: Journal) -> None:
        """Write what re-entered calls have left, in their order; callbacks are called."""
        callbacks: list[Callable[[], None]] = []
        with journal.lock:
            if journal.busy:
                return
            journal.busy = True
            try:
                self._empty_inbox(journal, callbacks)
            except OSError as error:
                self._upkeep.settle(journal, error)
                journal.busy = False  # Python 3.12 jumps from here: a handler passes by the finally
            finally:
                journal.busy = False
        for callback in callbacks:
            callback()

    def _empty_inbox(self, journal: Journal, callbacks: list[Callable[[], None]]) -> None:
        """Write what lies in the inbox. Raises OSError.

        A loop must not stand in a `try` (or `with`) of its own function: what a signal handler
        raises when Python 3.13 jumps back to its beginning passes by the `finally`.
        """
        while journal.taken < len(journal.inbox) and not journal.retired:
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
        """Call back when no write is in progress: at once, or from the frame that is writing."""
        journal = self._own_journal()
        with journal.lock:
            if journal.busy:
                journal.inbox.append(callback)
                return
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
        process.look()
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

    def reconfigure(
        self,
        target: Callable[[str], Target],
        mirrors: tuple[Callable[[bytes], None], ...],
    ) -> None:
        """Go on, with the next number, in another place; what waits is written there."""
        journal = self._own_journal()
        with journal.lock:
            self._target, self._mirrors = target, mirrors
            if journal.busy:  # a signal handler, in the middle of a write
                journal.inbox.append(lambda: self._move(journal))
                return
        self._move(journal)

    def _move(self, journal: Journal) -> None:
        """Leave the place of lines for the one that is configured now."""
        with journal.lock:
            if journal.retired:
                return
            journal.settle()  # what an interruption has left in flight lies in the old place
            old = journal.target
            new = self._target(journal.entity)
            journal.backlog.rewind()
            journal.target = new
            old.close()

    def checkpoint(self, reason: str | None = None) -> None:
        """Write a closing record with the count of events, unless none came since the last.

        `reason` is the name of the signal that ends the process, if one does.
        """
        journal = self._own_journal()
        with journal.lock:
            if journal.inbox:
                self._drain(journal)
            if journal.busy or (journal.number == journal.checkpoint and journal.flight is None):
                return
            journal.busy = True
            try:
                self._close_account(journal, reason)
            except OSError as error:
                self._upkeep.settle(journal, error)
                journal.busy = False  # Python 3.12 jumps from here: a handler passes by the finally
            finally:
                journal.busy = False
            if journal.backlog.active:
                complaints.complain(f"{self.waiting} events could not be written", last=True)

    def _close_account(self, journal: Journal, reason: str | None) -> None:
        """Write the closing record, after what an interruption has left. Raises OSError."""
        if journal.flight is not None:
            self._upkeep.prepare(journal, 0)
        if journal.number != journal.checkpoint:
            self._write_with_care(journal, lambda: self._closing(journal, reason))
            journal.checkpoint = journal.number

    def _closing(self, journal: Journal, reason: str | None) -> Halves:
        facts: dict[str, Any] = {"events": journal.number + 1}
        return self._record(
            "closed", facts if reason is None else {**facts, "event.reason": reason}
        )

    def close(self) -> None:
        """Write a closing record and close the file. A later event opens the next file."""
        journal = self._own_journal()
        with journal.lock:
            self.checkpoint()
            if not journal.busy:
                journal.target.close()

    def start_child(self) -> None:
        """Begin anew in a forked child: own identity, own file, own lock; the parent's are left."""
        parent = self._journal
        parent.retired = True
        self._journal = Journal(self._target, self._identity)
        try:
            parent.target.retire()
        except OSError:
            pass
        _let_go(parent.lock)


def _let_go(lock: threading.RLock) -> None:
    """Release the lock of a thread that is not in this process.

    A frame of this thread may wait for it: the one in which a signal handler has forked. It goes
    on, with a journal that is retired.
    """
    foreign: Any = lock
    try:
        if not foreign._is_owned():  # noqa: SLF001 - as threading.Condition does
            foreign._release_save()  # noqa: SLF001
    except (RuntimeError, AttributeError):
        pass  # nobody has it, or this Python has other ways


def _given(before: bytes, after: bytes) -> Callable[[], Halves]:
    # A lambda in `write` itself would make cells of its arguments, at each call.
    return lambda: (before, after)


_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


def _start_children() -> None:
    for writer in list(_writers):
        writer.start_child()


process.in_each_child(_start_children)
