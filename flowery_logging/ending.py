"""The ways in which a process ends, so that the closing record is written on each orderly one.

`atexit`; `multiprocessing`, whose children end by `os._exit` and run only its own finalizers (what
they die of is told there too); and the signals that ask a process to end, where nobody else handles
them: the default disposition runs no Python code at all. A server handles them while it runs and
puts the default back when it stops (uvicorn then sends itself the signal again), so `signal.signal`
is followed: who sets the default gets our handler. For `os.exec…` see `replacement.py`.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from types import FrameType
from typing import Any, Final

from flowery_logging import foreign
from flowery_logging.files import platform
from flowery_logging.replacement import Replacement

_PROCESSES: Final = ("multiprocessing.process", "billiard.process")
"""Who makes children that end in a way of their own; Celery's billiard uses the same finalizers."""

_FINALIZES_LATE: Final = sys.version_info >= (3, 13)
"""Whether children run their finalizers by `atexit`, when what they die of has been dealt with."""

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
        died: told of the exception of which a child of `multiprocessing` dies.
        go_on: called where the process does not end after all.
    """

    def __init__(
        self,
        finish: Callable[[str | None], None],
        when_idle: Callable[[Callable[[], None]], None],
        died: Callable[[BaseException], None],
        go_on: Callable[[], None],
    ) -> None:
        self._finish = finish
        self._when_idle = when_idle
        self._died = died
        self._replacement = Replacement(self._run, go_on)
        self._active = False
        self._signals = False
        self._hooked = False
        self._finalizer: Any = None
        self._set_handler: Callable[..., Any] = signal.signal
        self._following: Callable[..., Any] | None = None
        self._watched: Any = None  # what stands in place of a child's _bootstrap()

    def install(self, *, signals: bool) -> None:
        """Register everywhere; for signals, if wanted, where the default stands now or later."""
        if not self._active:
            self._active = True
            atexit.register(self._run)
            self._register_finalizers()
        if not self._hooked:
            self._hooked = True
            platform.after_fork_in_child(self._register_finalizers)
        self._replacement.install()
        self._signals = signals
        if signals:
            self._follow_handlers()
            for number in SIGNALS if _in_main_thread() else ():
                self._take(number)
        else:
            self._leave_signals()

    def uninstall(self) -> None:
        """Take back what can be; the rest does nothing any more."""
        self._active = False
        atexit.unregister(self._run)
        if self._finalizer is not None:
            self._finalizer.cancel()
            self._finalizer = None
        self._leave_children()
        self._replacement.uninstall()
        self._leave_signals()

    def _leave_signals(self) -> None:
        for number in SIGNALS if _in_main_thread() else ():
            if signal.getsignal(number) == self._on_signal:
                self._set_handler(number, signal.SIG_DFL)
        if self._following is not None and signal.signal is self._following:
            signal.signal, self._following = self._set_handler, None

    def _run(self, signal_name: str | None = None) -> None:
        if self._active:
            self._finish(signal_name)

    def _register_finalizers(self) -> None:
        """Use the finalizers of `multiprocessing`, if it is imported.

        A child empties the registry of finalizers when it begins, then runs the after-fork hooks.
        """
        wanted = self._active and self._finalizer is None
        if wanted and not sys.modules.keys().isdisjoint(_PROCESSES):
            util = import_module("multiprocessing.util")
            self._watch_children()
            util.register_after_fork(self, Ending._add_finalizer)
            self._add_finalizer()

    def _add_finalizer(self) -> None:
        util: Any = sys.modules["multiprocessing.util"]
        if self._finalizer is not None:
            self._finalizer.cancel()
        before = sys.exc_info()[1]
        self._finalizer = util.Finalize(None, self._end_child, args=(before,), exitpriority=0)

    def _watch_children(self) -> None:
        """Let each child tell what it dies of, where its finalizers come too late for that."""
        processes: Any = sys.modules["multiprocessing.process"]
        if not _FINALIZES_LATE or self._watched is not None:
            return
        bootstrap = getattr(processes.BaseProcess, foreign.BOOTSTRAP)

        @wraps(bootstrap)
        def watched(child: Any, *args: object, **options: object) -> Any:
            child.run = self._telling(child.run)
            return bootstrap(child, *args, **options)

        setattr(processes.BaseProcess, foreign.BOOTSTRAP, watched)
        self._watched = watched

    def _telling(self, run: Callable[[], None]) -> Callable[[], None]:
        def telling() -> None:
            try:
                run()
            except BaseException as error:
                traceback = error.__traceback__
                error.__traceback__ = traceback and traceback.tb_next  # without this frame
                if self._active:
                    self._died(error)
                raise

        return telling

    def _leave_children(self) -> None:
        processes: Any = sys.modules.get("multiprocessing.process")
        watched, self._watched = self._watched, None
        standing = processes and getattr(processes.BaseProcess, foreign.BOOTSTRAP)
        if watched is not None and standing is watched:
            setattr(processes.BaseProcess, foreign.BOOTSTRAP, watched.__wrapped__)

    def _end_child(self, before: BaseException | None) -> None:
        """End a child. It may die of an exception, which no hook of Python's gets to see.

        Up to Python 3.12 `multiprocessing` runs its finalizers while the exception is on its way,
        and prints it afterwards; billiard does so with all versions. What was being handled in the
        parent when it forked (`before`) is none.
        """
        error = sys.exc_info()[1]
        if self._active and error is not None and error is not before and not _logged_by_billiard():
            self._died(error)
        self._run()

    def _follow_handlers(self) -> None:
        """Replace `signal.signal` by one after which no signal of ours has its default."""
        if self._following is not None:
            return  # ours is there, or somebody has wrapped it
        theirs = signal.signal

        @wraps(theirs)
        def following(*args: Any, **options: Any) -> Any:
            before = theirs(*args, **options)
            for number in SIGNALS:  # of all, as setup() may have run in another thread
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


def _logged_by_billiard() -> bool:
    """Tell whether this is a child of billiard's with its logger on: that logs what it dies of."""
    process: Any = sys.modules.get("billiard.process")
    util: Any = sys.modules.get("billiard.util")
    if process is None or getattr(util, foreign.BILLIARD_LOGGER, None) is None:
        return False
    return type(process.current_process()).__name__ != "_MainProcess"


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
