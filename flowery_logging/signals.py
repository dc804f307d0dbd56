"""The signals that ask a process to end, where nobody else handles them.

Their default disposition runs no Python code at all. A server handles them while it runs and puts
the default back when it stops (uvicorn then sends itself the signal again), so `signal.signal` is
followed: who sets the default gets our handler.

Where the main thread does not get to our handler, the process ends all the same (`overdue.py`). In
a child that has just been forked Python forgets what has come before it ran: a pool that is
terminated at once would wait for such a child without end. So the signals wait while a fork lasts.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from _thread import allocate_lock, get_ident, start_new_thread
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from types import FrameType
from typing import Any, Final

from flowery_logging.overdue import Overdue
from flowery_logging.system import System

SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)
)
"""The signals that ask a process to end. Python itself raises KeyboardInterrupt on SIGINT."""

_GRACE: Final = 0.5  # seconds the main thread has for a signal. gevent's loop looks each 0.3 s
_PATIENCE: Final = 3.0  # seconds a closing record has, behind a write that may never end


_FIRST: Final = 1
"""The number of a container's first process, which a default disposition does not end."""


class Signals:
    """Handles what has the default disposition, until `uninstall()`.

    Args:
        finish: writes the closing record, given the name of the signal that ends the process; may
            be called in two threads.
        when_idle: runs a callback as soon as no write is in progress, and lets none begin before
            it has returned.
        go_on: called where the process does not end after all.
    """

    def __init__(
        self,
        finish: Callable[[str], None],
        when_idle: Callable[[Callable[[], None]], None],
        go_on: Callable[[], None],
    ) -> None:
        self._finish = finish
        self._when_idle = when_idle
        self._go_on = go_on
        self._active = False
        self._hooked = False
        self._masks: dict[int, set[int]] = {}  # by thread: what it blocked before its fork
        self._overdue = Overdue(SIGNALS, self._end_overdue)
        self._set_handler: Callable[..., Any] = signal.signal
        self._following: Callable[..., Any] | None = None

    def install(self) -> None:
        """Take the signals: now, or in another thread than the main one when that comes by."""
        self._active = True
        self._hook()
        self._follow()
        if _in_main_thread():
            self._take()

    def uninstall(self) -> None:
        """Put the default back, and `signal.signal` unless somebody has replaced it since."""
        self._active = False
        for number in SIGNALS if _in_main_thread() else ():
            if self._is_ours(number):
                self._set_handler(number, signal.SIG_DFL)
        if _in_main_thread():
            self._overdue.stop()
        if self._following is not None and signal.signal is self._following:
            signal.signal, self._following = self._set_handler, None

    def _hook(self) -> None:
        if not self._hooked and hasattr(os, "register_at_fork"):
            self._hooked = True
            os.register_at_fork(
                before=self._before_fork,
                after_in_parent=self._after_fork,
                after_in_child=self._unblock,
            )

    def _before_fork(self) -> None:
        if self._active:  # all signals: a handler that forks must not do so in the middle of this
            everything = signal.valid_signals()
            self._masks[get_ident()] = signal.pthread_sigmask(signal.SIG_BLOCK, everything)
        self._overdue.stand_aside()

    def _after_fork(self) -> None:
        self._overdue.come_back()
        self._unblock()

    def _unblock(self) -> None:
        mask = self._masks.pop(get_ident(), None)
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _follow(self) -> None:
        """Replace `signal.signal` by one after which no signal of ours has its default."""
        if self._following is not None:
            return  # ours is there, or somebody has wrapped it
        theirs = signal.signal

        @wraps(theirs)
        def following(*args: Any, **options: Any) -> Any:
            before = theirs(*args, **options)
            self._take()  # all of them, as setup() may have run in another thread
            return before

        self._set_handler, self._following = theirs, following
        signal.signal = following

    def _take(self) -> None:
        """Put our handler where the default stands. For the main thread only."""
        if not self._active:
            return
        for number in SIGNALS:
            if signal.getsignal(number) is signal.SIG_DFL:
                self._set_handler(number, self._on_signal)
        if self._is_ours(signal.SIGTERM):
            self._overdue.start()
        else:
            self._overdue.stop()

    def _is_ours(self, number: int) -> bool:
        return signal.getsignal(number) == self._on_signal

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Finish, then let the signal do what it would have done without us."""

        def end() -> None:
            if not _in_main_thread():  # it does what the main thread left, which sets handlers
                os.kill(os.getpid(), number)
                return
            self._finish(signal.Signals(number).name)
            self._set_handler(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            # The first process of a container: the kernel lets no default disposition end it.
            self._set_handler(number, self._on_signal)
            self._go_on()

        self._when_idle(end)

    def _end_overdue(self, number: int) -> None:
        """End the process in the place of the main thread, if that does not within `_GRACE`."""
        if not self._is_ours(number) or System.getpid() == _FIRST:
            return  # no others are waited for: a fork would wait too
        _sleep(_GRACE)
        finished = allocate_lock()
        finished.acquire()

        def finish() -> None:
            self._finish(signal.Signals(number).name)
            finished.release()

        start_new_thread(finish, ())  # the main thread may be in a write, which holds the lock
        finished.acquire(timeout=_PATIENCE)
        _die(number)


def _in_main_thread() -> bool:
    """Tell whether Python lets this thread handle signals, in whatever greenlet of its loop."""
    if threading.current_thread() is threading.main_thread():
        return True
    return sys.platform == "linux" and threading.get_native_id() == System.getpid()


def _sleep(seconds: float) -> None:
    """Wait, in a thread that is one, whatever has been put in place of `time.sleep`."""
    never = allocate_lock()
    never.acquire()
    never.acquire(timeout=seconds)


def _die(number: int) -> None:
    """End the process by a signal. In this thread Python would not set the default disposition."""
    try:
        with suppress(Exception):  # no ctypes, or no libc behind it
            from ctypes import CDLL

            CDLL(None).signal(number, None)
            os.kill(os.getpid(), number)
            _sleep(_GRACE)
    finally:
        os._exit(128 + number)  # as a shell reports it
