"""Which events people see on stderr anyway: what the interpreter and other handlers print."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from flowery_logging.capture import dagster_lines, greenlets, loguru_stderr
from flowery_logging.capture.logger_tree import LOGGERS, alone, nearest, way_of
from flowery_logging.capture.others_filters import lets_pass
from flowery_logging.capture.own_emit import may_print
from flowery_logging.capture.stdlib import Handler
from flowery_logging.files import stderr
from flowery_logging.foreign import CAPTURED_FROM, LISTENER_THREAD
from flowery_logging.levels import number_of
from flowery_logging.library_code import OWN_LOGGER, is_own

_WARNINGS: Final = "py.warnings"
_BY_THE_INTERPRETER: Final = frozenset(
    {"sys.excepthook", "threading.excepthook", "sys.unraisablehook", _WARNINGS,
     "multiprocessing.process", *greenlets.LOGGERS}
)  # fmt: skip
"""Our names for what the interpreter, hubs of greenlets, and `multiprocessing` of a child print."""

_ERRORS: Final = (
    "uvicorn.error", "gunicorn.error", "hypercorn.error", "daphne.server", "waitress",
    "tornado.application", "django.request",
)  # fmt: skip
_ACCESS: Final = ("uvicorn.access", "gunicorn.access", "hypercorn.access", "django.server")
"""Where servers print what we tell in their place: an exception, and that there was a request."""

_printed: Final = ContextVar("flowery_logging_printed", default=False)
"""Whether the server prints, without `logging`, the exception that is being logged."""

_OF_GUNICORN: Final = "gunicorn.error"
_SILENT_WORKERS: Final = ("gunicorn.workers.gasgi", "gunicorn.workers.gtornado")
"""Modules of gunicorn's workers that keep exceptions of the application out of its log.

The one for ASGI does so where the response is complete, as with FastAPI. Tornado has a logger of
its own.
"""

_OF_RUNSERVER: Final = "django.server"
_RUNSERVER: Final = "django.core.servers.basehttp"


def is_printed_anyway(logger: str) -> bool:
    """Tell whether a hook of the interpreter's, or one in its place, prints a logger's events.

    It is about to do so as we show the event. Warnings that `logging` captures go to handlers.
    """
    if logger == _WARNINGS and getattr(logging, CAPTURED_FROM, None) is not None:
        return False
    return logger in _BY_THE_INTERPRETER


def is_shown_on_stderr(logger: str, level: str) -> bool:
    """Tell whether an event stands on stderr without us. `level` is written in lower case."""
    if is_printed_anyway(logger):
        return True
    number = number_of(level, logging.CRITICAL)
    if loguru_stderr.shows_own(number):
        return True
    if logger.startswith(f"{OWN_LOGGER}.integrations."):
        if _printed.get():
            return True
        if any(_is_used(name, number) and _shows(name, number) for name in _ERRORS):
            return True
    elif logger == f"{OWN_LOGGER}.access" and any(map(_prints_requests, _ACCESS)):
        return True
    return _is_silenced(logger) or _shows(logger, number)


@contextmanager
def printed() -> Iterator[None]:
    """Take an exception that is logged in the block for one that the server prints by itself."""
    token = _printed.set(True)
    try:
        yield
    finally:
        _printed.reset(token)


def _is_used(name: str, level: int) -> bool:
    """Tell whether a server's logger is there, and takes events of a level."""
    if name == _OF_GUNICORN and not sys.modules.keys().isdisjoint(_SILENT_WORKERS):
        return False
    found = LOGGERS.get(name)
    return isinstance(found, logging.Logger) and found.isEnabledFor(level)


def _shows(logger: str, level: int) -> bool:
    """Tell whether a logger has a handler that shows records of a level on stderr."""
    return any(level >= one.level and _shows_by(one, logger, level) for one in _handlers(logger))


def _shows_by(handler: logging.Handler, logger: str, level: int, depth: int = 0) -> bool:
    """Tell whether a handler, or one that it hands records on to, shows them on stderr."""
    if not lets_pass(handler, logger, level):
        return False
    if _writes_to_stderr(handler) or loguru_stderr.shows_given(handler, level):
        return True
    return any(
        depth < _MAX_DEPTH and _shows_by(one, logger, level, depth + 1)
        for one in (*_behind(handler, level), *dagster_lines.behind(handler, level))
    )


_MAX_DEPTH: Final = 3


def _behind(handler: Any, level: int) -> Iterator[logging.Handler]:
    """Yield the handlers that will get what a memory, a queue or absl's handler has been given."""
    wrapped = getattr(handler, "python_handler", None)
    if isinstance(wrapped, logging.Handler):  # absl's
        yield wrapped
    target = getattr(handler, "target", None)
    if isinstance(target, logging.Handler) and level >= getattr(handler, "flushLevel", level):
        yield target
    listener = getattr(handler, "listener", None)  # from Python 3.12 on, and Litestar's
    if getattr(listener, LISTENER_THREAD, None) is not None:  # it has been started
        respects = getattr(listener, "respect_handler_level", False)
        yield from (
            one
            for one in getattr(listener, "handlers", ())
            if isinstance(one, logging.Handler) and (not respects or level >= one.level)
        )


def _prints_requests(name: str) -> bool:
    """Tell whether a server's logger has a handler that shows its lines to people."""
    if name == _OF_RUNSERVER and _RUNSERVER not in sys.modules:
        return False  # Django configures its logger, whichever server runs
    if not _is_used(name, logging.INFO):
        return False
    handlers = logging.getLogger(name).handlers
    return any(
        _writes_to_stderr(one) or getattr(one, "stream", None) in (sys.stdout, sys.__stdout__)
        for one in handlers
    )


def _handlers(name: str) -> Iterator[logging.Handler]:
    """All handlers that would get a record of a logger, which may not exist."""
    for logger in (*alone(name), *way_of(nearest(name))):
        if is_own(logger.name) != is_own(name):
            return
        yield from list(logger.handlers)


def _is_silenced(name: str) -> bool:
    """Tell whether a logger is set apart with `NullHandler` alone: nobody wants to see its lines.

    As Django's documentation says of `django.security.DisallowedHost`, which any bot can raise.
    """
    way = list(way_of(nearest(name)))
    handlers = [one for logger in way for one in logger.handlers if not isinstance(one, Handler)]
    return not way[-1].propagate and set(map(type, handlers)) == {logging.NullHandler}


def _writes_to_stderr(handler: logging.Handler) -> bool:
    """Tell whether a handler is one for a stream, and that stream is standard error."""
    stream = getattr(handler, "stream", None)  # StreamHandler, and those made like it
    stream = stream or getattr(getattr(handler, "console", None), "file", None)  # rich's
    return stderr.is_standard_error(stream) and may_print(handler)
