"""A stand-in for Logstash with flowery-kafka.conf: takes events from Kafka to Elasticsearch."""

from __future__ import annotations

import threading
from typing import Any

import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from .elasticsearch_client import ElasticsearchClient
from .receiver import RETRY_INTERVAL, Receiver

GROUP = "flowery"
BATCH = 500
POLL_SECONDS = 0.3


class KafkaReceiver(Receiver):
    """Notes its place in Kafka only when Elasticsearch has the events, or refused them for good."""

    def __init__(self, url: str, broker: str, topic: str) -> None:
        """`url` is Elasticsearch's, `broker` Kafka's host:port."""
        super().__init__(url)
        self._broker = broker
        self._topic = topic
        self.keys: dict[str, set[int]] = {}
        """Each record's key with the partitions in which it was seen."""

    def start(self) -> None:
        """Consume until `stop`, from the place that was noted last."""
        self._stopped.clear()
        thread = threading.Thread(target=self._consume, daemon=True)
        self._threads.append(thread)
        thread.start()

    def records_in_kafka(self) -> int:
        """How many records the topic has, taken or not."""
        consumer = self._consumer()
        try:
            partitions = consumer.list_topics(self._topic, 10).topics[self._topic].partitions
            places = [TopicPartition(self._topic, number) for number in partitions]
            return sum(consumer.get_watermark_offsets(place, 10)[1] for place in places)
        finally:
            consumer.close()

    def _consumer(self) -> Any:
        return Consumer(
            {
                "bootstrap.servers": self._broker,
                "group.id": GROUP,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "topic.metadata.refresh.interval.ms": 500,
            }
        )

    def _consume(self) -> None:
        consumer = self._consumer()
        consumer.subscribe([self._topic])
        try:
            with ElasticsearchClient(self._url) as client:
                while not self._stopped.is_set():
                    self._take(consumer, client)
        except Exception as error:  # whoever reads `errors` fails with it
            self.errors.append(error)
        finally:
            consumer.close()

    def _take(self, consumer: Any, client: ElasticsearchClient) -> None:
        records = [
            record for record in consumer.consume(BATCH, POLL_SECONDS) if not _failed(record)
        ]
        if not records:
            return
        for record in records:
            key = (record.key() or b"").decode()
            self.keys.setdefault(key, set()).add(record.partition())
        waiting = self._documents(orjson.loads(record.value()) for record in records)
        while waiting := self._create(waiting, client):
            if self._stopped.wait(RETRY_INTERVAL):
                return
        consumer.commit(asynchronous=False)


def _failed(record: Any) -> bool:
    """Whether it tells of a topic that is not there yet; raises `KafkaException` for all else."""
    error = record.error()
    if error is None:
        return False
    if error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
        raise KafkaException(error)
    return True
