"""The numbers of Filebeat and of Logstash: they tell them as JSON, here they become metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

import orjson
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from flowery_logging.cli.http import HttpServer, RequestError

TIMEOUT_SECONDS: Final = 5.0
"""A scrape waits ten seconds, unless it is told otherwise."""


class Figure(NamedTuple):
    """One number: the name of its metric, the way to it in the answer, and what it is."""

    name: str
    path: tuple[str, ...]
    help: str

    @property
    def counts(self) -> bool:
        """Whether it only grows."""
        return self.name.endswith("_total")


FILEBEAT: Final = (
    Figure("flowery_filebeat_acked_events_total", ("libbeat", "output", "events", "acked"),
           "Events that the output has acknowledged."),
    Figure("flowery_filebeat_failed_events_total", ("libbeat", "output", "events", "failed"),
           "Events whose sending has failed, which are sent again."),
    Figure("flowery_filebeat_dropped_events_total", ("libbeat", "output", "events", "dropped"),
           "Events that the output has refused for good."),
    Figure("flowery_filebeat_active_events", ("libbeat", "pipeline", "events", "active"),
           "Events that are read and not acknowledged."),
    Figure("flowery_filebeat_open_files", ("filebeat", "harvester", "open_files"),
           "Files that are read now."),
)  # fmt: skip

LOGSTASH: Final = (
    Figure("flowery_logstash_in_events_total", ("events", "in"), "Events that have come in."),
    Figure("flowery_logstash_out_events_total", ("events", "out"), "Events that have gone out."),
    Figure("flowery_logstash_queue_events", ("queue", "events_count"), "Events in the queue."),
    Figure("flowery_logstash_queue_bytes", ("queue", "queue_size_in_bytes"), "Its bytes."),
    Figure("flowery_logstash_queue_limit_bytes", ("queue", "max_queue_size_in_bytes"),
           "How many bytes it may have; 0 for a queue in memory."),
    Figure("flowery_logstash_dead_letter_bytes", ("dead_letter_queue", "queue_size_in_bytes"),
           "The bytes of the dead letters on disk."),
)  # fmt: skip

UP: Final = ("flowery_filebeat_up", "flowery_logstash_up")
NAMES: Final = (*UP, *(figure.name for figure in (*FILEBEAT, *LOGSTASH)))

Answer = Mapping[str, Any]


class Program(Collector):
    """Asks a program at each scrape; `up` tells whether it has answered."""

    def __init__(
        self, server: HttpServer, path: str, up: str, metrics: Callable[[Answer], Iterator[Metric]]
    ) -> None:
        self._server, self._path, self._up, self._metrics = server, path, up, metrics

    def describe(self) -> list[Metric]:
        """Return nothing: it is not asked before it is scraped."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield what it tells."""
        found: list[Metric] = []
        try:
            answer = self._server.send("GET", self._path, timeout=TIMEOUT_SECONDS)
            found = list(self._metrics(orjson.loads(answer)))
        except (RequestError, ValueError, AttributeError, TypeError):
            pass  # `up` tells it
        text = "Whether it has answered with its numbers."
        yield GaugeMetricFamily(self._up, text, value=float(bool(found)))
        yield from found


def add_filebeat(registry: CollectorRegistry, server: HttpServer) -> None:
    """Show the numbers of a Filebeat with `http.enabled`."""
    registry.register(Program(server, "/stats", UP[0], partial(_metrics, FILEBEAT)))


def add_logstash(registry: CollectorRegistry, server: HttpServer) -> None:
    """Show the numbers of a Logstash, for each pipeline."""
    registry.register(Program(server, "/_node/stats/pipelines", UP[1], _pipelines))


def _pipelines(answer: Answer) -> Iterator[Metric]:
    pipelines = answer.get("pipelines", {})
    for figure in LOGSTASH:
        metric = _family(figure, ["pipeline"])
        for name, pipeline in sorted(pipelines.items()):
            number = _number(pipeline, figure.path)
            if number is not None:
                metric.add_metric([name], number)
        if metric.samples:
            yield metric


def _metrics(figures: tuple[Figure, ...], answer: Answer) -> Iterator[Metric]:
    for figure in figures:
        number = _number(answer, figure.path)
        if number is not None:
            metric = _family(figure, [])
            metric.add_metric([], number)
            yield metric


def _family(figure: Figure, labels: list[str]) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if figure.counts else GaugeMetricFamily
    return kind(figure.name, figure.help, labels=labels)


def _number(answer: object, path: tuple[str, ...]) -> float | None:
    for name in path:
        if not isinstance(answer, Mapping):
            return None
        answer = answer.get(name)
    return float(answer) if isinstance(answer, (int, float)) else None
