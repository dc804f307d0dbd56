"""What Prometheus is asked for a panel of panels.py; a panel that is not here is Kibana's alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Query:
    """A query of Prometheus; `legend` names each of its series, `unit` is Grafana's word."""

    promql: str
    legend: str = "{{service_name}}"
    unit: str = "short"


def _rate(metric: str, *labels: str) -> str:
    return f"sum by ({', '.join(labels)}) (rate({metric}[$__rate_interval]))"


def _increase(metric: str, *labels: str) -> str:
    return f"sum by ({', '.join(labels)}) (increase({metric}[$__range]))"


def _quantile(share: float, metric: str, *labels: str) -> str:
    return f"histogram_quantile({share}, {_rate(f'{metric}_bucket', *labels, 'le')})"


_REQUESTS: Final = "http_server_request_duration_seconds"
_BY_REASON: Final = "{{service_name}} {{reason}}"

QUERIES: Final[dict[str, tuple[Query, ...]]] = {
    "flowery-events": (Query(_rate("flowery_log_events_total", "service_name")),),
    "flowery-levels": (Query(_rate("flowery_log_events_total", "level"), "{{level}}"),),
    "flowery-error-rate": (Query("service:http_server_errors:ratio_rate5m", unit="percentunit"),),
    "flowery-latency": tuple(
        Query(
            _quantile(percentile / 100, _REQUESTS, "service_name", "http_route"),
            f"p{percentile} {{{{service_name}}}} {{{{http_route}}}}",
            "s",
        )
        for percentile in (50, 95, 99)
    ),
    "flowery-slowest": (
        Query(f"topk(10, {_quantile(0.95, _REQUESTS, 'http_route')})", "{{http_route}}", "s"),
    ),
    "flowery-dropped": (
        Query(_increase("flowery_log_dropped_events_total", "service_name", "reason"), _BY_REASON),
    ),
    "flowery-repaired": (
        Query(_increase("flowery_log_repaired_events_total", "service_name", "reason"), _BY_REASON),
    ),
    "flowery-removed": (
        Query(_increase("flowery_log_removed_bytes_total", "service_name"), unit="bytes"),
    ),
    "flowery-volume": (Query(_rate("flowery_log_bytes_total", "service_name"), unit="Bps"),),
}
