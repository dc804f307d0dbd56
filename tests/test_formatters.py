"""Drop-in formatters: ecs-logging's arguments and overrides go on working, and no event is lost."""

import io
import json
import logging
import logging.config
import re
import subprocess
import sys
from typing import Any

import pytest
import structlog

import flowery_logging
from tests.conftest import FIRST_KEYS, strict
from tests.strategies import hostile_events


class ShopError(Exception):
    pass


def record(message="hello %s", args=("world",), error=None, **extra):
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    logger = logging.getLogger("shop.orders")
    return logger.makeRecord(
        "shop.orders", 20, "/a/orders.py", 7, message, args, exc_info, "place", extra
    )


def flat(tree, prefix=""):
    found: dict[str, Any] = {}
    for key, value in tree.items():
        inner = flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
        found |= inner
    return found


def formatted(formatter, event):
    line = formatter.format(event)
    assert "\n" not in line
    return strict(line)


def test_the_order_of_the_first_keys():
    assert list(formatted(flowery_logging.ECSFormatter(), record()))[:4] == FIRST_KEYS


def test_where_ecs_logging_loses_the_event():
    formatter = flowery_logging.ECSFormatter(extra={"service.name": "shop", "x": {"y": 1}})
    for extra in (
        {"log": "x"},
        {"a.b": 1, "a": {"b": 2}},
        {"error": "x"},
        {"x": 5},
        {"service.name": "y"},
    ):
        made = record(error=ShopError("x"))
        made.__dict__.update(extra)
        document = formatted(formatter, made)
        assert document["message"] == "hello world"
        assert document["error"]["message"] == "x"
        assert document["service"] == {"name": "shop"}
        assert document["event"]["dataset"] == "shop"


@pytest.mark.slow
def test_hostile_events():
    formatter = flowery_logging.ECSFormatter(ensure_ascii=True)
    processor = flowery_logging.ECSStructlogFormatter()
    for event in hostile_events(3, 200):
        made = record(event.message, (), event.exception)
        made.args = event.args
        made.__dict__.update(event.extras)
        document = strict(formatter.format(made))
        assert type(document["message"]) is str
        fields = {**event.bound, **event.extras, "exc_info": event.exception}
        document = strict(processor(None, event.level, {"event": event.message, **fields}))
        assert document["log.level"] == event.level
        assert len(json.dumps(document, ensure_ascii=False).encode()) < 34_000


def test_exclude_fields():
    formatter = flowery_logging.ECSFormatter(
        exclude_fields=["process", "log.origin", "order.id", "a"]
    )
    document = formatted(formatter, record(a=1, order={"id": "x", "size": 2}, b=3))
    assert "process" not in document
    assert document["log"] == {"logger": "shop.orders"}
    assert document["numeric_labels"] == {"order_size": 2, "b": 3}
    assert "labels" not in document


def test_an_object_of_which_all_is_excluded_goes_too():
    excluded = ["process.pid", "process.name", "process.thread", "log.origin.file.line"]
    formatter = flowery_logging.ECSFormatter(exclude_fields=excluded)
    document = formatter.format_to_ecs(record(a={"b": {"c": 1}}, d={}))
    assert "process" not in document
    assert document["log"]["origin"] == {"file": {"name": "orders.py"}, "function": "place"}


def test_what_is_bound_or_given_to_the_formatter_can_be_excluded_too():
    formatter = flowery_logging.ECSFormatter(
        exclude_fields=["order_id", "user", "x.y", "stage"], extra={"x": {"y": 1}, "stage": "dev"}
    )
    with flowery_logging.bound(order_id=7, size=3, **{"user.id": "u"}):
        document = formatted(formatter, record())
    assert document["numeric_labels"] == {"size": 3}
    assert "user" not in document
    assert "labels" not in document


def failed():
    """An error with four frames: this function's, and three with names of their own."""

    def first():
        second()

    def second():
        third()

    def third():
        raise ShopError("x")

    try:
        first()
    except ShopError as caught:
        return caught


@pytest.mark.parametrize(
    ("limit", "frames"),
    [
        (None, ["failed", "first", "second", "third"]),
        (2, ["failed", "first"]),
        (9, ["failed", "first", "second", "third"]),
        (-2, ["second", "third"]),
        (-9, ["failed", "first", "second", "third"]),
        (True, ["failed"]),
    ],
)
def test_stack_trace_limit(limit, frames):
    formatter = flowery_logging.ECSFormatter(stack_trace_limit=limit)
    trace = formatted(formatter, record(error=failed()))["error"]["stack_trace"]
    assert re.findall(r", in (\w+)", trace) == frames


