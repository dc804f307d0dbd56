"""Requests, calls and tasks as metrics: each from the facts that its one event tells.

Names, units and labels are those of OpenTelemetry's semantic conventions for HTTP, as Prometheus
writes them; it has none for tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from flowery_logging.integrations import ends, observers, tasks
from flowery_logging.integrations.prometheus import bounds

NANOSECONDS: Final = 1e9

HTTP_SECONDS: Final = (
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
)  # fmt: skip
"""OpenTelemetry's advice for http.server.request.duration."""

TASK_SECONDS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
WEBSOCKET_SECONDS: Final = (1, 10, 60, 300, 900, 3600, 14_400, 86_400)

MOST_ROUTES: Final = 500
MOST_HOSTS: Final = 100
MOST_TASKS: Final = 500
MOST_REASONS: Final = 20

_EXCHANGE: Final = ("http_request_method", "http_response_status_code", "error_type")


class Traffic:
    """The metrics of requests, calls and tasks; `seconds` bound the buckets of the first two."""

    def __init__(self, seconds: tuple[float, ...] = HTTP_SECONDS) -> None:
        self.active = Gauge(
            "http_server_active_requests",
            "Requests and websockets that have not ended.",
            ("service_name", "http_request_method"),
            registry=None,
            multiprocess_mode="livesum",
        )
        self.requests = Histogram(
            "http_server_request_duration_seconds",
            "Requests, from the head to the last byte of the response.",
            ("service_name", "http_route", *_EXCHANGE),
            registry=None,
            buckets=seconds,
        )
        self.websockets = Histogram(
            "flowery_websocket_duration_seconds",
            "Websockets, from the handshake to the close.",
            ("service_name", "http_route", "error_type"),
            registry=None,
            buckets=WEBSOCKET_SECONDS,
        )
        self.calls = Histogram(
            "http_client_request_duration_seconds",
            "Calls of other services, to the head of the response.",
            ("service_name", "server_address", *_EXCHANGE),
            registry=None,
            buckets=seconds,
        )
        self._add_tasks()
        self._route, self._host = bounds.most(MOST_ROUTES), bounds.most(MOST_HOSTS)
        self._task, self._state = bounds.most(MOST_TASKS), bounds.most(MOST_REASONS)
        self._reason, self._error = bounds.most(MOST_REASONS), bounds.most(MOST_REASONS)

    def _add_tasks(self) -> None:
        self.tasks = Counter(
            "flowery_tasks",
            "Runs of tasks that have ended, also those that never started.",
            ("service_name", "task", "state", "outcome"),
            registry=None,
        )
        self.task_durations = Histogram(
            "flowery_task_duration_seconds",
            "Runs of tasks, from start to end.",
            ("service_name", "task", "outcome"),
            registry=None,
            buckets=TASK_SECONDS,
        )
        self.waits = Histogram(
            "flowery_task_queue_wait_seconds",
            "How long a task has waited, from its sending or its due time to its start.",
            ("service_name", "task"),
            registry=None,
            buckets=TASK_SECONDS,
        )

    def collectors(self) -> tuple[Gauge | Histogram | Counter, ...]:
        """Return all of them, as a registry takes them."""
        return (
            self.active, self.requests, self.websockets, self.calls,
            self.tasks, self.task_durations, self.waits,
        )  # fmt: skip

    def request_began(self, service: str, method: str) -> None:
        """Count a request that has come in."""
        self.active.labels(service, bounds.method(method)).inc()

    def request_ended(self, service: str, ended: observers.Ended, *, active: bool = True) -> None:
        """Count its end; `active`: its beginning was counted."""
        if active:
            self.active.labels(service, bounds.method(ended.method)).dec()
        route = self._route(ended.route or bounds.UNMATCHED)
        if ended.websocket:
            metric = self.websockets.labels(service, route, self._why_closed(ended))
        else:
            metric = self.requests.labels(service, route, *_exchange(ended, self._reason))
        metric.observe(ended.duration / NANOSECONDS, exemplar(ended.trace_id))

    def call_ended(self, service: str, ended: observers.Ended) -> None:
        """Count the end of a call."""
        host = self._host(ended.host.lower())
        metric = self.calls.labels(service, host, *_exchange(ended, self._error))
        metric.observe(ended.duration / NANOSECONDS, exemplar(ended.trace_id))

    def _why_closed(self, ended: observers.Ended) -> str:
        """Return why a websocket was no success; what its peers have said of it is text."""
        if ended.outcome == "success":
            return ""
        return _named(ended.reason) if ended.reason in ends.REASONS else bounds.OTHER

    def task_ended(self, service: str, ended: tasks.Ended) -> None:
        """Count a run of a task that has ended."""
        name, example = self._task(ended.name), exemplar(ended.trace_id)
        state = self._state(ended.how)
        self.tasks.labels(service, name, state, ended.outcome).inc(exemplar=example)
        if ended.duration is not None:
            metric = self.task_durations.labels(service, name, ended.outcome)
            metric.observe(ended.duration / NANOSECONDS, example)
        if ended.waited is not None:
            metric = self.waits.labels(service, name)
            metric.observe(ended.waited / NANOSECONDS, example)


def _exchange(ended: observers.Ended, bounded: Callable[[str], str]) -> tuple[str, str, str]:
    """Return method, status, and why it is no success (OpenTelemetry: error.type)."""
    status = bounds.status(ended.status)
    error_type = bounded(_named(ended.reason)) if ended.reason else status or bounds.OTHER
    is_success = ended.outcome == "success"
    return bounds.method(ended.method), status, "" if is_success else error_type


def _named(reason: str) -> str:
    return reason.replace(" ", "_")


def exemplar(trace_id: str | None) -> dict[str, str] | None:
    """Return what leads from a number to its trace; OpenMetrics alone shows it."""
    return {"trace_id": trace_id} if trace_id else None
