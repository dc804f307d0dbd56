"""How a request has ended, and who has ended it: the reasons that an access event gives.

A client has gone only where a server says so: by `http.disconnect`, by closing the body before its
end, by the error of a closed socket. All else that is no `Exception` is the server's doing: it has
cancelled the request, or a time limit of its own or of the application's has run out.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping
from typing import Final

from flowery_logging import context
from flowery_logging.capture.own import OwnLogger
from flowery_logging.signalled import sheltered

DISCONNECTED: Final = "client disconnected"
CANCELLED: Final = "cancelled by the server"
TIMED_OUT: Final = "timed out"
NO_RESPONSE: Final = "no response"
FAILED: Final = "unhandled exception"
CUT_OFF: Final = "response cut off by an exception"
APPLICATION_ERROR: Final = "application error"
"""Why a websocket was closed whose application has raised."""

FAILURES: Final = frozenset({CANCELLED, TIMED_OUT, NO_RESPONSE, FAILED, CUT_OFF})

REASONS: Final = FAILURES | {DISCONNECTED, APPLICATION_ERROR}
"""The words of this library; who closes a websocket may say anything."""

# Other people's classes, by name: a module that nobody has imported has raised nothing.
_CANCELLATIONS: Final = (("greenlet", "GreenletExit"), ("trio", "Cancelled"))
_CLOSED_SOCKETS: Final = (("waitress.channel", "ClientDisconnected"),)


def reason_of(exc: BaseException, *, started: bool, gone: bool = False) -> str:
    """Return why a request ended that `exc` has left.

    `started` tells if its response had begun, `gone` if the server has said that the client has.
    """
    if gone:
        return DISCONNECTED
    if isinstance(exc, GeneratorExit):
        return reason_of_close(exc.__context__)  # what is handled while the generator is closed
    if _is_time_limit(exc):
        return TIMED_OUT
    if _is_cancellation(exc):
        return CANCELLED
    return CUT_OFF if started else FAILED


def reason_of_close(exc: BaseException | None) -> str:
    """Return why a server closes a body before its end, while it handles `exc`."""
    if exc is None or isinstance(exc, (OSError, GeneratorExit)) or _is_one_of(exc, _CLOSED_SOCKETS):
        return DISCONNECTED
    return reason_of(exc, started=True)


def _is_time_limit(exc: BaseException) -> bool:
    """Tell gevent's and eventlet's `Timeout`, and what gunicorn raises in a worker that hangs."""
    if isinstance(exc, Exception):
        return False  # the application's own business
    if isinstance(exc, SystemExit):
        return _raised_in(exc) == ("gunicorn.workers.base", "handle_abort")
    return any(kind.__name__ == "Timeout" for kind in type(exc).__mro__)


def _is_cancellation(exc: BaseException) -> bool:
    is_ordinary = isinstance(exc, Exception)
    several = None if is_ordinary else getattr(exc, "exceptions", None)  # of a BaseExceptionGroup
    if several:
        return all(_is_cancellation(one) for one in several)
    if isinstance(exc, SystemExit):
        return _raised_in(exc)[0] in {"gunicorn.workers.base", "gunicorn.workers.ggevent"}
    kinds = (asyncio.CancelledError, KeyboardInterrupt)
    return isinstance(exc, kinds) or _is_one_of(exc, _CANCELLATIONS)


def _is_one_of(exc: BaseException, names: tuple[tuple[str, str], ...]) -> bool:
    kinds = (getattr(sys.modules.get(module), name, None) for module, name in names)
    return any(isinstance(kind, type) and isinstance(exc, kind) for kind in kinds)


def _raised_in(exc: BaseException) -> tuple[str, str]:
    """Return the module and the function that have raised: a server's signal handler or not."""
    trace = exc.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "", ""
    return str(trace.tb_frame.f_globals.get("__name__")), trace.tb_frame.f_code.co_name


def is_end_of_websocket(exc: BaseException, environ: Mapping[str, object]) -> bool:
    """Tell whether an application says that it has talked with the client past its server.

    PEP 3333 has no way to say so. simple-websocket, and with it flask-sock and flask-socketio,
    raises what werkzeug and gunicorn take for a connection that is closed.
    """
    if str(environ.get("HTTP_UPGRADE")).lower() != "websocket":
        return False
    return type(exc) in {StopIteration, ConnectionError} and not exc.args


def report(exc: BaseException, method: str, path: str, log: OwnLogger) -> bool:
    """Log an exception that the application did not handle; tell whether it could be logged."""
    request = context.current_request()
    if request is not None:
        request.fail()
    if not log.isEnabledFor(logging.ERROR):
        return False  # switched off or disabled: then the server's own report is the only one
    with sheltered:  # a foreign handler that raises must not replace `exc`
        extra = {"http.request.method": method, "url.path": path}
        text = "%s %s raised an unhandled exception"
        log.log(logging.ERROR, text, method, path, exc_info=exc, extra=extra)
        return True
    return False
