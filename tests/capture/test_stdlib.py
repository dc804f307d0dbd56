"""The standard library's loggers: whatever is passed, one line and no exception."""

import copy
import json
import logging
import logging.config
import logging.handlers
import pickle
import queue
from typing import Any

import pytest

import flowery_logging
from tests.strategies import Raising, RaisingMapping

log: Any = logging.getLogger("shop.orders")

ATTRIBUTES = sorted(vars(logging.makeLogRecord({})))


@pytest.fixture(autouse=True, params=["alone", "beside another handler"])
def _way(request, logged):
    """Both ways of an event: without a record (see direct.py), and with one for others to see."""
    if request.param == "alone":
        yield
    else:
        other = logging.NullHandler()
        logging.getLogger().addHandler(other)
        yield
        logging.getLogger().removeHandler(other)


def test_where_the_call_stands(logged):
    log.warning("x")
    event = logged.event()
    line = test_where_the_call_stands.__code__.co_firstlineno + 1
    assert event["log.level"] == "warning"
    assert event["log"] == {
        "logger": "shop.orders",
        "origin": {
            "file": {"name": "test_stdlib.py", "line": line},
            "function": "test_where_the_call_stands",
        },
    }


def test_stacklevel_names_the_caller(logged):
    def helper():
        log.info("x", stacklevel=2)

    helper()
    assert logged.event()["log"]["origin"]["function"] == "test_stacklevel_names_the_caller"


@pytest.mark.parametrize(("message", "args"), [("one of 7", ()), ("%s of %d", ("one", 7))])
def test_an_agent_that_adds_to_the_text_by_a_method_on_the_record(logged, message, args):
    """As New Relic does, wrapped around `Logger.callHandlers`."""
    loggers: Any = logging.Logger
    theirs = loggers.callHandlers

    def call_handlers(logger, record):
        original = record._nr_original_message = record.getMessage
        record.getMessage = lambda: f"{original()} NR-LINKING|a|"
        theirs(logger, record)

    loggers.callHandlers = call_handlers
    try:
        log.info(message, *args, extra={"a": "1"})
        log.info(message, *args)
    finally:
        loggers.callHandlers = theirs
    first, second = logged.events()
    assert first["message"] == second["message"] == "one of 7 NR-LINKING|a|"
    assert first["labels"] == {"a": "1"}
    assert "labels" not in second


def test_a_field_named_as_the_method_of_a_record(logged):
    log.info("x", extra={"getMessage": 5})
    assert logged.event()["message"] == "x"
    assert logged.event()["numeric_labels"] == {"getMessage": 5}


def test_what_an_agent_puts_on_each_record_is_not_said_again(logged):
    agents = {"elasticapm_trace_id": "t", "elasticapm_labels": {"b": 1}, "otelTraceID": "t"}
    others = {"dd.trace_id": "0", "dd.service": "", "_ray_timestamp_ns": 1_767_225_600_123_456_789}
    log.info("x", extra={**agents, **others, "a": "1"})
    assert logged.event()["labels"] == {"a": "1"}


def test_custom_levels(logged):
    logging.addLevelName(35, "NOTICE")
    try:
        log.log(35, "x")
        log.log(26, "y")
    finally:
        logging.addLevelName(35, "Level 35")
    assert [event["log.level"] for event in logged.events()] == ["notice", "level 26"]


@pytest.mark.parametrize("name", ["ERROR", "AUDIT"])
def test_a_level_that_has_its_name_in_colour(logged, name):
    """As many programs do it for the terminal: `log.level` is a name to search for."""
    number = 40 if name == "ERROR" else 35
    before = logging.getLevelName(number)
    logging.addLevelName(number, f"\x1b[1;31m{name}\x1b[1;0m")
    try:
        log.log(number, "x")
        log.log(number, "its own way", exc_info=ValueError("x"))
        flowery_logging.get_logger("a").log(number, "y")
        formatted = flowery_logging.ECSFormatter().format(
            log.makeRecord("a", number, "f", 1, "z", (), None)
        )
    finally:
        logging.addLevelName(number, before)
    levels = [event["log.level"] for event in [*logged.events(), json.loads(formatted)]]
    assert levels == [name.lower()] * 4


