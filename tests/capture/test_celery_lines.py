"""Celery's own lines without what tasks are given and return, also where nothing is instrumented."""

import json
import logging

import pytest
from celery.app import trace
from celery.worker.consumer import consumer

from flowery_logging import ECSFormatter

SECRET = "hunter2-of-the-queue"


@pytest.fixture
def seen(logged):
    """What another handler has got."""
    records = []

    class Seeing(logging.Handler):
        def emit(self, record):
            records.append(record)

    handler = Seeing()
    logging.getLogger().addHandler(handler)
    yield records
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize(
    ("logger", "template", "kept"),
    [
        ("celery.app.trace", trace.LOG_SUCCESS, "Task shop.deliver[7] succeeded in 0.1s"),
        ("celery.app.trace", trace.LOG_FAILURE, "Task shop.deliver[7] raised: ValueError()"),
        ("celery.worker.strategy", trace.LOG_RECEIVED, "Task shop.deliver[7] received"),
        ("celery.worker.strategy", "%(name)s got %(args)s and %(kwargs)s", "shop.deliver got"),
    ],
)
def test_parts_that_have_names(logged, seen, logger, template, kept):
    parts = {
        "id": "7", "name": "shop.deliver", "runtime": 0.1, "exc": "ValueError()",
        "description": "raised", "return_value": SECRET, "args": SECRET,
        "kwargs": {"password": SECRET},
    }  # fmt: skip
    logging.getLogger(logger).info(template, parts, extra={"data": parts})
    event = logged.event()
    assert event["message"].startswith(kept)
    assert SECRET not in json.dumps(event)
    assert "labels" not in event
    (record,) = seen
    assert record.data is parts
    assert record.args is parts


@pytest.mark.parametrize(
    ("logger", "template", "args", "kept"),
    [
        ("celery.worker.consumer.consumer", consumer.UNKNOWN_FORMAT, [SECRET], "Wrong destination"),
        ("celery.worker.consumer.consumer", consumer.UNKNOWN_TASK_ERROR,
         ["'shop.lost'", SECRET, {"argsrepr": SECRET}, {"routing_key": "orders"}], "'shop.lost'"),
        ("celery.worker.consumer.consumer", consumer.INVALID_TASK_ERROR,
         ["no mapping", SECRET], "no mapping"),
        ("celery.worker.consumer.consumer", consumer.MESSAGE_DECODE_ERROR,
         ["bad", "json", "utf-8", SECRET, SECRET], "json"),
        ("celery.pool", "TaskPool: Apply %s (args:%s kwargs:%s)", ["run", SECRET, SECRET], "run"),
    ],
)  # fmt: skip
def test_parts_that_have_places(logged, seen, logger, template, args, kept):
    logging.getLogger(logger).error(template, *args)
    message = logged.event()["message"]
    assert kept in message
    assert "[left out]" in message
    assert SECRET not in message
    assert SECRET in seen[0].getMessage()


def test_other_lines_of_these_loggers_stay_as_they_are(logged):
    log = logging.getLogger("celery.worker.consumer.consumer")
    log.warning("consumer: Cannot connect to %s: %s.", "redis://", "refused", extra={"try": 7})
    logging.getLogger("celery.app.trace").error("Process cleanup failed: %r", OSError("x"))
    first, second = logged.events()
    assert first["message"] == "consumer: Cannot connect to redis://: refused."
    assert first["numeric_labels"] == {"try": 7}
    assert second["message"] == "Process cleanup failed: OSError('x')"


def test_a_data_field_of_anybody_else_stays(logged):
    logging.getLogger("shop").info("order placed", extra={"data": {"order": 7}})
    assert logged.event()["numeric_labels"] == {"data_order": 7}


def test_our_formatter_in_a_handler_of_somebody_elses_leaves_them_out_too():
    parts = {"id": "7", "name": "deliver", "runtime": 0.1, "return_value": SECRET, "args": SECRET}
    record = logging.LogRecord(
        "celery.app.trace", logging.INFO, "trace.py", 1, trace.LOG_SUCCESS, (parts,), None
    )
    record.data = parts
    line = ECSFormatter().format(record)
    assert json.loads(line)["message"] == "Task deliver[7] succeeded in 0.1s: [left out]"
    assert SECRET not in line
