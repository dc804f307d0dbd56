"""The recipes of docs/queues.md, as they stand there, with the real libraries."""

import asyncio
import logging
import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import dramatiq
import pika
import pytest
import taskiq
from apscheduler.events import EVENT_JOB_REMOVED
from apscheduler.schedulers.background import BackgroundScheduler
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import CurrentMessage
from huey import MemoryHuey

from flowery_logging import carried, continue_trace, current_trace, outgoing_headers

log = logging.getLogger("job")

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
INCOMING = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "x-request-id": "r-7"}


def trace_id():
    found = current_trace()
    return found and found.trace_id


def check(collector):
    (line,) = collector.named("at work")
    assert line.fields["trace.id"] == TRACE
    assert line.fields["http.request.id"] == "r-7"
    assert line.fields["order_id"] == 7


def test_kafka():
    """confluent-kafka takes and gives pairs of text and bytes, aiokafka only bytes, or None."""
    with continue_trace(INCOMING):
        confluent = [*outgoing_headers().items()]
        aiokafka = [(name, value.encode()) for name, value in outgoing_headers().items()]
    received = [(name, value.encode()) for name, value in confluent]
    for headers in (received, tuple(aiokafka)):
        with continue_trace(headers) as found:
            assert found.trace_id == TRACE
    with continue_trace(None) as found:
        assert found.trace_id != TRACE


def test_rabbitmq():
    """As the properties of a message go over the wire, in the table of AMQP."""
    with continue_trace(INCOMING):
        sent = pika.BasicProperties(headers=outgoing_headers())
    received = pika.BasicProperties()
    received.decode(b"".join(sent.encode()))
    with continue_trace(received.headers) as found:
        assert found.trace_id == TRACE
    with continue_trace(pika.BasicProperties().headers) as found:
        assert found.trace_id != TRACE


def test_sqs():
    """boto3 gives dicts of each attribute; a message without attributes has no such key."""
    with continue_trace(INCOMING):
        attributes: dict[str, dict[str, str]] = {
            k: {"DataType": "String", "StringValue": v} for k, v in outgoing_headers().items()
        }
    attributes["image"] = {"DataType": "Binary", "BinaryValue": "…"}
    for message, same in (({"MessageAttributes": attributes}, True), ({}, False)):
        received = message.get("MessageAttributes", {})
        with continue_trace({k: v.get("StringValue") for k, v in received.items()}) as found:
            assert (found.trace_id == TRACE) is same


def test_huey(collector):
    huey = MemoryHuey(immediate=True)

    @huey.task()
    def work(order_id, headers=None):
        with continue_trace(headers, order_id=order_id):
            log.info("at work")

    with continue_trace(INCOMING):
        work(7, headers=outgoing_headers())
    check(collector)


def test_dramatiq(collector):
    broker = StubBroker(middleware=[CurrentMessage()])

    @dramatiq.actor(broker=broker)
    def work(order_id):
        message = CurrentMessage.get_current_message()
        assert message is not None
        with continue_trace(message.options.get("headers"), order_id=order_id):
            log.info("at work")

    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=20)
    worker.start()
    try:
        with continue_trace(INCOMING):
            work.send_with_options(args=(7,), headers=outgoing_headers())
        broker.join(work.queue_name, timeout=300_000)
        worker.join()
    finally:
        worker.stop()
    check(collector)


def test_taskiq(collector):
    broker = taskiq.InMemoryBroker(await_inplace=True)

    @broker.task
    async def work(order_id: int, context: taskiq.Context = taskiq.TaskiqDepends()) -> None:
        with continue_trace(context.message.labels, order_id=order_id):
            log.info("at work")

    async def main():
        await broker.startup()
        with continue_trace(INCOMING):
            await work.kicker().with_labels(**outgoing_headers()).kiq(7)
        await broker.shutdown()

    asyncio.run(main())
    check(collector)


def test_apscheduler(collector):
    removed = threading.Event()

    def work():
        with continue_trace({}, job="nightly"):
            log.info("at work")

    scheduler = BackgroundScheduler()
    # A scheduler that is stopped while it still removes a job fails in its own thread.
    scheduler.add_listener(lambda _event: removed.set(), EVENT_JOB_REMOVED)
    scheduler.add_job(work)
    scheduler.start()
    try:
        assert removed.wait(30)
    finally:
        scheduler.shutdown()  # waits for the work
    (line,) = collector.named("at work")
    assert len(line.fields["trace.id"]) == 32
    assert line.fields["job"] == "nightly"


def test_concurrent_futures(collector):
    def work(order_id):
        assert order_id == 7
        log.info("at work")

    with ThreadPoolExecutor(1) as pool, continue_trace(INCOMING, order_id=7):
        pool.submit(carried(work), 7).result()
    check(collector)


def in_a_process(headers, answers):
    with continue_trace(headers):
        answers.send(trace_id())


@pytest.mark.slow
def test_multiprocessing():
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with continue_trace(INCOMING):
        process = context.Process(target=in_a_process, args=(outgoing_headers(), theirs))
        process.start()
    assert ours.recv() == TRACE
    process.join()
    ours.close()
    theirs.close()
