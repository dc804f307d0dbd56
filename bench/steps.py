"""Events of ours that differ by one thing each, so that what the thing takes can be told.

Each run does all that the run before it does, and one thing more; the difference is that step.
Nothing is cut inside the package but the write at its end, `Writer.write`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from bench import asgi, event, ours
from bench.event import Run

_OF_AN_EVENT: Final = (
    "a bare event: level, call site, thread, time, message",
    "the IDs of its request",
    "an argument in its message",
    "four fields: names, JSON, redaction, limits",
    "out: lock, number, file, write()",
)
_OF_AN_EXCEPTION: Final = (
    "the event without it",
    "an exception without a traceback",
    f"a traceback of {event.FRAMES} frames",
)
_OF_A_REQUEST: Final = (
    "the application",
    "the middleware: IDs in and out, context",
    "the access event: its fields, their places in ECS",
    "out: lock, number, file, write()",
)

WAYS: Final[dict[str, tuple[str, ...]]] = {
    "flowery_logging, stdlib": _OF_AN_EVENT,
    "flowery_logging, get_logger": _OF_AN_EVENT,
    "flowery_logging, get_logger, exception": _OF_AN_EXCEPTION,
    "flowery_logging, RequestMiddleware": _OF_A_REQUEST,
}
"""The names of the steps of each way, in their order."""


def runs(way: str, directory: Path) -> Iterator[Run]:
    """Yield what goes as far as the first step, as the second, and so on.

    Each is to be run before the next one is asked for, as it sets up this process on the way.
    Raises KeyError if there is no such way.
    """
    steps: dict[str, Callable[[], Iterator[Run]]] = {
        "flowery_logging, stdlib": lambda: _event(_logger(), event.stdlib_events),
        "flowery_logging, get_logger": lambda: _event(_bound_logger(), event.structlog_events),
        "flowery_logging, get_logger, exception": _exception,
        "flowery_logging, RequestMiddleware": _request,
    }
    ours.set_up(directory)
    return steps[way]()


def _logger() -> Any:
    return logging.getLogger(event.LOGGER)


def _bound_logger() -> Any:
    import flowery_logging

    return flowery_logging.get_logger(event.LOGGER)


def _event(logger: Any, in_full: Callable[[Any], Run]) -> Iterator[Run]:
    yield _unwritten(_messages(logger, "order placed"))
    ours.open_request()
    yield _unwritten(_messages(logger, "order placed"))
    yield _unwritten(_messages(logger, "order %s placed", event.ORDER))
    yield _unwritten(in_full(logger))
    yield in_full(logger)


def _messages(logger: Any, *message: str) -> Run:
    def run(count: int) -> None:
        for _ in range(count):
            logger.info(*message)

    return run


def _unwritten(run: Run) -> Run:
    """Return what runs with a writer that drops what it is given."""
    from flowery_logging.files import Writer

    writer: Any = Writer

    def cut(count: int) -> None:
        write, writer.write = writer.write, _dropped
        try:
            run(count)
        finally:
            writer.write = write

    return cut


def _dropped(self: Any, *halves: Any) -> None:
    """Write nothing."""


def _exception() -> Iterator[Run]:
    ours.open_request()
    for error in (None, ValueError("out of stock"), event._failure()):
        yield _errors(_bound_logger(), error)


def _errors(logger: Any, error: BaseException | None) -> Run:
    def run(count: int) -> None:
        for number in range(count):
            logger.error("order %s failed", event.ORDER, exc_info=error, order_id=number)

    return run


def _request() -> Iterator[Run]:
    from flowery_logging.integrations.asgi import RequestMiddleware

    application, requests = asgi._application, asgi._requests
    yield requests(application)
    yield requests(RequestMiddleware(application, access_log=False))
    yield _unwritten(requests(RequestMiddleware(application)))
    yield requests(RequestMiddleware(application))
