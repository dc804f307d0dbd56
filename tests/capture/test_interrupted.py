"""An object that ends the program when its text is asked for: the event is written before."""

import json
import logging
import signal
import sys
import warnings

import pytest
import structlog

import flowery_logging
from flowery_logging import bound
from tests.files.interruptions import HOUSE, Handler, Interruption

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


def _failing():
    try:
        raise ValueError("x")
    except ValueError:
        log.exception("failed %d", 1)


structured = structlog.get_logger("shop.interrupted")

CALLS = {
    "logging": lambda: log.info("no fields"),
    "logging, arguments": lambda: log.info("order %d of %s", 7, "a"),
    "logging, an extra": lambda: log.info("order %s", 7, extra={"order_id": 7, "url": {"a": 1}}),
    "logging, a mapping": lambda: log.info("order %(id)s", {"id": 7}),
    "logging, keywords": lambda: log.info("order", order_id=7),  # type: ignore[call-arg]
    "logging, a stack level": lambda: log.info("order %d", 7, stacklevel=2),
    "logging, an exception": _failing,
    "get_logger": lambda: own.info("no fields"),
    "get_logger, arguments": lambda: own.info("order %d of %s", 7, "a", order_id=7),
    "get_logger, a secret": lambda: own.info("order", password="hunter2", note="pw=hunter2"),
    "get_logger, bound": lambda: own.bind(order_id=7).info("order %s", 7),
    "structlog": lambda: structured.info("order %s", 7, order_id=7),
    "a warning": lambda: warnings.warn("old", stacklevel=1),
    "bind": lambda: flowery_logging.bind(order_id=7),
}
LONG = {"logging, an exception", "get_logger, a secret"}


@pytest.mark.parametrize(
    "others",
    [
        pytest.param(False, id="alone"),
        pytest.param(True, id="beside another handler", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(
    "call",
    [
        pytest.param(call, id=name, marks=pytest.mark.slow if name in LONG else ())
        for name, call in CALLS.items()
    ],
)
def test_what_a_signal_handler_raises_reaches_the_caller_at_every_point(
    logged, monkeypatch, call, others
):
    """SIGTERM's `sys.exit`, Ctrl-C: a worker that goes on is killed a minute later."""

    def ends():
        raise Interruption

    monkeypatch.setattr(warnings, "showwarning", lambda *_: None)
    warnings.simplefilter("always")  # pytest puts back what was there
    handler = logging.NullHandler()
    if others:
        log.addHandler(handler)
    try:
        for _ in range(5):  # its plan is known
            call()
        point, swallowed = 0, []
        while True:
            point += 1
            interrupting = Handler(point, ends, HOUSE)
            try:
                with interrupting:
                    call()
            except Interruption:
                continue
            if not interrupting.where:
                break
            swallowed.append(interrupting.where)
    finally:
        log.removeHandler(handler)
    assert swallowed == []
    assert point > 10 or sys.version_info >= (3, 13), "no code was interrupted"
    numbers = [event["event"]["sequence"] for event in logged.events()]
    assert numbers == [*range(min(numbers, default=0), max(numbers, default=-1) + 1)]


EXPIRING = """
import logging, signal
import structlog
import flowery_logging
from tests.files.interruptions import HOUSE, Handler

flowery_logging.setup("svc", directory="logs", output="file", stderr_level="OFF")
log, own = logging.getLogger("shop"), flowery_logging.get_logger("shop")
structured = structlog.get_logger("shop")
{before}

class TimeLimitError(Exception):
    "As Celery's soft limit and RQ's: an error like any other, but of a signal handler."

def expire(number, frame):
    raise TimeLimitError

signal.signal(signal.SIGUSR1, expire)
calls = [
    lambda: log.info("no fields"),
    lambda: log.error("order %d of %s", 7, "a"),
    lambda: log.info("order %s", 7, extra={{"order_id": 7, "url": {{"a": 1}}}}),
    lambda: log.info("order %(id)s", {{"id": 7}}),
    lambda: log.info("order", order_id=7),
    lambda: log.info("order %d", 7, stacklevel=2),
    lambda: own.info("order %d of %s", 7, "a", order_id=7),
    lambda: own.bind(order_id=7).info("order %s", 7),
    lambda: structured.info("order %s", 7, order_id=7),
]
points = 0
for index, call in enumerate(calls):
    for _ in range(5):
        call()
    point = 0
    while True:
        point += 1
        handler = Handler(point, lambda: expire(signal.SIGUSR1, None), HOUSE)
        try:
            with handler:
                call()
        except TimeLimitError:
            continue
        if not handler.where:
            break
        print(index, "swallowed", handler.where)
    points += point
assert points > 200 or __import__("sys").version_info >= (3, 13), "no code was interrupted"
"""
STATES = {
    "by their plans": "",
    "the general way": 'structlog.contextvars.bind_contextvars(shop="main")',
    "another handler": "logging.getLogger().addHandler(logging.NullHandler())",
    "agents": "import opentelemetry.trace, elasticapm.traces; flowery_logging.setup()",
}


@pytest.mark.parametrize("state", STATES)
def test_a_time_limit_in_the_middle_of_an_ordinary_event_reaches_the_caller(
    programs, tmp_path, state
):
    done = programs.run(EXPIRING.format(before=STATES[state]), tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    lines = [line for path in tmp_path.glob("logs/*") for line in path.read_text().splitlines()]
    numbers = [json.loads(line)["event"]["sequence"] for line in lines]
    assert numbers == [*range(1, len(numbers) + 1)]


def test_an_error_of_an_objects_own_reaches_nobody_also_while_signals_are_handled(logged):
    class Broken:
        def __str__(self):
            raise LookupError

    def expire(number, frame):
        raise LookupError

    before = signal.signal(signal.SIGUSR1, expire)
    try:
        for _ in range(3):
            log.info("got %s", Broken())
            own.info("got", it=Broken())
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert len(logged.events()) == 6
