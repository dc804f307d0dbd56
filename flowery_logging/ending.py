"""The ways in which a process ends, so that the closing record is written on each orderly one.

`atexit`; `multiprocessing`, whose children end by `os._exit` and run only its own finalizers; and
the signals that ask a process to end, where nobody else handles them (the default disposition runs
no Python code at all). A server handles them while it runs and puts the default back when it stops
(uvicorn then sends itself the signal again), so `signal.signal` is followed: who sets the default
gets our handler.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import wraps
from types import FrameType
from typing import Any, Final

from flowery_logging.files import platform

SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)
)
"""The signals that ask a process to end. Python itself raises KeyboardInterrupt on SIGINT."""


class Ending:
    """Calls back when the process ends, until `uninstall()`.

    Args:
        finish: writes the closing record, given the name of the signal that ends the process or
            None; called once or more often, in any thread.
        when_idle: runs a callback as soon as no write is in progress, and lets none begin before
            it has returned.
    """

    def __init__(
        self,
        finish: Callable[[str | None], None],
        when_idle: Callable[[Callable[[], None]], None],
    ) -> None:
        self._finish = finish
        self._when_idle = when_idle
        self._active = False
        self._signals = False
        self._hooked = False
        self._set_handler: Callable[..., Any] = signal.signal
        self._following: Callable[..., Any] | None = None

    def install(self, *, signals: bool = True) -> None:
        """Register everywhere; for signals only those that have their default now or later."""
        self._active = True
        self._signals = signals
        atexit.register(self._run)
        self._register_finalizers()
        if not self._hooked:
            self._hooked = True
            platform.after_fork_in_child(self._register_finalizers)
        self._follow_handlers()
        for number in SIGNALS if _in_main_thread() else ():
            self._take(number)

    def uninstall(self) -> None:
        """Take back what can be; the rest does nothing any more."""
        self._active = False
        atexit.unregister(self._run)
        for number in SIGNALS if _in_main_thread() else ():
            if signal.getsignal(number) == self._on_signal:
                self._set_handler(number, signal.SIG_DFL)
        if signal.signal is self._following:
            signal.signal, self._following = self._set_handler, None

    def _run(self, signal_name: str | None = None) -> None:
        if self._active:
            self._finish(signal_name)

    def _register_finalizers(self) -> None:
        """Use multiprocessing's finalizers, if the process knows it.

        A child empties the registry of finalizers when it begins, then runs the after-fork hooks.
        """
        util: Any = sys.modules.get("multiprocessing.util")
        if self._active and util is not None:

            def add(ending: Ending) -> None:
                util.Finalize(None, ending._run, exitpriority=0)

            add(self)
            util.register_after_fork(self, add)

    def _follow_handlers(self) -> None:
        """Replace `signal.signal` by one after which no signal of ours has its default."""
        if self._following is not None:
            return  # ours is there, or somebody has wrapped it
        theirs = signal.signal

        @wraps(theirs)
        def following(*args: Any, **options: Any) -> Any:
            before = theirs(*args, **options)
            number = args[0] if args else options.get("signalnum")
            if number in SIGNALS:
                self._take(number)
            return before

        self._set_handler, self._following = theirs, following
        signal.signal = following

    def _take(self, number: int) -> None:
        """Put our handler where the default stands. For the main thread only."""
        if self._active and self._signals and signal.getsignal(number) is signal.SIG_DFL:
            self._set_handler(number, self._on_signal)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Finish, then let the signal do what it would have done without us."""

        def end() -> None:
            if _in_main_thread():
                self._run(signal.Signals(number).name)
                self._set_handler(number, signal.SIG_DFL)
            # Else another thread has done what the main thread left: only that one may set a
            # handler, so it is called once more.
            os.kill(os.getpid(), number)

        self._when_idle(end)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
