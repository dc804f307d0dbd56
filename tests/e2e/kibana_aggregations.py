"""A panel as the search that Kibana would send, and the rows of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scripts.kibana.panels import Formula, Metric, Panel, Terms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Row = dict[str, Any]

# Beyond any number of distinct values that a test has, so that counts are exact.
PRECISION = 40_000
INTERVAL = "1d"


def metrics_of(panel: Panel) -> dict[str, Metric]:
    """The panel's metrics by the name of their aggregation; a formula's by `name.part`."""
    found: dict[str, Metric] = {}
    for metric in panel.metrics:
        if isinstance(metric, Formula):
            found |= {f"{metric.label}.{name}": part for name, part in metric.metrics.items()}
        else:
            found[metric.label] = metric
    return found


def search_body(panel: Panel, translate: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """The body of the search; `translate` turns KQL into Elasticsearch's query language."""
    aggregations = {
        name: _aggregation(metric, translate) for name, metric in metrics_of(panel).items()
    }
    for bucket in reversed(panel.buckets):
        if isinstance(bucket, Terms):
            kind: dict[str, Any] = {"terms": {"field": bucket.field, "size": 1000}}
        else:
            kind = {"date_histogram": {"field": "@timestamp", "fixed_interval": INTERVAL}}
        aggregations = {"bucket": {**kind, "aggs": aggregations}}
    query = translate(panel.kql) if panel.kql else {"match_all": {}}
    return {"size": 0, "query": query, "aggs": aggregations, "track_total_hits": True}


def _aggregation(metric: Metric, translate: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    inner = _kinds(metric)
    narrowed = translate(metric.kql) if metric.kql else {"match_all": {}}
    return {"filter": narrowed, "aggs": {"value": inner} if inner else {}}


def _kinds(metric: Metric) -> dict[str, Any] | None:
    if metric.operation == "count":
        return None
    if metric.operation == "percentile":
        return {"percentiles": {"field": metric.field, "percents": [metric.percentile]}}
    if metric.operation == "unique_count":
        return {"cardinality": {"field": metric.field, "precision_threshold": PRECISION}}
    return {metric.operation: {"field": metric.field}}


def rows(panel: Panel, answer: dict[str, Any]) -> dict[tuple[str, ...], Row]:
    """The metrics' values by the keys of the buckets (a day's is its date)."""
    return dict(_rows(panel, answer["aggregations"], len(panel.buckets), ()))


def _rows(
    panel: Panel, node: dict[str, Any], depth: int, keys: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Row]]:
    if depth:
        for bucket in node["bucket"]["buckets"]:
            day = bucket.get("key_as_string", "")[:10]
            yield from _rows(panel, bucket, depth - 1, (*keys, day or str(bucket["key"])))
        return
    row = {name: _value(node[name], metric) for name, metric in metrics_of(panel).items()}
    for metric in panel.metrics:
        if isinstance(metric, Formula):
            parts = {part: row.pop(f"{metric.label}.{part}") for part in metric.metrics}
            row[metric.label] = _evaluate(metric.expression, parts)
    yield keys, row


def _value(node: dict[str, Any], metric: Metric) -> Any:
    if metric.operation == "count":
        return node["doc_count"]
    if metric.operation == "percentile":
        (only,) = node["value"]["values"].values()
        return only
    return node["value"]["value"]


def _evaluate(expression: Any, parts: dict[str, float]) -> Any:
    if isinstance(expression, str):
        return parts[expression]
    if not isinstance(expression, tuple):
        return expression
    operation, left, right = expression
    first, second = _evaluate(left, parts), _evaluate(right, parts)
    if operation == "divide":
        return first / second
    return first + second if operation == "add" else first - second
