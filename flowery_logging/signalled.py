"""Whether an exception in the middle of a logging call is somebody else's, and is let through.

What a signal handler raises is the program's, whatever its type. Time limits are raised so:
Celery's soft one, RQ's, those by `signal.alarm`. Python runs the handler in the middle of whatever
runs, a logging call too, and what that would catch is not meant for it.

A RecursionError is the outermost event's where events go round in a circle (see circles.py).
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from functools import partial
from types import CodeType, TracebackType
from typing import Any, Final

from flowery_logging.circles import ends_a_circle
from flowery_logging.foreign import getsignal


def is_let_through(error: BaseException) -> bool:
    """Tell whether an exception is not for the logging call that catches it."""
    return is_of_a_handler(error) or ends_a_circle(error)


def is_of_a_handler(error: BaseException) -> bool:
    """Tell whether an exception has come out of a function that handles a signal now."""
    trace = error.__traceback__
    if trace is None or trace.tb_next is None:
        return False  # raised where it is caught
    passed = set()
    while trace is not None:
        passed.add(trace.tb_frame.f_code)
        trace = trace.tb_next
    return any(code in passed for code in _codes())


def let_through(error: BaseException) -> None:
    """Raise an exception that is being handled, if it is not for the call that catches it."""
    if is_let_through(error):
        raise error


class _Sheltered:
    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: object, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return isinstance(error, Exception) and not is_let_through(error)


sheltered: Final = _Sheltered()
"""`with sheltered:` suppresses what other people's code raises, but not what a signal handler does.

Say why at each use.
"""


def _codes() -> Iterator[CodeType]:
    for number in range(1, signal.NSIG):
        handler: Any = getsignal(number)
        if not callable(handler):
            continue  # none, or the system's
        while isinstance(handler, partial):
            handler = handler.func
        for function in (handler, type(handler).__call__):
            code = getattr(function, "__code__", None)  # that of a method too
            if code is not None:
                yield code
