"""An object that ends the program when its text is asked for: the event is written before."""

import asyncio
import logging

import greenlet
import pytest
import structlog

import flowery_logging
from flowery_logging import bound

log = logging.getLogger("shop.interrupted")
own = flowery_logging.get_logger("shop.interrupted")

ENDS = [SystemExit, KeyboardInterrupt, GeneratorExit]


def ending(kind):
    class Ending:
        def __str__(self):
            raise kind("the end")

        __repr__ = __str__

    return Ending()


class Failure(Exception):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def __str__(self):
        raise self.kind("the end")


class Template:
    def __str__(self):
        return "got %s"


WAYS = {
    "stdlib, the message": lambda it: log.info(it),
    "stdlib, the only argument": lambda it: log.info("got %s", it),
    "stdlib, one of two": lambda it: log.info("got %s of %s", 1, it),
    "stdlib, in a mapping": lambda it: log.info("got %(it)s", {"it": it}),
    "stdlib, an extra": lambda it: log.info("got", extra={"it": it, "order_id": 7}),
    "get_logger, the message": lambda it: own.info(it),
    "get_logger, the only argument": lambda it: own.info("got %s", it),
    "get_logger, one of two": lambda it: own.info("got %s of %s", 1, it),
    "get_logger, in a mapping": lambda it: own.info("got %(it)s", {"it": it}),
    "get_logger, an argument of an object": lambda it: own.info(Template(), it),
    "get_logger, awaited, one argument": lambda it: asyncio.run(own.ainfo("got %s", it)),
    "get_logger, a field": lambda it: own.info("got", it=it, order_id=7),
}


def names_of(event):
    return {**event.get("labels", {}), **event.get("numeric_labels", {})}


@pytest.mark.parametrize("kind", ENDS)
@pytest.mark.parametrize("others", [False, True], ids=["alone", "beside another handler"])
@pytest.mark.parametrize("way", WAYS)
def test_the_event_is_written_and_the_end_goes_on(logged, way, kind, others):
    handler = logging.NullHandler()
    if others:
        log.addHandler(handler)
    try:
        with pytest.raises(kind, match="the end"):
            WAYS[way](ending(kind))
    finally:
        log.removeHandler(handler)
    event = logged.event()
    assert "got" in event["message"] or "Ending" in event["message"]
    if "argument" in way or "of two" in way:
        assert "Ending" in event["message"]
    if "order_id" in names_of(event):
        assert "Ending" in event["labels"]["it"]
    log.info("the next one")
    assert logged.last()["message"] == "the next one"


@pytest.mark.parametrize("kind", ENDS)
@pytest.mark.parametrize("logger", [log, own])
def test_a_bound_object(logged, logger, kind):
    with bound(it=ending(kind), order_id=7), pytest.raises(kind):
        logger.info("x")
    event = logged.event()
    assert event["message"] == "x"
    assert event["numeric_labels"] == {"order_id": 7}
    assert "Ending" in event["labels"]["it"]


@pytest.mark.parametrize("kind", ENDS)
@pytest.mark.parametrize("logger", [log, own])
def test_an_exception(logged, logger, kind):
    try:
        raise Failure(kind)
    except Failure as failure:
        with pytest.raises(kind):
            logger.error("failed", exc_info=failure)
    event = logged.event()
    assert event["message"] == "failed"
    assert event["error"]["type"].endswith("Failure")
    assert "test_an_exception" in event["error"]["stack_trace"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_what_another_handler_raises_before_ours_costs_no_event(logged, error):
    class Raising(logging.Handler):
        def emit(self, record):
            raise error

    root = logging.getLogger()
    root.handlers.insert(0, Raising())
    with pytest.raises(error):
        logging.getLogger("shop").warning("an order", extra={"order_id": 7})
    del root.handlers[0]
    event = logged.event()
    assert event["message"] == "an order"
    assert event["numeric_labels"] == {"order_id": 7}


def test_what_another_handler_raises_after_ours_writes_it_once(logged):
    class Raising(logging.Handler):
        def emit(self, record):
            raise KeyboardInterrupt

    raising = Raising()
    logging.getLogger().addHandler(raising)
    with pytest.raises(KeyboardInterrupt):
        logging.getLogger("shop").warning("an order")
    logging.getLogger().removeHandler(raising)
    assert logged.event()["message"] == "an order"


def test_greenlets_that_share_a_thread_write_once_what_is_raised_behind_ours(logged):
    """As gevent's and eventlet's limits of time are, which end a handler that waits."""

    class Waiting(logging.Handler):
        def emit(self, record):
            greenlet.getcurrent().parent.switch()

    waiting = Waiting()
    logging.getLogger().addHandler(waiting)
    first, second = (greenlet.greenlet(log.warning) for _ in range(2))
    first.switch("first")
    second.switch("second")
    with pytest.raises(TimeoutError):
        first.throw(TimeoutError)
    second.switch()
    logging.getLogger().removeHandler(waiting)
    assert [event["message"] for event in logged.events()] == ["first", "second"]


@pytest.mark.parametrize("kind", ENDS)
@pytest.mark.parametrize("before_logging", [False, True])
def test_a_processor_of_structlogs_that_ends_the_program(logged, kind, before_logging):
    def count(logger, name, values):
        return {**values, "counted": "yes"}

    def end(logger, name, values):
        values["half"] = "done"
        raise kind("the end")

    before, made = structlog.get_config(), logging.getLoggerClass()
    factory = structlog.stdlib.LoggerFactory() if before_logging else None
    structlog.configure([count, end, structlog.processors.JSONRenderer()], logger_factory=factory)
    try:
        flowery_logging.setup()
        with pytest.raises(kind, match="the end"):
            structlog.get_logger("shop").error("order %s", 7)
    finally:
        structlog.configure(**before)
        logging.setLoggerClass(made)
    event = logged.event()
    assert event["message"] == "order 7"
    assert event["labels"] == {"counted": "yes"}
