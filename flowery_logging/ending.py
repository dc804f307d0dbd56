"""The ways in which a process ends, so that the closing record is written on each clean one.

`atexit`; `multiprocessing`, whose children end by `os._exit` and run only its own finalizers; and
SIGTERM, where nobody else handles it (the default disposition runs no Python code at all).
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from flowery_logging.files import platform


class Ending:
    """Calls back when the process ends, until `uninstall()`.

    Args:
        finish: writes the closing record, given the name of the signal that ends the process or
            None; called once or more often, in any thread.
        when_idle: runs a callback as soon as no write is in progress in this thread.
    """

    def __init__(
        self,
        finish: Callable[[str | None], None],
        when_idle: Callable[[Callable[[], None]], None],
    ) -> None:
        self._finish = finish
        self._when_idle = when_idle
        self._active = False
        self._hooked = False

    def install(self) -> None:
        """Register everywhere. SIGTERM only from the main thread and where it has the default."""
        self._active = True
        atexit.register(self._run)
        self._register_finalizers()
        if not self._hooked:
            self._hooked = True
            platform.after_fork_in_child(self._register_finalizers)
        self._take_sigterm()

    def uninstall(self) -> None:
        """Take back what can be; the rest does nothing any more."""
        self._active = False
        atexit.unregister(self._run)
        if _in_main_thread() and signal.getsignal(signal.SIGTERM) == self._on_sigterm:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

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

    def _take_sigterm(self) -> None:
        if _in_main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._on_sigterm)

    def _on_sigterm(self, number: int, _frame: FrameType | None) -> None:
        """Finish, then let the signal do what it would have done without us."""

        def end() -> None:
            self._run(signal.Signals(number).name)
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

        self._when_idle(end)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
