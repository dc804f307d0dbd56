"""The peers, each set up as its own documentation says for best speed.

`logging` has no context of its own, so there a filter puts the IDs on the record, as the
documentation of `logging` shows ("Using Filters to impart contextual information"). The plain
text of the reference holds time, level, logger and the message with its argument: what people
have in a text log. IDs and extra fields are passed to it but not written.
"""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path
from typing import Any, Final

from bench import event
from bench.event import Run

TEXT: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"
FULL_TEXT: Final = (
    TEXT + " trace_id=%(trace_id)s request_id=%(request_id)s order_id=%(order_id)s"
    " customer=%(customer)s amount=%(amount)s express=%(express)s"
)
MAX_BYTES: Final = 64 * 1024 * 1024  # also what flowery_logging rotates at


class _WithIds(logging.Filter):
    """Puts the bound IDs on each record, under the names that the formatter wants."""

    def __init__(self, trace_id: str, request_id: str) -> None:
        super().__init__()
        self._names = trace_id, request_id

    def filter(self, record: logging.LogRecord) -> bool:
        trace_id, request_id = self._names
        record.__dict__[trace_id] = event.trace_id.get()
        record.__dict__[request_id] = event.request_id.get()
        return True


def _logger(handler: logging.Handler, formatter: logging.Formatter, *filters: Any) -> Any:
    handler.setFormatter(formatter)
    for one in filters:
        handler.addFilter(one)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return logging.getLogger(event.LOGGER)


def _file(directory: Path) -> logging.Handler:
    return logging.FileHandler(directory / "app.log", encoding="utf-8")


def plain_text(directory: Path) -> Run:
    return event.stdlib_events(_logger(_file(directory), logging.Formatter(TEXT)))


def plain_text_in_full(directory: Path) -> Run:
    ids = _WithIds("trace_id", "request_id")
    return event.stdlib_events(_logger(_file(directory), logging.Formatter(FULL_TEXT), ids))


def plain_exceptions(directory: Path) -> Run:
    return event.stdlib_exceptions(_logger(_file(directory), logging.Formatter(TEXT)))


def plain_debug(directory: Path) -> Run:
    return event.stdlib_debug(_logger(_file(directory), logging.Formatter(TEXT)))


def plain_long(directory: Path) -> Run:
    return event.stdlib_long(_logger(_file(directory), logging.Formatter(TEXT)))


def rotating(directory: Path) -> Run:
    handler = logging.handlers.RotatingFileHandler(
        directory / "app.log", maxBytes=MAX_BYTES, backupCount=5, encoding="utf-8"
    )
    return event.stdlib_events(_logger(handler, logging.Formatter(TEXT)))


def null(directory: Path) -> Run:  # noqa: ARG001 - the same signature as the others
    return event.stdlib_events(_logger(logging.NullHandler(), logging.Formatter()))


def _ecs(handler: logging.Handler) -> Any:
    import ecs_logging

    return _logger(handler, ecs_logging.StdlibFormatter(), _WithIds("trace.id", "http.request.id"))


def ecs_stdlib(directory: Path) -> Run:
    return event.stdlib_events(_ecs(_file(directory)))


def ecs_long(directory: Path) -> Run:
    return event.stdlib_long(_ecs(_file(directory)))


def ecs_nested(directory: Path) -> Run:
    return event.stdlib_nested(_ecs(_file(directory)))


def ecs_exceptions(directory: Path) -> Run:
    return event.stdlib_exceptions(_ecs(_file(directory)))


def concurrent(directory: Path) -> Run:
    from concurrent_log_handler import ConcurrentRotatingFileHandler

    path = str(directory / "app.log")
    handler = ConcurrentRotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=5)
    return event.stdlib_events(_ecs(handler))


def python_json_logger(directory: Path) -> Run:
    """Its orjson formatter, with fields as a list and its own timestamp (both skip parsing)."""
    from pythonjsonlogger.orjson import OrjsonFormatter

    formatter = OrjsonFormatter(["levelname", "name", "message"], timestamp=True)
    ids = _WithIds("trace_id", "request_id")
    return event.stdlib_events(_logger(_file(directory), formatter, ids))


def _structlog(directory: Path, *processors: Any) -> Any:
    """The configuration of structlog's page "Performance", with the given last processors."""
    import structlog

    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[structlog.contextvars.merge_contextvars, *processors],
        logger_factory=structlog.BytesLoggerFactory(file=(directory / "app.log").open("wb")),
    )
    return structlog.get_logger().bind()  # what get_logger returns finds each method anew


def _fastest(directory: Path) -> Any:
    import orjson
    from structlog import contextvars, processors

    contextvars.bind_contextvars(trace_id=event.TRACE_ID, request_id=event.REQUEST_ID)
    return _structlog(
        directory,
        processors.add_log_level,
        processors.format_exc_info,
        processors.TimeStamper(fmt="iso", utc=True),
        processors.JSONRenderer(serializer=orjson.dumps),
    )


def structlog_fastest(directory: Path) -> Run:
    return event.structlog_events(_fastest(directory))


def structlog_long(directory: Path) -> Run:
    return event.structlog_long(_fastest(directory))


def structlog_nested(directory: Path) -> Run:
    return event.structlog_nested(_fastest(directory))


def structlog_requests(directory: Path) -> Run:
    return event.structlog_requests(_fastest(directory))


def structlog_debug(directory: Path) -> Run:
    return event.structlog_debug(_fastest(directory))


def ecs_structlog(directory: Path) -> Run:
    import ecs_logging
    from structlog import contextvars

    ids = {"trace.id": event.TRACE_ID, "http.request.id": event.REQUEST_ID}
    contextvars.bind_contextvars(**ids)
    formatter = ecs_logging.StructlogFormatter()

    def render(logger: Any, name: str, fields: Any) -> bytes:
        return formatter(logger, name, fields).encode()

    return event.structlog_events(_structlog(directory, render))


def loguru(directory: Path) -> Run:
    """Its JSON sink in the calling thread, without what is only for developers."""
    from loguru import logger

    logger.remove()
    logger.add(
        directory / "app.log",
        serialize=True,
        format="{message}",
        level="INFO",
        backtrace=False,
        diagnose=False,
    )
    logger.configure(extra={"trace_id": event.TRACE_ID, "request_id": event.REQUEST_ID})

    def run(count: int) -> None:
        for number in range(count):
            fields = {"customer": event.CUSTOMER, "amount": 12.5, "express": True}
            logger.info("order {} placed", event.ORDER, order_id=number, **fields)

    return run


def picologging(directory: Path) -> Run:
    """Plain text as the reference; with a date format, as its own one writes garbage (0.9.3)."""
    from importlib import import_module

    pico: Any = import_module("picologging")  # not to be had on every Python
    handler = pico.FileHandler(str(directory / "app.log"))
    handler.setFormatter(pico.Formatter(TEXT, "%Y-%m-%d %H:%M:%S"))
    logger = pico.getLogger(event.LOGGER)
    logger.addHandler(handler)
    logger.setLevel(pico.INFO)
    return event.stdlib_events(logger)
