"""Standard error, as the library writes to it: whole lines, no wait without end, no exception."""

from __future__ import annotations

import io
import logging
import os
import sys
from typing import Any, Final

from flowery_logging.files import bars
from flowery_logging.files.channel import STDERR, Channel
from flowery_logging.signalled import let_through, sheltered

_OF_LOGGERS: Final = ("flowery_logging.", "loguru.", "structlog.", "twisted.logger.")
"""Modules whose objects are loggers."""

_COLOURED: Final = frozenset({
    ("rich.file_proxy", "FileProxy"), ("colorama.ansitowin32", "StreamWrapper"),
})  # fmt: skip
_COLOURED_IF_RAW: Final = ("prompt_toolkit.patch_stdout", "StdoutProxy")
"""What stands in the place of `sys.stderr` while a program draws on the terminal."""

_channel = Channel(STDERR, for_people=True)


def is_terminal() -> bool:
    """Tell whether a person reads standard error."""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except Exception as error:  # closed, or an object that has no such method
        let_through(error)
        return False


def terminal() -> int | None:
    """Return the terminal's descriptor that takes what is put now, and escapes as what they are.

    None where there is none: somebody's own object may take escapes for text, whatever its `isatty`
    says, and another file may have been put at the descriptor.
    """
    stream: Any = sys.stderr
    try:
        if type(stream) is io.TextIOWrapper or _hands_escapes_on(stream):
            descriptor = int(stream.fileno())
        elif _has_logger(stream):  # which is passed by
            descriptor = STDERR
        else:
            return None
        return descriptor if os.isatty(descriptor) else None
    except Exception as error:  # closed, or without a descriptor
        let_through(error)
        return None


def put(text: str) -> None:
    """Write a text to `sys.stderr`, or to what somebody has put in its place. May raise.

    What hands each line to a logger is passed by: the line would come back as an event.
    """
    stream = sys.stderr
    if stream is None:
        return
    if _is_descriptor(stream):
        with bars.aside(stream):
            _channel.write(text.encode(stream.encoding or "utf-8", "backslashreplace"))
    elif _has_logger(stream):
        _pass_by(text)
    else:
        stream.write(text)
        stream.flush()


def say(text: str) -> None:
    """Write a line of the library's own. Never raises.

    It may be said while the writer's lock is held. So it passes by an object that somebody has put
    in the place of `sys.stderr`: that may take locks of its own, or log.
    """
    with sheltered:  # stderr is closed or broken: there is nowhere left to say it
        if is_replaced():
            _pass_by(text)
        else:
            put(text)


def say_lines(data: bytes) -> None:
    """Write lines as they are to the process's standard error. Never raises."""
    with sheltered:  # as in `say`
        _channel.renew_patience()
        _channel.write(data)


def is_standard_error(stream: Any) -> bool:
    """Tell whether what is written to a stream is seen where standard error is."""
    if stream is None:
        return False
    if stream is sys.stderr or stream is sys.__stderr__:
        return True
    try:
        ours, theirs = os.fstat(STDERR), os.fstat(stream.fileno())
    except Exception as error:  # no file of the system's, or closed
        let_through(error)
        return False
    return (ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino)


def is_replaced() -> bool:
    """Tell whether somebody's own object stands in the place of `sys.stderr`: it may log."""
    return not isinstance(sys.stderr, (io.TextIOWrapper, io.StringIO, type(None)))


def _hands_escapes_on(stream: Any) -> bool:
    """Tell whether an object is one that is known to show escapes as colours."""
    kind = type(stream).__module__, type(stream).__name__
    return kind in _COLOURED or (kind == _COLOURED_IF_RAW and stream.raw is True)


def _pass_by(text: str) -> None:
    """Write a text to the descriptor, whatever stands in the place of `sys.stderr`."""
    _channel.write(text.encode("utf-8", "backslashreplace"))


def _is_descriptor(stream: object) -> bool:
    """Tell whether a stream is the interpreter's own one, to the descriptor 2."""
    if type(stream) is not io.TextIOWrapper:
        return False
    try:
        return stream.fileno() == STDERR
    except OSError:  # over a buffer in memory, or an object of the server's, as mod_wsgi's log
        return False


def _has_logger(stream: object) -> bool:
    """Tell whether an object holds a logger, as those do that redirect a stream to one.

    Such are the common `StreamToLogger`, Celery's `LoggingProxy` and Twisted's `LoggingFile`.
    """
    return any(
        isinstance(value, (logging.Logger, logging.LoggerAdapter))
        or type(value).__module__.startswith(_OF_LOGGERS)
        for value in getattr(stream, "__dict__", {}).values()
    )
