"""What Kibana shows, readable: searches, panels and dashboards. lens.py makes the saved objects.

To change a dashboard: edit here, then `python -m scripts.generate_kit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MILLISECOND: Final = 1_000_000  # event.duration is in nanoseconds

ACCESS: Final = "event.category : web and event.duration : *"
ERRORS: Final = "log.level : (error or critical)"
SLOW: Final = f"event.category : web and event.duration >= {1000 * MILLISECOND}"


@dataclass(frozen=True)
class Metric:
    """A number: `operation` is Lens's name; `field` "" counts documents, `kql` narrows them."""

    label: str
    operation: str = "count"
    field: str = ""
    percentile: int = 0
    kql: str = ""


@dataclass(frozen=True)
class Formula:
    """`result` = an expression of metrics: nested (name, left, right); a string names a metric."""

    label: str
    text: str
    metrics: dict[str, Metric]
    expression: tuple[object, ...]
    percent: bool = False


@dataclass(frozen=True)
class Terms:
    """The most frequent values of a field; `by` names the metric that orders them instead."""

    label: str
    field: str
    size: int = 10
    by: str = ""


@dataclass(frozen=True)
class Time:
    """Intervals of `@timestamp`, as wide as the screen asks."""


@dataclass(frozen=True)
class Panel:
    """`shape`: bar, line, table or metric. A bar's or line's first bucket is its x axis."""

    id: str
    title: str
    shape: str
    metrics: tuple[Metric | Formula, ...]
    buckets: tuple[Terms | Time, ...] = ()
    kql: str = ""


@dataclass(frozen=True)
class Search:
    """A saved search for Discover."""

    id: str
    title: str
    description: str
    kql: str
    columns: tuple[str, ...]
    ascending: bool = False


@dataclass(frozen=True)
class Placed:
    """A panel or search on a dashboard's grid of 48 columns."""

    id: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Dashboard:
    """`placed` names panels and searches by their IDs."""

    id: str
    title: str
    description: str
    placed: tuple[Placed, ...]


EVENTS = Metric("events")
LATENCIES = tuple(
    Metric(f"p{percentile}", "percentile", "event.duration", percentile)
    for percentile in (50, 95, 99)
)
ROUTE = "labels.http_route"

SEARCHES: Final = (
    Search(
        "flowery-search-trace",
        "Flowery: one trace",
        "All lines of a request over all services, oldest first: put the ID after trace.id.",
        "trace.id : *",
        ("service.name", "log.level", "message", "http.response.status_code", "trace.id"),
        ascending=True,
    ),
    Search(
        "flowery-search-errors",
        "Flowery: errors",
        "What went wrong, newest first.",
        ERRORS,
        ("service.name", "message", "error.type", "error.message", "trace.id"),
    ),
    Search(
        "flowery-search-slow",
        "Flowery: slow requests",
        "Requests that took a second or longer.",
        SLOW,
        (
            "service.name",
            "http.request.method",
            "url.path",
            "event.duration",
            "numeric_labels.database_queries_sum_ms",
            "numeric_labels.outgoing_calls_sum_ms",
            "trace.id",
        ),
    ),
    Search(
        "flowery-search-order",
        "Flowery: one order",
        "All lines with an order's number, over all its requests: put the number after order_id.",
        "numeric_labels.order_id : * or labels.order_id : *",
        ("service.name", "log.level", "message", "numeric_labels.order_id", "trace.id"),
        ascending=True,
    ),
)