def test_the_limits_of_the_set_up_stand(logged):
    formatter = flowery_logging.ECSFormatter()
    long = {f"k{n}": "v" * 8000 for n in range(20)}
    for limits in ({"line_bytes": 5000}, {"line_bytes": 200_000, "items": 500, "name_chars": 300}):
        logged.setup(output="none", limits=limits)
        line = formatter.format(record(**long, **{"n" * 250: "x"}, many=[*range(400)]))
        assert len(line.encode()) <= limits["line_bytes"]
    labels = json.loads(line)["labels"]
    assert {name: labels[name] for name in long} == long
    assert labels["n" * 250] == "x"
    assert len(labels["many"]) == 400


@pytest.mark.parametrize("limit", [0, False])
def test_a_limit_of_zero_leaves_out_stack_traces_but_not_stack_info(limit):
    formatter = flowery_logging.ECSFormatter(stack_trace_limit=limit)
    made = record(error=failed())
    assert formatted(formatter, made)["error"].keys() == {"type", "message"}
    made.stack_info = "Stack: here"
    document = formatted(formatter, made)
    assert document["error"]["stack_trace"] == "Stack: here"
    assert "labels" not in document
    made = record()
    made.stack_info = "Stack: here"
    assert formatted(formatter, made)["error"] == {"stack_trace": "Stack: here"}
    made.exc_text = "Traceback …"  # as behind a queue
    assert formatted(formatter, made)["error"] == {"stack_trace": "Stack: here"}


@pytest.mark.parametrize(
    "arguments",
    [
        {"stack_trace_limit": "a"},
        {"stack_trace_limit": 1.5},
        {"exclude_fields": "a"},
        {"exclude_fields": {"a"}},
        {"exclude_fields": [1]},
    ],
)
def test_arguments_are_checked_as_ecs_logging_does(arguments):
    with pytest.raises((TypeError, ValueError)):
        flowery_logging.ECSFormatter(**arguments)


def test_ensure_ascii_and_validate():
    formatter = flowery_logging.ECSFormatter("%(message)s", validate=True, ensure_ascii=True)
    line = formatter.format(record("주문 😀", ()))
    assert line.isascii()
    assert json.loads(line)["message"] == "주문 😀"
    assert "주문 😀" in flowery_logging.ECSFormatter().format(record("주문 😀", ()))
    with pytest.raises(ValueError, match="'%\\(x'"):
        flowery_logging.ECSFormatter("%(x", validate=True)


def test_ensure_ascii_is_looked_at_when_a_line_is_made():
    formatter, processor = flowery_logging.ECSFormatter(), flowery_logging.ECSStructlogFormatter()
    formatter.ensure_ascii = processor.ensure_ascii = True
    assert formatter.format(record("주문", ())).isascii()
    assert processor(None, "info", {"event": "주문"}).isascii()


@pytest.mark.parametrize("ensure_ascii", [False, True])
def test_a_line_is_no_longer_than_shippers_take_however_it_is_written(ensure_ascii):
    formatter = flowery_logging.ECSFormatter(ensure_ascii=ensure_ascii)
    processor = flowery_logging.ECSStructlogFormatter(ensure_ascii=ensure_ascii)
    for text in ("주" * 7000, "😀" * 20_000, "x" * 50_000):
        for line in (formatter.format(record(text, ())), processor(None, "info", {"event": text})):
            assert 8_000 < len(line.encode()) <= 32_000
            assert strict(line)["message"][0] == text[0]


def test_an_overridden_format_to_ecs():
    class Formatter(flowery_logging.ECSFormatter):
        def format_to_ecs(self, record):
            result = super().format_to_ecs(record)
            del result["log"]["original"]
            result["my_field"] = {"a.b": object}
            result["event"]["action"] = "pay"
            result["log"]["logger"] = "renamed"
            return result

    document = formatted(Formatter(), record())
    assert document["labels"] == {"my_field_a_b": "builtins.object"}
    assert document["event"]["action"] == "pay"
    assert document["log"]["logger"] == "renamed"
    assert "original" not in document["log"]


@pytest.mark.parametrize("result", [None, 5, KeyError])
def test_an_override_that_fails_costs_no_event(result):
    class Formatter(flowery_logging.ECSFormatter):
        def format_to_ecs(self, record):
            if result is KeyError:
                raise KeyError
            return result

    before = flowery_logging.stats()["broken_records"]
    assert formatted(Formatter(), record())["message"] == "hello world"
    assert flowery_logging.stats()["broken_records"] == before + 1


def test_a_record_without_a_dictionary():
    class Slotted:
        __slots__ = ("shop", *vars(record()))

    slotted: Any = Slotted()
    slotted.shop = "flowers"
    for name, value in vars(record()).items():
        setattr(slotted, name, value)
    shown = formatted(flowery_logging.ECSFormatter(), slotted)
    assert shown["message"] == "hello world"
    assert shown["labels"]["shop"] == "flowers"


