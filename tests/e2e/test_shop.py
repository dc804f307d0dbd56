"""The shop's services, asked by real clients: all that they logged is found in Elasticsearch."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from examples.shop import report, services, traffic

from .ecs_fields import outside_ecs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .conftest import StartFilebeat, WaitUntilDelivered
    from .elasticsearch_client import ElasticsearchClient
    from .receiver import Receiver

REQUESTS = 200
DIRECT_CAUSE = "The above exception was the direct cause of the following exception:"

Event = dict[str, Any]


@dataclass(frozen=True)
class Shopping:
    """What the shop says of itself: the answers, each service's own count, and its files."""

    outcome: traffic.Outcome
    counted: dict[str, int]
    written: list[Event]

    def of_the_library(self) -> list[Event]:
        """The events that no service logged: headers, closing records."""
        return [event for event in self.written if event["log"]["logger"] == report.OWN_RECORDS]


@pytest.fixture
def shopping(
    filebeat: StartFilebeat,
    wait_until_delivered: WaitUntilDelivered,
    log_dir: Path,
    environment: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Shopping:
    """The shop was open while Filebeat ran, is closed, and as much has arrived as was counted."""
    monkeypatch.setenv("FLOWERY_SERVICE_ENVIRONMENT", environment)
    filebeat(log_dir)
    outcome, shop = asyncio.run(_shop(log_dir))
    counted = {service.name: service.events() for service in shop}
    done = Shopping(outcome, counted, report.read(log_dir))
    wait_until_delivered(sum(counted.values()) + len(done.of_the_library()))
    return done


async def _shop(directory: Path) -> tuple[traffic.Outcome, list[services.Service]]:
    async with services.shop(directory) as shop:
        outcome = await traffic.send(shop["gateway"].url, REQUESTS, lambda _: None)
        for service in shop.values():
            service.check()
    return outcome, list(shop.values())


def test_what_the_shop_logged_is_found(
    elasticsearch: ElasticsearchClient, receiver: Receiver, shopping: Shopping, streams: str
) -> None:
    # One visit to the shop for all of it: each takes its time.
    assert (shopping.outcome.sent, shopping.outcome.wrong) == (REQUESTS, [])
    assert receiver.counters.rejected == []
    assert outside_ecs(elasticsearch.mapping(streams)) == set()
    everything = elasticsearch.search(streams, size=10_000)
    each_service_is_there_as_often_as_it_counted(everything, shopping)
    a_korean_word_finds_its_messages(elasticsearch, shopping, streams)
    every_service_shares_traces_with_the_gateway(everything, shopping)
    for trace_id in shopping.outcome.failed_traces:
        found = of_trace(elasticsearch, streams, trace_id)
        its_lines_are_there_in_order(found, shopping, trace_id)
        its_stack_trace_has_the_cause(found)


def each_service_is_there_as_often_as_it_counted(found: list[Event], shopping: Shopping) -> None:
    own = [event for event in found if event["log"]["logger"] == report.OWN_RECORDS]
    logged = [event for event in found if event["log"]["logger"] != report.OWN_RECORDS]
    assert Counter(event["service"]["name"] for event in logged) == shopping.counted
    assert ids(own) == ids(shopping.of_the_library())


def a_korean_word_finds_its_messages(
    elasticsearch: ElasticsearchClient, shopping: Shopping, streams: str
) -> None:
    # As a person types it into Kibana: no field is named.
    query = {"multi_match": {"query": "주문", "type": "phrase"}}
    found = elasticsearch.search(streams, query, size=10_000)
    spoken = [
        event
        for event in shopping.written
        if "주문" in event["message"] or "주문" in event.get("error", {}).get("message", "")
    ]
    assert len(spoken) > REQUESTS / 2
    assert ids(found) == ids(spoken)


def every_service_shares_traces_with_the_gateway(found: list[Event], shopping: Shopping) -> None:
    traces: dict[str, set[str]] = {name: set() for name in shopping.counted}
    for event in found:
        if "trace" in event:
            traces[event["service"]["name"]].add(event["trace"]["id"])
    assert len(traces) > 1
    assert [name for name in traces if not traces[name] & traces["gateway"]] == []


def of_trace(elasticsearch: ElasticsearchClient, streams: str, trace_id: str) -> list[Event]:
    return elasticsearch.search(
        streams, {"term": {"trace.id": trace_id}}, sort=["@timestamp", "event.sequence"]
    )


def its_lines_are_there_in_order(found: list[Event], shopping: Shopping, trace_id: str) -> None:
    written = report.of_trace(shopping.written, trace_id)
    assert ids(found) == ids(written)
    assert len({event["service"]["name"] for event in found}) > 1
    # Filebeat leaves out last zeros, and a `Z` behind these sorts behind any further digit.
    moments = [(e["@timestamp"].removesuffix("Z"), e["event"]["sequence"]) for e in found]
    assert moments == sorted(moments)
    for process in {event["process"]["entity_id"] for event in found}:
        numbers = [
            event["event"]["sequence"]
            for event in found
            if event["process"]["entity_id"] == process
        ]
        assert numbers == sorted(numbers)


def its_stack_trace_has_the_cause(found: list[Event]) -> None:
    """The cause and what was raised from it, in this order, in one string."""
    (trace,) = {
        event["error"]["stack_trace"]
        for event in found
        if DIRECT_CAUSE in event.get("error", {}).get("stack_trace", "")
    }
    cause, raised = trace.split(DIRECT_CAUSE)
    assert "ConnectionResetError: bank.example closed the connection" in cause
    assert "PaymentError: 결제 실패" in raised


def ids(events: Iterable[Event]) -> list[str]:
    return sorted(event["event"]["id"] for event in events)
