"""The other handlers of a logger's chain get the events of `get_logger()` too."""

import asyncio
import io
import json
import logging
import subprocess
import sys
import threading
import unittest
from logging.handlers import QueueHandler, QueueListener
from queue import SimpleQueue

import greenlet
import pytest
import structlog
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

import flowery_logging
from tests.strategies import Raising


class Keeping(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)


@pytest.fixture
def other(logged):
    """A handler beside ours."""
    handler = Keeping()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def test_a_record_like_that_of_logging(logged, other):
    log, stdlib = flowery_logging.get_logger("stock.orders"), logging.getLogger("stock.orders")
    error = ValueError("x")
    log.error("hello %s", "world", a=1, b={"c": 2}, exc_info=error)
    stdlib.error("hello %s", "world", extra={"a": 1, "b": {"c": 2}}, exc_info=error)
    ours, theirs = (vars(record).copy() for record in other.records)
    for attributes in (ours, theirs):
        for name in ("created", "lineno", "msecs", "relativeCreated"):
            del attributes[name]
    assert ours == theirs
    assert [e["message"] for e in logged.events()] == ["hello world", "hello world"]


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_every_level(logged, other, level):
    getattr(flowery_logging.get_logger("shop"), level)("x")
    (record,) = other.records
    assert (record.levelname, record.getMessage()) == (level.upper(), "x")


def test_without_a_name_the_logger_is_the_calling_module_s(logged, other):
    flowery_logging.get_logger().info("x")
    structlog.get_logger().bind(a=1).info("y")
    assert [record.name for record in other.records] == [__name__, __name__]


def test_fields_named_as_a_record_s_own(logged, other):
    flowery_logging.get_logger("shop").info("x", message="m", name="n", args="a", msg="t")
    (record,) = other.records
    assert (record.message_, record.name_, record.args_, record.msg_) == ("m", "n", "a", "t")
    assert record.getMessage() == "x"


@pytest.mark.parametrize(
    ("message", "args", "expected"),
    [
        ("%d", ("x",), "%d"),
        ("100%", (), "100%"),
        (7, (), "7"),
        (Raising(), (), "<unprintable Raising>"),
        ("%s", (Raising(),), "%s"),
        ("%(a)s", ({"a": 1},), "1"),
        (Raising(), ({"a": 1},), "<unprintable Raising>"),
    ],
)
def test_any_text(logged, other, message, args, expected):
    flowery_logging.get_logger("shop").info(message, *args)
    (record,) = other.records
    assert record.getMessage() == expected
    assert logged.event()["message"] == expected


def test_an_async_call_is_that_of_its_caller(logged, other):
    async def caller():
        await flowery_logging.get_logger("shop").aerror("x")

    asyncio.run(caller())
    (record,) = other.records
    assert (record.funcName, record.thread) == ("caller", threading.get_ident())


def test_no_logger_is_made_for_a_name(logged, other):
    before = set(logging.Logger.manager.loggerDict)
    flowery_logging.get_logger("shop.a.name.nobody.has").info("x")
    flowery_logging.get_logger(7).info("x")  # type: ignore[arg-type]
    assert set(logging.Logger.manager.loggerDict) == before
    assert [record.name for record in other.records] == ["shop.a.name.nobody.has", "7"]


@pytest.mark.parametrize("child_first", [False, True])
def test_a_handler_of_a_logger_that_is_made_later(logged, child_first):
    top = f"later{child_first}"
    log, handler = flowery_logging.get_logger(f"{top}.a.b"), Keeping()
    if child_first:
        logging.getLogger(f"{top}.a.c")  # there is a placeholder for the one above
    log.info("before")
    logging.getLogger(f"{top}.a").addHandler(handler)
    log.info("x")
    assert [record.getMessage() for record in handler.records] == ["x"]


def test_levels_and_filters_of_logging_act_on_the_others_alone(logged, other):
    log, stdlib = flowery_logging.get_logger("shop.silent"), logging.getLogger("shop.silent")
    stdlib.setLevel("ERROR")
    log.warning("below")
    stdlib.setLevel("NOTSET")
    stdlib.addFilter(lambda record: False)
    try:
        log.warning("filtered")
    finally:
        stdlib.filters.clear()
    stdlib.disabled = True
    log.warning("disabled")
    stdlib.disabled = False
    assert other.records == []
    assert len(logged.events()) == 3


def test_what_only_the_flight_recorder_keeps_is_not_handed_out(logged, other):
    logged.setup(level="INFO", flight_recorder="DEBUG")
    with flowery_logging.continue_trace(None):
        flowery_logging.get_logger("shop").debug("x")
    assert other.records == []


def test_events_that_go_through_processors(logged, other):
    def upper(_, __, event_dict):
        return {**event_dict, "event": event_dict["event"].upper()}

    structlog.configure(processors=[upper, structlog.processors.JSONRenderer()])
    flowery_logging.get_logger("shop").info("x", a=1)
    (record,) = other.records
    assert (record.getMessage(), record.a) == ("X", 1)
    assert logged.event()["message"] == "X"


