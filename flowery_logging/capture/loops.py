"""What an event loop reports of tasks and callbacks that fail: each with what was bound in them.

In children of `multiprocessing` it is noticed too where a loop begins to run (see signals.py).

asyncio reports a failed task whose exception nobody has asked for when the garbage collector finds
it, in the context of whoever runs then; a failed callback, in that of the loop. From Python 3.12 on
handlers that a program sets for a loop run in the failed task's context, the default one does not.
Here all of them do, in a copy, as a context can be entered once at a time only.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import Context
from functools import wraps
from typing import Any, Final

from flowery_logging import context, foreign
from flowery_logging.capture.patch import Patch, filed_in_logging
from flowery_logging.scope import Scope
from flowery_logging.signalled import let_through

_REPORT: Final = "call_exception_handler"
_RUN: Final = "run_forever"
_FAILED: Final = ("task", "future", "handle")  # what a loop says has failed


# uvloop logs from C, so that frames of ours would be taken for those of its callers: the wrappers
# are filed in logging.
class Loops:
    """Wraps methods of asyncio's loops, and of uvloop's where it is used.

    Args:
        begin: called with each loop that begins to run, or runs, as long as `is_asked`.
        is_asked: tells whether `begin` is to be called in this process.
    """

    def __init__(self, begin: Callable[[Any], None], is_asked: Callable[[], bool]) -> None:
        self._begin = begin
        self._is_asked = is_asked
        self._patches: dict[tuple[Any, str], Patch] = {}

    def look(self) -> None:
        """Wrap the methods of each kind of loop that this program can have by now."""
        uvloop = getattr(sys.modules.get("uvloop"), "Loop", None)
        for kind in filter(None, (asyncio.BaseEventLoop, uvloop)):
            self._wrap(kind, _REPORT, _in_context)
            if self._is_asked():  # elsewhere no traceback has a frame of it
                self._wrap(kind, _RUN, self._beginning)
        if self._is_asked():
            with suppress(RuntimeError):
                self._begin(asyncio.get_running_loop())

    def _wrap(self, kind: Any, method: str, make: Callable[[Any], Any]) -> None:
        self._patches.setdefault((kind, method), Patch(kind, method)).apply(make)

    def _beginning(self, theirs: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @filed_in_logging
        @wraps(theirs)
        def run_forever(loop: Any) -> Any:
            self._begin(loop)
            return theirs(loop)

        return run_forever

    def uninstall(self) -> None:
        """Put back what was there."""
        for patch in self._patches.values():
            patch.undo()


def _in_context(theirs: Callable[[Any, dict[str, Any]], Any]) -> Callable[..., Any]:
    @filed_in_logging
    @wraps(theirs)
    def call_exception_handler(loop: object, report: dict[str, Any]) -> Any:
        try:
            found = _context_of(report)
            own = context.scope_of_failure(report.get("exception"))
        except Exception as error:  # a report that is not what asyncio makes
            let_through(error)
            return theirs(loop, report)
        if found is None and own is None and "future" not in report:
            return theirs(loop, report)
        return (found or Context()).run(_handle, theirs, loop, report, own)

    return call_exception_handler


@filed_in_logging
def _handle(
    theirs: Callable[..., Any], loop: object, report: dict[str, Any], own: Scope | None
) -> Any:
    """Call the handler with what the failed task or callback has seen."""
    with context.inside(context.as_left(own or context.here())):
        return theirs(loop, report)


def _context_of(report: Mapping[str, Any]) -> Context | None:
    """Return a copy of the context in which a task or a callback has run, if it can be known."""
    for name in _FAILED:
        thing = report.get(name)
        found = None if thing is None else _own_context(thing)
        if found is not None:
            return found.copy()
    return None


def _own_context(thing: object) -> Context | None:
    """Return the context of a task or a handle.

    Tasks tell it from Python 3.12 on. Before, only what the garbage collector sees of one does.
    """
    ask = getattr(thing, "get_context", None)
    found = ask() if callable(ask) else getattr(thing, foreign.CONTEXT, None)
    if found is None and isinstance(thing, asyncio.Task):
        import gc  # built in; needed by old versions alone

        found = next((one for one in gc.get_referents(thing) if isinstance(one, Context)), None)
    return found if isinstance(found, Context) else None
