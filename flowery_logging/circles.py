"""Whether events go round in a circle: one asks an object for its text, which logs another one.

Plain `logging` lets Python's RecursionError end all of it at once. Who catches that in each event
and goes on comes to no end where two events are logged at each turn.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, Final, TypeVar

from flowery_logging.foreign import getframe
from flowery_logging.library_code import FILES

_Function = TypeVar("_Function", bound=Callable[..., Any])

_ASKING: Final[set[CodeType]] = set()


def asks_others(function: _Function) -> _Function:
    """Take note of a function that asks other people's code about an event: an object, a processor.

    One may call another, for the same event.
    """
    _ASKING.add(function.__code__)
    return function


def ends_a_circle(error: BaseException) -> bool:
    """Tell whether an error ends events that are logged by what other events ask."""
    if not isinstance(error, RecursionError):
        return False
    events, is_ours = 0, False
    frame: FrameType | None = getframe(1)
    while frame is not None and events < 2:
        code = frame.f_code
        if code in _ASKING:
            events += not is_ours
            is_ours = True
        elif not code.co_filename.startswith(FILES):
            is_ours = False
        frame = frame.f_back
    return events == 2
