"""The consumer: takes orders from Kafka, each in the trace of who wrote it."""

import json
import logging
import os
import signal
import threading

from confluent_kafka import Consumer, KafkaException, Message

import flowery_logging
from examples.kafka.orders import TOPIC

log = flowery_logging.get_logger("courier")


def main() -> None:
    """Consume until SIGTERM or SIGINT; Kafka's servers stand in KAFKA_BOOTSTRAP_SERVERS."""
    flowery_logging.setup(service="courier")
    stopped = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stopped.set())
    settings = {
        "bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        "group.id": "flowery-example-courier",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,  # an order is done when it is delivered, not when it has come
    }
    consumer = Consumer(settings, logger=logging.getLogger("confluent_kafka"))  # its own lines too
    consumer.subscribe([TOPIC])
    try:
        while not stopped.is_set():
            take(consumer)
    finally:
        consumer.close()


def take(consumer: Consumer) -> None:
    """Take one record, if one comes within half a second, and note that it is done."""
    message = consumer.poll(0.5)
    if message is None:
        return
    error = message.error()
    if error is not None:
        if error.fatal():
            raise KafkaException(error)
        log.warning("Kafka gives no record", reason=str(error))  # the client tries again itself
        return
    place = {"topic": message.topic(), "partition": message.partition(), "offset": message.offset()}
    with flowery_logging.continue_trace(message.headers(), **place):
        handle(message)
    consumer.commit(message=message, asynchronous=False)


def handle(message: Message) -> None:
    """Deliver one order. A record that is none is logged and passed over, else it comes again."""
    try:
        order = json.loads(message.value() or b"")
        flowery_logging.bind(order_id=order["order_id"])
    except (ValueError, TypeError, KeyError):
        log.exception("record is no order")
        return
    log.info("배송 출발", item=order["item"])


if __name__ == "__main__":
    main()