@pytest.mark.parametrize(
    ("message", "args", "expected"),
    [
        ("hello %s", ("world",), "hello world"),
        ("%(a)s", ({"a": 1},), "1"),
        ("%s %s", ("a", ["b"]), "a ['b']"),
        ("100%", (), "100%"),
        (7, (), "7"),
        (None, (), "None"),
        ({"a": 1}, (), '{"a":1}'),
        (["a", 1], (), '["a",1]'),
        (ValueError("x"), (), "x"),
        (Raising(), (), "<unprintable Raising>"),
        ("", (), ""),
    ],
)
def test_messages(logged, message, args, expected):
    log.info(message, *args)
    assert logged.event()["message"] == expected


class Unbound:
    """As a proxy of werkzeug or Django with no object behind it, which only its `repr` tells."""

    __class__ = property(Raising.__str__)  # type: ignore[arg-type]
    __str__ = Raising.__str__

    def __repr__(self):
        return "<Unbound>"


@pytest.mark.parametrize("given", [(Unbound(),), ("%r", Unbound())])
def test_a_message_that_only_its_repr_tells(logged, given):
    log.info(*given)
    assert logged.event()["message"] == "<Unbound>"


@pytest.mark.parametrize(
    ("message", "args", "expected"),
    [
        ("%d", ("x",), ["x"]),
        ("%s %s", ("x",), ["x"]),
        ("no place", ("x", 1), ["x", "1"]),
        ("100%", ("x",), ["x"]),
        ("%s", (Raising(),), '["<unprintable Raising>"]'),
    ],
)
def test_arguments_that_do_not_fit_stand_beside_the_template(logged, message, args, expected):
    log.info(message, *args, extra={"a": 1})
    event = logged.event()
    assert event["message"] == message
    assert event["labels"]["message_args"] in (expected, [str(expected)[2:-2]])
    assert event["numeric_labels"] == {"a": 1}


def test_a_mapping_that_raises_as_the_only_argument(logged):
    log.info("got %s", RaisingMapping())
    assert logged.event()["message"].startswith("got <tests.strategies.RaisingMapping")


@pytest.mark.parametrize("name", [*ATTRIBUTES, "message", "asctime"])
@pytest.mark.parametrize("early", [True, False])
def test_names_at_which_stdlib_raises_are_labels(logged, name, early):
    logger = log if early else logging.getLogger("shop.made_later")
    logger.info("x", extra={name: "theirs", "a": 1})
    event = logged.event()
    assert event["labels"] == {name: "theirs"}
    assert event["numeric_labels"] == {"a": 1}
    assert event["message"] == "x"


@pytest.mark.parametrize("extra", [5, "text", [1, 2], object])
def test_an_extra_that_is_no_mapping(logged, extra):
    log.info("x", extra=extra)
    event = logged.event()
    assert "extra" in event.get("labels", {}) | event.get("numeric_labels", {})


@pytest.mark.parametrize("extra", [{7: "x"}, {None: "x"}, {("a",): "x"}, {"a.b": "x", 5: "y"}])
def test_odd_keys(logged, extra):
    log.info("x", extra=extra)
    assert "x" in logged.event()["labels"].values()


def test_the_caller_s_extra_stays_as_it_is(logged):
    extra = {"message": "m", "a": [1, {"b": 2}], "user": {"id": 7}}
    before = copy.deepcopy(extra)
    log.info("x", extra=extra)
    assert extra == before


def test_after_shutdown_logging_is_as_it_was(logged):
    flowery_logging.shutdown()
    with pytest.raises(KeyError):
        log.error("x", extra={"message": "m"})


def test_a_logger_adapter(logged):
    logging.LoggerAdapter(log, {"order_id": 7}).info("x")
    assert logged.event()["numeric_labels"] == {"order_id": 7}


def test_what_a_filter_adds_is_a_field(logged):
    def add(record):
        record.order_id = 7
        return True

    log.addFilter(add)
    try:
        log.info("x")
    finally:
        log.removeFilter(add)
    assert logged.event()["numeric_labels"] == {"order_id": 7}


def test_what_other_handlers_leave_on_a_record_is_no_field(logged):
    record = log.makeRecord("shop.orders", 20, "a.py", 1, "x %s", (1,), None)
    logging.Formatter("%(asctime)s %(message)s").format(record)
    log.handle(record)
    assert "labels" not in logged.event()


def test_a_record_that_lost_an_attribute_keeps_its_extras(logged):
    record = log.makeRecord("shop.orders", 20, "a.py", 1, "x", (), None, extra={"a": 1})
    record.b, record.c = 2, 3
    del record.relativeCreated, record.msecs
    log.handle(record)
    assert logged.event()["numeric_labels"] == {"a": 1, "b": 2, "c": 3}


