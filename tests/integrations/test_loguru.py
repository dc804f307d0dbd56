"""loguru's events in our file, with the real loguru."""

import inspect
import io
import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from loguru import logger

import flowery_logging
from flowery_logging import continue_trace
from flowery_logging.integrations import loguru


class InterceptHandler(logging.Handler):
    """The recipe of loguru's documentation."""

    def emit(self, record):
        try:
            level = logger.level(record.levelname).name
        except ValueError:
            level = record.levelno
        frame = inspect.currentframe()  # logging.currentframe() is another one in Python 3.10
        depth = 0
        while frame and (depth == 0 or frame.f_code.co_filename == logging.__file__):
            frame, depth = frame.f_back, depth + 1
        logger.opt(depth=depth, exception=record.exc_info).log(level, record.getMessage())


@pytest.fixture
def instrumented(logged):
    logger.remove()
    loguru.instrument()
    try:
        yield logged
    finally:
        loguru.uninstrument()
        logger.remove()


@pytest.mark.parametrize(
    ("level", "number"),
    [("trace", 5), ("debug", 10), ("info", 20), ("success", 25), ("warning", 30), ("error", 40),
     ("critical", 50)],
)  # fmt: skip
def test_levels_by_name_and_by_number(instrumented, level, number):
    flowery_logging.set_level(number)
    getattr(logger, level)("hello {}", "world")
    event = instrumented.event()
    assert (event["log.level"], event["message"]) == (level, "hello world")
    flowery_logging.set_level(number + 1)
    getattr(logger, level)("below")
    assert len(instrumented.events()) == 1


def test_a_level_of_the_application_s_own(instrumented):
    logger.log(33, "by number")
    logger.level("AUDIT", no=34)
    logger.log("AUDIT", "by name")
    assert [event["log.level"] for event in instrumented.events()] == ["level 33", "audit"]


def test_the_level_of_a_module(instrumented):
    flowery_logging.set_level("ERROR", __name__)
    logger.warning("no")
    assert instrumented.events() == []


def test_where_the_call_stands_and_in_which_thread(instrumented):
    logger.info("x")
    event = instrumented.event()
    line = test_where_the_call_stands_and_in_which_thread.__code__.co_firstlineno + 1
    assert event["log"] == {
        "logger": __name__,
        "origin": {
            "file": {"name": "test_loguru.py", "line": line},
            "function": "test_where_the_call_stands_and_in_which_thread",
        },
    }
    thread = threading.current_thread()
    assert event["process"]["thread"] == {"id": thread.ident, "name": thread.name}


def test_extras_bound_contextualized_and_patched(instrumented):
    with logger.contextualize(a=1):
        patched = logger.bind(b="x", message="m", event="e").patch(lambda r: r["extra"].update(c=3))
        patched.info("{d}", d=4)
    event = instrumented.event()
    assert event["labels"] == {"b": "x", "message": "m", "event": "e"}
    assert event["numeric_labels"] == {"a": 1, "c": 3, "d": 4}


