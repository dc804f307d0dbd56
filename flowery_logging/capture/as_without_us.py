"""What Python itself does differently where one of its hooks is not its own, done as it would be.

It looks whether somebody has put a function in the place of `sys.excepthook` or
`warnings.showwarning`, and takes another way then. Ours stands there, but hands on to its own.
"""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Final

from flowery_logging import foreign
from flowery_logging.foreign import getframe

_CONSOLES: Final = "code"
_ONLY_WHAT: Final = "showsyntaxerror"
"""The method of a console that shows an error without its frames."""

Hooked = Callable[..., Any]


def in_a_console(theirs: Hooked) -> Hooked:
    """Return what shows an exception of a console of `code`, as its own `write()` would.

    A console over a socket or in a window has a `write()` of its own, and calls it only where
    `sys.excepthook` is the interpreter's.
    """
    if theirs is not sys.__excepthook__:
        return theirs

    def show(kind: Any, error: Any, trace: TracebackType | None) -> None:
        caller = getframe(1).f_back
        console = _console(caller)
        if caller is None or console is None:
            theirs(kind, error, trace)
        elif hasattr(console, foreign.CONSOLE_SHOWS):
            getattr(console, foreign.CONSOLE_SHOWS)(kind, error, trace)
        elif caller.f_code.co_name == _ONLY_WHAT:
            console.write("".join(traceback.format_exception_only(kind, error)))
        else:  # the first frame is the console's own
            below = None if trace is None else trace.tb_next
            console.write("".join(traceback.format_exception(kind, error, below)))

    return show


def is_of_a_console(depth: int) -> bool:
    """Tell whether what runs so many frames above is a console of `code`, which shows an error."""
    frame: FrameType | None = getframe(1)
    while frame is not None and depth:
        frame, depth = frame.f_back, depth - 1
    return _console(frame) is not None


def _console(frame: FrameType | None) -> Any:
    """Return the console of which a frame is a method; None: a program may have a `code` too."""
    kind = getattr(sys.modules.get(_CONSOLES), "InteractiveInterpreter", None)
    if frame is None or frame.f_globals.get("__name__") != _CONSOLES:
        return None
    found = frame.f_locals.get("self")
    return found if isinstance(kind, type) and isinstance(found, kind) else None


def with_its_source(theirs: Hooked) -> Hooked:
    """Return what shows a warning with the object that it is of, for which the hook has no place.

    Behind the warning that a file was not closed stands where it was opened, or how to find out.
    """
    if theirs is not getattr(warnings, foreign.SHOWWARNING, None):
        return theirs

    def show(*args: object, **named: object) -> None:
        caller = getframe(1).f_back
        if caller is not None and caller.f_code.co_name == foreign.SHOWS_WARNINGS[1]:
            shown_by = caller.f_globals.get(foreign.SHOWS_A_WARNING)
            given = caller.f_locals.get("msg")
            if shown_by is not None and given is not None:
                shown_by(given)
                return
        theirs(*args, **named)

    return show
