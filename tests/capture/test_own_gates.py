"""Loggers that a library sets apart at DEBUG, with the choice left to its handlers' levels."""

import logging

import pytest

import flowery_logging
from flowery_logging.capture.stdlib import Handler


@pytest.fixture
def library(logged):
    """As Sphinx's: everything passes the logger, and what is shown is what its handler takes."""
    flowery_logging.setup(level="INFO")
    logger = logging.getLogger("library")
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    before = logger.level, logger.propagate, logger.handlers
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.handlers = [handler]
    yield logger
    logger.setLevel(before[0])
    logger.propagate, logger.handlers = before[1:]


def messages(logged):
    return [e["message"] for e in logged.events() if e["log"]["logger"].startswith("library")]


def write(logger):
    for name in ("", ".below"):
        log = logging.getLogger(logger.name + name)
        log.debug("debug")
        log.info("info")
        log.error("error")


def test_what_no_handler_of_its_own_takes_is_not_written(logged, library):
    write(library)
    assert messages(logged) == ["info", "error"] * 2


def test_from_the_level_on_all_is_written(logged, library):
    flowery_logging.set_level("DEBUG")
    write(library)
    assert messages(logged) == ["debug", "info", "error"] * 2


def test_what_a_level_of_the_set_up_asks_for_is_written(logged, library):
    flowery_logging.set_level("DEBUG", "library")
    write(library)
    assert messages(logged) == ["debug", "info", "error"] * 2


@pytest.mark.parametrize("handlers", [[], [logging.NullHandler()], [logging.StreamHandler()]])
def test_what_has_no_gate_of_its_own_is_written(logged, library, handlers):
    """An application that sets its own logger to DEBUG wants it."""
    library.handlers = handlers
    write(library)
    assert messages(logged) == ["debug", "info", "error"] * 2


def test_what_goes_up_to_the_root_is_written(logged, library):
    library.propagate = True
    write(library)
    assert messages(logged) == ["debug", "info", "error"] * 2


@pytest.mark.parametrize("level", [None, "INFO", 20.5])
def test_a_record_made_by_hand_may_have_any_level(logged, level):
    flowery_logging.setup(level="INFO")
    (ours,) = [one for one in logging.getLogger().handlers if type(one) is Handler]
    ours.handle(logging.makeLogRecord({"name": "made", "msg": "by hand", "levelno": level}))
    assert [event["message"] for event in logged.events()] == ["by hand"]


@pytest.mark.parametrize("level", [logging.NOTSET, logging.DEBUG])
def test_a_logger_made_by_its_class_has_our_level_unless_it_has_one(logged, level):
    flowery_logging.setup(level="INFO")
    made = logging.Logger("library.made", level)
    for _ in range(2):
        made.debug("debug")
        made.info("info")
    seen = ["debug", "info"] if level else ["info"]
    assert messages(logged) == seen * 2


@pytest.mark.parametrize("make", [logging.getLogger, logging.Logger])
def test_a_logger_with_a_level_keeps_it_beside_one_of_its_name_without(logged, make):
    flowery_logging.setup(level="INFO")
    name = f"library.{make.__name__}"
    made, other = logging.Logger(name), make(name)
    made.info("info")
    other.setLevel(logging.DEBUG)
    other.addHandler(logging.StreamHandler())
    for _ in range(2):
        other.debug("debug")
    other.setLevel(logging.NOTSET)
    other.handlers.clear()
    assert messages(logged) == ["info", "debug", "debug"]
