"""What `instrument` has put into place, and what `uninstrument` takes back."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, values
from prometheus_client.registry import Collector

from flowery_logging import runtime
from flowery_logging.integrations import observers, tasks
from flowery_logging.integrations.prometheus.log_metrics import (
    LogMetrics,
    multiprocess_directory,
)
from flowery_logging.integrations.prometheus.traffic import HTTP_SECONDS, Traffic

_UNSEEN: Final = (
    "this process was forked from one that counts metrics: set PROMETHEUS_MULTIPROC_DIR to an empty"
    " directory before the server starts, else an endpoint shows the numbers of one process alone"
)


class _Observer(observers.Observer):
    """Counts the requests, calls and tasks of this process."""

    def __init__(self, traffic: Traffic, logs: LogMetrics) -> None:
        self._traffic, self._logs = traffic, logs
        self._pid = os.getpid()

    def request_began(self, method: str) -> None:
        self._look()
        self._traffic.request_began(self._logs.service, method)

    def request_ended(self, ended: observers.Ended) -> None:
        self._traffic.request_ended(self._logs.service, ended)

    def call_ended(self, ended: observers.Ended) -> None:
        self._traffic.call_ended(self._logs.service, ended)

    def task_ended(self, ended: tasks.Ended) -> None:
        self._look()
        self._traffic.task_ended(self._logs.service, ended)

    def _look(self) -> None:
        """Say once that a child of a fork counts what no endpoint shows."""
        pid = os.getpid()
        if pid != self._pid:
            self._pid = pid
            if multiprocess_directory() is None:
                runtime.warn(_UNSEEN)


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

    Raises ValueError where the registry has metrics of the same names, and for a
    PROMETHEUS_MULTIPROC_DIR that is no directory or was set too late.
    """
    global _installed
    if _installed is not None:
        return
    _check_directory()
    registry = registry or REGISTRY
    traffic = Traffic(tuple(seconds))
    _register(registry, traffic.collectors())
    logs = LogMetrics()
    _installed = _Installed(registry, traffic, _Observer(traffic, logs), logs)
    if multiprocess_directory() is None:
        registry.register(logs)
    observers.observe(_installed.observer)
    tasks.observers = (*tasks.observers, _installed.observer.task_ended)


def _check_directory() -> None:
    directory = multiprocess_directory()
    if directory is None:
        return
    if not os.path.isdir(directory):
        raise ValueError(f"PROMETHEUS_MULTIPROC_DIR: {directory!r} is no directory")
    if values.ValueClass is values.MutexValue:
        raise ValueError("PROMETHEUS_MULTIPROC_DIR was set after prometheus_client was imported")


def _register(registry: CollectorRegistry, collectors: Iterable[Collector]) -> None:
    """Register all of them, or none. Raises ValueError."""
    done: list[Collector] = []
    try:
        for collector in collectors:
            registry.register(collector)
            done.append(collector)
    except ValueError:
        for collector in done:
            registry.unregister(collector)
        raise


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
