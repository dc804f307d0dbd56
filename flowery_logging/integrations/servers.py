"""What HTTP servers log themselves: nothing twice, where our middleware has told it already.

Only two kinds of records are left out: the server's repeat of the very exception that we have
reported, and its access line for a request that has an access event of ours.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from functools import cache
from typing import Final

from flowery_logging import context
from flowery_logging.request import Request

ERROR_LOGGERS: Final = ("uvicorn.error", "gunicorn.error", "hypercorn.error", "django.request")
ACCESS_LOGGERS: Final = ("uvicorn.access",)
AFTERWARDS: Final = ("django.server",)  # logs when the application has returned

_reported: ContextVar[BaseException | None] = ContextVar("flowery_logging_reported", default=None)
_told: ContextVar[bool] = ContextVar("flowery_logging_told", default=False)
_in_charge: ContextVar[Request | None] = ContextVar("flowery_logging_in_charge", default=None)


def leave_out(exc: BaseException) -> None:
    """Leave out the one record with which the server repeats `exc`, logged by us already.

    The server logs after the application has raised, in the same context: a `ContextVar` says
    which exception it was, and ends with the request's task, so nothing outlives the request.
    """
    _reported.set(exc)
    for name in ERROR_LOGGERS:
        logging.getLogger(name).addFilter(_is_no_repeat)


def _is_no_repeat(record: logging.LogRecord) -> bool:
    reported = _reported.get()
    if reported is None or record.exc_info is None or record.exc_info[1] is not reported:
        return True
    _reported.set(None)
    return False


def begin(access_log: bool) -> None:
    """Begin a request in a thread that serves one after another."""
    _reported.set(None)
    _told.set(access_log)
    for name in AFTERWARDS if access_log else ():
        logging.getLogger(name).addFilter(_is_untold)


def _is_untold(record: logging.LogRecord) -> bool:
    """Refuse the one access line that follows a request of ours."""
    return not (hasattr(record, "status_code") and was_told())


def was_told() -> bool:
    """Tell, once, if the request that this thread has just served has an access event of ours."""
    told = _told.get()
    _told.set(False)
    return told


class in_charge:  # noqa: N801 - a context manager is called like a function
    """Leave out the server's access line for what runs in this block, if we write our own."""

    __slots__ = ("_access_log", "_before")

    def __init__(self, access_log: bool) -> None:
        self._access_log = access_log

    def __enter__(self) -> None:
        if self._access_log:
            for logger in _access_loggers():
                if _is_not_ours not in logger.filters:
                    logger.addFilter(_is_not_ours)
            self._before = _in_charge.get()
            _in_charge.set(context.current_request())

    def __exit__(self, *_: object) -> None:
        if self._access_log:
            _in_charge.set(self._before)


@cache
def _access_loggers() -> list[logging.Logger]:
    return list(map(logging.getLogger, ACCESS_LOGGERS))


def _is_not_ours(record: logging.LogRecord) -> bool:  # noqa: ARG001
    request = _in_charge.get()
    return request is None or request is not context.current_request()