def test_a_record_of_another_class(logged):
    class Braces(logging.LogRecord):
        def getMessage(self):
            return str(self.msg).format(*(self.args or ()))

    logging.setLogRecordFactory(Braces)
    try:
        log.info("hello {}", "world", extra={"a": 1})  # noqa: PLE1205
        log.info("{}")
    finally:
        logging.setLogRecordFactory(logging.LogRecord)
    first, second = logged.events()
    assert first["message"] == "hello world"
    assert first["numeric_labels"] == {"a": 1}
    assert second["message"] == "{}"


class Slotted:
    """A record that is no `LogRecord`, and has no dictionary."""

    __slots__ = (*ATTRIBUTES, "message", "asctime", "shop")

    def __init__(self, *args, **named):
        for name, value in vars(logging.LogRecord(*args, **named)).items():
            setattr(self, name, value)
        self.shop = "flowers"

    def getMessage(self: Any):
        return str(self.msg) % self.args if self.args else str(self.msg)


@pytest.fixture
def factory(logged):
    yield logging.setLogRecordFactory
    logging.setLogRecordFactory(logging.LogRecord)


def test_a_record_without_a_dictionary(logged, factory):
    factory(Slotted)
    log.info("%s bought", "꽃", extra={"order_id": 7})
    log.error("failed", exc_info=ValueError("꽃"))
    log.info("%s bought", "꽃")
    bought, failed, again = logged.events()
    assert bought["message"] == again["message"] == "꽃 bought"
    assert bought["numeric_labels"] == {"order_id": 7}
    assert failed["error"]["message"] == "꽃"
    assert failed["labels"]["shop"] == "flowers"
    assert failed["log"]["origin"]["file"]["name"] == "test_stdlib.py"


def test_a_record_factory_that_raises(logged, factory):
    def outside_of_a_request(*_, **__):
        raise RuntimeError("no request")

    factory(outside_of_a_request)
    log.info("%s bought", "꽃", extra={"order_id": 7})
    event = logged.event()
    assert event["message"] == "꽃 bought"
    assert event["numeric_labels"] == {"order_id": 7}
    assert event["labels"]["record_factory_error"] == "RuntimeError: no request"


@pytest.mark.parametrize(
    "attributes",
    [
        {"msg": "x"},
        {"msg": "x", "levelname": None, "name": None},
        {"msg": "x", "name": ["a"], "levelname": {"b": 1}},
        {"msg": "x", "lineno": "seven", "pathname": 5, "thread": "t", "threadName": 5},
        {"msg": "x", "pathname": "a.py", "lineno": "seven", "thread": "t", "threadName": 5},
        {"msg": "x", "pathname": "a.py", "lineno": 7.5},
        {"msg": "x", "args": 5},
        {"msg": "x", "args": Raising()},
        {"msg": "x", "created": "yesterday"},
        {"msg": "x", "created": -5.0},
        {"msg": "x", "created": float("nan")},
        {"msg": "x", "created": 1e12},
        {"msg": "x", "created": 0.5},
        {"msg": "x", "exc_info": "odd", "stack_info": 5, "exc_text": 7},
    ],
)
def test_records_made_by_others(logged, attributes):
    logging.getLogger().handle(logging.makeLogRecord({"levelno": 20, **attributes}))
    event = logged.event()
    assert event["message"] == "x"
    assert event["@timestamp"][:4] >= "2026"
    line = event.get("log", {}).get("origin", {}).get("file", {}).get("line", 0)
    assert type(line) is int
    assert type(event["process"]["thread"].get("id", 0)) is int


def test_the_microseconds_of_a_time_are_six_digits(logged):
    for created in (1.7e9, 1.7e9 + 0.9999998):
        record = log.makeRecord("shop", logging.INFO, "a.py", 7, "x", (), None)
        record.created = created
        log.handle(record)
    assert [event["@timestamp"][-10:] for event in logged.events()] == [
        "20.000000Z",
        "20.999999Z",
    ]


def test_a_broken_record_is_counted(logged, counted):
    logging.getLogger().handle(logging.makeLogRecord({"levelno": 20, "msg": "x", "name": ["a"]}))
    assert counted("broken_records") == 1
    assert logged.event()["labels"]["record_name"] == ["a"]