def test_ids_of_elastic_s_agent_go_where_they_belong():
    made = record(
        elasticapm_trace_id="t", elasticapm_transaction_id="x", elasticapm_labels={"a": 1}
    )
    document = formatted(flowery_logging.ECSFormatter(), made)
    assert document["trace"] == {"id": "t"}
    assert document["transaction"] == {"id": "x"}
    assert "labels" not in document
    made = record(elasticapm_trace_id="t", **{"trace.id": "mine"})
    assert formatted(flowery_logging.ECSFormatter(), made)["trace"] == {"id": "mine"}


def test_ids_of_other_agents_stay_as_nobody_is_asked_for_them():
    agents = {"otelTraceID": "t", "otelSpanID": "s", "dd.trace_id": "1"}
    document = formatted(flowery_logging.ECSFormatter(), record(**agents, a="x"))
    labels = {"otelTraceID": "t", "otelSpanID": "s", "dd_trace_id": "1", "a": "x"}
    assert document["labels"] == labels


def test_what_google_s_handler_puts_on_records_is_no_field(logged):
    def note(made):
        made._trace_sampled, made._source_location = False, {"file": "a.py"}
        made._labels_str, made._payload_str = "{}", ""
        return True

    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(note)
    logging.getLogger("app").addHandler(handler)
    try:
        logging.getLogger("app").info("paid", extra={"labels": {"order": "o1"}, "_note": "n"})
    finally:
        logging.getLogger("app").removeHandler(handler)
    (event,) = [event for event in logged.events() if event["message"] == "paid"]
    assert event["labels"] == {"order": "o1", "_note": "n"}


def test_it_follows_setup(logged):
    formatter = flowery_logging.ECSFormatter()
    logged.setup(fields={"flowery.x": "long"}, redact=["shoe"])
    with flowery_logging.bound(order_id=7):
        document = formatted(formatter, record(**{"flowery.x": "5", "shoe": "x"}))
    assert document["service"]["name"] == "shop"
    assert document["flowery"] == {"x": 5}
    assert document["labels"] == {"shoe": "[redacted]"}
    assert document["numeric_labels"] == {"order_id": 7}


def test_the_record_stays_as_it_is():
    made = record(a=1, error=ShopError("x"))
    before = dict(vars(made))
    flowery_logging.ECSFormatter().format(made)
    assert vars(made) == before


def test_dict_config(tmp_path):
    path = tmp_path / "lines.txt"
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "ecs": {"()": "flowery_logging.ECSFormatter", "exclude_fields": ["process"]}
            },
            "handlers": {
                "file": {"class": "logging.FileHandler", "filename": path, "formatter": "ecs"}
            },
            "loggers": {"formatted": {"handlers": ["file"], "level": "INFO", "propagate": False}},
        }
    )
    logger = logging.getLogger("formatted")
    try:
        logger.info("x", extra={"a": 1})
    finally:
        logger.handlers[0].close()
        logger.handlers.clear()
        logger.propagate = True
    assert strict(path.read_text())["numeric_labels"] == {"a": 1}


@pytest.mark.parametrize(
    "name", ["flowery_logging.ECSFormatter", "flowery_logging.formatters.ECSFormatter"]
)
def test_dict_config_with_the_class_s_name(name):
    shown = {"class": name, "format": "%(message)s", "datefmt": "%H", "style": "%"}
    logging.config.dictConfig(
        {"version": 1, "incremental": False, "disable_existing_loggers": False,
         "formatters": {"ecs": shown}}
    )  # fmt: skip


OURS = {
    "service.name": "pay",
    "log.logger": "shop.pay",
    "log.origin.function": "place",
    "log.origin.file.line": 7,
    "process.pid": 5,
    "process.thread.name": "main",
}
NESTED = {
    "service": {"name": "pay"},
    "log": {"logger": "shop.pay", "origin": {"function": "place", "file.line": 7}},
    "process": {"pid": 5, "thread": {"name": "main"}},
}


@pytest.mark.parametrize("fields", [OURS, NESTED], ids=["dotted", "nested"])
def test_what_the_library_does_not_know_the_caller_may_say(fields):
    document = strict(
        flowery_logging.ECSStructlogFormatter()(None, "info", {"event": "x", **fields})
    )
    assert OURS.items() <= flat(document).items()
    assert "labels" not in document
    assert document["event"] == {"dataset": "pay"}
    document = formatted(
        flowery_logging.ECSFormatter(), record(service=fields.get("service") or {"name": "pay"})
    )
    assert document["service"] == {"name": "pay"}


