"""The ways in which a process ends, so that the closing record is written on each orderly one.

`atexit`; `multiprocessing`, whose children run only its own finalizers (`children.py`); the signals
that ask a process to end (`signals.py`); and what runs no `atexit`: another program in its place,
and `os._exit` (`leaving.py`).
"""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import Final

from flowery_logging.ends.children import PACKAGES, Children
from flowery_logging.ends.leaving import Leaving
from flowery_logging.ends.signals import Signals, held_back
from flowery_logging.files import platform

_PATIENCE_S: Final = 0.5
"""How long another thread may hold up the end of a process that leaves at once."""

_TIMES: Final = 2
"""How often it is tried at the end: a handler may raise before the first one has begun."""


class Ending:
    """Calls back when the process ends, until `uninstall()`.

    Args:
        finish: writes the closing record, given the name of the signal that ends the process or
            None; called once or more often, in any thread.
        when_idle: runs a callback as soon as no write is in progress, and lets none begin before
            it has returned.
        within: runs a callback if no other thread writes for so many seconds without an end.
        died: told of the exception of which this child of `multiprocessing` dies, and its name.
        go_on: called where the process does not end after all.
        rescue: writes the record that is on its way in this thread: another handler ends the
            process, or waits for a network while a signal does, before it has come to ours.
        child_begins: called where a child of `multiprocessing` begins.
    """

    def __init__(
        self,
        finish: Callable[[str | None], None],
        when_idle: Callable[[Callable[[], None]], None],
        within: Callable[[float, Callable[[], None]], None],
        died: Callable[[BaseException, str], None],
        go_on: Callable[[], None],
        rescue: Callable[[], None],
        child_begins: Callable[[], None],
    ) -> None:
        self._finish = finish
        self._when_idle = when_idle
        self._within = within
        self._rescue = rescue
        self._child_begins = child_begins
        self._leaving = Leaving(self._leave, self._crash, go_on)
        self.signals = Signals(self._run, self._by_signal, go_on)
        self._active = False
        self._hooked = False
        self._children = [
            Children(package, self._begin_child, died, ends=self._run) for package in PACKAGES
        ]

    def install(self, *, signals: bool) -> None:
        """Register everywhere; for signals, if wanted, where the default stands now or later."""
        if not self._active:
            self._active = True
            for _ in range(_TIMES):
                atexit.register(self._at_exit)
        self._look_for_children()
        if not self._hooked:
            self._hooked = True
            platform.after_fork_in_child(self._look_for_children)
        self._leaving.install()
        if signals:
            self.signals.install()
        else:
            self.signals.uninstall()

    def uninstall(self) -> None:
        """Take back what can be; the rest does nothing any more."""
        self._active = False
        atexit.unregister(self._at_exit)
        for children in self._children:
            children.uninstall()
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
        self._crash()
        if self._active:
            self._within(_PATIENCE_S, self._run)

    def _crash(self) -> None:
        if self._active:
            self._within(_PATIENCE_S, self._rescue)

    def _by_signal(self, end: Callable[[], None]) -> None:
        """Write what is on its way while other threads may still write, then end."""
        if self._active:
            self._rescue()
        self._when_idle(end)

    def _look_for_children(self) -> None:
        if self._active:
            for children in self._children:
                children.install()

    def _begin_child(self) -> None:
        self.signals.begin_child()
        self._child_begins()