def test_a_handler_that_raises_or_logs_is_no_harm(logged, counted):
    class Harmful(logging.Handler):
        def emit(self, record):
            flowery_logging.get_logger("shop.handler").info("inside")
            raise RuntimeError

    handler = Harmful()
    logging.getLogger().addHandler(handler)
    try:
        flowery_logging.get_logger("shop").info("x")
    finally:
        logging.getLogger().removeHandler(handler)
    assert [event["message"] for event in logged.events()] == ["x", "inside"]
    assert counted("handler_errors") == 1


def test_our_handler_behind_a_queue_writes_it_once(logged):
    queue: SimpleQueue[logging.LogRecord] = SimpleQueue()
    (ours,) = (h for h in logging.getLogger().handlers if type(h).__module__.startswith("flowery"))
    listener = QueueListener(queue, ours)
    listener.start()
    handler = QueueHandler(queue)
    logging.getLogger("shop").addHandler(handler)
    try:
        flowery_logging.get_logger("shop").info("x")
    finally:
        listener.stop()
        logging.getLogger("shop").removeHandler(handler)
    assert logged.event()["message"] == "x"


def test_assert_logs(logged):
    case = unittest.TestCase()
    with case.assertLogs("shop.orders", "WARNING") as seen:
        flowery_logging.get_logger("shop.orders").info("no")
        flowery_logging.get_logger("shop.orders").warning("yes")
    assert seen.output == ["WARNING:shop.orders:yes"]


def test_a_stream_handler(logged):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(funcName)s %(message)s"))
    logging.getLogger("shop").addHandler(handler)
    try:
        flowery_logging.get_logger("shop.orders").info("x")
    finally:
        logging.getLogger("shop").removeHandler(handler)
    assert stream.getvalue() == "shop.orders test_a_stream_handler x\n"


SENTRY = """
import json, logging, sys
import flowery_logging, sentry_sdk
from sentry_sdk.transport import Transport

class Envelopes(Transport):
    def capture_envelope(self, envelope):
        event = envelope.get_event()
        if event:
            print(json.dumps({name: event.get(name) for name in NAMES}, default=str))

NAMES = ("level", "logger", "logentry", "exception", "extra")
set_up = lambda: flowery_logging.setup(
    "shop", directory=sys.argv[1], output="file", flight_recorder="DEBUG"
)
start = lambda: sentry_sdk.init("https://k@localhost/1", transport=Envelopes)
for step in [start, set_up] if sys.argv[2] == "sentry first" else [set_up, start]:
    step()
for make in (lambda: None, lambda: ValueError("x")):  # Sentry leaves out an error it has seen
    with sentry_sdk.new_scope():
        flowery_logging.get_logger("shop").error("order %s failed", 7, a=1, exc_info=make())
    with sentry_sdk.new_scope():
        logging.getLogger("shop").error("order %s failed", 7, extra={"a": 1}, exc_info=make())
"""


@pytest.mark.slow
@pytest.mark.parametrize("order", ["sentry first", "setup first"])
def test_sentry_makes_the_same_issues_as_of_logging(tmp_path, order):
    command = [sys.executable, "-c", SENTRY, str(tmp_path), order]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    first, second, third, fourth = map(json.loads, done.stdout.splitlines())
    assert first["logentry"] == {
        "message": "order %s failed",
        "formatted": "order 7 failed",
        "params": [7],
    }
    assert first == second
    assert third["exception"]["values"][0]["type"] == "ValueError"
    assert third == fourth


def test_opentelemetry_gets_the_same_as_of_logging(logged):
    exporter = InMemoryLogRecordExporter()
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    with pytest.warns(DeprecationWarning, match="LoggingHandler"):
        handler = LoggingHandler(logger_provider=provider)
    logging.getLogger("stock").addHandler(handler)
    try:
        for call in (
            lambda: flowery_logging.get_logger("stock").error("x", a=1),
            lambda: logging.getLogger("stock").error("x", extra={"a": 1}),
        ):
            call()
    finally:
        logging.getLogger("stock").removeHandler(handler)
    first, second = (data.log_record for data in exporter.get_finished_logs())
    assert (first.body, first.severity_text) == (second.body, second.severity_text)
    unlike = {"code.line.number", "code.lineno"}
    assert {n: v for n, v in (first.attributes or {}).items() if n not in unlike} == {
        n: v for n, v in (second.attributes or {}).items() if n not in unlike
    }


def test_a_handler_that_waits_in_one_greenlet_gets_the_events_of_the_others(logged):
    seen = []

    class Waiting(logging.Handler):
        def emit(self, record):
            seen.append(record.getMessage())
            greenlet.getcurrent().parent.switch()

    waiting = Waiting()
    logging.getLogger().addHandler(waiting)
    log = flowery_logging.get_logger("shop")
    greenlets = [greenlet.greenlet(log.warning) for _ in range(2)]
    for one, message in zip(greenlets, ["first", "second"], strict=True):
        one.switch(message)
    for one in greenlets:
        one.switch()
    logging.getLogger().removeHandler(waiting)
    assert seen == [event["message"] for event in logged.events()] == ["first", "second"]
