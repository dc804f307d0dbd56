"""structlog's loggers behave as structlog documents, and give the same document as stdlib's."""

import asyncio
import copy
import json
import logging
import pickle
import subprocess
import sys
import threading

import pytest
import structlog
from structlog.testing import capture_logs

import flowery_logging
from tests.strategies import Raising

early = flowery_logging.get_logger("shop.early")
lazy = structlog.get_logger("shop.lazy")


@pytest.fixture
def log(logged):
    return flowery_logging.get_logger("shop.orders")


def fields(event):
    return event.get("labels", {}) | event.get("numeric_labels", {})


def test_where_the_call_stands(logged, log):
    log.warning("x")
    event = logged.event()
    line = test_where_the_call_stands.__code__.co_firstlineno + 1
    assert event["log.level"] == "warning"
    assert event["log"] == {
        "logger": "shop.orders",
        "origin": {
            "file": {"name": "test_structlog.py", "line": line},
            "function": "test_where_the_call_stands",
        },
    }


def test_without_a_name_the_logger_is_the_calling_module(logged):
    flowery_logging.get_logger().info("x")
    structlog.get_logger().info("y")
    assert [event["log"]["logger"] for event in logged.events()] == [__name__, __name__]


@pytest.mark.parametrize("extra", [
    {}, {"a": 1, "b": "x"}, {"user.id": 7, "tags": ["a"]}, {"host": "x", "password": "y"},
    {"a": {"b": [1, {"c": None}]}, "message": "theirs"},
])  # fmt: skip
def test_the_same_document_from_both_loggers(logged, log, extra):
    error = ValueError("x")
    with flowery_logging.bound(order_id=7):
        log.error("failed", exc_info=error, **extra)
        logging.getLogger("shop.orders").error("failed", exc_info=error, extra=extra)
    first, second = logged.events()
    for event in (first, second):
        del event["@timestamp"]
        del event["log"]["origin"]
        del event["event"]
    assert first == second


@pytest.mark.parametrize(
    ("message", "args", "expected"),
    [
        ("hello %s", ("world",), "hello world"),
        ("%(a)s", ({"a": 1},), "1"),
        ("100%", (), "100%"),
        ("%d", ("x",), "%d"),
        (7, (), "7"),
        ({"a": 1}, (), '{"a":1}'),
        (Raising(), (), "<unprintable Raising>"),
    ],
)
def test_messages(logged, log, message, args, expected):
    log.info(message, *args)
    asyncio.run(log.ainfo(message, *args))
    assert [event["message"] for event in logged.events()] == [expected, expected]


def test_names_that_stdlib_keeps_for_itself_are_labels(logged, log):
    log.info("x", message="m", name="n", args="a", levelname="l", method_name="f")
    assert fields(logged.event()) == {
        "message": "m", "name": "n", "args": "a", "levelname": "l", "method_name": "f"
    }  # fmt: skip


def test_bind_new_unbind(logged, log):
    bound = log.bind(a=1, b=2)
    bound.info("x", c=3)
    bound.unbind("a").info("x")
    bound.try_unbind("a", "unknown").info("x")
    bound.bind(a=5).info("x", a=6)
    log.info("x")
    bound.new(d=4).info("x")
    found = [fields(event) for event in logged.events()]
    assert found == [{"a": 1, "b": 2, "c": 3}, {"b": 2}, {"b": 2}, {"a": 6, "b": 2}, {}, {"d": 4}]
    with pytest.raises(KeyError):
        log.unbind("unknown")


def test_the_bound_values_stay_as_they_are(logged, log):
    values = {"a": [1, {"b": 2}]}
    before = copy.deepcopy(values)
    log.bind(**values).info("x", exc_info=False, stack_info=True)
    assert values == before


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_every_level_sync_and_async(logged, log, level):
    getattr(log, level)("x")
    asyncio.run(getattr(log, f"a{level}")("y"))
    assert [event["log.level"] for event in logged.events()] == [level, level]


def test_aliases_and_numbers(logged, log):
    log.warn("x")
    log.fatal("x")
    log.msg("x")
    log.log(logging.ERROR, "x %s", 1)
    log.log(25, "x")
    asyncio.run(log.alog(25, "x"))
    found = [event["log.level"] for event in logged.events()]
    assert found == ["warning", "critical", "info", "error", "level 25", "level 25"]


