"""Threads that meet at the journal all the time: they take turns, and keep the interpreter's lock.

`os.write` gives up the interpreter's lock (GIL). With many threads another one runs then, finds the
journal's lock taken, and waits for it until it is woken; and so do all, at each event from then on:
eight threads write a quarter of what one does. Threads that meet often take turns before that lock,
for which nobody sleeps, and call `write()` without giving up the GIL.

A disk that is slow would then stop all threads, not only those that log. So this is done on a disk
of this machine alone, and no more for a while after a `write()` that took long.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Callable
from functools import cache
from threading import get_ident
from typing import Any, Final

from flowery_logging import process
from flowery_logging.files.faults import is_ours
from flowery_logging.files.tally import Write
from flowery_logging.process import mark
from flowery_logging.signalled import let_through
from flowery_logging.system import System

OFTEN: Final = 1000
"""So many lines of another thread than the one before, in a second, are those of a crowd."""

ALONE: Final = 10_000
"""After so many lines of one thread there is none any more."""

SLOW_SECONDS: Final = 0.1
CALM_SECONDS: Final = 60.0
"""After a `write()` that takes so long, there is no crowd for so long."""

_PATIENCE: Final = 250
_SHORTLY: Final = 50
_NAP_SECONDS: Final = 0.000_05
"""How often a thread gives way to the one whose turn it is, how many times of these at once, and
how long it sleeps at the others. After that it goes to the lock: that thread was interrupted, or
waits for the disk."""

_REST_AFTER: Final = 0.001
"""So many seconds after the last rest the next one is due, where somebody waits."""

_TURN: Final = "turn"

# Not every platform has it, as that of a browser.
_get_native_id: Final[Callable[[], int]] = getattr(threading, "get_native_id", get_ident)

# Before 3.10.7 it does not give up the GIL.
give_way: Final[Any] = getattr(os, "sched_yield", None) if sys.version_info >= (3, 10, 7) else None


class Crowd:
    """The turns of the threads of one process.

    That a turn is taken excludes nobody, so nothing is lost where a signal handler raises in the
    middle: the journal's lock does.

    Args:
        disperse: called when a write was slow.
    """

    __slots__ = (
        "_calm_until",
        "_disperse",
        "_met",
        "_natives",
        "_rest_at",
        "_since",
        "_turn",
        "_waiting",
        "alone",
        "is_gathered",
    )

    def __init__(self, disperse: Callable[[], None]) -> None:
        self._disperse = disperse
        self._turn: dict[str, int] = {}
        self._waiting: dict[int, bool] = {}
        self._met = 0
        self._natives: set[int] = set()  # the system's threads that have met
        self.alone = 0  # lines since the last one of another thread than the one before
        self._since = self._calm_until = self._rest_at = 0.0
        self.is_gathered = False  # it has been looked whether they may keep the GIL

    def meet(self) -> bool:
        """Note that a thread follows another one; tell whether they become a crowd by that."""
        now, self.alone = System.monotonic(), 0
        if now - self._since > 1:
            self._since, self._met = now, 0
            self._natives.clear()
        self._met += 1
        self._natives.add(_get_native_id())  # greenlets of one thread need no turns
        if self._met < OFTEN:
            return False
        self._met = 0
        return give_way is not None and len(self._natives) > 1 and now >= self._calm_until

    def take_turn(self) -> int:
        """Give way until nobody else has the turn, within reason; return whose it is now.

        A signal handler that logs while its thread waits goes to the lock: it comes first anyway,
        and the next signal may come while it waits.
        """
        me = get_ident()
        if self._turn.setdefault(_TURN, me) != me and me not in self._waiting:
            self._waiting[me] = True
            try:
                self._wait(me)
            finally:
                self._waiting.pop(me, None)
        return me

    def _wait(self, me: int) -> None:
        turn = self._turn
        for tried in range(_PATIENCE):
            # Who gives way gets the GIL back before a thread that has to be woken for it.
            give_way() if tried < _SHORTLY else System.sleep(_NAP_SECONDS)
            if turn.setdefault(_TURN, me) == me:
                return
        turn[_TURN] = me

    def leave(self, me: int) -> None:
        """Let another thread have its turn. Another's is left: a crowd at the lock dissolves so."""
        if self._turn.get(_TURN) == me:
            self._turn.pop(_TURN, None)
        if self._waiting and System.monotonic() >= self._rest_at:
            self._rest()

    def _rest(self) -> None:
        """Let one of those who wait have the GIL, while nobody has the turn.

        A `write()` that keeps it gives it to nobody, and who is made to give it up has the turn
        in most cases: others who get it then have waited for nothing.
        """
        self._rest_at = System.monotonic() + _REST_AFTER
        System.sleep(_NAP_SECONDS)

    def calm_down(self) -> None:
        """Be no crowd for a while."""
        self._calm_until = System.monotonic() + CALM_SECONDS

    def holding(self, write: Write) -> Write:
        """Return what writes without giving up the GIL; `write` where that fails, or cannot be."""
        held = find_held_write()

        def write_held(descriptor: int, line: bytes) -> int:
            size, begun = len(line), System.monotonic()
            if not mark[0]:  # here and below right before the write: see journal.py
                _refuse_in_child()
            written: int = held(descriptor, line, size)
            if written < 0:  # it raises the error, or goes on after a signal
                if not mark[0]:
                    _refuse_in_child()
                return write(descriptor, line)
            if System.monotonic() - begun > SLOW_SECONDS:
                self.calm_down()
                self._disperse()
            return written

        return write_held


def _refuse_in_child() -> None:
    """Begin anew in the child of a fork, where a frame of the parent's goes on. Raises OSError."""
    process.begin()
    raise OSError(errno.EBADF, "the file belongs to the parent process")


def is_of_this_machine(descriptor: int) -> bool:
    """Tell whether a file lies on a disk that is here.

    Network file systems, and those that are put together of others, have no device of their own.
    """
    try:
        return os.major(System.fstat(descriptor).st_dev) != 0
    except OSError as error:
        if not is_ours(error):
            raise
        return False


@cache
def find_held_write() -> Any:
    """Return the C library's `write`, called with the GIL held; None where it cannot be had."""
    if give_way is None or sys.implementation.name != "cpython" or not _has_gil():
        return None
    try:
        import ctypes

        write = ctypes.PyDLL(None).write
    except Exception as error:  # a build without it, or an audit hook that refuses
        let_through(error)
        return None
    write.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t)
    write.restype = ctypes.c_ssize_t
    return write


def _has_gil() -> bool:
    is_enabled: Callable[[], bool] = getattr(sys, "_is_gil_enabled", lambda: True)
    return is_enabled()
