"""What a record of `logging` says: its text, the fields that were added to it, its exception."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from flowery_logging.capture.event_dict import MARKS
from flowery_logging.capture.interrupted import Interrupted
from flowery_logging.capture.patch import is_stock
from flowery_logging.capture.waiting import CARRIED
from flowery_logging.circles import asks_others
from flowery_logging.ecs import Event
from flowery_logging.ecs.encode import text
from flowery_logging.ecs.exception import exception_of, traceback_of
from flowery_logging.signalled import is_let_through, let_through

Record = logging.LogRecord

_STANDARD: Final = tuple(Record("", 0, "", 0, "", (), None).__dict__)
_LAST_STANDARD: Final = _STANDARD[-1]
STANDARD_COUNT: Final = len(_STANDARD)
"""How many attributes a record has to which nobody has added one."""

_GET_MESSAGE: Final = "getMessage"

STOCK_TEXT: Final = Record.getMessage if is_stock(Record.getMessage) else None
"""The method that a record has for its text; None where others have replaced it before us."""

_CLASHING: Final = "_flowery_clashing"
"""The attribute of a record that holds extra fields whose names stdlib refuses."""

AGENTS: Final = frozenset({
    "elasticapm_labels", "elasticapm_service_environment", "elasticapm_service_name",
    "elasticapm_span_id", "elasticapm_trace_id", "elasticapm_transaction_id",
    "otelServiceName", "otelSpanID", "otelTraceID", "otelTraceSampled",
    "dd.env", "dd.service", "dd.span_id", "dd.trace_id", "dd.version",
    "_http_request", "_http_request_str", "_labels", "_labels_str", "_payload_str", "_resource",
    "_source_location", "_source_location_str", "_span_id", "_span_id_str", "_trace",
    "_trace_sampled", "_trace_sampled_str", "_trace_str",
    "_nr_original_message", "_ray_timestamp_ns",
})  # fmt: skip
"""What agents put on each record, which are asked anyway: Elastic APM, OpenTelemetry, Datadog, New
Relic. Google Cloud Logging's handler, and Ray, put there in other forms what the record has."""

# `message` and `asctime` are what formatters of other handlers leave on a record.
ASIDE: Final = AGENTS | {"color_message"} | MARKS
"""Names of extra fields that not everybody's events show (see `extras`)."""

NOT_EXTRA: Final = frozenset({*_STANDARD, *AGENTS, "message", "asctime", _CLASHING, CARRIED})
"""Names that a record has, or may have, for itself: extra fields of these names come last."""


def extras(record: Record) -> Mapping[str, Any]:
    """Return what the caller and filters have added to a record."""
    attributes = record.__dict__
    # A record's own attributes come first, in the order in which they were set; if the last of
    # them is not where it should be, somebody has taken some away.
    found = dict(islice(attributes.items(), STANDARD_COUNT - 1, None))
    if found.pop(_LAST_STANDARD, found) is found:
        found = attributes
    if not NOT_EXTRA.isdisjoint(found):
        found = {name: value for name, value in found.items() if name not in NOT_EXTRA}
    if _CLASHING in attributes:
        found = {**found, **attributes[_CLASHING]}
    if "color_message" in found and record.name.startswith("uvicorn"):
        del found["color_message"]  # the message again, for terminals
    if "end_color" in found and all(map(_is_colour, map(found.get, _COLOURS))):
        found = {name: value for name, value in found.items() if name not in _COLOURS}
    if _GET_MESSAGE in found and _has_own_text(record):
        del found[_GET_MESSAGE]
    return found


_COLOURS: Final = ("color", "end_color")
"""What a formatter of traitlets leaves on each record."""


def _is_colour(value: object) -> bool:
    """Tell whether a value is the code of a colour; where there is no terminal it is empty."""
    return type(value) is str and (not value or value.startswith("\x1b["))


def _has_own_text(record: Record) -> bool:
    """Tell whether somebody adds to the text by a method on the record, as New Relic."""
    return callable(record.__dict__.get(_GET_MESSAGE))


@asks_others
def interpolated(record: Record, fields: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    """Return the message with its arguments; if they do not fit, the template and a field."""
    has_stock_text = type(record).getMessage is STOCK_TEXT and not _has_own_text(record)
    if not record.args and has_stock_text:
        return record.msg, fields
    try:
        return record.getMessage(), fields
    except Exception as error:  # arguments that do not fit, or a handler's
        if is_let_through(error):
            return Interrupted(record.msg, record.args, error), fields
        return text(record.msg), {"message_args": record.args, **fields}
    except BaseException as error:  # of an argument: written, then let through
        return Interrupted(record.msg, record.args, error), fields


def add_exception(event: Event, record: Record) -> None:
    """Take the exception or, behind a queue where only text is left, that text."""
    event.error = exception_of(record.exc_info)
    event.trace = traceback_of(record.exc_info)
    # Formatters of other handlers leave "NoneType: None" as the text of no exception.
    if event.error is None and record.exc_text and not record.exc_info:
        event.stack = text(record.exc_text)
        if record.stack_info:
            event.fields = {"stack_info": record.stack_info, **event.fields}
    elif record.stack_info:
        event.stack = text(record.stack_info)


def add_extra(record: Record, extra: Any) -> None:
    """Put what stdlib takes on the record, and the rest aside."""
    clashing: dict[Any, Any] = {}
    try:
        entries = dict(extra)
    except Exception as error:
        let_through(error)
        entries, clashing = {}, {"extra": extra}
    for key, value in entries.items():
        if type(key) is str and key not in record.__dict__ and key not in NOT_EXTRA:
            record.__dict__[key] = value
        else:
            clashing[key] = value
    record.__dict__[_CLASHING] = clashing
