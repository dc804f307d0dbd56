"""The short way of stdlib's loggers: taken where nobody would see a record, and only there."""

import logging
import re
import subprocess
import sys
import unittest
from typing import Any

import pytest

import flowery_logging

log = logging.getLogger("shop.direct")


@pytest.fixture(autouse=True)
def records(logged, monkeypatch):
    """How many records have been made."""
    made = []
    original = logging.LogRecord.__init__

    def init(self, *args, **kwargs):
        made.append(self)
        original(self, *args, **kwargs)

    monkeypatch.setattr(logging.LogRecord, "__init__", init)
    return made


def test_no_record_is_made_for_nobody(logged, records):
    log.info("order %s placed", "A-1", extra={"order_id": 7, "user.id": "u"})
    log.warning(["not", "a", "text"], extra={"message": "x", "name": "y"})
    logging.info("of the root logger")
    assert records == []
    first, second, third = logged.events()
    assert first["message"] == "order A-1 placed"
    assert first["user"] == {"id": "u"}
    assert second["labels"] == {"message": "x", "name": "y"}
    assert third["log"]["logger"] == "root"


class Seen(logging.Handler):
    def __init__(self, level=logging.NOTSET):
        super().__init__(level)
        self.records = []

    def emit(self, record):
        self.records.append(record.getMessage())


@pytest.mark.parametrize("name", ["shop.direct", "shop", None])
def test_a_handler_anywhere_gets_records(logged, name):
    log.info("before")
    seen, logger = Seen(), logging.getLogger(name)
    logger.addHandler(seen)
    try:
        log.info("order %s placed", "A-1")
    finally:
        logger.removeHandler(seen)
    log.info("after")
    assert seen.records == ["order A-1 placed"]
    assert [e["message"] for e in logged.events()] == ["before", "order A-1 placed", "after"]


@pytest.mark.parametrize("of", ["logger", "handler"])
def test_filters_see_records_and_decide(logged, of):
    (ours,) = logging.getLogger().handlers
    place = log if of == "logger" else ours

    def no_secrets(record):
        record.checked = "yes"
        return "secret" not in record.getMessage()

    place.addFilter(no_secrets)
    try:
        log.info("a secret")
        log.info("an order")
    finally:
        place.removeFilter(no_secrets)
    assert logged.event()["labels"] == {"checked": "yes"}


def test_too_many_fields_are_those_that_a_record_has_too_many(logged):
    """Which of them stand apart is decided by their order, as it is on a record."""
    further = {f"field_{number:03}": number for number in range(130)}
    extra: Any = {"message": "m", 7: "seven", "name": "n", **further}
    log.info("x", extra=extra)
    log.addFilter(seen := logging.Filter())
    try:
        log.info("x", extra=extra)
    finally:
        log.removeFilter(seen)
    direct, by_record = logged.events()
    names = "labels", "numeric_labels"
    assert [direct[name] for name in names] == [by_record[name] for name in names]


def test_a_thread_that_records_do_not_have_is_not_written(logged, monkeypatch):
    log.info("x")
    monkeypatch.setattr(logging, "logThreads", False)
    log.info("x")
    with_thread, without = logged.events()
    assert with_thread["process"]["thread"]["name"] == "MainThread"
    assert "id" not in without["process"].get("thread", {})


def test_no_record_is_made_for_a_logger_whose_level_is_lower_than_that_of_others(logged, records):
    logged.setup(level="INFO")
    log.setLevel(logging.DEBUG)
    try:
        log.debug("x")
    finally:
        log.setLevel(logging.NOTSET)
    assert records == []
    assert logged.event()["message"] == "x"


def test_the_parameters_of_the_method_may_be_given_by_keyword(logged, counted):
    method: Any = log._log
    method(level=logging.INFO, msg="order %s placed", args=("A-1",))
    assert counted("keyword_fields") == 0
    method(logging.INFO, "x", (), level="high", msg="m", args=3)
    first, second = logged.events()
    assert first["message"] == "order A-1 placed"
    assert second["message"] == "x"
    assert second["labels"] == {"level": "high", "msg": "m"}
    assert second["numeric_labels"] == {"args": 3}


