"""Levels of single loggers, and `logging.disable()`: through `logging` and `get_logger()` alike."""

import asyncio
import logging
from typing import Any

import pytest
import structlog

import flowery_logging

LEVELS = {"shop": "DEBUG", "noisy": "ERROR", "noisy.not": "INFO"}
CASES = [
    ("shop", "debug", True),
    ("shop.orders", "debug", True),
    ("shopping", "debug", False),
    ("shopping", "info", True),
    ("noisy", "warning", False),
    ("noisy", "error", True),
    ("noisy.parts", "info", False),
    ("noisy.not", "info", True),
    ("noisy.not", "debug", False),
]


class Ways:
    """The ways in which an event of a logger and a level is written."""

    @staticmethod
    def logging(name, level):
        getattr(logging.getLogger(name), level)("x")

    @staticmethod
    def get_logger(name, level):
        getattr(flowery_logging.get_logger(name), level)("x")

    @staticmethod
    def structlog(name, level):
        getattr(structlog.get_logger(name), level)("x")

    @staticmethod
    def number(name, level):
        flowery_logging.get_logger(name).log(getattr(logging, level.upper()), "x")

    @staticmethod
    def awaited(name, level):
        asyncio.run(getattr(flowery_logging.get_logger(name), f"a{level}")("x"))

    @staticmethod
    def awaited_number(name, level):
        number = getattr(logging, level.upper())
        asyncio.run(flowery_logging.get_logger(name).alog(number, "x"))

    @staticmethod
    def with_processors(name, level):
        logger: Any = flowery_logging.get_logger(name)
        log = structlog.wrap_logger(logger._logger, [_same], wrapper_class=structlog.BoundLogger)
        getattr(log, level)("x")


def _same(_logger, _name, event):
    return event


WAYS = [name for name in vars(Ways) if not name.startswith("_")]


@pytest.fixture(params=WAYS)
def write(request):
    return getattr(Ways, request.param)


@pytest.fixture(autouse=True)
def _at_info(logged):
    flowery_logging.setup(level="INFO")


@pytest.fixture
def is_written(logged, write):
    def is_written(name, level):
        write(name, level)
        return [event["log"]["logger"] for event in logged.events()] == [name]

    return is_written


@pytest.mark.parametrize(("name", "level", "written"), CASES)
def test_a_logger_goes_by_its_own_level_or_that_above_it(is_written, name, level, written):
    flowery_logging.setup(levels=LEVELS)
    assert is_written(name, level) == written


def test_it_can_be_changed_at_run_time(is_written, logged, write):
    write("shop", "debug")
    flowery_logging.set_level("DEBUG", "shop")
    assert logged.events() == []
    assert is_written("shop", "debug")


def test_the_level_of_all_does_not_reach_it(is_written):
    flowery_logging.setup(levels=LEVELS)
    flowery_logging.set_level("CRITICAL")
    assert is_written("shop.orders", "debug")


def test_a_later_setup_takes_it_away(is_written):
    flowery_logging.setup(levels=LEVELS)
    flowery_logging.setup(levels={})
    assert not is_written("shop", "debug")


def test_what_is_disabled_is_not_written(is_written, logged, write):
    logging.disable(logging.ERROR)
    try:
        write("app", "error")
        assert logged.events() == []
        write("app", "critical")
        assert len(logged.events()) == 1
    finally:
        logging.disable(logging.NOTSET)


def test_what_is_disabled_no_more_is_written(is_written):
    logging.disable(logging.CRITICAL)
    logging.disable(logging.NOTSET)
    assert is_written("app", "info")


def test_who_asks_is_told(logged):
    flowery_logging.setup(levels={__name__: "DEBUG", "noisy": "ERROR"})
    own, noisy = flowery_logging.get_logger(), flowery_logging.get_logger("noisy")
    assert (own.get_effective_level(), noisy.getEffectiveLevel()) == (10, 40)
    assert own.is_enabled_for(10)
    assert not noisy.isEnabledFor(30)


def test_a_logger_without_a_name_goes_by_the_module_that_calls(logged):
    flowery_logging.setup(levels={__name__: "DEBUG"})
    log = flowery_logging.get_logger()
    log.debug("own")
    namespace = {"__name__": "elsewhere", "log": log}
    exec("log.debug('elsewhere'); log.info('elsewhere too')", namespace)
    assert [event["message"] for event in logged.events()] == ["own", "elsewhere too"]
    assert {event["log"]["origin"]["function"] for event in logged.events()} <= {
        "test_a_logger_without_a_name_goes_by_the_module_that_calls",
        "<module>",
    }


def test_the_flight_recorder_leaves_such_loggers_alone(logged):
    """What is written has no need of it, and what is silenced is not wanted."""
    flowery_logging.setup(flight_recorder="DEBUG", levels=LEVELS)
    with flowery_logging.continue_trace({}):
        for name in ("shop", "noisy", "app"):
            flowery_logging.get_logger(name).debug("x")
    assert [event["log"]["logger"] for event in logged.events()] == ["shop"]


def test_after_shutdown_all_is_as_before(logged):
    flowery_logging.setup(levels=LEVELS)
    logging.disable(logging.CRITICAL)
    try:
        flowery_logging.shutdown()
    finally:
        logging.disable(logging.NOTSET)
    flowery_logging.setup("svc", directory=logged.directory, output="file")
    flowery_logging.get_logger("noisy").info("x")
    assert [event["message"] for event in logged.events()] == ["x"]


def test_after_shutdown_a_level_is_that_of_all_and_nothing_of_the_set_up(logged, capsys):
    """The recorder is off, and a logger that was named goes by `logging` alone."""
    flowery_logging.shutdown()
    before = logging.Logger.callHandlers
    flowery_logging.setup(
        "svc",
        directory=logged.directory,
        output="file",
        flight_recorder="DEBUG",
        levels={"noisy": "ERROR"},
    )
    flowery_logging.shutdown()
    flowery_logging.set_level("INFO")
    assert logging.Logger.callHandlers is before
    shown = logging.StreamHandler()
    logging.getLogger("noisy").addHandler(shown)
    try:
        flowery_logging.get_logger("noisy").info("before the next set-up")
    finally:
        logging.getLogger("noisy").removeHandler(shown)
        flowery_logging.set_level("NOTSET")
    assert "before the next set-up" in capsys.readouterr().err


def test_each_method_looks_at_the_level_of_the_module_that_calls_it(logged):
    """Of a logger without a name; what calls that module has another level."""
    log = flowery_logging.get_logger()

    async def awaited():
        await log.adebug("adebug")
        await log.alog(logging.DEBUG, "alog")

    flowery_logging.setup(levels={__name__: "DEBUG"})
    log.debug("debug")
    log.log(logging.DEBUG, "log")
    asyncio.run(awaited())
    assert [event["message"] for event in logged.events()] == ["debug", "log", "adebug", "alog"]


def test_what_the_module_that_calls_it_silences_reaches_no_processor(logged):
    log = flowery_logging.get_logger()

    async def awaited():
        await log.aerror("x")
        await log.aexception("x")
        await log.alog(logging.ERROR, "x")

    flowery_logging.setup(levels={__name__: "CRITICAL"})
    with structlog.testing.capture_logs() as seen:
        log.error("x")
        log.exception("x")
        log.log(logging.ERROR, "x")
        asyncio.run(awaited())
        log.critical("y")
    assert [event["event"] for event in seen] == ["y"]
