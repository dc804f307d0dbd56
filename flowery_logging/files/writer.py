"""Numbers the events of this process and writes each as one line, whatever happens.

`Writer.write(before, after)` takes the two halves of an event from `ecs/`, splices in what only
the writer knows (the process's identity and the event's sequence number) and writes the line with
one `write()`. It takes one lock; a call that re-enters (a signal handler, a `__del__`) finds the
journal busy and leaves its event in the inbox for the outer frame.

Each entry first looks whether this is the child of a fork (see process.py), whose journal and lock
are its own.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final

from flowery_logging import process
from flowery_logging.counters import Counters
from flowery_logging.event_parts import Halves
from flowery_logging.files.crowd import ALONE, Crowd, find_held_write, is_of_this_machine
from flowery_logging.files.journal import Identity, Journal, Target
from flowery_logging.files.leftovers import Leftovers
from flowery_logging.files.levels import LEVEL_AT
from flowery_logging.files.mirrors import Mirrors
from flowery_logging.files.tally import Tally
from flowery_logging.files.upkeep import RecordFactory, Upkeep
from flowery_logging.foreign import release_of_another
from flowery_logging.process import mark
from flowery_logging.system import System

CHILD_WAITS: Final = 60.0
"""So many seconds a forked child leaves retention to its parent, which has begun with it: a child
may be there for one task alone."""

LAST_EVENTS: Final = 100
"""After so many closing records a process that was about to end evidently goes on."""


class Writer:
    """Writes the events of this process; safe under threads, signal handlers and forks.

    Args:
        target: makes the place where lines go, from the process's `entity_id`.
        identity: makes the bytes to splice in, from the `entity_id`.
        record: makes the halves of the writer's own records.
        counters: where faults are counted.
        mirrors: what shows lines again (a console).
    """

    def __init__(
        self,
        target: Callable[[str], Target],
        identity: Callable[[str], Identity],
        record: RecordFactory,
        counters: Counters,
        mirrors: Mirrors | None = None,
    ) -> None:
        self._target = target
        self._identity = identity
        self._record = record
        self._counters = counters
        self._upkeep = Upkeep(record, counters)
        self._leftovers = Leftovers()
        self._tally: Tally | None = None
        self._take(mirrors or Mirrors())
        self._crowd = Crowd(self._disperse)
        self._journal = Journal(target, identity)
        process.renew_in_children(self)

    def _own_journal(self) -> Journal:
        """Return the journal of this process, in the child of a fork a new one."""
        process.look()
        return self._journal

    def _take(self, mirrors: Mirrors) -> None:
        self._mirrors = mirrors
        self._quiet = mirrors.quiet  # first letters of the levels that are not shown

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
        """Write one event, with its number. Never raises for what happens to the file."""
        if not mark[0]:
            process.begin()
        journal = self._journal
        loud = True
        with journal.lock:
            if journal.busy:
                journal.inbox.append((before, after))
                return
            journal.busy = True
            try:
                if after is not journal.thread:  # the second half of a line: that of its thread
                    self._meet(journal, after)
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
                        self._write_rest(journal, line, written)
                    loud = line[LEVEL_AT] not in self._quiet
                    if loud:
                        self._mirrors.add(line)
            except OSError as error:
                self._settle(journal, error)
                journal.busy = False  # Python 3.12 jumps from here: a handler passes by the finally
            finally:
                journal.busy = False
        while journal.inbox and not journal.retired:
            self._drain(journal)
            self._leftovers.show()
            loud = True
        if loud:
            self._mirrors.show()

    def _write_rest(self, journal: Journal, line: bytes, written: int) -> None:
        """Commit a line of which so many bytes were written, and try to write the others."""
        journal.note(line, written)
        self._prepare(journal, 0)

    def _prepare(self, journal: Journal, length: int) -> None:
        """Make ready for a line of about so many bytes, as far as the disk lets us."""
        try:
            self._upkeep.prepare(journal, length)
        except OSError as error:
            self._upkeep.settle(journal, error)

    def _settle(self, journal: Journal, error: OSError) -> None:
        """Take note of an error; the event that met it waits, and is shown like any other."""
        line = journal.flight
        self._upkeep.settle(journal, error)
        if line is not None and journal.flight is None:
            self._mirrors.add(line)

    def _meet(self, journal: Journal, thread: bytes) -> None:
        """Have threads take turns once they follow one another fast. See crowd.py."""
        journal.thread = thread
        if self._crowd.meet():
            vars(self)["write"] = self._write_in_turn

    def _write_in_turn(self, before: bytes, after: bytes) -> None:
        crowd = self._crowd
        crowd.alone += 1
        if crowd.alone > ALONE:
            self._disperse()
        elif not crowd.is_gathered:
            self._gather(crowd)
        me = crowd.take_turn()
        try:
            Writer.write(self, before, after)
        finally:
            crowd.leave(me)

    def _gather(self, crowd: Crowd) -> None:
        """Let `write()` keep the GIL; threads wait for the lock again where it must not."""
        can_hold = find_held_write()  # not under the lock: it imports a module

        def change() -> None:
            target = self._journal.target
            if can_hold and target.is_file and is_of_this_machine(target.descriptor):
                self._journal.write_by(crowd.holding)
                crowd.is_gathered = True
            else:
                crowd.calm_down()
                self._disperse()

        self.when_idle(change)

    def _disperse(self) -> None:
        """Have threads wait for the lock again, and `write()` give up the GIL."""
        vars(self).pop("write", None)
        self._crowd.is_gathered = False
        self._journal.write_by(None)

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
                self._settle(journal, error)
                journal.busy = False  # Python 3.12 jumps from here: a handler passes by the finally
            finally:
                journal.busy = False
        for callback in callbacks:
            with journal.lock:
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
        """Call back when no write is in progress: at once, or from the frame that is writing.

        No other thread writes before the callback has returned.
        """
        journal = self._own_journal()
        with journal.lock:
            if journal.busy:
                journal.inbox.append(callback)
            else:
                callback()

    def within(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call back, unless another thread is in the middle of a write for so long."""
        lock = self._own_journal().lock
        if lock.acquire(timeout=seconds):
            try:
                callback()
            finally:
                lock.release()

    def _append(self, journal: Journal, line: bytes) -> None:
        """Write a line to a file that is ready; the rest of it to the next. Raises OSError."""
        journal.append(line)
        if journal.backlog.active:
            self._prepare(journal, 0)

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
        self._prepare(journal, length)
        line = journal.line(*make())
        if from_inbox:
            journal.inbox_line = line
        if journal.target.descriptor >= 0 and not journal.backlog.active:
            self._append(journal, line)
        else:
            if not journal.keep(line):
                self._counters.add("dropped")
            journal.count(line)
        if line[LEVEL_AT] not in self._quiet:
            self._mirrors.add(line)
        if journal.ending:
            self._close_again(journal)

    def mirror(self, mirrors: Mirrors) -> None:
        """Show lines by other mirrors from now on."""
        self._mirrors.show()
        with self._own_journal().lock:
            self._take(mirrors)

    def count(
        self, tally: Tally | None, earlier: Callable[[str], Iterable[bytes]] | None = None
    ) -> None:
        """Count each line from now on, and those of this process that were written before.

        `earlier` finds them by the `entity_id`. Twice is as once; None ends it.
        """
        journal = self._own_journal()
        with journal.lock:
            if self._tally is tally:
                return
            self._tally = tally
            journal.count_by(tally)
            if tally is not None and earlier is not None and journal.number:
                for line in earlier(journal.entity):
                    tally.take(line)

    def show(self) -> None:
        """Show what is still to be shown. Not under the lock: see mirrors.py."""
        self._leftovers.show()
        self._mirrors.show()

    def reconfigure(self, target: Callable[[str], Target]) -> None:
        """Go on, with the next number, in another place; what waits is written there."""
        journal = self._own_journal()
        with journal.lock:
            self._target = target
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
            if journal.number and new.place != old.place:
                self._checkpoint(journal, None)  # who reads only the old place sees an end
            if new.is_file:
                self._upkeep.rescue(journal)
            journal.backlog.rewind()
            journal.move(new)
            self._disperse()
            journal.count_by(self._tally)
            old.close()

    def checkpoint(self, reason: str | None = None) -> None:
        """Write a closing record with the count of events, unless the last line is one.

        The process is about to end, but others may have something to say yet: each event from here
        on is followed by a closing record of its own, until there are `LAST_EVENTS` of them with
        this one, or until `go_on()`. What still waits is shown on stderr: it may be the last that
        the process does. `reason` is the name of the signal that ends the process, if one does.
        """
        self._checkpoint(self._own_journal(), reason)
        self.show()

    def _checkpoint(self, journal: Journal, reason: str | None) -> None:
        with journal.lock:
            if journal.inbox:
                self._drain(journal)
            told = (
                journal.number == journal.checkpoint
                and journal.flight is None
                and reason in (None, journal.reason)
            )
            journal.reason = reason or journal.reason
            journal.ending = LAST_EVENTS
            journal.target.look_at = 0.0
            if journal.busy or (told and not journal.backlog.active):
                return
            journal.busy = True
            try:
                journal.target.renew_patience()
                if told or journal.flight is not None:
                    self._upkeep.prepare(journal, 0)
                if not told:
                    self._upkeep.finish(journal)
                    self._close_again(journal)
            except OSError as error:
                self._upkeep.settle(journal, error)
                journal.busy = False  # Python 3.12 jumps from here: a handler passes by the finally
            finally:
                journal.busy = False
            self._leftovers.take(journal)

    def go_on(self) -> None:
        """Take note that the process does not end after all."""
        journal = self._own_journal()
        journal.ending, journal.reason = 0, None

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
        """Write a closing record and close the file.

        A later event, of another thread that was about to log, opens the next file, and has a
        closing record behind it. In the middle of a write this is done when that has ended.
        """
        self._close(self._own_journal())
        self.show()

    def _close(self, journal: Journal) -> None:
        """Do what `close` does, but show nothing: a stream may wait for a thread that logs."""
        self._checkpoint(journal, None)
        with journal.lock:
            if journal.busy:
                self._close_later(journal)
            else:
                journal.target.close()

    def _close_later(self, journal: Journal) -> None:
        """Close behind the write that a signal handler has interrupted.

        The handler may raise, and then nothing goes on there: so at the end of the process too.
        """

        def close() -> None:
            if self._own_journal() is journal and journal.ending:  # nobody has gone on
                self._close(journal)

        journal.inbox.append(close)
        atexit.register(self.show)  # behind the next
        atexit.register(close)

    def start_child(self) -> None:
        """Begin anew in a forked child: own identity, own file, own lock; the parent's are left."""
        parent = self._journal
        parent.retired = True
        vars(self).pop("write", None)
        self._crowd = Crowd(self._disperse)
        self._journal = Journal(self._target, self._identity)
        self._journal.count_by(self._tally)
        if (retention := self._journal.target.retention) is not None:
            retention.after = System.monotonic() + CHILD_WAITS
        with suppress(OSError):
            parent.target.retire()
        # A frame of this thread may wait for it: the one in which a signal handler has forked. It
        # goes on, with a journal that is retired.
        release_of_another(parent.lock)


def _given(before: bytes, after: bytes) -> Callable[[], Halves]:
    # A lambda in `write` itself would make cells of its arguments, at each call.
    return lambda: (before, after)
