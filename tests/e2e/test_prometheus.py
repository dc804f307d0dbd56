"""The shop's numbers: the same in the files, in the real Prometheus and in Elasticsearch."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from examples.shop import report, services, traffic
from examples.shop.ports import free_port
from flowery_logging.cli.exporter import programs
from flowery_logging.cli.http import Access, HttpServer
from tests.integrations import exposed

from .processes import wait_until
from .processes.prometheus import Prometheus
from .programs import Cache
from .programs.prometheus import prometheus_binary

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .conftest import StartFilebeat, WaitUntilDelivered
    from .elasticsearch_client import ElasticsearchClient
    from .producer import Producer

REQUESTS = 10_000

LINES = "sum by (service_name, level) (flowery_log_events_total) > 0"
REQUEST_LABELS = ("service_name", "http_request_method", "http_route", "http_response_status_code")
COUNTED = f"sum by ({', '.join(REQUEST_LABELS)}) (http_server_request_duration_seconds_count) > 0"
TASKS = "sum by (service_name, task, state, outcome) (flowery_tasks_total) > 0"

Numbers = dict[tuple[str, ...], float]


def asked(prometheus: Prometheus, promql: str, labels: Iterable[str]) -> Numbers:
    found = prometheus.numbers(promql)
    return {tuple(metric.get(label, "") for label in labels): value for metric, value in found}


def of_the_files(events: list[dict[str, Any]]) -> Numbers:
    """Access events by the labels of `COUNTED`."""
    return dict(
        Counter(
            (
                event["service"]["name"],
                event["http"]["request"]["method"],
                event["labels"].get("http_route", "_unmatched"),
                str(event["http"]["response"]["status_code"]),
            )
            for event in exposed.of_logger(events, "access")
        )
    )


def in_elasticsearch(
    client: ElasticsearchClient, streams: str, fields: list[str], query: Any
) -> Numbers:
    """Documents by the values of these fields."""
    sources = [{field: {"terms": {"field": field, "missing_bucket": True}}} for field in fields]
    body = {
        "size": 0,
        "query": query,
        "aggs": {"by": {"composite": {"size": 1000, "sources": sources}}},
    }
    answer = client.request("POST", f"/{streams}/_search", body)
    return {
        tuple(str(bucket["key"][field]) for field in fields): bucket["doc_count"]
        for bucket in answer["aggregations"]["by"]["buckets"]
    }


def test_files_prometheus_and_elasticsearch_agree(
    filebeat: StartFilebeat,
    wait_until_delivered: WaitUntilDelivered,
    elasticsearch: ElasticsearchClient,
    log_dir: Path,
    tmp_path: Path,
    environment: str,
    streams: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FLOWERY_SERVICE_ENVIRONMENT", environment)
    filebeat(log_dir)
    binary = prometheus_binary(Cache.from_environment())

    def compare(prometheus: Prometheus) -> None:
        events = prometheus_has_all_lines(prometheus, log_dir)
        requests_and_tasks_are_those_of_the_files(prometheus, events)
        wait_until_delivered(len(events))
        elasticsearch.refresh()
        elasticsearch_has_the_same(prometheus, elasticsearch, streams)
        an_exemplar_leads_to_the_trace(prometheus, elasticsearch, streams)
        no_rule_fails(prometheus)

    async def shopping() -> None:
        async with services.shop(log_dir, metrics=True) as shop:
            ports = [service.metrics for service in shop.values() if service.metrics]
            with Prometheus(binary, tmp_path, {"flowery": ports}) as prometheus:
                outcome = await traffic.send(shop["gateway"].url, REQUESTS, lambda _: None)
                assert (outcome.sent, outcome.wrong) == (REQUESTS, [])
                await asyncio.to_thread(compare, prometheus)

    asyncio.run(shopping())


def test_the_exporter_shows_the_numbers_of_the_real_filebeat(
    filebeat: StartFilebeat,
    wait_until_delivered: WaitUntilDelivered,
    producer: Producer,
    log_dir: Path,
) -> None:
    port = free_port()
    filebeat(log_dir, {"http.enabled": "true", "http.port": port})
    producer.write_many(100)
    written = len(report.read(log_dir))
    wait_until_delivered(written)
    registry = CollectorRegistry()
    programs.add_filebeat(registry, HttpServer(Access(f"http://127.0.0.1:{port}")))
    assert wait_until(
        lambda: registry.get_sample_value("flowery_filebeat_acked_events_total") == written
    ), generate_latest(registry).decode()
    shown = {family.name for family in registry.collect()}
    assert {figure.name.removesuffix("_total") for figure in programs.FILEBEAT} <= shown
    assert registry.get_sample_value("flowery_filebeat_up") == 1
    assert registry.get_sample_value("flowery_filebeat_dropped_events_total") == 0
    assert registry.get_sample_value("flowery_filebeat_active_events") == 0


def prometheus_has_all_lines(prometheus: Prometheus, log_dir: Path) -> list[dict[str, Any]]:
    """Wait until nothing is written any more and all of it is scraped; return the events."""
    events: list[dict[str, Any]] = []

    def agree() -> bool:
        events[:] = report.read(log_dir)
        lines = asked(prometheus, LINES, exposed.LINES)
        return lines == exposed.lines(events) and delivered(events)

    assert wait_until(agree, interval=1), (
        asked(prometheus, LINES, exposed.LINES),
        exposed.lines(events),
    )
    return events


def delivered(events: list[dict[str, Any]]) -> bool:
    """Whether the courier has done what was ordered."""
    orders = [event for event in events if event["message"] == "주문 완료"]
    return sum(exposed.tasks(events).values()) == len(orders)


def requests_and_tasks_are_those_of_the_files(
    prometheus: Prometheus, events: list[dict[str, Any]]
) -> None:
    counted = of_the_files(events)
    assert asked(prometheus, COUNTED, REQUEST_LABELS) == counted
    by_service: Counter[str] = Counter()
    for (service, *_), count in counted.items():
        by_service[service] += int(count)
    assert by_service == {"gateway": REQUESTS, "orders": REQUESTS}
    assert asked(prometheus, TASKS, exposed.TASK) == exposed.tasks(events)
    active = prometheus.numbers("sum(http_server_active_requests)")
    assert [value for _, value in active] == [0.0]


def elasticsearch_has_the_same(
    prometheus: Prometheus, elasticsearch: ElasticsearchClient, streams: str
) -> None:
    everything: dict[str, Any] = {"match_all": {}}
    lines = in_elasticsearch(elasticsearch, streams, ["service.name", "log.level"], everything)
    assert lines == asked(prometheus, LINES, exposed.LINES)
    fields = [
        "service.name",
        "http.request.method",
        "labels.http_route",
        "http.response.status_code",
    ]
    access = {"term": {"log.logger": "flowery_logging.access"}}
    found = in_elasticsearch(elasticsearch, streams, fields, access)
    assert found == asked(prometheus, COUNTED, REQUEST_LABELS)


def an_exemplar_leads_to_the_trace(
    prometheus: Prometheus, elasticsearch: ElasticsearchClient, streams: str
) -> None:
    query = 'http_server_request_duration_seconds_bucket{service_name="gateway"}'
    series = prometheus.ask("query_exemplars", query=query, start="0", end="99999999999")
    traces = {one["labels"]["trace_id"] for found in series for one in found["exemplars"]}
    assert traces
    trace = {"term": {"trace.id": traces.pop()}}
    found = elasticsearch.search(streams, trace)
    assert {event["service"]["name"] for event in found} >= {"gateway", "orders"}


def no_rule_fails(prometheus: Prometheus) -> None:
    groups = prometheus.ask("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) > 20
    assert {rule["health"] for rule in rules} == {"ok"}
    firing = {alert["labels"]["alertname"] for alert in prometheus.ask("alerts")["alerts"]}
    assert not firing & {"FloweryEventsDropped", "FloweryEventsWait", "FloweryServiceDown"}