def test_a_level_of_our_handler_holds(logged):
    (ours,) = logging.getLogger().handlers
    ours.setLevel(logging.ERROR)
    try:
        log.info("x")
        log.error("y")
    finally:
        ours.setLevel(logging.NOTSET)
    assert logged.event()["message"] == "y"


def test_a_record_factory_is_asked(logged):
    class Marked(logging.LogRecord):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.marked = "yes"

    logging.setLogRecordFactory(Marked)
    try:
        log.info("x")
    finally:
        logging.setLogRecordFactory(logging.LogRecord)
    assert logged.event()["labels"] == {"marked": "yes"}


@pytest.mark.parametrize("name", ["handle", "callHandlers", "filter", "makeRecord", "findCaller"])
@pytest.mark.parametrize("place", ["class", "instance"])
def test_what_wraps_a_method_is_called(logged, monkeypatch, name, place):
    calls = []
    theirs = getattr(logging.Logger, name)

    def wrapper(self, *args, **kwargs):
        calls.append(name)
        return theirs(self, *args, **kwargs)

    if place == "class":
        monkeypatch.setattr(logging.Logger, name, wrapper)
    else:
        monkeypatch.setattr(log, name, wrapper.__get__(log), raising=False)
    log.info("x")
    assert calls == [name]
    assert logged.event()["message"] == "x"


def test_another_text_of_records_is_taken(logged, monkeypatch):
    monkeypatch.setattr(
        logging.LogRecord, "getMessage", lambda record: record.msg.format(*record.args)
    )
    log.info("order {} placed", "A-1")  # noqa: PLE1205
    assert logged.event()["message"] == "order A-1 placed"
    monkeypatch.setattr(logging.LogRecord, "getMessage", lambda record: record.msg.upper())


@pytest.mark.parametrize("args", [(), ("A-1",)])
@pytest.mark.parametrize("extra", [None, {"a": "1"}])
def test_another_text_of_records_is_taken_whatever_a_call_gives(logged, monkeypatch, args, extra):
    text = logging.LogRecord.getMessage
    monkeypatch.setattr(logging.LogRecord, "getMessage", lambda record: text(record).upper())
    log.info("order %s placed" if args else "order placed", *args, extra=extra)
    assert logged.event()["message"] == " ".join(["ORDER", *args, "PLACED"])


EARLIER = """
import logging
theirs = logging.{name}
def wrapper(self, *args, **kwargs):
    calls.append(args)
    return theirs(self, *args, **kwargs)
calls = []
logging.{name} = wrapper
import flowery_logging
flowery_logging.setup("svc", directory={directory!r}, output="file")
logging.getLogger("x").info("order %s placed", "A-1")
assert len(calls) == 1, calls
logging.getLogger("x").info("no arguments")
assert len(calls) == 2, calls
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["LogRecord.getMessage", "Logger._log", "Logger.makeRecord", "Logger.callHandlers"]
)
def test_what_was_replaced_before_we_came_is_called(tmp_path, name):
    program = EARLIER.format(name=name, directory=str(tmp_path))
    subprocess.run([sys.executable, "-c", program], check=True)
    (path,) = tmp_path.glob("*.ndjson")
    assert path.read_text().count('"message":"order A-1 placed"') == 1


def logger_of_class(kind, name):
    logging.setLoggerClass(kind)
    try:
        return logging.getLogger(name)
    finally:
        logging.setLoggerClass(logging.Logger)


def test_logger_classes_of_somebodys_own_are_left_alone(logged, records):
    class Loud(logging.Logger):
        def makeRecord(self, *args, **kwargs):
            record = super().makeRecord(*args, **kwargs)
            record.msg = record.msg.upper()
            return record

    logger = logger_of_class(Loud, "shop.loud")
    logger.info("x")
    assert logged.event()["message"] == "X"
    assert logged.event()["log"]["origin"]["function"].startswith("test_logger_classes")


def finds_caller_by_counting(stack_info=False, stacklevel=1):
    """As the logger of Twisted's `STDLibLogObserver`: below are `findCaller`, `_log`, `info`."""
    code, line = sys._getframe(3).f_code, sys._getframe(3).f_lineno
    return code.co_filename, line, code.co_name, None


