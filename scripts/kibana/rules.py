"""What Kibana watches, readable: alert rules of the free licence, and their two connectors.

To change an alert: edit here, then `python -m scripts.generate_kit`. Rule types and parameters are
those of Kibana's documentation (index threshold, Elasticsearch query with ES|QL) for 8.19 and 9.x.
The four rules of the servers look at the events that `flowery-logging kit watch` writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]

OURS: Final = ("logs-flowery-*", "logs-flowery.*-*")
FOREIGN: Final = ("logs-flowery.foreign-*",)
DEAD_LETTERS: Final = ("logs-flowery.dead_letters-*",)

CONNECTORS: Final[dict[str, Json]] = {
    "flowery-server-log": {
        "name": "Flowery: Kibana's log",
        "connector_type_id": ".server-log",
        "config": {},
    },
    "flowery-alerts": {
        "name": "Flowery: the index flowery-alerts",
        "connector_type_id": ".index",
        "config": {
            "index": "flowery-alerts",
            "refresh": False,
            "executionTimeField": "@timestamp",
        },
    },
}


@dataclass(frozen=True)
class Threshold:
    """A number of the last `minutes`, for all events or for the most frequent values of `by`."""

    id: str
    title: str
    kql: str
    above: float
    minutes: int = 5
    field: str = ""  # "": events are counted
    operation: str = "max"  # of the field
    by: str = ""
    index: tuple[str, ...] = OURS
    below: bool = False  # the number must not fall to `above` or below


@dataclass(frozen=True)
class Query:
    """An ES|QL query that answers with a row for each thing that is wrong."""

    id: str
    title: str
    esql: str
    minutes: int


RULES: Final[tuple[Threshold | Query, ...]] = (
    Query(
        "flowery-error-rate",
        "More than 5 % of a service's requests fail",
        'WHERE event.category == "web" AND event.duration IS NOT NULL'
        ' | EVAL failed = CASE(event.outcome == "failure", 1, 0)'
        " | STATS rate = AVG(failed), requests = COUNT(*) BY service.name"
        " | WHERE requests >= 20 AND rate > 0.05",
        5,
    ),
    Query(
        "flowery-silent",
        "A service that logged today has been silent for 15 minutes",
        "STATS last = MAX(@timestamp) BY service.name | WHERE last < NOW() - 15 minutes",
        24 * 60,
    ),
    Query(
        "flowery-missing",
        "Numbers of a process are missing",
        "WHERE event.ingested < NOW() - 5 minutes"
        " | STATS first = MIN(event.sequence), last = MAX(event.sequence), events = COUNT(*)"
        " BY service.name, process.entity_id | WHERE last - first + 1 > events",
        60,
    ),
    Threshold(
        "flowery-dropped",
        "Events were dropped or repaired",
        "numeric_labels.dropped_events > 0 or labels.logging_error : *",
        0,
        by="service.name",
    ),
    Threshold(
        "flowery-removed",
        "Retention on a machine has removed log files",
        "event.action : log-files-removed",
        0,
        60,
        by="service.name",
    ),
    Threshold(
        "flowery-lag",
        "Events arrive later than a minute after their call",
        "numeric_labels.delivery_lag_ms : *",
        60_000,
        field="numeric_labels.delivery_lag_ms",
        operation="avg",
    ),
    Threshold("flowery-ignored", "Fields of events cannot be searched", "_ignored : *", 0, 60),
    Threshold(
        "flowery-foreign",
        "Lines that the library did not write, or whose stream is not served",
        "message : *",
        0,
        60,
        index=FOREIGN,
    ),
    Threshold(
        "flowery-dead-letters",
        "Elasticsearch has refused events",
        "event.original : *",
        0,
        60,
        index=DEAD_LETTERS,
    ),
    Threshold(
        "flowery-shards",
        "80 % of the shards that the cluster allows",
        "service.name : flowery-watch",
        80,
        30,
        field="numeric_labels.shards_percent",
    ),
    Threshold(
        "flowery-disk",
        "A node's disk is at 85 %, where it gets no more shards",
        "service.name : flowery-watch",
        85,
        30,
        field="numeric_labels.disk_percent",
    ),
    Threshold(
        "flowery-queue",
        "A queue of Logstash is half full",
        "service.name : flowery-watch",
        50,
        30,
        field="numeric_labels.queue_percent",
    ),
    Threshold(
        "flowery-expiry",
        "A certificate or an API key ends within 14 days",
        "service.name : flowery-watch",
        14,
        24 * 60,
        field="numeric_labels.days_to_expiry",
        operation="min",
        below=True,
    ),
)


def rule(source: Threshold | Query) -> Json:
    """Return the body that creates a rule."""
    if isinstance(source, Query):
        kind, group, params = ".es-query", "query matched", _query(source)
    else:
        kind, group, params = ".index-threshold", "threshold met", _threshold(source)
    return {
        "name": f"Flowery: {source.title}",
        "tags": ["flowery"],
        "rule_type_id": kind,
        "consumer": "stackAlerts",
        "schedule": {"interval": f"{min(source.minutes, 15)}m"},
        "params": params,
        "actions": [_action(connector, group) for connector in CONNECTORS],
    }


def _threshold(source: Threshold) -> Json:
    params: Json = {
        "index": list(source.index),
        "timeField": "@timestamp",
        "aggType": source.operation if source.field else "count",
        "groupBy": "top" if source.by else "all",
        "timeWindowSize": source.minutes,
        "timeWindowUnit": "m",
        "filterKuery": source.kql,
        "thresholdComparator": "<=" if source.below else ">=" if source.field else ">",
        "threshold": [source.above],
    }
    if source.field:
        params["aggField"] = source.field
    if source.by:
        params |= {"termField": source.by, "termSize": 100}
    return params


def _query(source: Query) -> Json:
    return {
        "searchType": "esqlQuery",
        "esqlQuery": {"esql": f"FROM {','.join(OURS)} | {source.esql}"},
        "timeField": "@timestamp",
        "timeWindowSize": source.minutes,
        "timeWindowUnit": "m",
        "size": 0,
        "aggType": "count",
        "groupBy": "all",
        "thresholdComparator": ">",
        "threshold": [0],
        "excludeHitsFromPreviousRun": False,
    }


def _action(connector: str, group: str) -> Json:
    said = "{{rule.name}}: {{context.reason}}{{context.message}}"
    if CONNECTORS[connector]["connector_type_id"] == ".server-log":
        params: Json = {"message": said, "level": "warn"}
    else:
        params = {"documents": [{"rule": "{{rule.id}}", "name": "{{rule.name}}", "message": said}]}
    frequency = {"summary": False, "notify_when": "onActionGroupChange", "throttle": None}
    return {"id": connector, "group": group, "params": params, "frequency": frequency}