def test_through_a_queue(logged):
    """Our handler has the event before, with its exception; behind the queue it is none of ours."""
    waiting: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(waiting)
    logger = logging.getLogger("queued")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        logger.error("failed", exc_info=ValueError("lost"), extra={"a": 1})
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
        logger.handlers.clear()
    log.handle(pickle.loads(pickle.dumps(waiting.get())))
    event = logged.event()
    assert event["message"] == "failed"
    assert event["error"]["message"] == "lost"
    assert event["numeric_labels"] == {"a": 1}


def test_what_another_process_has_queued(logged):
    """The queue's handler keeps of an exception the text only, in the message."""
    record = log.makeRecord("queued", 40, "a.py", 1, "failed", (), None, extra={"a": 1})
    record.exc_info = (ValueError, ValueError("lost"), None)
    waiting = logging.handlers.QueueHandler(queue.SimpleQueue()).prepare(record)
    log.handle(pickle.loads(pickle.dumps(waiting)))
    event = logged.event()
    assert "ValueError: lost" in event["message"]
    assert event["numeric_labels"] == {"a": 1}


def test_only_the_text_of_an_exception_is_left(logged):
    log.handle(
        logging.makeLogRecord({"levelno": 40, "msg": "x", "exc_text": "Traceback …\nValueError: y"})
    )
    assert logged.event()["error"] == {"stack_trace": "Traceback …\nValueError: y"}


def test_dict_config_with_another_handler(logged, tmp_path):
    plain = tmp_path / "plain.txt"
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"plain": {"class": "logging.FileHandler", "filename": str(plain)}},
            "loggers": {"shop": {"handlers": ["plain"], "level": "INFO"}},
        }
    )
    logged.setup()
    try:
        log.info("x")
    finally:
        for handler in logging.getLogger("shop").handlers[:]:
            handler.close()
            logging.getLogger("shop").removeHandler(handler)
        logging.getLogger("shop").setLevel(logging.NOTSET)
    assert plain.read_text() == "x\n"
    assert logged.event()["message"] == "x"


@pytest.mark.parametrize(
    "message",
    [
        'x"},"event":{"id":"forged"}}\n{"@timestamp":"2026-01-01T00:00:00Z","message":"forged"}',
        "a\r\nb\x0bc\x0cd\x1ce\x85f\u2028g\u2029h",
        "\x00\x01\x1f\x7f",
        "\ud800 \udfff",
        "\x1b[2J\x1b[31mred",
        "\u202eright to left\u2066",
    ],
)
def test_no_text_forges_or_breaks_a_line(logged, message):
    log.info(message, extra={"a": message, message: "b", "user.name": message})
    assert len(logged.lines()) == 2  # and the file's first record
    event = logged.event()
    assert event["message"] == message.encode("utf-8", "backslashreplace").decode()
    assert event["event"]["dataset"] == "shop"
    assert b"\x1b" not in logged.lines()[-1]


@pytest.mark.parametrize(
    ("keywords", "labels"),
    [
        ({"order_id": "A-1"}, {"order_id": "A-1"}),
        ({"order_id": "A-1", "extra": {"a": "b"}}, {"order_id": "A-1", "a": "b"}),
        ({"order_id": "A-1", "extra": {"order_id": "other"}}, {"order_id": "A-1"}),
        ({"order_id": "A-1", "extra": 5}, {"order_id": "A-1"}),
        ({"level": "high", "args": "b", "name": "c"}, {"level": "high", "args": "b", "name": "c"}),
        ({"message": "m", "exc_info": None, "stack_info": False}, {"message": "m"}),
    ],
)
def test_other_keywords_are_fields(logged, counted, keywords, labels):
    log.info("order %s", "placed", **keywords)
    event = logged.event()
    assert event["message"] == "order placed"
    assert event["labels"] == labels
    assert event["log"]["origin"]["function"] == "test_other_keywords_are_fields"
    assert counted("keyword_fields") == 1


