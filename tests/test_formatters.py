"""Drop-in formatters: ecs-logging's arguments and overrides go on working, and no event is lost."""

import json
import logging
import logging.config
import subprocess
import sys
from typing import Any

import ecs_logging
import pytest
import structlog

import flowery_logging
from tests.conftest import FIRST_KEYS, strict
from tests.strategies import hostile_events

# Where our document differs from ecs-logging's on purpose: field → why.
DIFFERENCES = {
    "@timestamp": "microseconds",
    "ecs.version": "9.4.0 instead of 1.6.0",
    "log.original": "it repeats the message",
    "error.type": "qualified",
    "error.stack_trace": "the whole chain, with its last line",
    "a": "numeric_labels.a: no field of ECS",
    "order.id": "labels.order_id",
}
LABELS = {"a": "numeric_labels.a", "order.id": "labels.order_id"}


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


@pytest.mark.parametrize("error", [None, ShopError("x")])
def test_each_field_of_ecs_logging_stands_here_too(error):
    extra = {"a": 1, "order": {"id": "x"}, "http.request.method": "GET", "user": {"id": "7"}}
    theirs = flat(json.loads(ecs_logging.StdlibFormatter().format(record(error=error, **extra))))
    ours = flat(formatted(flowery_logging.ECSFormatter(), record(error=error, **extra)))
    for name, value in theirs.items():
        if name in DIFFERENCES:
            assert ours.get(name) != value
        else:
            assert ours.pop(name) == value
    for name, label in LABELS.items():
        assert ours[label] == theirs[name]


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


def test_stack_trace_limit():
    def first():
        second()

    def second():
        third()

    def third():
        raise ShopError("x")

    try:
        first()
    except ShopError as caught:
        error = caught
    whole, two, none = (
        formatted(flowery_logging.ECSFormatter(stack_trace_limit=limit), record(error=error))[
            "error"
        ]
        for limit in (None, 2, 0)
    )
    assert whole["stack_trace"].count("line ") == 4
    assert two["stack_trace"].count("line ") == 2
    assert none.keys() == {"type", "message"}


@pytest.mark.parametrize("arguments", [{"stack_trace_limit": -1}, {"exclude_fields": "a"}])
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
