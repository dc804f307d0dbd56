"""The signals that ask a process to end, where nobody else handles them.

Their default disposition runs no Python code at all. A server handles them while it runs and puts
the default back when it stops (uvicorn then sends itself the signal again), so `signal.signal` is
followed: who sets the default gets our handler.

In a child that has just been forked Python forgets what has come before it ran, and who waits for
its end would wait for ever. So the signals wait while a fork lasts.

No handler in Python runs for a signal that comes right before a wait in C. A child of
`multiprocessing` is ended by SIGTERM at such moments, as a pool is left when its workers begin to
wait for the next task, and its parent waits for its end without a limit. So there SIGTERM has its
default, unless a server in the child has handled it, and but for the time of an event loop, which
every signal wakes.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from _thread import get_ident
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from types import FrameType
from typing import Any, Final

from flowery_logging.capture.patch import Patch
from flowery_logging.ends.children import is_child
from flowery_logging.ends.dispositions import is_caught
from flowery_logging.foreign import file_above
from flowery_logging.library_code import is_library
from flowery_logging.signalled import sheltered
from flowery_logging.system import System

SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)
)
"""The signals that ask a process to end. Python itself raises KeyboardInterrupt on SIGINT."""


class Signals:
    """Handles what has the default disposition, until `uninstall()`.

    Args:
        finish: writes the closing record, given the name of the signal that ends the process; may
            be called in any thread.
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
        self._left = False  # whether SIGTERM has its default: in a child of multiprocessing
        self._default_wanted = False  # SIGINT's, by the program itself
        self._inherited: object = None  # what handled SIGTERM when the child began
        self._masks: dict[int, set[int]] = {}  # by thread: what it blocked before its fork
        self._set_handler: Callable[..., Any] = signal.signal
        self._get_handler: Callable[..., Any] = signal.getsignal
        self._setting = Patch(signal, "signal")
        self._getting = Patch(signal, "getsignal")

    def install(self) -> None:
        """Take the signals: now, or in another thread than the main one when that comes by."""
        self._active = True
        self._left = self._left or is_child()
        self._hook()
        # Once: where others have wrapped ours since, it stays inside theirs.
        self._setting.apply_once(self._following)
        self._getting.apply_once(self._showing)
        if _in_main_thread():
            self._take()

    def uninstall(self) -> None:
        """Put the default back, and the functions of `signal` that nobody has replaced since."""
        self._active = False
        for number in SIGNALS if _in_main_thread() else ():
            if self._is_ours(number):
                self._set_handler(number, signal.SIG_DFL)
        self._setting.undo()
        self._getting.undo()

    def begin_child(self) -> None:
        """Put SIGTERM's default back where a child of `multiprocessing` begins."""
        self._block()  # Python drops what comes between its look for signals and the change
        if self._is_ours(signal.SIGTERM) and _in_main_thread():
            self._set_handler(signal.SIGTERM, signal.SIG_DFL)
        self._unblock()
        self._left = True
        self._inherited = self._get_handler(signal.SIGTERM)

    @property
    def are_left(self) -> bool:
        """Whether SIGTERM keeps its default here, as in a child of `multiprocessing`."""
        return self._active and self._left

    def begin_loop(self, loop: Any) -> None:
        """Take SIGTERM where an event loop of asyncio's begins to run, until that is closed."""
        if self.are_left and self._is_default(signal.SIGTERM) and _in_main_thread():
            with suppress(NotImplementedError, RuntimeError, ValueError):  # a loop without signals
                loop.add_signal_handler(signal.SIGTERM, _woken)
                self._set_handler(signal.SIGTERM, self._on_signal)

    def _hook(self) -> None:
        if not self._hooked and hasattr(os, "register_at_fork"):
            self._hooked = True
            os.register_at_fork(
                before=self._block,
                after_in_parent=self._unblock,
                after_in_child=self._unblock,
            )

    def _block(self) -> None:
        # All signals: a handler that forks must not do so in the middle of this.
        if self._active and hasattr(signal, "pthread_sigmask"):
            everything = signal.valid_signals()
            self._masks[get_ident()] = signal.pthread_sigmask(signal.SIG_BLOCK, everything)

    def _unblock(self) -> None:
        mask = self._masks.pop(get_ident(), None)
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _following(self, theirs: Callable[..., Any]) -> Callable[..., Any]:
        """Return a `signal.signal` after which no signal of ours has its default."""
        self._set_handler = theirs

        @wraps(theirs)
        def following(*args: Any, **options: Any) -> Any:
            stood = self._get_handler(signal.SIGTERM)
            before = theirs(*args, **options)
            if signal.SIGINT in (*args[:1], options.get("signalnum")):
                self._note_wish(before)
            if callable(stood) and stood not in (self._inherited, self._on_signal):
                self._left = False  # a server of the child's own has stopped
            self._take()  # all of them, as setup() may have run in another thread
            return self._as_without_us(before)

        return following

    def _showing(self, theirs: Callable[..., Any]) -> Callable[..., Any]:
        """Return a `signal.getsignal` that shows the default where our handler stands.

        Programs ask whether a signal is handled before they handle it, or call what was there.
        """
        self._get_handler = theirs

        @wraps(theirs)
        def showing(*args: Any, **options: Any) -> Any:
            return self._as_without_us(theirs(*args, **options))

        return showing

    def _as_without_us(self, handler: Any) -> Any:
        return signal.SIG_DFL if self._on_signal == handler else handler

    def _note_wish(self, before: object) -> None:
        """Note whether the program has put SIGINT's default in the place of Python's own handler.

        A loop in C (Qt's) lets no handler in Python run: with the default Ctrl-C ends it. Servers
        do so too, before they set handlers of their own.
        """
        is_default = self._get_handler(signal.SIGINT) is signal.SIG_DFL
        by_program = not is_library(file_above(2))
        self._default_wanted = is_default and before is signal.default_int_handler and by_program

    def _take(self) -> None:
        """Put our handler where the default stands. For the main thread only."""
        if not self._active:
            return
        for number in SIGNALS:
            left = self._left and number == signal.SIGTERM
            left = left or (self._default_wanted and number == signal.SIGINT)
            if not left and self._is_default(number):
                with suppress(ValueError):  # a subinterpreter: Python lets none handle signals
                    self._set_handler(number, self._on_signal)

    def _is_default(self, number: int) -> bool:
        """Tell whether nobody handles a signal, in C neither: `faulthandler.register` does."""
        is_default = self._get_handler(number) is signal.SIG_DFL
        return is_default and not is_caught(number)

    def _is_ours(self, number: int) -> bool:
        return bool(self._on_signal == self._get_handler(number))

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Finish, then let the signal do what it would have done without us."""

        def end() -> None:
            if not _in_main_thread():  # it does what the main thread left, which sets handlers
                os.kill(os.getpid(), number)
                return
            self._finish(signal.Signals(number).name)
            _leave_screen()
            self._set_handler(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            # The first process of a container: the kernel lets no default disposition end it.
            self._set_handler(number, self._on_signal)
            self._go_on()

        self._when_idle(end)


@contextmanager
def held_back() -> Iterator[None]:
    """Let the signals that ask a process to end wait: a handler of the program's may raise."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _leave_screen() -> None:
    """Give the terminal back that ncurses has taken: it does so itself where a default stands."""
    curses: Any = sys.modules.get("_curses")
    with sheltered:  # it has not begun
        if curses is not None and not curses.isendwin():
            curses.endwin()


def _woken() -> None:
    """Do nothing more: the loop goes on, so that Python runs what handles the signal."""


def _in_main_thread() -> bool:
    """Tell whether Python lets this thread handle signals, in whatever greenlet of its loop."""
    if threading.current_thread() is threading.main_thread():
        return True
    return sys.platform == "linux" and threading.get_native_id() == System.getpid()
