"""flowery_logging as `setup()` leaves it, and the floors below it: the same line by hand."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from bench import event
from bench.event import Run

_requests: Final = ExitStack()
"""Requests that stay open: each process has one, and it ends with the process."""


def set_up(directory: Path) -> None:
    """Set up as a service does, with files only."""
    import flowery_logging

    flowery_logging.setup("bench", directory=directory, output="file", level="INFO")


def open_request() -> None:
    """Open a request with its trace and request IDs, and leave it open."""
    import flowery_logging

    parent = f"00-{event.TRACE_ID}-00f067aa0ba902b7-01"
    headers = {"traceparent": parent, "x-request-id": event.REQUEST_ID}
    _requests.enter_context(flowery_logging.continue_trace(headers))


def _in_request(directory: Path, run: Callable[[], Run]) -> Run:
    set_up(directory)
    open_request()
    return run()


def _bound_logger() -> Any:
    import flowery_logging

    return flowery_logging.get_logger(event.LOGGER)


def stdlib(directory: Path) -> Run:
    return _in_request(directory, lambda: event.stdlib_events(logging.getLogger(event.LOGGER)))


def get_logger(directory: Path) -> Run:
    return _in_request(directory, lambda: event.structlog_events(_bound_logger()))


def stdlib_long(directory: Path) -> Run:
    return _in_request(directory, lambda: event.stdlib_long(logging.getLogger(event.LOGGER)))


def long(directory: Path) -> Run:
    return _in_request(directory, lambda: event.structlog_long(_bound_logger()))


def stdlib_nested(directory: Path) -> Run:
    return _in_request(directory, lambda: event.stdlib_nested(logging.getLogger(event.LOGGER)))


def nested(directory: Path) -> Run:
    return _in_request(directory, lambda: event.structlog_nested(_bound_logger()))


def requests(directory: Path) -> Run:
    return _in_request(directory, lambda: event.structlog_requests(_bound_logger()))


def exceptions(directory: Path) -> Run:
    return _in_request(directory, lambda: event.stdlib_exceptions(logging.getLogger(event.LOGGER)))


def structlog_exceptions(directory: Path) -> Run:
    return _in_request(directory, lambda: event.structlog_exceptions(_bound_logger()))


def debug(directory: Path) -> Run:
    return _in_request(directory, lambda: event.stdlib_debug(logging.getLogger(event.LOGGER)))


def structlog_debug(directory: Path) -> Run:
    return _in_request(directory, lambda: event.structlog_debug(_bound_logger()))


def equal_line(directory: Path) -> Run:
    """The same fields as one dict, encoded and written: no logger, no context, no lock."""
    import orjson

    descriptor = _descriptor(directory)
    document = _document()

    def run(count: int) -> None:
        for number in range(count):
            _fill(document, number)
            line = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)
            os.write(descriptor, line)

    return run


def write_alone(directory: Path) -> Run:
    """The same line, made once: what the system call takes, and a loop around it."""
    import orjson

    descriptor = _descriptor(directory)
    document = _document()
    _fill(document, 1)
    line = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)

    def run(count: int) -> None:
        for _ in range(count):
            os.write(descriptor, line)

    return run


def _descriptor(directory: Path) -> int:
    return os.open(directory / "equal.ndjson", os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def _fill(document: dict[str, Any], number: int) -> None:
    """Put in what differs from event to event."""
    entity = document["process"]["entity_id"]
    document["@timestamp"] = datetime.now(timezone.utc)
    document["message"] = "order %s placed" % event.ORDER  # noqa: UP031 - as loggers do
    document["labels"] = {"customer": event.CUSTOMER, "express": "true"}
    document["numeric_labels"] = {"order_id": number, "amount": 12.5}
    document["event"] = {"dataset": "bench", "id": f"{entity}-{number}", "sequence": number}


def _document() -> dict[str, Any]:
    """What stays the same from event to event; the other keys only mark their places."""
    thread = {"id": threading.get_ident(), "name": "MainThread"}
    origin = {"file": {"name": "event.py", "line": 38}, "function": "run"}
    return {
        "@timestamp": None,
        "log.level": "info",
        "message": None,
        "ecs.version": "9.4.0",
        "service": {"name": "bench", "node": {"name": os.uname().nodename}},
        "host": {"name": os.uname().nodename},
        "data_stream": {"type": "logs", "dataset": "flowery", "namespace": "default"},
        "log": {"logger": event.LOGGER, "origin": origin},
        "trace": {"id": event.TRACE_ID},
        "transaction": {"id": "00f067aa0ba902b7"},
        "http": {"request": {"id": event.REQUEST_ID}},
        "labels": None,
        "numeric_labels": None,
        "event": None,
        "process": {"entity_id": os.urandom(12).hex(), "pid": os.getpid(), "thread": thread},
    }
