"""The way through Kafka: shop → the real Filebeat → the real Kafka → Elasticsearch."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from examples.shop import report, services, traffic
from tests.examples import small

from .foreign_lines import as_kept, foreign_lines
from .kafka_receiver import KafkaReceiver
from .pipeline import FOREIGN_STREAM
from .processes import Elasticsearch, KitFilebeat, wait_until
from .processes.filebeat import CONFIGURATION
from .processes.kafka import Kafka
from .producer import Producer
from .programs import Cache, find_jdk
from .programs.maven import jars

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import Arrive, StartKitFilebeat
    from .elasticsearch_client import ElasticsearchClient

JARS = "org.apache.kafka:kafka_2.13:3.9.1"
TO_KAFKA = CONFIGURATION.with_name("filebeat.kafka.yml")
REQUESTS = 60
SEED = int(os.environ.get("FLOWERY_FOREIGN_SEED") or secrets.randbelow(10**9))
HOSTILE = 5_000
LARGEST = 900_000  # bytes of a line; filebeat.kafka.yml cuts what is beyond


@pytest.fixture(scope="module")
def broker() -> Iterator[Kafka]:
    broker = Kafka(jars(Cache.from_environment(), JARS), find_jdk())
    try:
        broker.start()
        yield broker
    finally:
        broker.close()


@pytest.fixture
def topic() -> str:
    return f"flowery-{secrets.token_hex(6)}"


@pytest.fixture
def kafka_receiver(
    elasticsearch_server: Elasticsearch, broker: Kafka, topic: str
) -> Iterator[KafkaReceiver]:
    receiver = KafkaReceiver(elasticsearch_server.url, broker.address, topic)
    receiver.start()
    yield receiver
    receiver.stop()
    assert receiver.errors == []


@pytest.fixture
def shipper(broker: Kafka, topic: str, kit_filebeat: StartKitFilebeat) -> KitFilebeat:
    """Filebeat with filebeat.kafka.yml, on the test's folder of logs."""
    return kit_filebeat(TO_KAFKA, KAFKA_HOSTS=broker.address, KAFKA_TOPIC=topic)


async def run_shop(directory: Path) -> traffic.Outcome:
    async with services.shop(directory) as shop:
        return await traffic.send(shop["gateway"].url, REQUESTS, lambda _: None)


def test_the_shops_events_become_documents_and_none_is_refused(
    elasticsearch: ElasticsearchClient,
    kafka_receiver: KafkaReceiver,
    shipper: KitFilebeat,
    arrive: Arrive,
    log_dir: Path,
    environment: str,
    streams: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FLOWERY_SERVICE_ENVIRONMENT", environment)
    outcome = asyncio.run(run_shop(log_dir))
    assert outcome.wrong == []
    written = {event["event"]["id"] for event in report.read(log_dir)}
    arrive(elasticsearch, len(written), shipper)
    assert kafka_receiver.counters.rejected == []
    found = elasticsearch.search(streams, size=10_000)
    assert sorted(hit["event"]["id"] for hit in found) == sorted(written)


def test_one_process_stays_in_one_partition(
    elasticsearch: ElasticsearchClient,
    kafka_receiver: KafkaReceiver,
    shipper: KitFilebeat,
    log_dir: Path,
    environment: str,
    arrive: Arrive,
) -> None:
    producers = [Producer(log_dir, environment, service=f"s{number}") for number in range(24)]
    for producer in producers:
        producer.write_many(20)
    arrive(elasticsearch, 480, shipper)
    partitions = {producer._entity: kafka_receiver.keys[producer._entity] for producer in producers}
    assert all(len(seen) == 1 for seen in partitions.values())
    assert len(set().union(*partitions.values())) > 1


def test_a_line_at_the_librarys_limit_passes(
    elasticsearch: ElasticsearchClient,
    kafka_receiver: KafkaReceiver,
    shipper: KitFilebeat,
    streams: str,
    producer: Producer,
    arrive: Arrive,
) -> None:
    # Each of these bytes is escaped with six, so that the record is far larger than the line.
    producer.write("\x01" * 5_000 + "길" * 300, labels={"filling": "x" * 1_000})
    arrive(elasticsearch, 1, shipper)
    (document,) = elasticsearch.search(streams)
    assert len(document["message"]) == 5_300
    assert kafka_receiver.counters.rejected == []


def test_events_wait_in_kafka_while_nobody_takes_them(
    elasticsearch: ElasticsearchClient,
    kafka_receiver: KafkaReceiver,
    shipper: KitFilebeat,
    streams: str,
    producer: Producer,
    arrive: Arrive,
) -> None:
    producer.write_many(50)
    arrive(elasticsearch, 50, shipper)
    kafka_receiver.stop()
    producer.write_many(50)
    in_kafka = wait_until(lambda: kafka_receiver.records_in_kafka() == 100)
    assert in_kafka, shipper.log_tail()
    assert elasticsearch.count(streams) == 50
    kafka_receiver.start()
    arrive(elasticsearch, 100, shipper)


def test_hostile_lines_beside_ours_are_each_kept_once(
    elasticsearch: ElasticsearchClient,
    kafka_receiver: KafkaReceiver,
    shipper: KitFilebeat,
    log_dir: Path,
    streams: str,
    producer: Producer,
    arrive: Arrive,
) -> None:
    print(f"FLOWERY_FOREIGN_SEED={SEED}")
    path = log_dir / "hostile.ndjson"
    lines = foreign_lines(HOSTILE, SEED)
    producer.write_many(1_000)
    path.write_bytes(b"\n".join(lines) + b"\n")
    producer.write_many(1_000)
    query = {"term": {"log.file.path": str(path)}}
    there = wait_until(lambda: elasticsearch.count(FOREIGN_STREAM, query) >= len(lines), 600)
    assert there, shipper.log_tail()
    arrive(elasticsearch, 2_000, shipper)
    assert kafka_receiver.counters.rejected == []
    kept = elasticsearch.scroll(FOREIGN_STREAM, ["message"], query, 500)
    expected = (as_kept(line).encode()[:LARGEST].decode() for line in lines)
    assert Counter(hit["_source"]["message"] for hit in kept) == Counter(expected)


def test_the_example_with_a_consumer(broker: Kafka, tmp_path: Path) -> None:
    found = small.run("kafka", tmp_path, KAFKA_BOOTSTRAP_SERVERS=broker.address)
    small.assert_orders_reach_the_courier(found)
