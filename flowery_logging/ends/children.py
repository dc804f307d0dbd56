"""Children of `multiprocessing`: where each begins, what it dies of, and where it ends.

They run only the finalizers of their own package, and catch what they die of. `multiprocess` is the
same package with another pickle (pathos, Hugging Face's datasets); billiard, which is Celery's, has
processes of its own and runs the finalizers of `multiprocessing`.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from types import FrameType
from typing import Any, Final

from flowery_logging import foreign
from flowery_logging.capture.patch import Patch

PACKAGES: Final = ("multiprocessing", "multiprocess")

_MAKERS: Final = {"multiprocessing": ("multiprocessing", "billiard")}
"""Whose children run the finalizers of a package, if not its own alone."""

_FINALIZES_LATE: Final = sys.version_info >= (3, 13)
"""Whether children run their finalizers by `atexit`, when what they die of has been dealt with."""


class Children:
    """Calls back in the children of one package, from `install` to `uninstall`.

    Args:
        package: one of `PACKAGES`.
        begins: called where a child begins.
        died: told of the exception of which this child dies, and of the child's name.
        ends: called at the end of this process, if that is by the package's finalizers.
    """

    def __init__(
        self,
        package: str,
        begins: Callable[[], None],
        died: Callable[[BaseException, str], None],
        ends: Callable[[], None],
    ) -> None:
        self._begins = begins
        self._died = died
        self._ends = ends
        self._package = package
        self._makers = [f"{maker}.process" for maker in _MAKERS.get(package, (package,))]
        self._active = False
        self._has_begun = False  # in this process, by our _bootstrap()
        self._finalizer: Any = None
        self._patch: Patch | None = None  # of a child's _bootstrap()
        self._shows = Patch(traceback, "print_exc")  # in a child that had begun before the set-up

    def install(self) -> None:
        """Register with the package, if it is imported.

        A child empties the registry of finalizers when it begins, then runs the after-fork hooks.
        """
        self._active = True
        if self._finalizer is None and not sys.modules.keys().isdisjoint(self._makers):
            util = self._module("util")
            self._watch()
            util.register_after_fork(self, Children._add_finalizer)
            self._add_finalizer()

    def uninstall(self) -> None:
        """Take back what can be; the rest does nothing any more."""
        self._active = False
        if self._finalizer is not None:
            self._finalizer.cancel()
            self._finalizer = None
        if self._patch is not None:
            self._patch.undo()
        self._shows.undo()

    def _module(self, name: str) -> Any:
        return import_module(f"{self._package}.{name}")

    def _add_finalizer(self) -> None:
        if not self._active:
            return  # this child sets up itself, or not at all
        if self._finalizer is not None:
            self._finalizer.cancel()
        before = sys.exc_info()[1]
        make = self._module("util").Finalize
        self._finalizer = make(None, self._end, args=(before,), exitpriority=0)

    def _watch(self) -> None:
        if self._patch is None:
            self._patch = Patch(self._module("process").BaseProcess, foreign.BOOTSTRAP)
        self._patch.apply_once(self._watched)
        if _FINALIZES_LATE and not self._has_begun and self._has_parent():
            self._shows.apply_once(self._showing)

    def _has_parent(self) -> bool:
        return self._module("process").parent_process() is not None

    def _watched(self, bootstrap: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(bootstrap)
        def watched(child: Any, *args: object, **options: object) -> Any:
            self._has_begun = True
            self._begins()
            if _FINALIZES_LATE:
                child.run = self._telling(child.run)
            return bootstrap(child, *args, **options)

        return watched

    def _telling(self, run: Callable[[], None]) -> Callable[[], None]:
        def telling() -> None:
            try:
                run()
            except BaseException as error:
                frames = error.__traceback__
                error.__traceback__ = frames and frames.tb_next  # without this frame
                self._tell(error)
                raise

        return telling

    def _showing(self, show: Callable[..., None]) -> Callable[..., None]:
        """Tell of the exception of which this child dies, where that is printed."""

        @wraps(show)
        def showing(*args: object, **options: object) -> None:
            error = sys.exc_info()[1]
            if error is not None and not self._has_begun and self._dies_in(foreign.frame_above(1)):
                self._tell(error)
            show(*args, **options)

        return showing

    def _dies_in(self, frame: FrameType | None) -> bool:
        """Tell whether a frame is that of the method that catches what a child dies of."""
        if frame is None or frame.f_code.co_name != foreign.BOOTSTRAP:
            return False
        return frame.f_globals.get("__name__") == f"{self._package}.process"

    def _end(self, before: BaseException | None) -> None:
        """End a child. It may die of an exception, which no hook of Python's gets to see.

        Up to Python 3.12 these packages run their finalizers while the exception is on its way,
        and print it afterwards; billiard does so with all versions. What was being handled in the
        parent when it forked (`before`) is none.
        """
        error = sys.exc_info()[1]
        if error is not None and error is not before and not _logged_by_billiard():
            self._tell(error)
        self._ends()

    def _tell(self, error: BaseException) -> None:
        if self._active:
            self._died(error, self._module("process").current_process().name)


def is_child() -> bool:
    """Tell whether one of the packages has made this process."""
    found: list[Any] = [sys.modules.get(f"{package}.process") for package in PACKAGES]
    return any(one is not None and one.parent_process() is not None for one in found)


def _logged_by_billiard() -> bool:
    """Tell whether this is a child of billiard's with its logger on: that logs what it dies of."""
    process: Any = sys.modules.get("billiard.process")
    util: Any = sys.modules.get("billiard.util")
    if process is None or getattr(util, foreign.BILLIARD_LOGGER, None) is None:
        return False
    return type(process.current_process()).__name__ != "_MainProcess"
