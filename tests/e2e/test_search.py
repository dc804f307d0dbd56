"""What a person looks for is found, by the types and analysers of the kit's templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .ecs_fields import outside_ecs
from .producer import Producer

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import StartFilebeat, WaitUntilDelivered
    from .elasticsearch_client import ElasticsearchClient
    from .receiver import Receiver

OWN_WORD = "주문 생성 완료"
WITH_PARTICLE = "그 주문이 거절되었습니다"
UNRELATED = "결제 승인"


@pytest.fixture
def producer(log_dir: Path, environment: str) -> Producer:
    return Producer(log_dir, environment)


def messages(found: list[dict[str, str]]) -> set[str]:
    return {document["message"] for document in found}


def test_a_korean_word_finds_its_message(
    elasticsearch: ElasticsearchClient,
    filebeat: StartFilebeat,
    wait_until_delivered: WaitUntilDelivered,
    producer: Producer,
    streams: str,
) -> None:
    for message in (OWN_WORD, WITH_PARTICLE, UNRELATED):
        producer.write(message)
    filebeat(producer.directory)
    wait_until_delivered(3)
    by_word = elasticsearch.search(streams, {"match": {"message": "주문"}})
    assert messages(by_word) == {OWN_WORD}
    by_syllables = elasticsearch.search(streams, {"match_phrase": {"message.cjk": "주문"}})
    assert messages(by_syllables) == {OWN_WORD, WITH_PARTICLE}
    # As a person types it into Kibana: no field is named.
    bare = elasticsearch.search(streams, {"multi_match": {"query": "주문", "type": "phrase"}})
    assert messages(bare) == {OWN_WORD, WITH_PARTICLE}


def test_one_trace_finds_the_lines_of_both_services_in_order(
    elasticsearch: ElasticsearchClient,
    filebeat: StartFilebeat,
    wait_until_delivered: WaitUntilDelivered,
    log_dir: Path,
    environment: str,
    streams: str,
) -> None:
    gateway, orders = (
        Producer(log_dir, environment, service=name) for name in ("gateway", "orders")
    )
    trace = {"id": "4bf92f3577b34da6a3ce929d0e0e4736"}
    spoken = [(gateway, "received"), (orders, "placed"), (gateway, "answered")]
    for second, (service, message) in enumerate(spoken):
        moment = f"2026-07-01T12:00:0{second}.000000Z"
        service.write(message, trace=trace, **{"@timestamp": moment})
    gateway.write("another request")
    filebeat(log_dir)
    wait_until_delivered(4)
    found = elasticsearch.search(
        streams, {"term": {"trace.id": trace["id"]}}, sort=["@timestamp", "event.sequence"]
    )
    assert [(hit["service"]["name"], hit["message"]) for hit in found] == [
        ("gateway", "received"),
        ("orders", "placed"),
        ("gateway", "answered"),
    ]


def test_the_callers_fields_keep_their_types_whatever_they_are_called(
    elasticsearch: ElasticsearchClient,
    receiver: Receiver,
    filebeat: StartFilebeat,
    wait_until_delivered: WaitUntilDelivered,
    producer: Producer,
    streams: str,
) -> None:
    # By ecs@mappings alone these would be an ip, dates and a geo_point, and so malformed.
    labels = {"client_ip": "unknown", "created": "yesterday", "geo.location": "Seoul", "ok": "true"}
    producer.write("first", labels=labels, numeric_labels={"amount": 7, "start": 3})
    producer.write("second", labels=labels | {"ok": True}, numeric_labels={"amount": 7.5})
    filebeat(producer.directory)
    wait_until_delivered(2)
    mapping = elasticsearch.mapping(streams)
    assert {mapping[f"labels.{name}"] for name in labels} == {"keyword"}
    assert {mapping["numeric_labels.amount"], mapping["numeric_labels.start"]} == {"double"}
    assert elasticsearch.count(streams, {"term": {"labels.client_ip": "unknown"}}) == 2
    assert elasticsearch.count(streams, {"range": {"numeric_labels.amount": {"gt": 7}}}) == 1
    assert receiver.counters.rejected == []


def test_an_event_says_when_it_arrived_and_how_long_that_took(
    elasticsearch: ElasticsearchClient,
    filebeat: StartFilebeat,
    wait_until_delivered: WaitUntilDelivered,
    producer: Producer,
    streams: str,
) -> None:
    producer.write("hello")
    filebeat(producer.directory)
    wait_until_delivered(1)
    (document,) = elasticsearch.search(streams)
    assert document["event"]["ingested"] > document["@timestamp"]
    assert 0 < document["numeric_labels"]["delivery_lag_ms"] < 60_000


def test_no_field_is_outside_ecs_and_labels(
    elasticsearch: ElasticsearchClient,
    filebeat: StartFilebeat,
    wait_until_delivered: WaitUntilDelivered,
    producer: Producer,
    streams: str,
) -> None:
    producer.write("hello", numeric_labels={"amount": 7}, http={"request": {"id": "r-1"}})
    filebeat(producer.directory)
    wait_until_delivered(1)
    named = set(elasticsearch.mapping(streams))
    assert "http.request.id" in named
    assert outside_ecs(named) == set()
