"""What nobody catches in a greenlet: gevent and eventlet print it, and call no hook."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from flowery_logging.capture.patch import Patch
from flowery_logging.foreign import GREENPOOL_RUN
from flowery_logging.signalled import sheltered

LOGGERS: Final = ("gevent.hub", "eventlet.hubs.hub", "eventlet.greenpool")
"""The modules that print; their events are logged under these names."""

# The module, the class, its method that prints, which of its arguments has the exception.
_HUBS: Final = (
    ("gevent.hub", "Hub", "print_exception", 2),
    ("eventlet.hubs.hub", "BaseHub", "squelch_timer_exception", 1),
    ("eventlet.hubs.hub", "BaseHub", "squelch_exception", 1),
    ("eventlet.hubs.hub", "BaseHub", "squelch_generic_exception", 0),
)
_POOL: Final = ("eventlet.greenpool", "GreenPool", GREENPOOL_RUN)
"""Prints what leaves the function that it runs, in the method itself."""


class Greenlets:
    """Wraps what prints, from the first `look` after its module was imported to `uninstall`.

    Args:
        report: called with a logger's name and the exception. What it raises is not seen.
    """

    def __init__(self, report: Callable[[str, BaseException], None]) -> None:
        self._report = report
        self._patches: dict[tuple[str, str], Patch] = {}

    def look(self) -> None:
        """Wrap the methods that this program can have by now."""
        for module, name, method, index in _HUBS:
            self._wrap(module, name, method, self._reporting(module, index))
        self._wrap(*_POOL, self._watching(_POOL[0]))

    def _wrap(self, module: str, name: str, method: str, make: Callable[[Any], Any]) -> None:
        owner = getattr(sys.modules.get(module), name, None)
        if owner is not None and hasattr(owner, method):
            self._patches.setdefault((module, method), Patch(owner, method)).apply(make)

    def uninstall(self) -> None:
        """Put back what was there."""
        for patch in self._patches.values():
            patch.undo()

    def _reporting(self, module: str, index: int) -> Callable[[Any], Callable[..., Any]]:
        def wrapping(theirs: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(theirs)
            def printing(hub: Any, *args: Any, **named: Any) -> Any:
                with sheltered:  # called in another way: it is printed all the same
                    found = args[index]
                    error = found[1] if isinstance(found, tuple) else found
                    if isinstance(error, BaseException):
                        self._report(module, error)
                return theirs(hub, *args, **named)

            return printing

        return wrapping

    def _watching(self, module: str) -> Callable[[Any], Callable[..., Any]]:
        def wrapping(theirs: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(theirs)
            def running(pool: object, function: Callable[..., Any], *args: Any) -> Any:
                def watched(*given: Any, **named: Any) -> Any:
                    try:
                        return function(*given, **named)
                    except BaseException as error:
                        if not _is_told_to_end(error):
                            with sheltered:
                                self._report(module, error)
                        raise

                return theirs(pool, watched, *args)

            return running

        return wrapping


def _is_told_to_end(error: BaseException) -> bool:
    """Tell what ends a greenlet on purpose."""
    kind = getattr(sys.modules.get("greenlet"), "GreenletExit", None)
    return kind is not None and isinstance(error, kind)
