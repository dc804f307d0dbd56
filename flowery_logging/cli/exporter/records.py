"""What one line of a file counts as: the facts that its service would have counted itself."""

from __future__ import annotations

from typing import Any, Final

from flowery_logging.cli.reading.fields import route_of, text_of, value_at
from flowery_logging.files.reader import Record
from flowery_logging.integrations import observers, tasks
from flowery_logging.library_code import CLIENT_LOGGER

_TASK: Final = "task-"


def logger_of(record: Record) -> str:
    """Return `log.logger`."""
    return text_of(record, "log.logger")


def service_of(record: Record) -> str:
    """Return `service.name`."""
    return text_of(record, "service.name")


def action_of(record: Record) -> str:
    """Return `event.action`."""
    return text_of(record, "event.action")


def exchange_of(record: Record) -> observers.Ended | None:
    """Return the exchange that an access or client event tells; None if it has not ended."""
    duration = value_at(record, "event.duration")
    if type(duration) is not int:
        return None
    status = value_at(record, "http.response.status_code")
    reason = text_of(record, "event.reason")
    if logger_of(record) == CLIENT_LOGGER:
        reason = text_of(record, "error.type").rpartition(".")[2]
    return observers.Ended(
        text_of(record, "http.request.method"),
        text_of(record, "url.domain"),
        route_of(record) or None,
        status if type(status) is int else None,
        duration,
        text_of(record, "event.outcome"),
        reason or None,
        text_of(record, "trace.id") or None,
        action_of(record).startswith("websocket-"),
    )


def task_of(record: Record) -> tasks.Ended | None:
    """Return the run of a task that an event tells the end of."""
    action = action_of(record)
    if value_at(record, "event.type") != ["end"] or not action.startswith(_TASK):
        return None
    duration = value_at(record, "event.duration")
    waited = value_at(record, "numeric_labels.task_wait_ms")
    return tasks.Ended(
        text_of(record, "labels.task"),
        text_of(record, "labels.task_id"),
        action.removeprefix(_TASK),
        text_of(record, "event.outcome"),
        duration if type(duration) is int else None,
        round(waited * 1e6) if isinstance(waited, (int, float)) else None,
        text_of(record, "trace.id"),
    )


def own_counts(record: Record) -> dict[str, float]:
    """Return what a record of the writer's own announces, by the names of `stats()`."""
    found: dict[str, Any] = {}
    action = action_of(record)
    if action == "log-file-opened":
        found["files"] = 1
    elif action == "log-recovered":
        found["dropped"] = value_at(record, "numeric_labels.dropped_events") or 0
    elif action == "log-files-removed":
        removed = value_at(record, "labels.removed_files") or ()
        found["files_removed"] = len(removed) if isinstance(removed, list) else 1
        found["bytes_removed"] = value_at(record, "numeric_labels.removed_bytes") or 0
    return {name: float(number) for name, number in found.items()}


def is_minimal(record: Record) -> bool:
    """Tell whether it is the line of an event that could not be encoded."""
    return value_at(record, "labels.logging_error") is not None
