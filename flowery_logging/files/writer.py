"""Numbers the events of this process and writes each as one line, whatever happens.

`Writer.write(before, after)` takes the two halves of an event from `ecs/`, splices in what only
the writer knows (the process's identity and the event's sequence number) and writes the line with
one `write()`. It takes one lock; a call that re-enters (a signal handler, a `__del__`) finds the
journal busy and leaves its event in the inbox for the outer frame.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

from flowery_logging.counters import Counters
from flowery_logging.files import complaints, platform, retention
from flowery_logging.files.faults import is_ours
from flowery_logging.files.journal import Halves, Identity, Journal, Target

HEADER_BYTES: Final = 1024
"""A file's first record fills this: Filebeat tells files apart by their first 1 024 bytes."""

RecordFactory = Callable[[str, dict[str, Any]], Halves]
"""Makes the halves of a record of the writer's own, from its kind and facts about it."""


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
        self._mirrors = mirrors
        self._lock = threading.RLock()
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
                        self._prepare(journal, 0)
                    if self._mirrors:
                        self._mirror(line)
            except OSError as error:
                self._settle(journal, error)
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
                self._settle(journal, error)
            finally:
                journal.busy = False
        for callback in callbacks:
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
        """Call back when no write is in progress: at once, or from the frame that is writing."""
        with self._lock:
            if self._journal.busy:
                self._journal.inbox.append(callback)
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
        if journal.retired:
            return  # we are the child of a fork that happened in the middle of a parent's call
        try:
            self._prepare(journal, length)
        except OSError as error:
            self._settle(journal, error)
        line = journal.line(*make())
        if from_inbox:
            journal.inbox_line = line
        if journal.target.descriptor >= 0 and not journal.backlog.active:
            journal.append(line)
        elif not journal.keep(line):
            self._counters.add("dropped")
        if self._mirrors:
            self._mirror(line)

    def _prepare(self, journal: Journal, length: int) -> None:
        """Make ready for a line of about so many bytes. Raises OSError; then `_settle`."""
        target = journal.target
        if journal.flight is not None:
            self._counters.add("interrupted")
            journal.settle()
        due = target.is_due(monotonic()) or target.size + length > target.max_size
        if target.descriptor < 0 or (due and not journal.backlog.active):
            self._open_next(journal)
            due = False
        if journal.backlog.active:
            self._write_out(journal, due=due)
        else:
            self._retain(journal)

    def _retain(self, journal: Journal) -> None:
        """Let retention work on, and announce what it has removed."""
        removed = journal.target.retain()
        if removed:
            self._counters.add("files_removed", len(removed))
            self._put(journal, "removed", retention.facts(removed))

    def _put(self, journal: Journal, kind: str, facts: dict[str, Any]) -> None:
        """Write a record of the writer's own. Raises OSError."""
        journal.append(journal.line(*self._record(kind, facts)))

    def _write_out(self, journal: Journal, *, due: bool) -> None:
        """Write what waits, in another file where this one takes no more, and announce it."""
        target = journal.target
        try:
            journal.write_out()
        except OSError as error:
            if platform.has_run_out(error) and not due:
                raise
            self._settle(journal, error)
            if target.size <= HEADER_BYTES + journal.backlog.first_length() and not due:
                return  # a file that takes not one line: the next one would not either
            self._open_next(journal)
            journal.write_out()
        backlog = journal.backlog
        backlog.active = False
        if backlog.delayed or backlog.dropped:
            for facts in backlog.facts():
                self._put(journal, "recovered", facts)
            backlog.delayed, backlog.dropped = 0, ()

    def _open_next(self, journal: Journal) -> None:
        """Open the next file and write its header. Raises OSError where there is no file at all."""
        target = journal.target
        stranded = target.stranded()
        try:
            begins = target.open_next()
        except OSError as error:
            if target.descriptor < 0:
                raise
            target.postpone()
            self._settle(journal, error)
            return
        if not begins:
            return
        self._counters.add("files")
        journal.backlog.rewind()
        if stranded:
            self._counters.add("rewritten", stranded.count(b"\n"))
            journal.backlog.put_first(stranded, 0)
        before, after = self._record("opened", {"path": target.path})
        padding = b" " * (HEADER_BYTES - len(before) - len(after))
        journal.append(journal.line(before, after[:-1] + padding + b"\n"))

    def _settle(self, journal: Journal, error: OSError) -> None:
        """Take note of an error: count it and say it on stderr, but not more than once a minute.

        What a signal handler raised in the middle of our work is not ours: it goes on its way.
        """
        if not is_ours(error):
            raise error
        if journal.retired:
            return  # a frame of the parent's, going on in the child: the parent has its event
        journal.settle()
        self._counters.add("write_errors")
        complaints.complain(f"cannot write {journal.target.path}: {error}")

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
            journal.backlog.rewind()
            old.close()

    def checkpoint(self, reason: str | None = None) -> None:
        """Write a closing record with the count of events, unless none came since the last.

        `reason` is the name of the signal that ends the process, if one does.
        """
        with self._lock:
            if self._journal.inbox:
                self._drain()
            journal = self._journal
            if journal.busy or journal.number == journal.checkpoint:
                return
            journal.busy = True
            try:
                self._write_with_care(journal, lambda: self._closing(journal, reason))
                journal.checkpoint = journal.number
            except OSError as error:
                self._settle(journal, error)
            finally:
                journal.busy = False
            if journal.backlog.active:
                complaints.complain(f"{self.waiting} events could not be written", last=True)

    def _closing(self, journal: Journal, reason: str | None) -> Halves:
        facts: dict[str, Any] = {"events": journal.number + 1}
        return self._record(
            "closed", facts if reason is None else {**facts, "event.reason": reason}
        )

    def close(self) -> None:
        """Write a closing record and close the file. A later event opens the next file."""
        with self._lock:
            self.checkpoint()
            journal = self._journal
            if not journal.busy:
                journal.target.close()

    def start_child(self) -> None:
        """Begin anew in a forked child: own identity, own file, own lock; the parent's are left."""
        parent = self._journal
        parent.retired = True
        self._lock = threading.RLock()
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
