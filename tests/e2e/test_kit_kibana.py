"""Every panel's aggregation runs in Elasticsearch and returns what the shop logged."""

from __future__ import annotations

import asyncio
import math
import secrets
from collections import defaultdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from examples.shop import report, services, traffic
from scripts.kibana.panels import ACCESS, ERRORS, PANELS, SEARCHES, Metric, Panel, Terms
from tests.kit.test_kibana import kqls

from .elasticsearch_client import ElasticsearchClient
from .kibana_aggregations import metrics_of, rows, search_body
from .pipeline import at
from .processes import Elasticsearch, Filebeat, wait_until
from .producer import Producer
from .programs import Cache, filebeat_binary
from .programs.kbn_es_query import elasticsearch_queries
from .receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

REQUESTS = 60
EMPTY_WHERE_ALL_IS_WELL = {"flowery-ignored", "flowery-kept"}
Event = dict[str, Any]

# What each KQL of the panels means, said a second time without KQL.
MEANINGS: dict[str, Callable[[Event], bool]] = {
    "": lambda _: True,
    ACCESS: lambda event: (
        "web" in values(event, "event.category") and bool(values(event, "event.duration"))
    ),
    ERRORS: lambda event: event["log"]["level"] in {"error", "critical"},
    "event.outcome : failure": lambda event: values(event, "event.outcome") == ["failure"],
    "labels.logging_error : *": lambda event: bool(values(event, "labels.logging_error")),
    "_ignored : *": lambda _: False,
    "not process.entity_id : *": lambda event: not values(event, "process.entity_id"),
    "event.action : log-files-removed": (
        lambda event: values(event, "event.action") == ["log-files-removed"]
    ),
}


def values(event: Event, path: str) -> list[Any]:
    value = at(event, path)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


class Shop:
    """The shop's events as its files have them, and where they are in Elasticsearch."""

    def __init__(self, streams: str, events: list[Event]) -> None:
        self.streams = streams
        self.events = events


async def run_shop(directory: Path) -> None:
    async with services.shop(directory) as shop:
        outcome = await traffic.send(shop["gateway"].url, REQUESTS, lambda _: None)
    assert outcome.wrong == []


def write_what_health_shows(directory: Path, environment: str) -> None:
    """Records that the shop, all being well, does not write."""
    unwell = Producer(directory, environment, service="unwell")
    unwell.write("log can be written again", numeric_labels={"dropped_events": 41})
    unwell.write("repaired", labels={"logging_error": "KeyError"})
    removed = {"id": f"{unwell._entity}-3", "sequence": 3, "action": "log-files-removed"}
    unwell.write("removed", event=removed, numeric_labels={"removed_bytes": 4096})
    # Number 4 is never written: a loss that the panel must show.
    unwell.written += 1
    unwell.write("after the gap")


@pytest.fixture(scope="module")
def shop(
    elasticsearch_server: Elasticsearch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    logs = folder / "logs"
    logs.mkdir()
    environment = f"kibana{secrets.token_hex(6)}"
    streams = f"logs-flowery*-{environment}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLOWERY_SERVICE_ENVIRONMENT", environment)
        asyncio.run(run_shop(logs))
    write_what_health_shows(logs, environment)
    written = report.read(logs)
    receiver = Receiver(elasticsearch_server.url)
    receiver.start()
    binary = filebeat_binary(Cache.from_environment())
    try:
        with (
            Filebeat(binary, logs, receiver.address, folder),
            ElasticsearchClient(elasticsearch_server.url) as client,
        ):
            count = len(written)
            assert wait_until(lambda: client.count(streams) >= count, interval=0.3), (
                receiver.counters
            )
            yield Shop(streams, _with_lag(written, client.search(streams, size=10_000)))
    finally:
        receiver.stop()


def _with_lag(written: list[Event], arrived: list[Event]) -> list[Event]:
    """The events of the files with what only the receiver can know."""
    lags = {one["event"]["id"]: one["numeric_labels"]["delivery_lag_ms"] for one in arrived}
    assert len(arrived) == len(lags) == len(written)
    for event in written:
        event["log"]["level"] = event.pop("log.level")
        event.setdefault("numeric_labels", {})["delivery_lag_ms"] = lags[event["event"]["id"]]
    return written


@pytest.fixture(scope="module")
def translated() -> dict[str, dict[str, Any]]:
    """Each KQL of the kit as Kibana would send it."""
    texts = sorted(kqls())
    return dict(zip(texts, elasticsearch_queries(Cache.from_environment(), texts), strict=True))


def test_every_kql_parses(translated: dict[str, dict[str, Any]]) -> None:
    assert [kql for kql, query in translated.items() if "error" in query] == []