PANELS: Final = (
    Panel(
        "flowery-events",
        "Events per service",
        "bar",
        (EVENTS,),
        (Time(), Terms("service", "service.name")),
    ),
    Panel(
        "flowery-levels",
        "Events per level",
        "bar",
        (EVENTS,),
        (Time(), Terms("level", "log.level")),
    ),
    Panel(
        "flowery-error-rate",
        "Share of requests that failed",
        "line",
        (
            Formula(
                "failed",
                "count(kql='event.outcome : failure') / count()",
                {"X0": Metric("failed", kql="event.outcome : failure"), "X1": EVENTS},
                ("divide", "X0", "X1"),
                percent=True,
            ),
        ),
        (Time(), Terms("service", "service.name")),
        kql=ACCESS,
    ),
    Panel(
        "flowery-latency",
        "Latency by route",
        "table",
        (EVENTS, *LATENCIES),
        (Terms("service", "service.name"), Terms("route", ROUTE, 20)),
        kql=ACCESS,
    ),
    Panel(
        "flowery-slowest",
        "Slowest routes",
        "bar",
        (Metric("p95", "percentile", "event.duration", 95),),
        (Terms("route", ROUTE, 10, by="p95"),),
        kql=ACCESS,
    ),
    Panel(
        "flowery-error-types",
        "Top errors by type",
        "table",
        (EVENTS, Metric("last seen", "max", "@timestamp")),
        (Terms("type", "error.type", 20), Terms("service", "service.name")),
    ),
    Panel(
        "flowery-traces",
        "Requests with errors",
        "table",
        (
            Metric("errors"),
            Metric("services", "unique_count", "service.name"),
            Metric("last", "max", "@timestamp"),
        ),
        (Terms("trace", "trace.id", 50),),
        kql=ERRORS,
    ),
    Panel(
        "flowery-missing",
        "Missing sequence numbers by process",
        "table",
        (
            Metric("first", "min", "event.sequence"),
            Metric("last", "max", "event.sequence"),
            EVENTS,
            Formula(
                "missing",
                "max(event.sequence) - min(event.sequence) + 1 - unique_count(event.id)",
                {
                    "X0": Metric("", "max", "event.sequence"),
                    "X1": Metric("", "min", "event.sequence"),
                    "X2": Metric("", "unique_count", "event.id"),
                },
                ("subtract", ("add", ("subtract", "X0", "X1"), 1), "X2"),
            ),
        ),
        (Terms("service", "service.name", 20), Terms("process", "process.entity_id", 50)),
    ),
    Panel(
        "flowery-dropped",
        "Events dropped before the file",
        "metric",
        (Metric("dropped", "sum", "numeric_labels.dropped_events"),),
    ),
    Panel(
        "flowery-repaired",
        "Events repaired",
        "metric",
        (Metric("repaired"),),
        kql="labels.logging_error : *",
    ),
    Panel(
        "flowery-ignored",
        "Events with fields that cannot be searched",
        "table",
        (EVENTS, Metric("last", "max", "@timestamp")),
        (Terms("service", "service.name", 20),),
        kql="_ignored : *",
    ),
    Panel(
        "flowery-kept",
        "Foreign lines and dead letters",
        "table",
        (EVENTS, Metric("last", "max", "@timestamp")),
        (Terms("stream", "data_stream.dataset"),),
        kql="not process.entity_id : *",
    ),
    Panel(
        "flowery-removed",
        "Files removed by retention",
        "table",
        (Metric("removals"), Metric("bytes", "sum", "numeric_labels.removed_bytes")),
        (Terms("service", "service.name"),),
        kql="event.action : log-files-removed",
    ),
    Panel(
        "flowery-lag",
        "Delivery lag in milliseconds (below 0: a clock is ahead)",
        "line",
        (
            Metric("p50", "percentile", "numeric_labels.delivery_lag_ms", 50),
            Metric("p99", "percentile", "numeric_labels.delivery_lag_ms", 99),
            Metric("least", "min", "numeric_labels.delivery_lag_ms"),
        ),
        (Time(),),
    ),
    Panel(
        "flowery-volume",
        "Volume per service",
        "table",
        (EVENTS, Metric("processes", "unique_count", "process.entity_id")),
        (Terms("service", "service.name", 50), Terms("host", "host.name", 20)),
    ),
)

DASHBOARDS: Final = (
    Dashboard(
        "flowery-dashboard-services",
        "Flowery: services",
        "What the services do and how they fare. A trace's link opens its lines over all services.",
        (
            Placed("flowery-events", 0, 0, 24, 10),
            Placed("flowery-levels", 24, 0, 24, 10),
            Placed("flowery-error-rate", 0, 10, 24, 10),
            Placed("flowery-slowest", 24, 10, 24, 10),
            Placed("flowery-latency", 0, 20, 24, 14),
            Placed("flowery-error-types", 24, 20, 24, 14),
            Placed("flowery-traces", 0, 34, 24, 14),
            Placed("flowery-missing", 24, 34, 24, 14),
            Placed("flowery-search-errors", 0, 48, 48, 18),
        ),
    ),
    Dashboard(
        "flowery-dashboard-health",
        "Flowery: logging health",
        "Whether logging itself is well: losses that were announced, repairs, lag and volume.",
        (
            Placed("flowery-dropped", 0, 0, 12, 8),
            Placed("flowery-repaired", 12, 0, 12, 8),
            Placed("flowery-removed", 24, 0, 24, 8),
            Placed("flowery-lag", 0, 8, 24, 14),
            Placed("flowery-volume", 24, 8, 24, 14),
            Placed("flowery-ignored", 0, 22, 24, 12),
            Placed("flowery-kept", 24, 22, 24, 12),
            Placed("flowery-missing", 0, 34, 48, 14),
        ),
    ),
)