def test_below_the_level_nothing_happens_also_for_loggers_made_before(logged, log):
    bound = log.bind(a=1)
    flowery_logging.set_level("ERROR")
    for logger in (log, bound, early):
        logger.info("x")
        logger.log(20, "x")
        asyncio.run(logger.ainfo("x"))
        asyncio.run(logger.alog(20, "x"))
        assert not logger.is_enabled_for(logging.INFO)
        assert logger.get_effective_level() == logging.ERROR
    flowery_logging.set_level("CRITICAL")
    for logger in (log, bound, early):
        with capture_logs() as seen:
            logger.exception("x")
            asyncio.run(logger.aexception("x"))
        assert seen == []
    assert logged.events() == []
    flowery_logging.set_level("DEBUG")
    bound.debug("x")
    assert logged.event()["log.level"] == "debug"


def test_an_async_call_names_its_caller_and_thread(logged, log):
    async def caller():
        await log.ainfo("x")
        await log.bind(a=1).aerror("x")
        try:
            1 / 0
        except ZeroDivisionError:
            await log.aexception("x")
            await log.aerror("x", exc_info=True)

    asyncio.run(caller())
    found = logged.events()
    assert {event["log"]["origin"]["function"] for event in found} == {"caller"}
    assert {event["process"]["thread"]["id"] for event in found} == {threading.get_ident()}
    assert [event.get("error", {}).get("type") for event in found[2:]] == ["ZeroDivisionError"] * 2


def test_exception(logged, log):
    try:
        1 / 0
    except ZeroDivisionError as error:
        log.exception("x")
        log.exception("x", exc_info=error)
        log.exception("x", exc_info=False)
    first, second, third = logged.events()
    assert first["error"]["type"] == second["error"]["type"] == "ZeroDivisionError"
    assert "error" not in third


def test_an_exception_that_a_processor_has_formatted(logged, log):
    log.error("x", exception="Traceback …")
    log.error("x", exception=ValueError("a field"))
    first, second = logged.events()
    assert first["error"] == {"stack_trace": "Traceback …"}
    assert second["labels"] == {"exception": "ValueError: a field"}


def test_capture_logs(logged, log):
    with capture_logs() as captured:
        log.info("hello %s", "world", a=1)
        log.bind(b=2).warning("x")
        structlog.get_logger().error("y")
        asyncio.run(log.ainfo("z"))
    assert captured == [
        {"event": "hello world", "a": 1, "log_level": "info"},
        {"event": "x", "b": 2, "log_level": "warning"},
        {"event": "y", "log_level": "error"},
        {"event": "z", "log_level": "info"},
    ]
    assert logged.events() == []
    log.info("again")
    assert logged.event()["message"] == "again"


def test_a_user_s_processors_come_before_ours(logged):
    def add(_, method_name, event_dict):
        return {**event_dict, "method": method_name}

    configured = structlog.get_config()["processors"]
    structlog.configure(processors=[add, *configured])
    structlog.get_logger("shop.orders").bind(a=1).warning("x", b=2)
    event = logged.event()
    assert fields(event) == {"a": 1, "b": 2, "method": "warning"}
    assert event["log.level"] == "warning"
    assert event["log"]["logger"] == "shop.orders"
    assert event["log"]["origin"]["function"] == "test_a_user_s_processors_come_before_ours"


def test_a_user_s_own_renderer(logged):
    structlog.configure(processors=[structlog.processors.JSONRenderer()])
    structlog.get_logger("shop.orders").error("x", a=1)
    event = logged.event()
    assert (event["message"], fields(event)) == ("x", {"a": 1})
    assert event["log.level"] == "error"
    assert event["log"]["origin"]["function"] == "test_a_user_s_own_renderer"


def test_a_user_s_own_logger(logged, capsys):
    """`wrap_logger` with a logger is the application's own business; a configured factory is ours."""
    structlog.wrap_logger(structlog.PrintLogger()).bind(a=1).info("hello %s", "world")
    assert json.loads(capsys.readouterr().out) == {"a": 1, "event": "hello world"}
    assert logged.events() == []


