"""A descriptor that other processes write to as well: standard output, standard error.

Processes that share a pipe would tear each other's lines above PIPE_BUF (4 096 bytes), and a short
line could fall into a long one. So each process writes under a lock on a file that it opened
itself; the file's name comes from the pipe, so that all who share the pipe find the same one.

A process that ends removes the file; the others notice as they take the lock, and make it anew.

A reader that is slow, and a process that holds the lock, are waited for, but never without end.
The lock is there against torn lines. To a person a torn line is worth more than none, so what
people read goes without the lock where its holder has been stopped (Ctrl-Z). A program cannot read
a torn line, and a stopped process may have left half of one: what is for programs waits.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
import weakref
from collections.abc import Callable
from time import sleep
from typing import Any, Final

from flowery_logging.files import descriptors, lock_files, locks
from flowery_logging.signalled import sheltered
from flowery_logging.system import System

PATIENCE: Final = 5.0
"""So many seconds a write waits in all. After a wait in vain none waits until one is through."""

_LOCK_PATIENCE: Final = 0.2
"""So many seconds what people read waits for a lock before its holder is looked at."""

_PART: Final = 4096
"""PIPE_BUF on Linux: a pipe that can be written takes so many bytes without blocking."""

_NONE: Final = (0, 0)  # no file's device and inode
STDOUT: Final = 1
STDERR: Final = 2

_APPEND: Final = getattr(os, "O_APPEND", 0)

_DESCRIPTORS: Final = "/proc/self/fd"

_write = System.write

_channels: weakref.WeakSet[Channel] = weakref.WeakSet()


class Channel:
    """Writes whole texts to a descriptor, with nothing of another process's in them.

    Args:
        descriptor: 1 or 2.
        for_people: a line may be torn rather than missing.
    """

    def __init__(self, descriptor: int, *, for_people: bool = False) -> None:
        self.descriptor = descriptor
        self._for_people = for_people
        self._hurries_until = 0.0  # the lock is only tried, as it was waited for in vain
        self._text = b""  # that was written last
        self._taken: list[int] = []  # how many bytes of it each `write()` took
        self._lock = -1
        self._lock_path = ""
        self._lock_inode = _NONE
        self._known: tuple[int, int, int] | None = None  # device, inode, process
        self._last = _inode(descriptor)  # the same file's, also after `close`
        self._was_lost = self._last == _NONE or _was_closed(descriptor)
        self._poll: Any = None
        self._patience = PATIENCE
        _channels.add(self)

    def __del__(self, is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        """Give the lock file up: each set-up has channels of its own."""
        if self._lock >= 0 and not is_finalizing():
            self.close()

    def write(self, data: bytes) -> int:
        """Write all of a text and return its length.

        Raises OSError; BlockingIOError if the wait was in vain. `taken_of` then says how much is
        through.
        """
        taken: list[int] = []
        self._taken = taken  # another thread's `write` notes in a list of its own
        self._text = data
        self._recognise()
        deadline = System.monotonic() + self._patience
        try:
            if self._lock < 0:
                self._write_all(data, deadline, taken)
            else:
                self._write_locked(data, deadline, taken)
        except BlockingIOError as error:
            self._patience = 0.0
            error.characters_written = sum(taken)
            raise
        self._patience = PATIENCE
        return len(data)

    def taken_of(self, data: bytes) -> int:
        """Return how many bytes of a text are through, whatever has interrupted its `write`.

        Those of another text are none of it: it may have been interrupted before it began.
        """
        return sum(self._taken) if data == self._text else 0

    def renew_patience(self) -> None:
        """Wait for the reader once more: it may have come back."""
        self._patience = PATIENCE

    def leave(self) -> None:
        """Remove the lock file, unless another thread or process holds the lock. Never raises."""
        if self._lock < 0 or self._known is None or self._known[2] != System.getpid():
            return  # none is open, or it is that of the parent
        # By a descriptor of its own: what another thread of this process holds is no lock for it.
        with sheltered:  # a file too many is no reason to fail at the end
            is_there = System.fstat(self._lock).st_nlink  # else it would be made, to be removed
            lock = lock_files.open_lock(self._lock_path) if is_there else -1
            if lock >= 0:
                self._remove(lock)

    def _remove(self, lock: int) -> None:
        try:
            if locks.try_lock(lock) and System.fstat(lock).st_nlink:
                System.unlink(self._lock_path)
        finally:
            System.close(lock)

    def close(self) -> None:
        """Remove and close the lock file; the descriptor belongs to the process."""
        self.leave()
        lock, self._lock = self._lock, -1
        self._known = None
        if lock >= 0 and _inode(lock) == self._lock_inode:
            System.close(lock)

    def _write_locked(self, data: bytes, deadline: float, taken: list[int]) -> None:
        try:
            self._take_lock(deadline)
            self._write_all(data, deadline, taken)
        finally:
            if self._lock >= 0:
                locks.unlock(self._lock)

    def _take_lock(self, deadline: float) -> None:
        """Wait for the lock. Not with a blocking call: its holder may have been stopped."""
        pause, begun = 0.0002, System.monotonic()
        while not self._has_lock():
            now = System.monotonic()
            if self._for_people:
                if self._goes_without(now, begun + _LOCK_PATIENCE, deadline):
                    return
            elif now >= deadline:
                raise BlockingIOError(errno.EAGAIN, "another process holds the lock of the stream")
            sleep(pause)
            pause = min(2 * pause, 0.02)
        self._hurries_until = 0.0

    def _goes_without(self, now: float, soon: float, deadline: float) -> bool:
        """Tell whether to write without the lock; it is tried again with each line."""
        if now < self._hurries_until:
            return True
        if now < soon or (now < deadline and lock_files.can_go_on(self._lock)):
            return False
        self._hurries_until = now + PATIENCE
        return True

    def _has_lock(self) -> bool:
        """Take the lock if it is free; where there is none any more, go on without."""
        if not locks.try_lock(self._lock):
            return False
        if System.fstat(self._lock).st_nlink:
            return True
        removed, self._lock = self._lock, -1
        System.close(removed)
        self._open_lock(System.fstat(self.descriptor))
        return self._lock < 0

    def _write_all(self, data: bytes, deadline: float, taken: list[int]) -> None:
        """Write a text: to a regular file as a whole, elsewhere in parts that do not block."""
        rest = memoryview(data)
        part = len(data) if self._poll is None else _PART
        while rest:
            try:
                self._await_reader(deadline)
                # Noted within one call: no signal handler can run between the write and the note.
                taken.extend(map(_write, (self.descriptor,), (rest[:part],)))
            except BlockingIOError:
                if System.monotonic() >= deadline:
                    raise
                continue  # somebody else was faster
            if taken[-1] == 0:
                raise OSError(errno.EIO, "a write took no byte")
            rest = rest[taken[-1] :]

    def _await_reader(self, deadline: float) -> None:
        """Wait until a part can be written. Raises BlockingIOError when the time is over."""
        if self._poll is None:
            return
        left = max(0.0, deadline - System.monotonic())
        if not self._poll.poll(left * 1000):
            raise BlockingIOError(errno.EAGAIN, "its reader is too slow")

    def _recognise(self) -> None:
        """See what the descriptor is now: a fork or a `dup2` may have changed it. Raises OSError.

        Also a fork in C, of which Python's hooks hear nothing: the lock would be the parent's.
        """
        try:
            status = System.fstat(self.descriptor)
        except OSError:
            self._was_lost = True
            raise
        known = status.st_dev, status.st_ino, System.getpid()
        if known != self._known or (self._lock >= 0 and _inode(self._lock) != self._lock_inode):
            self._adopt(status, known)

    def _adopt(self, status: os.stat_result, known: tuple[int, int, int]) -> None:
        """Make ready for what the descriptor is now."""
        regular = stat.S_ISREG(status.st_mode)
        is_new = self._was_lost or known[:2] != self._last
        if regular and is_new and not self._appends() and not self._is_redirected(known[:2]):
            # Who closes all descriptors and opens a data file gets our number for it.
            self._was_lost = True
            raise OSError(errno.EBADF, "the stream was closed, and another file has its number")
        self.close()
        self._was_lost = False
        self._poll = None if regular else _poll(self.descriptor)
        if not regular and (not stat.S_ISCHR(status.st_mode) or os.isatty(self.descriptor)):
            self._open_lock(status)
        self._last, self._known = known[:2], known

    def _appends(self) -> bool:
        """Tell whether a file is written at its end: then it was opened as a log, not as data."""
        return bool(descriptors.flags(self.descriptor) & _APPEND)

    def _is_redirected(self, file: tuple[int, int]) -> bool:
        """Tell whether a program has put a file of its own here, as python-daemon does (`os.dup2`).

        What is opened by chance under our number is inherited by no other program (PEP 446), and
        stands at no other number.
        """
        try:
            if not os.get_inheritable(self.descriptor):
                return False
            numbers = map(int, os.listdir(_DESCRIPTORS))
            return any(_inode(n) == file for n in numbers if n != self.descriptor)
        except OSError:  # a system that does not tell
            return False

    def _open_lock(self, status: os.stat_result) -> None:
        """Open the lock file. Where there is no place for one, lines go without a lock."""
        if not locks.HAS_LOCKS:
            return
        for path in lock_files.paths(status):
            lock = lock_files.open_lock(path)
            if lock >= 0:
                self._lock_path, self._lock_inode = path, _inode(lock)
                self._lock = lock
                return


def leave() -> None:
    """Remove the lock files of this process, which is about to end. Never raises."""
    for channel in list(_channels):
        channel.leave()


def close() -> None:
    """Remove and close the lock files of this process: nothing is written for now."""
    for channel in list(_channels):
        channel.close()


def _inode(descriptor: int) -> tuple[int, int]:
    try:
        status = System.fstat(descriptor)
    except OSError:
        return _NONE
    return status.st_dev, status.st_ino


def _was_closed(descriptor: int) -> bool:
    """Tell whether a standard stream was closed when the interpreter began."""
    return (sys.__stdout__ if descriptor == STDOUT else sys.__stderr__) is None


def _poll(descriptor: int) -> Any:
    """Return what waits until a descriptor can be written; None where the system has no `poll`."""
    if not hasattr(select, "poll"):
        return None
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return poll
