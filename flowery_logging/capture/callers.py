"""Where a call of an application's stands: never in a frame of this library's.

A function that is compiled (`functools.partial(log.info, "x")`, one of Cython's) has no frame, so
what calls it for the application (`carried`, a middleware, a hook) would be taken for the caller.
So would it with a `stacklevel` that leads out of the application's function.
"""

from __future__ import annotations

from types import FrameType
from typing import Final

from flowery_logging.capture.patch import SOURCE
from flowery_logging.foreign import getframe
from flowery_logging.library_code import FILES, is_own

_NOT_CALLERS: Final = (FILES, SOURCE)


def caller(frame: FrameType) -> FrameType:
    """Return the frame, or if it is ours the first one around it that makes calls of its own."""
    if not frame.f_code.co_filename.startswith(FILES):
        return frame
    found: FrameType | None = frame
    while found is not None and found.f_code.co_filename.startswith(_NOT_CALLERS):
        found = found.f_back
    return found or frame


def place_of_call(
    logger: object, file: str, line: int, function: str | None
) -> tuple[str, int, str | None]:
    """Return where a call stands that was found in a file of ours; our own records stay there."""
    frame: FrameType | None = None if is_own(str(logger)) else getframe(1)
    while frame is not None:
        if (frame.f_code.co_filename, frame.f_lineno) == (file, line):
            found = caller(frame)
            return found.f_code.co_filename, found.f_lineno, found.f_code.co_name
        frame = frame.f_back
    return file, line, function
