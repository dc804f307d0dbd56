"""Records behind a queue or a buffer: their context goes with them, and no event comes twice."""

import json
import logging
import logging.handlers
import multiprocessing
import pickle
import queue
import socketserver
import struct
import threading

import pytest

import flowery_logging
from flowery_logging import ECSFormatter, bound

log = logging.getLogger("shop.waiting")


class Formatted(logging.Handler):
    """What an `ECSFormatter` makes of each record."""

    def __init__(self):
        super().__init__()
        self.setFormatter(ECSFormatter())
        self.documents = []

    def emit(self, record):
        self.documents.append(json.loads(self.format(record)))


@pytest.fixture
def on_log():
    """Put handlers on the logger, for one test."""
    added = []

    def add(handler):
        log.addHandler(handler)
        added.append(handler)
        return handler

    yield add
    for handler in added:
        log.removeHandler(handler)
        handler.close()


class Order:
    def __repr__(self):
        return "order 7"


CONTEXT = {"order_id": 7, "user.id": "u-1", "of": Order(), "lock": threading.Lock()}


def check(document):
    assert document["numeric_labels"]["order_id"] == 7
    assert document["user"] == {"id": "u-1"}
    assert document["labels"]["of"] == "order 7"


def test_through_a_queue_and_its_listener(logged, on_log):
    waiting: queue.Queue[logging.LogRecord] = queue.Queue()
    on_log(logging.handlers.QueueHandler(waiting))
    behind = Formatted()
    listener = logging.handlers.QueueListener(waiting, behind, *logging.getLogger().handlers)
    with bound(**CONTEXT):
        log.info("x")
    with bound(order_id=8):
        listener.start()
        listener.stop()
    (document,) = behind.documents
    check(document)
    check(logged.event())  # and not a second one of the listener


def test_through_a_buffer_that_another_request_empties(logged, on_log):
    behind = Formatted()
    buffer = logging.handlers.MemoryHandler(100, target=behind)
    on_log(buffer)
    with bound(**CONTEXT):
        log.info("x")
    with bound(order_id=8):
        buffer.flush()
    (document,) = behind.documents
    check(document)


def test_what_is_queued_can_be_pickled_wherever_it_goes(logged, on_log):
    waiting: queue.Queue[logging.LogRecord] = queue.Queue()
    on_log(logging.handlers.QueueHandler(waiting))
    with bound(**CONTEXT):
        log.info("x")
    data = pickle.dumps(waiting.get())
    assert b"flowery_logging" not in data
    record = pickle.loads(data)
    check(json.loads(ECSFormatter().format(record)))


def child(directory, waiting):
    flowery_logging.setup("child", directory=directory, output="file")
    log.addHandler(logging.handlers.QueueHandler(waiting))
    log.setLevel(logging.INFO)
    with bound(order_id=7):
        log.info("from %s", "a child")


@pytest.mark.slow
def test_from_another_process(logged, tmp_path):
    context = multiprocessing.get_context("spawn")
    waiting = context.Queue()
    process = context.Process(target=child, args=(str(tmp_path), waiting))
    process.start()
    process.join(300)
    assert process.exitcode == 0
    record = waiting.get(timeout=300)
    document = json.loads(ECSFormatter().format(record))
    assert document["message"] == "from a child"
    assert document["numeric_labels"] == {"order_id": 7}


class Receiver(socketserver.StreamRequestHandler):
    """The server of the logging cookbook: it handles what it gets as its own."""

    def handle(self):
        while len(head := self.rfile.read(4)) == 4:
            (length,) = struct.unpack(">L", head)
            record = logging.makeLogRecord(pickle.loads(self.rfile.read(length)))
            logging.getLogger(record.name).handle(record)


def test_over_a_socket_to_a_process_that_writes_for_all(logged, on_log):
    with socketserver.TCPServer(("127.0.0.1", 0), Receiver) as server:
        handler = on_log(logging.handlers.SocketHandler(*server.server_address))
        with bound(**CONTEXT):
            log.info("sent %d", 1)
        log.removeHandler(handler)  # else it would send again what has come
        formatted = on_log(Formatted())
        handler.close()
        server.handle_request()
    (event,) = logged.events()
    (document,) = formatted.documents
    assert event["message"] == document["message"] == "sent 1"
    check(event)
    check(document)


def test_a_record_that_has_not_been_written_is_written_with_its_context(logged):
    """One of a process or a logger in whose way our handler is not."""
    waiting: queue.Queue[logging.LogRecord] = queue.Queue()
    handler = logging.handlers.QueueHandler(waiting)
    with bound(**CONTEXT):
        handler.handle(log.makeRecord("elsewhere", 20, "a.py", 1, "x", (), None))
    log.handle(waiting.get())
    check(logged.event())


def test_other_handlers_see_the_record_as_it_is(logged, on_log):
    seen = []
    on_log(logging.handlers.QueueHandler(queue.Queue()))
    watching = on_log(logging.NullHandler())
    watching.handle = lambda record: seen.append(dict(vars(record)))
    with bound(**CONTEXT):
        log.info("x")
    assert not [name for name in seen[0] if "flowery" in name]


def test_shutdown_takes_it_back(logged):
    emit = vars(logging.handlers.QueueHandler)["emit"]
    flowery_logging.shutdown()
    assert vars(logging.handlers.QueueHandler)["emit"] is not emit
    assert emit.__module__ != "logging.handlers"
    assert vars(logging.handlers.QueueHandler)["emit"].__module__ == "logging.handlers"
    logged.setup()


WORKER = """
import logging, logging.handlers, os, pickle, queue
import flowery_logging

flowery_logging.setup("svc", directory="logs", output="file")
log, end = logging.getLogger("worker"), os.pipe()
if not os.fork():
    flowery_logging.setup("svc", output={output!r})
    records = queue.SimpleQueue()
    log.addHandler(logging.handlers.QueueHandler(records))
    with flowery_logging.bound(order_id=7):
        log.info("worked")
        flowery_logging.get_logger("worker").info("worked")
    os.write(end[1], pickle.dumps([records.get(), records.get()]))
    os._exit(0)
os.wait()
for record in pickle.loads(os.read(end[0], 65536)):
    log.handle(record)
"""


@pytest.mark.parametrize("output", ["none", "console"])
def test_what_a_worker_keeps_nowhere_is_written_where_its_queue_ends(programs, tmp_path, output):
    done = programs.run(WORKER.format(output=output), tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line for path in tmp_path.glob("logs/*") for line in path.read_text().splitlines()]
    events = [event for event in map(json.loads, lines) if event["log"]["logger"] == "worker"]
    found = [(event["message"], event["numeric_labels"]) for event in events]
    assert found == [("worked", {"order_id": 7})] * 2
