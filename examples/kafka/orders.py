"""The service that writes orders to Kafka: each record carries the trace in its headers."""

import json

from confluent_kafka import KafkaError, Message, Producer

import flowery_logging

TOPIC = "flowery-example-orders"
log = flowery_logging.get_logger(__name__)


def place(producer: Producer, order_id: int, item: str) -> None:
    """Write one order. `producer.flush()` waits until Kafka has it."""
    value = json.dumps({"order_id": order_id, "item": item})
    send(producer, str(order_id), value)
    log.info("주문 접수", order_id=order_id, item=item)


def send(producer: Producer, key: str, value: str) -> None:
    """Write one record with the trace that is current."""
    headers = flowery_logging.outgoing_headers().items()
    # The client calls back from flush() or poll(), when another request may be under way.
    told = flowery_logging.carried(delivered)
    producer.produce(TOPIC, value, key, headers=[*headers], on_delivery=told)


def delivered(error: KafkaError | None, message: Message) -> None:
    """Say what has become of a record."""
    if error is not None:
        log.error("order not delivered", reason=str(error), topic=message.topic())
