"""What HTTP servers log themselves: nothing twice, where our middleware has told it already.

Only two kinds of records are left out: the server's repeat of the very exception that we have
reported, and its access line for a request that has an access event of ours. Handlers of others
(Sentry's, Django's mail to the admins) get them as without us.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import cache
from types import FrameType
from typing import Final

from flowery_logging import context, runtime
from flowery_logging.capture import reported
from flowery_logging.capture.logger_tree import way_of
from flowery_logging.foreign import getframe
from flowery_logging.integrations import nested
from flowery_logging.library_code import OWN_LOGGER
from flowery_logging.request import Request
from flowery_logging.signalled import let_through

ERROR_LOGGERS: Final = (
    "uvicorn.error", "gunicorn.error", "hypercorn.error", "daphne.server", "waitress",
    "tornado.application", "twisted", "mangum.http", "django.request", "_granian",
)  # fmt: skip
# These put the traceback into the text: the module, the logger, how the text begins.
PRINTING: Final = (
    ("granian", "_granian.utils", "Application callable raised an exception\n"),
    ("werkzeug", "werkzeug", "Error on request:\n"),
)
ACCESS_LOGGERS: Final = ("uvicorn.access", "hypercorn.access")
# These log when the application has returned; daphne's `runserver`, when it has sent the response.
AFTERWARDS: Final = (
    "django.channels.server", "django.server", "geventwebsocket.handler", "granian.access",
    "gunicorn.access", "werkzeug",
)  # fmt: skip

_WITH_SCOPES: Final = ("uvicorn.protocols.", "hypercorn.protocol.")
"""Modules whose objects send a response and log it; each has the scope of its request."""

# How what will be printed again may end.
_printed: Final[deque[tuple[str, ...]]] = deque(maxlen=100)
_texts: Final[deque[str]] = deque(maxlen=100)  # what will be the text of a record
_told: ContextVar[bool] = ContextVar("flowery_logging_told", default=False)
_failed: ContextVar[weakref.ref[Request] | None] = ContextVar(
    "flowery_logging_failed", default=None
)
_in_charge: ContextVar[Request | None] = ContextVar("flowery_logging_in_charge", default=None)


def leave_out(exc: BaseException) -> None:
    """Leave out the one record with which the server repeats `exc`, logged by us already.

    The server logs after the application has raised, maybe in another task: so the exception itself
    says that it was reported, until the repeat has come.
    """
    _look_at(ERROR_LOGGERS, _is_repeat)
    reported.note(exc)
    printing = [logger for module, logger, _ in PRINTING if module in sys.modules]
    for logger in printing:
        _look_at((logger,), _is_told)
    if printing:
        _printed.append((_last_lines(exc), _last_lines_in_rust(exc)))


def _last_lines(exc: BaseException) -> str:
    return "".join(traceback.format_exception_only(exc)).rstrip()


def _last_lines_in_rust(exc: BaseException) -> str:
    """Return how PyO3 shows an exception, as Granian does: its class without the module."""
    try:
        told = str(exc)
    except Exception as error:
        let_through(error)
        told = "<exception str() failed>"
    return f"{type(exc).__qualname__}: {told}".rstrip()


def leave_out_text(text: str) -> None:
    """Leave out the one record whose text is that of an exception which is logged by us already."""
    _look_at(ERROR_LOGGERS, _is_repeat)
    _texts.append(text)


def _look_at(names: tuple[str, ...], is_told: Callable[[logging.LogRecord], bool]) -> None:
    """Have records of these loggers looked at: by our handler or, before `setup()`, by theirs.

    Without a set-up our own records go to everybody's handlers: where one takes them, nobody gets
    the repeat.
    """
    if runtime.current_sink().ready:
        _look_at_ours(names, is_told)
    else:
        for name in names:
            logging.getLogger(name).addFilter(_before_setup(is_told))


@cache
def _look_at_ours(names: tuple[str, ...], is_told: Callable[[logging.LogRecord], bool]) -> None:
    for name in names:
        runtime.leave_out(name, is_told)


@cache
def _before_setup(
    is_told: Callable[[logging.LogRecord], bool],
) -> Callable[[logging.LogRecord], bool]:
    return lambda record: (
        runtime.current_sink().ready or not (is_told(record) and _takes_ours(record.levelno))
    )


def _takes_ours(level: int) -> bool:
    """Tell whether anybody gets a record of ours of a level; Python shows what has no handler."""
    logger = logging.getLogger(OWN_LOGGER)
    handlers = [one for above in way_of(logger) for one in above.handlers]
    takers = handlers or [one for one in (logging.lastResort,) if one]
    return logger.isEnabledFor(level) and any(level >= one.level for one in takers)


def _is_repeat(record: logging.LogRecord) -> bool:
    if _texts and not record.exc_info and record.getMessage() in _texts:
        _texts.remove(record.getMessage())
        return True
    return reported.take(record.exc_info[1] if record.exc_info else None)


def _is_printed_repeat(record: logging.LogRecord, beginning: str) -> bool:
    text = record.getMessage()
    if not text.startswith(beginning):
        return False
    for lines in list(_printed):  # a server's threads add to it
        if text.rstrip().endswith(lines):
            _printed.remove(lines)
            return True
    return False


def begin(access_log: bool) -> None:
    """Begin a request in a thread that serves one after another."""
    if access_log:
        _look()
    _told.set(access_log)


def _look() -> None:
    _look_at(ACCESS_LOGGERS, _is_ours)
    _look_at(AFTERWARDS, _is_told)


def _is_told(record: logging.LogRecord) -> bool:
    """Tell the access line that follows a request of ours, and a traceback that we have told.

    One function for both: Werkzeug's logger has both, and a logger's records are looked at once.
    """
    for _, logger, beginning in PRINTING:
        if record.name == logger and record.levelno >= logging.ERROR:
            return _is_printed_repeat(record, beginning)
    is_access = _IS_ACCESS.get(record.name, _is_none)
    return is_access(record) and (was_told() or _is_ours(record))


def _is_none(record: logging.LogRecord) -> bool:  # noqa: ARG001
    """Tell of any record of a logger without access lines, as granian's own, that it is none."""
    return False


