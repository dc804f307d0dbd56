"""Keeps the place for lines usable: opens files, writes out what has waited, notes faults.

The writer calls `prepare` before a line when something may stand in its way, and `settle` after an
error. Both are called with the journal marked busy, so that no other call comes in between.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any, Final

from flowery_logging.counters import Counters
from flowery_logging.event_parts import Halves
from flowery_logging.files import complaints, platform, removal
from flowery_logging.files.faults import is_ours
from flowery_logging.files.journal import Journal, Target
from flowery_logging.files.removal import Removed
from flowery_logging.files.retention import Retention
from flowery_logging.system import System

HEADER_BYTES: Final = 1024
"""A file's first record fills this: Filebeat tells files apart by their first 1 024 bytes."""

FINISH_SECONDS: Final = 0.5
"""So long at most a process goes on with retention as it ends."""

RecordFactory = Callable[[str, dict[str, Any]], Halves]
"""Makes the halves of a record of the writer's own, from its kind and facts about it."""


class Upkeep:
    """What is done around the lines of one process, and written about it.

    Args:
        record: makes the halves of the writer's own records.
        counters: where files and faults are counted.
    """

    def __init__(self, record: RecordFactory, counters: Counters) -> None:
        self._record = record
        self._counters = counters

    def prepare(self, journal: Journal, length: int) -> None:
        """Make ready for a line of about so many bytes. Raises OSError; then `settle`."""
        target = journal.target
        if journal.flight is not None:
            self._counters.add("interrupted")
            journal.settle()
        due = target.is_due(System.monotonic()) or target.size + length > target.max_size
        if target.descriptor < 0 or (due and not journal.backlog.active):
            self._open_next(journal)
            due = False
        self._begin_file(journal)
        if not journal.backlog.active:
            self._retain(journal)
            return
        descriptor = target.descriptor
        self._write_out(journal, due=due)
        if due and target.descriptor == descriptor and not journal.backlog.lines:
            self._open_next(journal)  # it was put off until what waited was written
            self._begin_file(journal)
            self._write_out(journal, due=False)

    def settle(self, journal: Journal, error: OSError) -> None:
        """Take note of an error: count it and say it on stderr, but not more than once a minute.

        What a signal handler raised in the middle of our work is not ours: it goes on its way.
        """
        if not is_ours(error):
            raise error
        if journal.retired:
            return  # a frame of the parent's, going on in the child: the parent has its event
        if error.errno == errno.EBADF:
            journal.target.lose()
        _make_room(journal.target, error)
        journal.settle()
        self._counters.add("write_errors")
        complaints.complain(f"cannot write {journal.target.path}: {error}")

    def rescue(self, journal: Journal) -> None:
        """Keep what was in a file that somebody has removed: the file is left for another one."""
        try:
            journal.stranded = journal.target.stranded() or journal.stranded
        except OSError as error:  # nobody can tell
            if not is_ours(error):
                raise

    def finish(self, journal: Journal) -> None:
        """Let retention come to its end before the process does.

        A process that a signal ends is waited for, so that it leaves the work to another.
        """
        retention = journal.target.retention
        if retention is None or journal.reason is not None:
            return
        if retention.is_left_to(journal.entity):
            try:
                self._finish(journal, retention)
            except OSError as error:  # the closing record waits behind what could not be written
                self.settle(journal, error)

    def _finish(self, journal: Journal, retention: Retention) -> None:
        self.prepare(journal, 0)
        deadline = System.monotonic() + FINISH_SECONDS
        retention.hurry(deadline - FINISH_SECONDS / 2)
        while not journal.backlog.active and retention.is_due:
            self._retain(journal)
            if System.monotonic() >= deadline or retention.waits:
                break

    def _retain(self, journal: Journal) -> None:
        """Let retention work on, and announce what it has removed."""
        retention = journal.target.retention
        removed = [] if retention is None else retention.work(journal.target)
        while removed and retention is not None and not journal.backlog.active:
            self._tell_removed(journal, removed)
            removed = retention.unannounced()

    def _tell_removed(self, journal: Journal, removed: list[Removed]) -> None:
        self._counters.add("files_removed", len(removed))
        self._counters.add("bytes_removed", sum(file.size for file in removed))
        line = journal.line(*self._record("removed", removal.facts(removed)))
        journal.append(line, announced=removed)

    def _write_out(self, journal: Journal, *, due: bool) -> None:
        """Write what waits, in another file where this one takes no more, and announce it."""
        target = journal.target
        try:
            journal.write_out()
        except OSError as error:
            if journal.retired or (platform.has_run_out(error) and not due):
                raise
            self.settle(journal, error)
            if target.size <= HEADER_BYTES + journal.backlog.first_length() and not due:
                return  # a file that takes not one line: the next one would not either
            self._open_next(journal)
            self._begin_file(journal)
            journal.write_out()
        self._announce(journal)

    def _announce(self, journal: Journal) -> None:
        """Tell what has waited and what was dropped. Interrupted, it is told once more."""
        backlog = journal.backlog
        if backlog.delayed or backlog.dropped:
            for facts in backlog.facts():
                _append(journal, journal.line(*self._record("recovered", facts)))
        waits = backlog.lines > 0  # the rest of an announcement
        backlog.delayed, backlog.dropped, backlog.active = 0, (), waits

    def _open_next(self, journal: Journal) -> None:
        """Open the next file. Raises OSError where there is none at all.

        Every step can be interrupted and done again: what was in a file that somebody removed is
        kept in the journal, and the target knows that its header is due.
        """
        target = journal.target
        is_saved = False
        try:
            journal.stranded = target.stranded() or journal.stranded
            is_saved = True
            if target.open_next():
                self._counters.add("files")
        except OSError as error:
            if target.descriptor < 0 or not is_ours(error):
                raise
            if is_saved and target.is_gone():
                self._wait_for_place(journal)
                raise
            target.postpone()
            _make_room(target, error)
            journal.settle()
            self._counters.add("write_errors")
            complaints.complain(f"cannot open the next file after {target.path}: {error}")

    def _wait_for_place(self, journal: Journal) -> None:
        """Let lines wait that would go into a file which nobody can find any more."""
        if journal.stranded:
            self._counters.add("rewritten", journal.stranded.count(b"\n"))
            journal.rewrite_stranded()
        journal.target.close()

    def _begin_file(self, journal: Journal) -> None:
        """Write the header, unless it is there; then comes what the file before did not keep.

        It is due after an opening, also after one that was interrupted. Raises OSError.
        """
        target = journal.target
        if not target.header_due:
            return
        journal.backlog.rewind()
        if journal.stranded:
            self._counters.add("rewritten", journal.stranded.count(b"\n"))
            journal.rewrite_stranded()
        before, after = self._record("opened", {"path": target.path})
        padding = b" " * (HEADER_BYTES - len(before) - len(after))
        journal.begin_file(journal.line(before, after[:-1] + padding + b"\n"))


def _append(journal: Journal, line: bytes) -> None:
    """Write a record, or let it wait behind the rest of the one before it. Raises OSError."""
    if journal.backlog.lines:
        journal.keep(line)
        journal.count(line)
    else:
        journal.append(line)


def _make_room(target: Target, error: OSError) -> None:
    """Remove old files, if there is no room on the disk, or for one more file on it."""
    if target.retention is not None and platform.has_run_out(error):
        target.retention.make_room(target)
