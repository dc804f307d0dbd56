"""Orders through Kafka to a consumer: `make example NAME=kafka`.

KAFKA_BOOTSTRAP_SERVERS names a Kafka. Without it the broker is the one that Kafka's client library
has for tests: it speaks Kafka's protocol on the loopback interface, and forgets all at the end.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import Producer

import flowery_logging
from examples import running
from examples.kafka import orders


def main() -> None:
    directory = running.begin("kafka")
    flowery_logging.setup(service="orders")
    with kafka() as servers:
        os.environ["KAFKA_BOOTSTRAP_SERVERS"] = servers
        traces = order(Producer({"bootstrap.servers": servers}))
        with running.program(directory, "examples.kafka.courier") as courier:
            courier.wait_until(lambda: set(traces) <= handled(directory))
    running.show(traces[0], directory)


@contextmanager
def kafka() -> Iterator[str]:
    """Return where Kafka listens; the broker of the client library runs until the block ends."""
    servers = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if servers:
        yield servers
        return
    settings = {"test.mock.num.brokers": 1, "bootstrap.servers": "-", "log_level": 3}
    broker = Producer(settings)  # lives as long as this name
    (found,) = broker.list_topics(timeout=running.WITHIN).brokers.values()
    yield f"{found.host}:{found.port}"


def order(producer: Producer) -> list[str]:
    """Write two orders and a record that is none, each in a trace of its own; return the IDs."""
    traces = []
    for order_id, item in enumerate(("tulip", "rose"), 1):
        with flowery_logging.continue_trace({}) as trace:
            orders.place(producer, order_id, item)
            traces.append(trace.trace_id)
    with flowery_logging.continue_trace({}) as trace:
        orders.send(producer, "broken", "no JSON")
        traces.append(trace.trace_id)
    producer.flush()
    return traces


def handled(directory: Path) -> set[str]:
    """Return the traces of the records that the consumer has logged something for."""
    lines = running.lines(directory)
    return {line["trace"]["id"] for line in lines if "offset" in line.get("numeric_labels", {})}


if __name__ == "__main__":
    main()