@pytest.mark.parametrize("enqueue", [False, True])
def test_the_trace_and_what_is_bound_are_the_caller_s(instrumented, enqueue):
    other = logger.add(lambda _: None, enqueue=enqueue)
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    with continue_trace({"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}, order_id=7):
        logger.info("x")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(flowery_logging.carried(logger.info), "y").result()
    logger.remove(other)
    for event in instrumented.events():
        assert event["trace"]["id"] == trace_id
        assert event["numeric_labels"] == {"order_id": 7}


def test_exceptions(instrumented):
    try:
        1 / 0
    except ZeroDivisionError as error:
        kept = error
        logger.exception("handled")
    logger.opt(exception=kept).warning("later")
    logger.opt(exception=True).info("none")
    logger.catch(message="caught")(lambda: int("x"))()
    events = {event["message"]: event.get("error", {}) for event in instrumented.events()}
    assert [events[m].get("type") for m in ("handled", "later", "none", "caught")] == [
        "ZeroDivisionError", "ZeroDivisionError", None, "ValueError"
    ]  # fmt: skip
    assert "test_exceptions" in events["handled"]["stack_trace"]


def test_an_exception_that_loguru_cannot_format_is_written_all_the_same(instrumented):
    class Unprintable(Exception):
        def __str__(self):
            raise RuntimeError

    logger.opt(exception=Unprintable()).error("x")
    assert instrumented.event()["message"] == "x"


def test_a_record_that_a_patcher_has_broken_is_counted_and_written(instrumented, counted):
    logger.patch(lambda record: record.update(thread=None)).info("x")  # type: ignore[call-arg]
    assert instrumented.event()["message"] == "x"
    assert counted("broken_records") == 1


def test_twice_is_once_and_uninstrument_undoes_it(instrumented):
    loguru.instrument()
    logger.info("x")
    loguru.uninstrument()
    loguru.uninstrument()
    logger.info("y")
    assert instrumented.event()["message"] == "x"


def test_what_the_application_removes_are_its_own_sinks(instrumented):
    logger.remove()
    logger.configure(handlers=[{"sink": io.StringIO()}])
    logger.remove()
    logger.info("x")
    assert instrumented.event()["message"] == "x"


def test_without_a_set_up_nothing_is_written(instrumented):
    flowery_logging.shutdown()
    logger.info("x")
    assert instrumented.events() == []


def test_stdlib_events_that_go_to_loguru_are_in_the_file_once(instrumented):
    seen = io.StringIO()
    logger.add(seen, format="{message}")
    root, handler = logging.getLogger(), InterceptHandler()
    root.addHandler(handler)
    try:
        logging.getLogger("shop").warning("from logging")
        flowery_logging.get_logger("shop").warning("from get_logger")
        logger.warning("from loguru")
    finally:
        root.removeHandler(handler)
    texts = ["from logging", "from get_logger", "from loguru"]
    assert [event["message"] for event in instrumented.events()] == texts
    assert seen.getvalue().splitlines() == texts


def test_a_sink_that_logs_again_with_logging_is_no_endless_loop(instrumented):
    """The refusal of loguru to be entered by its own sink ends it, with both directions at once."""
    root, handler = logging.getLogger(), InterceptHandler()
    root.addHandler(handler)
    logger.add(lambda message: logging.getLogger("shop").info("again: %s", message), catch=True)
    try:
        logger.info("x")
    finally:
        root.removeHandler(handler)
    assert next(event["message"] for event in instrumented.events()) == "x"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("output", "style"), [("file", " | INFO "), ("file,console", " info    shop once")]
)
def test_loguru_s_own_sink_on_stderr_gives_way_to_the_console_alone(tmp_path, output, style):
    program = f"""
import flowery_logging
from loguru import logger
from flowery_logging.integrations import loguru
flowery_logging.setup("shop", directory={str(tmp_path)!r}, output={output!r})
loguru.instrument()
logger.info("once")
loguru.uninstrument()
logger.info("after")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    once, after = (
        [line for line in done.stderr.splitlines() if word in line] for word in ("once", "after")
    )
    assert len(once) == 1
    assert style in once[0]
    assert len(after) == 1
    assert " | INFO " in after[0]


@pytest.mark.parametrize("way", ["info", "log", "exception"])
def test_the_recipe_finds_the_call_of_get_logger(instrumented, way):
    seen = []
    sink = logger.add(lambda message: seen.append(message.record), format="{message}")
    root, handler = logging.getLogger(), InterceptHandler()
    root.addHandler(handler)
    log = flowery_logging.get_logger("shop")
    try:
        if way == "log":
            log.log(30, "x")
        else:
            getattr(log, way)("x", exc_info=None)
    finally:
        root.removeHandler(handler)
        logger.remove(sink)
    (record,) = seen
    here = test_the_recipe_finds_the_call_of_get_logger.__name__
    assert (record["name"], record["function"]) == (__name__, here)


INTERCEPTING = """
class InterceptHandler(logging.Handler):
    def emit(self, record):
        logger.opt(exception=record.exc_info).log(record.levelname, record.getMessage())
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "before",
    [
        "",
        "logger.remove()",
        "logging.getLogger().addHandler(InterceptHandler())",
        "logger.remove(); logger.add(sys.stderr, level='CRITICAL')",
    ],
)
def test_an_error_stands_on_stderr_once(tmp_path, before):
    """Loguru's default sink shows its events there, and what a handler gives it; we the others."""
    program = f"""
import logging, sys
import flowery_logging
from loguru import logger
from flowery_logging.integrations import loguru
{INTERCEPTING}
flowery_logging.setup("shop", directory={str(tmp_path)!r}, output="file")
loguru.instrument()
{before}
logger.error("by loguru")
logging.getLogger("shop").error("by logging")
flowery_logging.get_logger("shop").error("by get_logger")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    ways = ("by loguru", "by logging", "by get_logger")
    assert [done.stderr.count(way) for way in ways] == [1, 1, 1]
