"""The ways in which a process ends, so that the closing record is written on each orderly one.

`atexit`; `multiprocessing`, whose children run only its own finalizers (what they die of is told
there too); the signals that ask a process to end (`signals.py`); and what runs no `atexit`: another
program in its place, and `os._exit` (`leaving.py`).
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any, Final

from flowery_logging import foreign
from flowery_logging.capture.patch import Patch
from flowery_logging.files import platform
from flowery_logging.leaving import Leaving
from flowery_logging.signals import Signals, held_back

_PROCESSES: Final = ("multiprocessing.process", "billiard.process")
"""Who makes children that end in a way of their own; Celery's billiard uses the same finalizers."""

_PATIENCE_S: Final = 0.5
"""How long another thread may hold up the end of a process that leaves at once."""

_TIMES: Final = 2
"""How often it is tried at the end: a handler may raise before the first one has begun."""

_FINALIZES_LATE: Final = sys.version_info >= (3, 13)
"""Whether children run their finalizers by `atexit`, when what they die of has been dealt with."""


class Ending:
    """Calls back when the process ends, until `uninstall()`.

    Args:
        finish: writes the closing record, given the name of the signal that ends the process or
            None; called once or more often, in any thread.
        when_idle: runs a callback as soon as no write is in progress, and lets none begin before
            it has returned.
        within: runs a callback if no other thread writes for so many seconds without an end.
        died: told of the exception of which a child of `multiprocessing` dies.
        go_on: called where the process does not end after all.
        child_begins: called where a child of `multiprocessing` begins.
    """

    def __init__(
        self,
        finish: Callable[[str | None], None],
        when_idle: Callable[[Callable[[], None]], None],
        within: Callable[[float, Callable[[], None]], None],
        died: Callable[[BaseException], None],
        go_on: Callable[[], None],
        child_begins: Callable[[], None],
    ) -> None:
        self._finish = finish
        self._within = within
        self._died = died
        self._child_begins = child_begins
        self._leaving = Leaving(self._leave, go_on)
        self.signals = Signals(self._run, when_idle, go_on)
        self._active = False
        self._hooked = False
        self._finalizer: Any = None
        self._children: Patch | None = None  # of a child's _bootstrap()

    def install(self, *, signals: bool) -> None:
        """Register everywhere; for signals, if wanted, where the default stands now or later."""
        if not self._active:
            self._active = True
            for _ in range(_TIMES):
                atexit.register(self._at_exit)
            self._register_finalizers()
        if not self._hooked:
            self._hooked = True
            platform.after_fork_in_child(self._register_finalizers)
        self._leaving.install()
        if signals:
            self.signals.install()
        else:
            self.signals.uninstall()

    def uninstall(self) -> None:
        """Take back what can be; the rest does nothing any more."""
        self._active = False
        atexit.unregister(self._at_exit)
        if self._finalizer is not None:
            self._finalizer.cancel()
            self._finalizer = None
        if self._children is not None:
            self._children.undo()
        self._leaving.uninstall()
        self.signals.uninstall()

    def _run(self, signal_name: str | None = None) -> None:
        if self._active:
            self._finish(signal_name)

    def _at_exit(self) -> None:
        """Finish, while a second signal waits."""
        with held_back():
            self._run()

    def _leave(self) -> None:
        """Finish, but for no long time: who leaves at once may flee from a thread that hangs."""
        if self._active:
            self._within(_PATIENCE_S, self._run)

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
        """Notice where each child of `multiprocessing` begins, and what it dies of."""
        if self._children is None:
            processes: Any = sys.modules["multiprocessing.process"]
            self._children = Patch(processes.BaseProcess, foreign.BOOTSTRAP)
        self._children.apply_once(self._watched)

    def _watched(self, bootstrap: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(bootstrap)
        def watched(child: Any, *args: object, **options: object) -> Any:
            self.signals.begin_child()
            self._child_begins()
            if _FINALIZES_LATE:
                child.run = self._telling(child.run)
            return bootstrap(child, *args, **options)

        return watched

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


def _logged_by_billiard() -> bool:
    """Tell whether this is a child of billiard's with its logger on: that logs what it dies of."""
    process: Any = sys.modules.get("billiard.process")
    util: Any = sys.modules.get("billiard.util")
    if process is None or getattr(util, foreign.BILLIARD_LOGGER, None) is None:
        return False
    return type(process.current_process()).__name__ != "_MainProcess"
