"""A record whose message is structlog's event dict, as `wrap_for_formatter` leaves it.

structlog marks such a record with its logger and the name of the method. The dict is another
handler's too: it stays as it is.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from flowery_logging.ecs import Event
from flowery_logging.ecs.exception import exception_of, traceback_of

MARKS: Final = frozenset({"_logger", "_name"})
"""The attributes that structlog puts on a record beside its event dict."""

_SAID_ANYWAY: Final = {"level": "levelname", "logger": "name"}
"""Keys that structlog's processors add → the attributes of the record that say the same."""


def is_event_dict(record: logging.LogRecord) -> bool:
    """Tell whether structlog has made the message of a record."""
    return type(record.msg) is dict and record.__dict__.keys() >= MARKS


def unwrap_event_dict(event: Event, record: logging.LogRecord) -> None:
    """Take the message, the fields and the exception of an event from structlog's event dict."""
    message: Any = record.msg
    fields: dict[str, Any] = dict(message)
    event.message = fields.pop("event", "")
    exc_info = fields.pop("exc_info", None) or record.exc_info
    event.error, event.trace = exception_of(exc_info), traceback_of(exc_info)
    for key in ("exception", "stack"):
        if event.stack is None and isinstance(fields.get(key), str):
            event.stack = fields.pop(key)
    for key in ("stack_info", "_record", "_from_structlog"):
        fields.pop(key, None)
    for key, attribute in _SAID_ANYWAY.items():
        if str(fields.get(key, "")).lower() == str(getattr(record, attribute)).lower():
            fields.pop(key, None)
    others = {name: value for name, value in event.fields.items() if name not in MARKS}
    event.fields = {**others, **fields}