def test_a_kql_that_does_not_parse_is_found() -> None:
    (query,) = elasticsearch_queries(Cache.from_environment(), ["log.level : (error or"])
    assert "error" in query


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.id)
def test_a_panel_shows_what_the_shop_logged(
    panel: Panel,
    shop: Shop,
    elasticsearch: ElasticsearchClient,
    translated: dict[str, dict[str, Any]],
) -> None:
    elasticsearch.refresh()
    body = search_body(panel, translated.__getitem__)
    answer = elasticsearch.request("POST", f"/{shop.streams}/_search", body)
    shown = rows(panel, answer)
    groups = expected_groups(panel, shop.events)
    assert bool(groups) == (panel.id not in EMPTY_WHERE_ALL_IS_WELL)
    assert shown.keys() == groups.keys()
    for keys, events in groups.items():
        for name, metric in metrics_of(panel).items():
            if "." not in name:
                assert matches(metric, shown[keys][name], events), (keys, name, shown[keys])


def test_the_gap_is_shown_and_no_other(
    shop: Shop, elasticsearch: ElasticsearchClient, translated: dict[str, dict[str, Any]]
) -> None:
    (panel,) = [one for one in PANELS if one.id == "flowery-missing"]
    body = search_body(panel, translated.__getitem__)
    answer = elasticsearch.request("POST", f"/{shop.streams}/_search", body)
    missing = {keys[0]: row["missing"] for keys, row in rows(panel, answer).items()}
    assert missing.pop("unwell") == 1
    assert set(missing.values()) == {0}


def test_the_error_rate_is_that_of_the_answers(
    shop: Shop, elasticsearch: ElasticsearchClient, translated: dict[str, dict[str, Any]]
) -> None:
    (panel,) = [one for one in PANELS if one.id == "flowery-error-rate"]
    body = search_body(panel, translated.__getitem__)
    answer = elasticsearch.request("POST", f"/{shop.streams}/_search", body)
    # The gateway answers one request of ten with 502.
    shares = [row["failed"] for keys, row in rows(panel, answer).items() if keys[1] == "gateway"]
    assert max(shares) == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("search", SEARCHES, ids=lambda search: search.id)
def test_a_saved_search_finds_what_it_is_for(
    search: Any,
    shop: Shop,
    elasticsearch: ElasticsearchClient,
    translated: dict[str, dict[str, Any]],
) -> None:
    meanings: dict[str, Callable[[Event], bool]] = {
        "flowery-search-trace": lambda event: bool(values(event, "trace.id")),
        "flowery-search-errors": MEANINGS[ERRORS],
        "flowery-search-slow": (
            lambda event: MEANINGS[ACCESS](event) and event["event"]["duration"] >= 10**9
        ),
        "flowery-search-order": (
            lambda event: bool(
                values(event, "numeric_labels.order_id") or values(event, "labels.order_id")
            )
        ),
    }
    meant = meanings[search.id]
    expected = {event["event"]["id"] for event in shop.events if meant(event)}
    found = elasticsearch.search(shop.streams, translated[search.kql], size=10_000)
    assert {hit["event"]["id"] for hit in found} == expected


def expected_groups(panel: Panel, events: list[Event]) -> dict[tuple[str, ...], list[Event]]:
    """The events of each row, by the keys of the buckets; events without a key are in none."""
    groups: dict[tuple[str, ...], list[Event]] = defaultdict(list)
    for event in events:
        if not MEANINGS[panel.kql](event):
            continue
        named = [
            values(event, bucket.field) if isinstance(bucket, Terms) else [event["@timestamp"][:10]]
            for bucket in panel.buckets
        ]
        if all(named):
            groups[tuple(str(keys[0]) for keys in named)].append(event)
    return dict(groups)


def matches(metric: Metric, shown: Any, events: list[Event]) -> bool:
    """Whether a metric's value is that of the events."""
    counted = [event for event in events if MEANINGS[metric.kql](event)]
    if metric.operation == "count":
        return bool(shown == len(counted))
    found = [value for event in counted for value in values(event, metric.field)]
    if metric.operation == "unique_count":
        return bool(shown == len(set(found)))
    if metric.field == "@timestamp":
        return bool(abs(shown - max(map(_milliseconds, found))) < 1)
    if metric.operation == "percentile":
        return _is_percentile(metric.percentile, shown, found)
    return math.isclose(shown or 0, _reduced(metric.operation, found), rel_tol=1e-9)


def _reduced(operation: str, found: list[float]) -> float:
    if operation == "sum":
        return sum(found)
    return max(found, default=0) if operation == "max" else min(found, default=0)


def _is_percentile(percentile: int, shown: float, found: list[float]) -> bool:
    """Whether about that share lies below; Elasticsearch interpolates between neighbours."""
    below = sum(value < shown for value in found) / len(found)
    up_to = sum(value <= shown for value in found) / len(found)
    slack = 1.5 / len(found) + 0.01
    return below - slack <= percentile / 100 <= up_to + slack


def _milliseconds(stamp: str) -> float:
    moment = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    return moment.timestamp() * 1000
