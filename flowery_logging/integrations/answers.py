"""What a client gets where the application gives no answer: each server has its own way.

Seen with each of them (tests/ends/test_ends.py). The server is told by the frames below
the application; uWSGI has none, and a module that only exists inside of it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from types import FrameType
from typing import Final, NamedTuple

from flowery_logging.foreign import getframe


class Answers(NamedTuple):
    """When a server answers with 500: what it lets pass, and if it minds that nothing is said.

    One that `waits` sends the head of a response with the first piece of its body, or the first one
    `with_bytes`. Until then it answers `to_begun` responses too, or closes the connection.
    `openings` are its answers to a websocket whose opening fails, and to one that is left as it is.
    """

    to: type[BaseException]
    but: tuple[type[BaseException], ...] = ()
    to_silence: bool = False
    to_exit: bool = True
    waits: bool = False
    with_bytes: bool = False
    to_begun: bool = True
    openings: tuple[int, int] = (500, 500)


_UNKNOWN: Final = Answers(Exception)
_UWSGI: Final = Answers(Exception, (Exception,))  # closes the connection
_GONE: Final = (BrokenPipeError, ConnectionAbortedError, ConnectionResetError)

_SERVERS: Final[Mapping[str, Answers]] = {
    "uvicorn": Answers(BaseException, to_silence=True),
    "hypercorn.trio": Answers(BaseException, to_silence=True, to_exit=False),
    "hypercorn": Answers(BaseException, to_silence=True),
    "granian.wsgi": Answers(BaseException, to_silence=True),
    "granian": Answers(BaseException, to_silence=True, waits=True, openings=(403, 403)),
    "daphne": Answers(
        BaseException, (asyncio.CancelledError,), to_exit=False, waits=True, to_begun=False
    ),
    "gunicorn.asgi": Answers(
        Exception,
        to_silence=True,
        waits=True,
        with_bytes=True,
        to_begun=False,
        openings=(500, 403),
    ),
    "gunicorn.workers.sync": Answers(BaseException, (OSError,)),
    "gunicorn.workers.base_async": Answers(BaseException, (OSError,), to_exit=False),
    "gunicorn.workers.gthread": Answers(Exception, (OSError,)),
    "gevent.pywsgi": Answers(BaseException, with_bytes=True),
    "wsgiref": Answers(BaseException, _GONE),
    "waitress": Answers(Exception, with_bytes=True),
    "werkzeug.serving": Answers(Exception, _GONE),
}


def answer_to(
    exc: BaseException | None, *, begun: bool = False, websocket: bool = False
) -> int | None:
    """Return the status that the client gets when `exc` leaves the application; None if none.

    `exc` is None where the application returns without a response. `begun` tells that it has given
    the head of one, which the server has not sent, `websocket` that it was to open one.
    """
    answers = _of_server(getframe(1))  # where a server is seen
    to_failure, to_silence = answers.openings if websocket else (500, 500)
    if begun and not answers.to_begun:
        return None
    if exc is None:
        return to_silence if answers.to_silence else None
    if not isinstance(exc, answers.to) or isinstance(exc, answers.but):
        return None
    # A worker that is told to hurry does not let its greenlets answer; one that hangs does.
    ends_worker = isinstance(exc, SystemExit) or type(exc).__name__ == "GreenletExit"
    return None if ends_worker and not answers.to_exit else to_failure


def waits_for_body(environ: Mapping[str, object]) -> bool:
    """Tell whether a WSGI server sends a response's head with the first piece of its body only.

    PEP 3333 ("The start_response() Callable") has it so. Granian sends it before it asks for one,
    cheroot also where there is none.
    """
    return environ.get("SERVER_SOFTWARE") != "Granian" and _CHEROOTS not in environ


_CHEROOTS: Final = "ACTUAL_SERVER_PROTOCOL"


def has_sent_head(*, waits: bool, has_piece: bool) -> bool:
    """Tell whether a server has sent the head of a response of whose body it has got no bytes.

    `waits` tells that its interface has it wait for the body, of which it may have got an empty
    piece; under ASGI each has its own way.
    """
    answers = _of_server(getframe(1))
    if answers is _UWSGI or not (waits or answers.waits):
        return True
    return has_piece and not answers.with_bytes


def is_printed(exc: BaseException, environ: Mapping[str, object]) -> bool:
    """Tell whether the server prints what leaves a WSGI application, without `logging`.

    It is told by the frames below the application, or by its names in the environ. Where it is told
    by frames, an `OSError` may be taken for one of the client's connection, which is not printed.
    """
    frame: FrameType | None = getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__") in _PRINTING:
            return not isinstance(exc, OSError)
        frame = frame.f_back
    return not environ.keys().isdisjoint(_PRINTING_IN_C)


# Not eventlet's: it may have been given a logger, which tells it at INFO.
_PRINTING: Final = frozenset({"bjoern", "cheroot.wsgi", "gevent.pywsgi", "wsgiref.handlers"})
_PRINTING_IN_C: Final = ("mod_wsgi.version", "uwsgi.version")


def _of_server(frame: FrameType | None) -> Answers:
    if "uwsgi" in sys.modules:
        return _UWSGI
    while frame is not None:
        module = frame.f_globals.get("__name__")
        if isinstance(module, str) and module.partition(".")[0] in _PACKAGES:
            for name, answers in _SERVERS.items():
                if module == name or module.startswith(name + "."):
                    return answers
        frame = frame.f_back
    return _UNKNOWN


_PACKAGES: Final = frozenset(name.partition(".")[0] for name in _SERVERS)
