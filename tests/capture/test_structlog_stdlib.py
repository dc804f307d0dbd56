"""structlog that is configured to go through the standard library, beside us."""

import json
import logging
from typing import Any

import pytest
import structlog

from flowery_logging import ECSFormatter


@pytest.fixture
def through_stdlib(logged):
    """Configure structlog as its documentation does, after us."""
    before = structlog.get_config()
    kind = logging.getLoggerClass()

    def configure(*processors):
        structlog.configure(
            processors=list(processors),
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
            cache_logger_on_first_use=False,
        )

    yield configure
    structlog.configure(**before)
    logging.setLoggerClass(kind)
    manager = logging.Logger.manager.loggerDict
    for name in [name for name in manager if name.startswith("fixed.")]:
        del manager[name]


@pytest.fixture
def other():
    """A handler of somebody else's on the root logger, and what it gets."""
    seen: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.handle = seen.append  # type: ignore[assignment, method-assign]
    logging.getLogger().addHandler(handler)
    yield seen
    logging.getLogger().removeHandler(handler)


def test_loggers_of_its_class_say_where_the_call_stands(logged, through_stdlib, other):
    through_stdlib(structlog.stdlib.render_to_log_kwargs)
    here = "test_loggers_of_its_class_say_where_the_call_stands"
    log: Any = logging.getLogger("fixed.origin")
    assert type(log) is not logging.Logger
    log.info("of stdlib")
    log.info("of stdlib", stacklevel=1, order_id=7)
    structlog.get_logger("fixed.own").info("of structlog")
    events = logged.events()
    assert [event["log"]["origin"]["function"] for event in events] == [here] * 3
    assert [event["log"]["origin"]["file"]["name"] for event in events] == [
        "test_structlog_stdlib.py"
    ] * 3
    assert [record.funcName for record in other] == [here] * 3


EVENT_DICT = (
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
)


@pytest.mark.parametrize("beside", ["alone", "another"])
def test_its_event_dict_is_an_event(logged, through_stdlib, request, beside):
    seen = request.getfixturevalue("other") if beside == "another" else None
    through_stdlib(*EVENT_DICT)
    structlog.get_logger("fixed.events").warning("order placed", order_id=7, user="u", level_of="x")
    event = logged.event()
    assert event["message"] == "order placed"
    assert event["log.level"] == "warning"
    assert event["log"]["logger"] == "fixed.events"
    assert event["labels"] == {"user": "u", "level_of": "x"}
    assert event["numeric_labels"] == {"order_id": 7}
    if seen is not None:
        assert seen[0].msg["event"] == "order placed"
        assert json.loads(ECSFormatter().format(seen[0]))["numeric_labels"] == {"order_id": 7}


def test_its_exception_is_one(logged, through_stdlib):
    through_stdlib(*EVENT_DICT)
    try:
        raise ValueError("lost")
    except ValueError:
        structlog.get_logger("fixed.errors").exception("failed", order_id=7)
    event = logged.event()
    assert event["message"] == "failed"
    assert event["error"]["type"] == "ValueError"
    assert event["numeric_labels"] == {"order_id": 7}
    assert "labels" not in event


def test_a_dict_that_structlog_has_not_made_is_a_message(logged):
    logging.getLogger("shop.dict").info({"event": "x", "a": 1}, extra={"_name": "n"})
    event = logged.event()
    assert json.loads(event["message"]) == {"event": "x", "a": 1}
    assert event["labels"] == {"_name": "n"}