def test_a_processor_that_drops(logged):
    def drop(*_):
        raise structlog.DropEvent

    structlog.configure(processors=[drop])
    structlog.get_logger().error("x")
    assert logged.events() == []


def test_pickling_and_copying(logged, log):
    for made in (
        pickle.loads(pickle.dumps(log.bind(a=1))),
        copy.deepcopy(log.bind(a=1)),
        pickle.loads(pickle.dumps(structlog.get_logger("shop.orders").bind(a=1))),
    ):
        made.info("x")
    for event in logged.events():
        assert fields(event) == {"a": 1}
        assert event["log"]["logger"] == "shop.orders"


def test_structlog_s_contextvars_stand_on_both_loggers(logged, log):
    structlog.contextvars.bind_contextvars(order_id=7, a=1)
    with flowery_logging.bound(a=2):
        log.info("x")
        logging.getLogger("shop").info("x", extra={"a": 3})
    structlog.contextvars.unbind_contextvars("order_id")
    log.info("x")
    structlog.contextvars.clear_contextvars()
    log.info("x")
    found = [fields(event) for event in logged.events()]
    assert found == [{"order_id": 7, "a": 2}, {"order_id": 7, "a": 3}, {"a": 1}, {}]


def test_loggers_made_before_setup(logged):
    early.info("x", a=1)
    lazy.info("x", a=1)
    found = logged.events()
    assert [event["log"]["logger"] for event in found] == ["shop.early", "shop.lazy"]
    assert [fields(event) for event in found] == [{"a": 1}, {"a": 1}]


@pytest.mark.slow
def test_before_setup_events_go_to_logging():
    code = """
import logging, flowery_logging
logging.basicConfig(format="%(name)s %(levelname)s %(funcName)s %(message)s", level="INFO")
log = flowery_logging.get_logger("shop").bind(message="m")
def call():
    log.debug("no")
    log.info("hello %s", "world", name="n", a=1)
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("failed")
call()
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said, *lines = run.stderr.splitlines()
    assert "setup() was not called" in said
    assert lines[:2] == ["shop INFO call hello world", "shop ERROR call failed"]
    assert lines[-1] == "ZeroDivisionError: division by zero"


@pytest.mark.slow
def test_before_setup_handlers_get_the_message_as_it_was_given():
    """Sentry puts events together by it."""
    code = """
import logging, flowery_logging
class Handler(logging.Handler):
    def emit(self, record):
        print(record.msg, record.args, record.getMessage(), sep="|")
logging.getLogger().addHandler(Handler())
log = flowery_logging.get_logger("shop")
log.error("100 % paid")
log.error("order %s failed", 7)
log.error("order %d failed", "x")
log.error(None)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == [
        "100 % paid|()|100 % paid",
        "order %s failed|(7,)|order 7 failed",
        "order %d failed|()|order %d failed",
        "None|()|None",
    ]


CALLS_BEFORE_SETUP = {
    "a text": "log.error('order %s', Slow())",
    "another template": "log.error(b'order %s', Slow())",
    "awaited": "asyncio.run(log.aerror('order %s', Slow()))",
}


@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS_BEFORE_SETUP)
def test_before_setup_a_time_limit_reaches_the_caller_of_an_event_that_is_logged(call):
    code = f"""
import asyncio, logging, os, signal, sys, flowery_logging
class Limit(Exception): pass
def expire(*_): raise Limit
class Slow:
    def __str__(self):
        if not expired:
            expired.append(True)
            os.kill(os.getpid(), signal.SIGALRM)
        return "slow"
expired = []
signal.signal(signal.SIGALRM, expire)
logging.basicConfig(stream=sys.stdout, format="%(message)s")
log = flowery_logging.get_logger("shop")
try:
    {CALLS_BEFORE_SETUP[call]}
except Limit:
    print("expired")
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    logged, expired = run.stdout.splitlines()
    assert "order slow" in logged
    assert expired == "expired"


def test_after_shutdown_structlog_is_as_it_was(logged):
    flowery_logging.shutdown()
    assert not structlog.is_configured()
