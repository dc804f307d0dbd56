"""The library's own records: to our handler alone, by the levels and filters of their loggers."""

import logging
from contextlib import suppress

import pytest

import flowery_logging
from flowery_logging import runtime
from flowery_logging.trace import continue_trace

NAME = "flowery_logging.client"
own = runtime.own_logger(NAME)
stdlib = logging.getLogger(NAME)


class Seen(logging.Handler):
    def __init__(self):
        super().__init__()
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())


@pytest.fixture
def root():
    """A handler of somebody else's on the root logger."""
    seen = Seen()
    logging.getLogger().addHandler(seen)
    yield seen
    logging.getLogger().removeHandler(seen)


@pytest.fixture(autouse=True)
def _untouched():
    yield
    stdlib.setLevel(logging.NOTSET)
    stdlib.disabled = False
    stdlib.filters.clear()
    stdlib.handlers.clear()


def told(logged):
    return [event["message"] for event in logged.records() if event["log"]["logger"] == NAME]


def test_nobody_else_gets_them(logged, root):
    own.log(logging.INFO, "GET %s", "/x", extra={"order_id": 7})
    own.log(logging.ERROR, "failed", exc_info=ValueError("lost"))
    first, second = (event for event in logged.records() if event["log"]["logger"] == NAME)
    assert first["message"] == "GET /x"
    assert first["numeric_labels"] == {"order_id": 7}
    assert first["log"]["origin"]["function"] == "test_nobody_else_gets_them"
    assert second["error"]["message"] == "lost"
    assert root.messages == []


def test_what_somebody_puts_on_their_own_loggers_gets_them(logged, root):
    seen = Seen()
    stdlib.addHandler(seen)
    stdlib.addFilter(lambda record: "secret" not in record.getMessage())
    own.log(logging.INFO, "GET %s", "/x")
    own.log(logging.INFO, "a secret")
    assert seen.messages == ["GET /x"]
    assert told(logged) == ["GET /x"]
    assert root.messages == []


def test_a_filter_of_our_handler_holds(logged):
    (ours,) = logging.getLogger().handlers
    ours.addFilter(lambda record: "secret" not in record.getMessage())
    try:
        own.log(logging.INFO, "a secret")
        own.log(logging.INFO, "x")
    finally:
        ours.filters.clear()
    assert told(logged) == ["x"]


@pytest.mark.parametrize(
    "silence",
    [
        lambda: setattr(stdlib, "disabled", True),
        lambda: stdlib.setLevel(logging.ERROR),
        lambda: logging.disable(logging.WARNING),
    ],
)
def test_what_the_application_says_of_them_holds(logged, silence):
    silence()
    try:
        own.log(logging.INFO, "x")
    finally:
        logging.disable(logging.NOTSET)
    assert told(logged) == []


def test_the_roots_level_is_not_theirs(logged):
    logging.getLogger().setLevel(logging.CRITICAL)
    own.log(logging.INFO, "x")
    assert told(logged) == ["x"]
    flowery_logging.set_level("ERROR")
    own.log(logging.INFO, "y")
    assert told(logged) == ["x"]


def test_those_below_the_level_wait_for_a_failure(logged):
    logged.setup(level="INFO", flight_recorder="DEBUG", levels={})
    own.log(logging.DEBUG, "of no request")
    with continue_trace(None):
        own.log(logging.DEBUG, "of a request that is fine")
    with suppress(ValueError), continue_trace(None):
        own.log(logging.DEBUG, "of one that fails")
        raise ValueError("x")
    assert told(logged) == ["of one that fails"]


def test_before_setup_they_are_ordinary_records(logged, root):
    flowery_logging.shutdown()
    own.log(logging.WARNING, "x")
    assert root.messages == ["x"]
    logged.setup()


def test_they_are_not_silenced_by_who_was_here_before_us(logged):
    flowery_logging.shutdown()
    logging.getLogger("flowery_logging.access").disabled = True
    logged.setup()
    assert not logging.getLogger("flowery_logging.access").disabled


def test_loggers_that_were_disabled_before_are_named(logged):
    flowery_logging.shutdown()
    logger = logging.getLogger("shop.silent")
    logger.disabled = True
    try:
        logged.setup()
    finally:
        logger.disabled = False
    assert any("shop.silent" in event["message"] for event in logged.records())
