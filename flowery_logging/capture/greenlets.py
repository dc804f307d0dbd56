"""What nobody catches in a greenlet: gevent and eventlet print it, and call no hook."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, Final

from flowery_logging.capture.patch import Patch

LOGGERS: Final = ("gevent.hub", "eventlet.hubs.hub")
"""The modules whose hubs print; their events are logged under these names."""

# The module, the class, its method that prints, which of its arguments has the exception.
_HUBS: Final = (
    ("gevent.hub", "Hub", "print_exception", 2),
    ("eventlet.hubs.hub", "BaseHub", "squelch_timer_exception", 1),
    ("eventlet.hubs.hub", "BaseHub", "squelch_exception", 1),
)


class Greenlets:
    """Wraps what prints, from the first `look` after its module was imported to `uninstall`.

    Args:
        report: called with a logger's name and the exception. What it raises is not seen.
    """

    def __init__(self, report: Callable[[str, BaseException], None]) -> None:
        self._report = report
        self._patches: dict[tuple[str, str], Patch] = {}

    def look(self) -> None:
        """Wrap the methods of the hubs that this program can have by now."""
        for module, name, method, index in _HUBS:
            hub = getattr(sys.modules.get(module), name, None)
            if hub is not None and hasattr(hub, method):
                patch = self._patches.setdefault((module, method), Patch(hub, method))
                patch.apply(self._reporting(module, index))

    def uninstall(self) -> None:
        """Put back what was there."""
        for patch in self._patches.values():
            patch.undo()

    def _reporting(self, module: str, index: int) -> Callable[[Any], Callable[..., Any]]:
        def wrapping(theirs: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(theirs)
            def printing(hub: Any, *args: Any, **named: Any) -> Any:
                with suppress(Exception):  # called in another way: it is printed all the same
                    found = args[index]
                    error = found[1] if isinstance(found, tuple) else found
                    if isinstance(error, BaseException):
                        self._report(module, error)
                return theirs(hub, *args, **named)

            return printing

        return wrapping
