"""The way through Kafka: shop → the real Filebeat → the real Kafka → Elasticsearch."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import pytest

from examples.shop import report, services, traffic

from .kafka_receiver import KafkaReceiver
from .processes import Elasticsearch, wait_until
from .processes.filebeat import CONFIGURATION
from .processes.kafka import Kafka
from .processes.kit_filebeat import KitFilebeat
from .producer import Producer
from .programs import Cache, filebeat_binary, find_jdk
from .programs.maven import jars

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .elasticsearch_client import ElasticsearchClient

JARS = "org.apache.kafka:kafka_2.13:3.9.1"
TO_KAFKA = CONFIGURATION.with_name("filebeat.kafka.yml")
REQUESTS = 60


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
def shipper(broker: Kafka, topic: str, log_dir: Path, tmp_path: Path) -> Iterator[KitFilebeat]:
    """Filebeat with filebeat.kafka.yml, on the test's folder of logs."""
    folder = tmp_path / "filebeat"
    folder.mkdir()
    environment = {
        "KAFKA_HOSTS": broker.address,
        "KAFKA_TOPIC": topic,
        "FLOWERY_LOG_DIR": str(log_dir),
    }
    binary = filebeat_binary(Cache.from_environment())
    with KitFilebeat(binary, TO_KAFKA, folder, environment) as running:
        yield running


async def run_shop(directory: Path) -> traffic.Outcome:
    async with services.shop(directory) as shop:
        return await traffic.send(shop["gateway"].url, REQUESTS, lambda _: None)


def test_the_shops_events_become_documents_and_none_is_refused(
    elasticsearch: ElasticsearchClient,
    kafka_receiver: KafkaReceiver,
    shipper: KitFilebeat,
    log_dir: Path,
    environment: str,
    streams: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FLOWERY_SERVICE_ENVIRONMENT", environment)
    outcome = asyncio.run(run_shop(log_dir))
    assert outcome.wrong == []
    written = {event["event"]["id"] for event in report.read(log_dir)}
    there = wait_until(lambda: elasticsearch.count(streams) >= len(written), 60, 0.3)
    assert there, f"{kafka_receiver.counters}\n{shipper.log_tail()}"
    assert kafka_receiver.counters.rejected == []
    found = elasticsearch.search(streams, size=10_000)
    assert sorted(hit["event"]["id"] for hit in found) == sorted(written)


def test_one_process_stays_in_one_partition(
    elasticsearch: ElasticsearchClient,
    kafka_receiver: KafkaReceiver,
    shipper: KitFilebeat,
    log_dir: Path,
    environment: str,
    streams: str,
) -> None:
    producers = [Producer(log_dir, environment, service=f"s{number}") for number in range(8)]
    for producer in producers:
        producer.write_many(20)
    arrived = wait_until(lambda: elasticsearch.count(streams) == 160, 60, 0.3)
    assert arrived, shipper.log_tail()
    partitions = {producer._entity: kafka_receiver.keys[producer._entity] for producer in producers}
    assert all(len(seen) == 1 for seen in partitions.values())
    assert len(set().union(*partitions.values())) > 1


def test_a_line_at_the_librarys_limit_passes(
    elasticsearch: ElasticsearchClient,
    kafka_receiver: KafkaReceiver,
    shipper: KitFilebeat,
    log_dir: Path,
    environment: str,
    streams: str,
) -> None:
    producer = Producer(log_dir, environment)
    # Each of these bytes is escaped with six, so that the record is far larger than the line.
    producer.write("\x01" * 5_000 + "길" * 300, labels={"filling": "x" * 1_000})
    assert wait_until(lambda: elasticsearch.count(streams) == 1, 60, 0.3), shipper.log_tail()
    (document,) = elasticsearch.search(streams)
    assert len(document["message"]) == 5_300
    assert kafka_receiver.counters.rejected == []


def test_events_wait_in_kafka_while_nobody_takes_them(
    elasticsearch: ElasticsearchClient,
    kafka_receiver: KafkaReceiver,
    shipper: KitFilebeat,
    log_dir: Path,
    environment: str,
    streams: str,
) -> None:
    producer = Producer(log_dir, environment)
    producer.write_many(50)
    assert wait_until(lambda: elasticsearch.count(streams) == 50, 60, 0.3), shipper.log_tail()
    kafka_receiver.stop()
    producer.write_many(50)
    in_kafka = wait_until(lambda: kafka_receiver.records_in_kafka() == 100, 60)
    assert in_kafka, shipper.log_tail()
    assert elasticsearch.count(streams) == 50
    kafka_receiver.start()
    assert wait_until(lambda: elasticsearch.count(streams) == 100, 60, 0.3)
