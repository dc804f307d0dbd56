"""What `instrument` has put into place, and what `uninstrument` takes back."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import REGISTRY, CollectorRegistry

from flowery_logging.integrations import observers, tasks
from flowery_logging.integrations.prometheus.log_metrics import (
    LogMetrics,
    multiprocess_directory,
    service,
)
from flowery_logging.integrations.prometheus.traffic import HTTP_SECONDS, Traffic


class _Observer(observers.Observer):
    """Counts the requests and calls of this process."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic

    def request_began(self, method: str) -> None:
        self._traffic.request_began(service(), method)

    def request_ended(self, ended: observers.Ended) -> None:
        self._traffic.request_ended(service(), ended)

    def call_ended(self, ended: observers.Ended) -> None:
        self._traffic.call_ended(service(), ended)

    def task_ended(self, ended: tasks.Ended) -> None:
        self._traffic.task_ended(service(), ended)


@dataclass(frozen=True)
class _Installed:
    registry: CollectorRegistry
    traffic: Traffic
    observer: _Observer
    logs: LogMetrics


_installed: _Installed | None = None


def instrument(
    registry: CollectorRegistry | None = None, *, seconds: tuple[float, ...] = HTTP_SECONDS
) -> None:
    """Count requests, calls, tasks and the lines of logging from now on; twice is as once.

    Stands beside `flowery_logging.setup()`. Before it nothing is counted, nor imported.

    Args:
        registry: where the metrics are registered. Default: prometheus-client's `REGISTRY`.
        seconds: upper bounds of the buckets for requests and calls, in seconds. Default:
            OpenTelemetry's.

    Raises ValueError where the registry has metrics of the same names.
    """
    global _installed
    if _installed is not None:
        return
    registry = registry or REGISTRY
    traffic = Traffic(registry, tuple(seconds))
    logs = LogMetrics()
    _installed = _Installed(registry, traffic, _Observer(traffic), logs)
    if multiprocess_directory() is None:
        registry.register(logs)
    observers.observe(_installed.observer)
    tasks.observers = (*tasks.observers, _installed.observer.task_ended)


def uninstrument() -> None:
    """Undo `instrument()`; without effect where nothing was done."""
    global _installed
    installed, _installed = _installed, None
    if installed is None:
        return
    observers.forget(installed.observer)
    tasks.observers = tuple(o for o in tasks.observers if o != installed.observer.task_ended)
    for metric in installed.traffic.collectors():
        installed.registry.unregister(metric)
    if multiprocess_directory() is None:
        installed.registry.unregister(installed.logs)
    installed.logs.close()


def registry() -> CollectorRegistry | None:
    """Return the registry that `instrument` was given."""
    return None if _installed is None else _installed.registry


def add_log_metrics(registry: CollectorRegistry) -> None:
    """Let another registry collect the metrics of logging too."""
    if _installed is not None:
        registry.register(_installed.logs)