def test_other_keywords_through_every_door(logged, counted):
    def helper():
        log.warning("b", order_id=7, stacklevel=2)

    logging.LoggerAdapter(log, {"adapter": "x"}).info("a", order_id=7)
    helper()
    logging.error("c", order_id=7)  # type: ignore[call-arg]
    log.log(35, "d", order_id=7)
    try:
        raise ValueError("lost")
    except ValueError:
        log.exception("e", order_id=7)
    log._log(level=20, msg="f", args=(), order_id=7)
    events = logged.events()
    assert [event["message"] for event in events] == list("abcdef")
    assert all(event["numeric_labels"]["order_id"] == 7 for event in events)
    assert events[1]["log"]["origin"]["function"] == "test_other_keywords_through_every_door"
    assert events[4]["error"]["message"] == "lost"
    assert counted("keyword_fields") == 6


def test_a_call_with_its_own_parameters_by_name_has_no_fields(logged, counted):
    log._log(level=20, msg="x %s", args=("y",))
    assert logged.event()["message"] == "x y"
    assert counted("keyword_fields") == 0


def test_other_keywords_are_extras_for_others(logged, caplog_like):
    log.info("x", order_id=7)
    for record in caplog_like:
        assert record.order_id == 7


@pytest.fixture
def caplog_like():
    """The records that another handler gets."""
    seen: list[logging.LogRecord] = []
    handler = logging.NullHandler()
    handler.handle = seen.append  # type: ignore[assignment, method-assign]
    log.addHandler(handler)
    yield seen
    log.removeHandler(handler)


@pytest.mark.parametrize("fraction", ["0.9999998", "0.9999995", "0.5", "0.0000009", "0.0"])
def test_a_time_has_six_digits_of_a_second_and_is_never_ahead_of_it(logged, fraction):
    """Digits beyond the microsecond are cut: rounded up, the last of a second would have seven."""
    second = 1_800_000_000
    record = logging.makeLogRecord({"name": "shop", "levelno": 20, "levelname": "INFO", "msg": "e"})
    record.created = second + float(fraction)
    for _ in range(5):  # also by its plan, once there is one
        logging.getLogger("shop").handle(copy.copy(record))
    micros = int((record.created - second) * 1_000_000)
    expected = [f"2027-01-15T08:00:00.{micros:06}Z"] * 5
    assert [event["@timestamp"] for event in logged.events()] == expected


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [
        ("\x1b[31merror\x1b[0m   ", logging.ERROR, "error"),
        ("ERROR   ", logging.ERROR, "error"),
        ("ERR", logging.ERROR, "error"),
        ("\x1b[1;33m⚠\x1b[0m", logging.WARNING, "warning"),
        ("SUCCESS", 25, "success"),  # of somebody who has not told `logging` of it
        ("\x1b[32mSUCCESS\x1b[0m", 25, "success"),
    ],
)
def test_a_level_that_a_handler_before_ours_has_dressed_up(logged, name, number, expected):
    """As formatters with colours do, which write the name back into the record."""

    class Dressing(logging.Handler):
        def emit(self, record):
            record.levelname = name

    logger = logging.getLogger("dressed")
    logger.addHandler(handler := Dressing())
    try:
        logger.log(number, "card refused")
    finally:
        logger.removeHandler(handler)
    assert logged.event()["log.level"] == expected
    line = flowery_logging.ECSFormatter().format(
        logging.makeLogRecord({"msg": "x", "levelname": name, "levelno": number})
    )
    assert json.loads(line)["log.level"] == expected


@pytest.mark.parametrize("codes", [("\x1b[33m", "\x1b[0m"), ("", "")])
def test_the_colours_that_a_formatter_leaves_on_the_record_are_no_labels(logged, codes):
    """Those of traitlets, on each event of Jupyter; what somebody calls a colour is one."""
    log = logging.getLogger("shop.colours")

    class Formatter(logging.Handler):
        def emit(self, record):
            record.color, record.end_color = codes

    handler = Formatter()
    log.addHandler(handler)
    try:
        log.info("left there", extra={"order": "A-1"})
    finally:
        log.removeHandler(handler)
    log.info("a tulip", extra={"color": "red", "end_color": "white"})
    left, tulip = logged.events()
    assert left["labels"] == {"order": "A-1"}
    assert tulip["labels"] == {"color": "red", "end_color": "white"}


def test_who_asks_whether_root_has_a_handler_of_the_users_finds_ours(logged):
    # Prefect takes the root logger's handlers and level only where none has a formatter.
    log.info("of an order")
    formatters = [handler.formatter for handler in logging.getLogger().handlers]
    record = logging.makeLogRecord({"msg": "%d of %d", "args": (1, 2)})
    assert "1 of 2" in [one.format(record) for one in formatters if type(one) is logging.Formatter]