@pytest.mark.parametrize("place", ["class", "instance"])
def test_who_finds_the_caller_by_counting_frames_finds_it(logged, place):
    class Counting(logging.Logger):
        findCaller = staticmethod(finds_caller_by_counting)

    kind = Counting if place == "class" else logging.Logger
    logger = logger_of_class(kind, f"shop.counting.{place}")
    if place == "instance":
        logger.findCaller = finds_caller_by_counting
    logger.info("x")
    logger.warning("x", stacklevel=2)
    logger.error("x", exc_info=ValueError("sold out"))
    try:
        raise KeyError("no such order")
    except KeyError:
        logger.error("x", exc_info=True)
    events = logged.events()
    name = "test_who_finds_the_caller_by_counting_frames_finds_it"
    assert [event["log"]["origin"]["function"] for event in events] == [name] * 4
    assert [event["error"]["type"] for event in events[2:]] == ["ValueError", "KeyError"]


def test_who_counts_more_frames_than_there_are_does_not_raise(logged):
    logger: Any = logging.getLogger("shop.counting.far")
    logger.findCaller = lambda *_: sys._getframe(10_000)
    logger.info("x")
    assert logged.event()["log"]["origin"]["function"] == "(unknown function)"


def test_loggers_that_do_not_propagate(logged, records):
    logger = logging.getLogger("shop.island")
    logger.propagate = False
    try:
        logger.info("a record shows that nobody would get it")
        assert len(records) == 1
        logger.info("x")
        assert len(records) == 1
    finally:
        logger.propagate = True
        logger.handlers.clear()
    assert [e["message"] for e in logged.events()][1:] == ["x"]


def test_disabled_loggers_are_silent(logged):
    log.disabled = True
    log.info("x")
    log.disabled = False
    logging.disable(logging.INFO)
    log.info("y")
    logging.disable(logging.NOTSET)
    log._log(logging.INFO, "z", ())
    assert logged.event()["message"] == "z"


def test_assert_logs_sees_records_and_takes_them(logged):
    case = unittest.TestCase()
    with case.assertLogs("shop.direct") as caught:
        log.info("order %s placed", "A-1")
    assert caught.output == ["INFO:shop.direct:order A-1 placed"]
    assert logged.events() == []


def notice(logger, message):
    logger._log(25, message, ())


def through_a_helper(level):
    log.info("x", stacklevel=level)


def test_where_calls_stand(logged):
    adapter = logging.LoggerAdapter(log, {"a": "b"})
    adapter.info("adapter")
    notice(log, "a method of somebody's own")
    log.log(logging.INFO, "by number")
    logging.getLogger().warning("root")
    logging.warning("module")
    for level in (1, 2, 3):
        through_a_helper(level)
    here = "test_where_calls_stand"
    found = [e["log"]["origin"]["function"] for e in logged.events()]
    levels = ["through_a_helper", here, "pytest_pyfunc_call"]
    assert found == [here, "notice", here, here, here, *levels]


def test_a_call_that_asks_for_its_stack_gets_it(logged):
    log.info("x", stack_info=True)
    stack = logged.event()["error"]["stack_trace"].splitlines()
    assert "test_a_call_that_asks_for_its_stack_gets_it" in stack[-2]
    assert stack[-1].strip() == 'log.info("x", stack_info=True)'


STDLIB_ALONE = """
import logging, sys
log = logging.getLogger("x")
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(logging.Formatter("%(funcName)s"))
if {wrapped}:
    import flowery_logging
    flowery_logging.setup("svc", directory={directory!r}, output="file")
logging.getLogger().addHandler(handler)
def inner(level): log.warning("x", stacklevel=level)
def outer(level): inner(level)
for level in range(1, 6): outer(level)
"""


