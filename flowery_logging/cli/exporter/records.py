"""What one line of a file counts as: the facts that its service would have counted itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flowery_logging.cli.reading.fields import route_of
from flowery_logging.files.reader import Record
from flowery_logging.integrations import observers, tasks
from flowery_logging.library_code import CLIENT_LOGGER

_TASK: Final = "task-"


def logger_of(record: Record) -> str:
    """Return `log.logger`."""
    return str(_part(record, "log").get("logger", ""))


def service_of(record: Record) -> str:
    """Return `service.name`."""
    return str(_part(record, "service").get("name", ""))


def action_of(record: Record) -> str:
    """Return `event.action`."""
    return str(record["event"].get("action", ""))


def exchange_of(record: Record) -> observers.Ended | None:
    """Return the exchange that an access or client event tells; None if it has not ended."""
    event, http = record["event"], _part(record, "http")
    duration = event.get("duration")
    if type(duration) is not int:
        return None
    status = _part(http, "response").get("status_code")
    reason = event.get("reason")
    if logger_of(record) == CLIENT_LOGGER:
        reason = str(_part(record, "error").get("type", "")).rpartition(".")[2]
    return observers.Ended(
        str(_part(http, "request").get("method", "")),
        str(_part(record, "url").get("domain", "")),
        route_of(record) or None,
        status if type(status) is int else None,
        duration,
        str(event.get("outcome", "")),
        reason if isinstance(reason, str) and reason else None,
        _trace_id(record),
        action_of(record).startswith("websocket-"),
    )


def task_of(record: Record) -> tasks.Ended | None:
    """Return the run of a task that an event tells the end of."""
    event, labels = record["event"], _part(record, "labels")
    action = action_of(record)
    if event.get("type") != ["end"] or not action.startswith(_TASK):
        return None
    duration = event.get("duration")
    waited = _part(record, "numeric_labels").get("task_wait_ms")
    return tasks.Ended(
        str(labels.get("task", "")),
        str(labels.get("task_id", "")),
        action.removeprefix(_TASK),
        str(event.get("outcome", "")),
        duration if type(duration) is int else None,
        round(waited * 1e6) if isinstance(waited, (int, float)) else None,
        _trace_id(record) or "",
    )


def own_counts(record: Record) -> dict[str, float]:
    """Return what a record of the writer's own announces, by the names of `stats()`."""
    numbers, labels = _part(record, "numeric_labels"), _part(record, "labels")
    found: dict[str, Any] = {}
    action = action_of(record)
    if action == "log-file-opened":
        found["files"] = 1
    elif action == "log-recovered":
        found["dropped"] = numbers.get("dropped_events", 0)
    elif action == "log-files-removed":
        removed = labels.get("removed_files", ())
        found["files_removed"] = len(removed) if isinstance(removed, list) else 1
        found["bytes_removed"] = numbers.get("removed_bytes", 0)
    return {name: float(number) for name, number in found.items()}


def is_minimal(record: Record) -> bool:
    """Tell whether it is the line of an event that could not be encoded."""
    return "logging_error" in _part(record, "labels")


def _trace_id(record: Record) -> str | None:
    found = _part(record, "trace").get("id")
    return found if isinstance(found, str) else None


def _part(tree: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = tree.get(name)
    return found if isinstance(found, Mapping) else {}