def _is_werkzeug_access(record: logging.LogRecord) -> bool:
    return isinstance(record.msg, str) and record.msg.endswith('"%s" %s %s')


_PYWSGI_LINE: Final = re.compile(r'" [\d-]+ [\d-]+ [\d.-]+\Z')  # status, bytes, seconds


def _is_pywsgi_access(record: logging.LogRecord) -> bool:
    return isinstance(record.msg, str) and _PYWSGI_LINE.search(record.msg) is not None


_IS_ACCESS: Final[Mapping[str, Callable[[logging.LogRecord], bool]]] = {
    "django.channels.server": lambda record: "%(method)s" in str(record.msg),
    "django.server": lambda record: hasattr(record, "status_code"),
    "geventwebsocket.handler": _is_pywsgi_access,
    "granian.access": lambda record: isinstance(record.args, Mapping),
    "gunicorn.access": lambda record: isinstance(record.args, Mapping),
    "werkzeug": _is_werkzeug_access,
}


def was_told() -> bool:
    """Tell, once, if the request that this thread has just served has an access event of ours.

    gunicorn's threads and greenlets log a request, and once more while they answer its failure.
    """
    told = _told.get()
    _told.set(False)
    return told or _is_of_failed()


def note_failed(request: Request) -> None:
    """Take note that a request has failed, and has an access event of ours."""
    _failed.set(weakref.ref(request))


def _is_of_failed() -> bool:
    """Tell whether a server handles the exception that the last such request has ended by."""
    known = _failed.get()
    request = None if known is None else known()
    if request is None:
        return False
    scope = context.scope_of_failure(sys.exc_info()[1])
    return scope is not None and scope.request is request


class in_charge:  # noqa: N801 - a context manager is called like a function
    """Leave out the server's access line for what runs in this block, if we write our own."""

    __slots__ = ("_access_log", "_before")

    def __init__(self, access_log: bool) -> None:
        self._access_log = access_log

    def __enter__(self) -> None:
        if self._access_log:
            _look()
            self._before = _in_charge.get()
            _in_charge.set(context.current_request())

    def __exit__(self, *_: object) -> None:
        if self._access_log:
            _in_charge.set(self._before)
            _told.set(True)


def _is_ours(record: logging.LogRecord) -> bool:  # noqa: ARG001
    """Tell the access line of a request that has an access event of ours.

    It comes from within our middleware or, where the server itself answers, after it. A middleware
    around ours may send from a task of its own (Starlette's BaseHTTPMiddleware).
    """
    request = _in_charge.get()
    if request is not None and request is context.current_request():
        return True
    return _is_sent_for_ours()


def _is_sent_for_ours() -> bool:
    """Tell whether what is logged is logged while a response of ours is sent.

    Whoever sends has the scope of the request: the server's object, or a function of ASGI.
    """
    frame: FrameType | None = getframe(1)
    while frame is not None:
        if str(frame.f_globals.get("__name__", "")).startswith(_WITH_SCOPES):
            return _is_told_scope(getattr(frame.f_locals.get("self"), "scope", None))
        code = frame.f_code
        has_scope = "scope" in code.co_varnames or "scope" in code.co_cellvars
        if has_scope and _is_told_scope(frame.f_locals.get("scope")):
            return True
        frame = frame.f_back
    return False


def _is_told_scope(scope: object) -> bool:
    return isinstance(scope, Mapping) and nested.TOLD in scope