@pytest.mark.slow
def test_stack_levels_mean_what_they_mean_without_us(tmp_path):
    found = []
    for wrapped in (False, True):
        program = STDLIB_ALONE.format(wrapped=wrapped, directory=str(tmp_path))
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        found.append(done.stdout.split())
    assert found[0] == found[1]
    assert len(found[0]) == 5


def test_an_argument_that_raises_is_formatted_by_stdlibs_way(logged):
    class Broken:
        def __str__(self):
            raise RuntimeError("no text")

    log.info("order %s of %s", Broken(), "A-1")
    event = logged.event()
    assert event["message"] == "order %s of %s"
    assert event["labels"]["message_args"][1:] == ["A-1"]


def test_processors_see_events_without_records(logged, records):
    logged.setup(processors=[lambda event: {**event, "seen": event["message"]}])
    log.info("order %s placed", "A-1", extra={"order_id": 7})
    event = logged.event()
    assert event["labels"] == {"seen": "order A-1 placed"}
    assert event["numeric_labels"] == {"order_id": 7}
    assert records == []


def test_a_new_name_of_a_level_is_taken(logged):
    def send():
        log.info("x")

    send()
    logging.addLevelName(logging.INFO, "NOTE")
    try:
        send()
    finally:
        logging.addLevelName(logging.INFO, "INFO")
    assert [event["log.level"] for event in logged.events()] == ["info", "note"]


def test_shutdown_puts_everything_back(logged):
    ours = logging.Logger._log
    flowery_logging.shutdown()
    assert logging.Logger._log is not ours
    assert re.search(r"logging.__init__\.py$", logging.Logger._log.__code__.co_filename)
    logged.setup()


def test_whoever_has_replaced_the_method_keeps_it(logged, monkeypatch):
    flowery_logging.shutdown()
    theirs, calls = logging.Logger._log, []

    def wrapper(self, *args, **kwargs):
        calls.append(args)
        theirs(self, *args, **kwargs)

    monkeypatch.setattr(logging.Logger, "_log", wrapper)
    logged.setup()
    log.info("x")
    assert len(calls) == 1
    assert logged.event()["message"] == "x"


def test_a_wrapper_gets_what_the_caller_has_given_and_nothing_else(logged, monkeypatch):
    """Such a wrapper may know but the parameters that are used where it comes from."""
    flowery_logging.shutdown()
    theirs, calls = logging.Logger._log, []

    def wrapper(self, level, msg, args, **options):
        calls.append(options)
        theirs(self, level, msg, args, **options)

    monkeypatch.setattr(logging.Logger, "_log", wrapper)
    logged.setup()
    log.info("x")
    log.info("y", extra={"order_id": 7}, exc_info=False)
    log.info("z", stack_info=True, order_id=7)  # type: ignore[call-arg]
    assert calls == [
        {},
        {"extra": {"order_id": 7}, "exc_info": False},
        {"stack_info": True, "extra": {"order_id": 7}},
    ]
    assert [event["message"] for event in logged.events()] == ["x", "y", "z"]


def test_a_class_that_goes_through_the_handlers_by_itself(logged, counted):
    class Own(logging.Logger):
        def callHandlers(self, record):
            here: logging.Logger | None = self
            while here:
                for handler in here.handlers:
                    handler.handle(record)
                here = here.parent if here.propagate else None

    logger = logger_of_class(Own, "shop.own_way")
    logger.info("before")
    logging.getLogger().handlers.clear()
    logger.info("after clear()")
    logger.propagate = False
    try:
        logger.info("apart")
    finally:
        logger.propagate = True
        logger.handlers.clear()
    messages = [event["message"] for event in logged.events()]
    assert messages == ["before", "after clear()", "apart"]
    assert counted("undone") == 2