def test_what_the_library_knows_the_caller_does_not_change(logged):
    document = strict(flowery_logging.ECSStructlogFormatter()(None, "info", {"event": "x", **OURS}))
    assert document["service"]["name"] == "shop"
    assert document["labels"] == {"service_name": "pay"}
    made = record(**{"log.logger": "other", "process": {"pid": 1}, "log.origin.function": "f"})
    document = formatted(flowery_logging.ECSFormatter(), made)
    assert document["log"]["logger"] == "shop.orders"
    assert document["log"]["origin"]["function"] == "place"
    assert document["process"]["pid"] == made.process
    assert document["labels"] == {"log_logger": "other", "log_origin_function": "f"}
    assert document["numeric_labels"] == {"process_pid": 1}


def test_without_a_service_there_is_no_dataset():
    assert "event" not in formatted(flowery_logging.ECSFormatter(), record())
    assert "event" not in strict(
        flowery_logging.ECSStructlogFormatter()(None, "info", {"event": "x"})
    )
    assert flowery_logging.ECSFormatter().format_to_ecs(record())["event"] == {}


def test_fields_given_to_the_formatter_are_lost_nowhere():
    formatter = flowery_logging.ECSFormatter(
        extra={
            "environment": "dev",
            "tls": {"cipher": "AES"},
            "tls.established": True,
            "x": {"y": 1},
        }
    )
    made = record(tls={"version": "1.3"}, x=5, environment="prod")
    document = formatted(formatter, made)
    assert document["tls"] == {"version": "1.3", "cipher": "AES", "established": True}
    assert document["labels"] == {"environment": "prod"}
    assert document["numeric_labels"] == {"x": 5, "x_y": 1}


def test_the_structlog_processor():
    event: dict[str, Any] = {
        "event": "x",
        "a": 1,
        "error": {"message": "m"},
        "exception": "Traceback …",
    }
    before = {**event, "error": dict(event["error"])}
    document = strict(flowery_logging.ECSStructlogFormatter()(None, "warning", event))
    assert event == before
    assert document["log.level"] == "warning"
    assert document["message"] == "x"
    assert document["error"] == {"message": "m", "stack_trace": "Traceback …"}
    assert document["numeric_labels"] == {"a": 1}


def test_the_structlog_processor_keeps_a_timestamp():
    processor = flowery_logging.ECSStructlogFormatter(ensure_ascii=True)
    line = processor(None, "info", {"event": "주문", "@timestamp": "2026-01-02T03:04:05Z"})
    assert line.isascii()
    assert json.loads(line)["@timestamp"] == "2026-01-02T03:04:05Z"
    odd = strict(processor(None, "info", {"event": "x", "@timestamp": "yesterday"}))
    assert odd["@timestamp"].startswith("20")


def test_the_structlog_processor_in_a_chain(capsys):
    class Processor(flowery_logging.ECSStructlogFormatter):
        def format_to_ecs(self, event_dict):
            return {**super().format_to_ecs(event_dict), "my_field": "x"}

    chain: list[Any] = [structlog.processors.format_exc_info, Processor()]
    logger = structlog.wrap_logger(
        structlog.PrintLogger(), processors=chain, wrapper_class=structlog.BoundLogger
    )
    try:
        1 / 0
    except ZeroDivisionError:
        logger.bind(a=1).error("failed", exc_info=True)
    document = strict(capsys.readouterr().out)
    assert "ZeroDivisionError" in document["error"]["stack_trace"]
    assert document["labels"] == {"my_field": "x"}


def test_importing_the_package_costs_none_of_it():
    code = (
        "import flowery_logging, sys\n"
        "assert 'ecs_logging' not in sys.modules\n"
        "assert 'pythonjsonlogger' not in sys.modules\n"
        "assert flowery_logging.ECSFormatter.__mro__[1].__module__ == 'ecs_logging._stdlib'\n"
        "try:\n    flowery_logging.unknown\nexcept AttributeError:\n    pass\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


class Greeting(flowery_logging.ECSFormatter):
    def format_to_ecs(self, record):
        document = super().format_to_ecs(record)
        return {**document, "message": f"{document['message']}, login with password=hunter22"}


def test_no_secret_of_a_message_that_a_subclass_makes_is_shown():
    line = Greeting().format(logging.makeLogRecord({"msg": "card 4111111111111111"}))
    assert json.loads(line)["message"] == "card [redacted:card], login with password=[redacted]"


@pytest.mark.parametrize("message", ["password=hunter22", {"password": "hunter22"}])
def test_no_secret_of_a_record_that_cannot_be_read_is_shown(message):
    record = logging.makeLogRecord({"msg": message})
    del record.process
    line = flowery_logging.ECSFormatter().format(record)
    assert "hunter22" not in line
    assert "[redacted]" in json.loads(line)["message"]
