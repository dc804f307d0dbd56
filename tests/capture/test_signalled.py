"""What a signal handler raises in the middle of a logging call reaches the program."""

import json
import logging
import signal
import warnings
from dataclasses import dataclass

import pytest
import structlog

import flowery_logging
from tests.files.interruptions import Interruption, swallowed

log = logging.getLogger("shop.interrupted")
own = flowery_logging.get_logger("shop.interrupted")
structured = structlog.get_logger("shop.interrupted")


def _failing():
    try:
        raise ValueError("x")
    except ValueError:
        log.exception("failed %d", 1)


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
        lost, points = swallowed(call, ends, Interruption)
    finally:
        log.removeHandler(handler)
    assert lost == []
    assert points >= 10, "no code was interrupted"
    numbers = [event["event"]["sequence"] for event in logged.events()]
    assert numbers == [*range(min(numbers, default=0), max(numbers, default=-1) + 1)]


EXPIRING = """
import logging, signal
import structlog
import flowery_logging
from tests.files.interruptions import swallowed

flowery_logging.setup("svc", directory="logs", output="file")
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
{calls}
points = 0
for index, call in enumerate(calls):
    for _ in range(5):
        call()
    lost, found = swallowed(call, lambda: expire(signal.SIGUSR1, None), TimeLimitError)
    points += found
    if lost:
        print(index, "swallowed", lost)
assert points > 200, "no code was interrupted"
"""
OWN_CHAIN = """
def mask(logger, name, values):
    return {**values, "card": "hidden"}
structlog.configure(
    processors=[structlog.contextvars.merge_contextvars, mask, structlog.processors.JSONRenderer()],
    FACTORY
)
flowery_logging.setup()
chained = structlog.get_logger("shop")
calls = [lambda: chained.info("order %s", 7, order_id=7), lambda: chained.error("failed")]
"""
REQUEST = """
from asgi_correlation_id.context import correlation_id
from flowery_logging.integrations.wsgi import RequestMiddleware
import io
correlation_id.set("r-7")
def application(environ, start_response):
    log.info("in a request")
    start_response("200 OK", [("X-Request-ID", "r-8")])
    return [b"done"]
app = RequestMiddleware(application)
environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/a", "QUERY_STRING": "x=1", "REMOTE_ADDR": "1.2.3.4",
           "wsgi.input": io.BytesIO(), "SERVER_NAME": "s", "SERVER_PORT": "80"}
def request():
    answer = app(dict(environ), lambda *_: None)
    try:
        list(answer)
    finally:
        answer.close()
calls = [request]
"""
OTHERS = {
    "processors": OWN_CHAIN.replace("FACTORY", ""),
    "processors before logging": OWN_CHAIN.replace(
        "FACTORY", "logger_factory=structlog.stdlib.LoggerFactory()"
    ),
    "a request": REQUEST,
}
STATES = {
    "by their plans": "",
    "the general way": 'structlog.contextvars.bind_contextvars(shop="main")',
    "another handler": "logging.getLogger().addHandler(logging.NullHandler())",
    "agents": "import opentelemetry.trace, elasticapm.traces; flowery_logging.setup()",
}


@pytest.mark.slow
@pytest.mark.parametrize("state", STATES)
def test_a_time_limit_in_the_middle_of_an_ordinary_event_reaches_the_caller(
    programs, tmp_path, state
):
    done = programs.run(EXPIRING.format(before=STATES[state], calls=""), tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr[-2000:]
    lines = [line for path in tmp_path.glob("logs/*") for line in path.read_text().splitlines()]
    numbers = [json.loads(line)["event"]["sequence"] for line in lines]
    assert numbers == [*range(1, len(numbers) + 1)]


@pytest.mark.slow
@pytest.mark.parametrize("others", OTHERS)
def test_a_time_limit_in_code_that_calls_others_reaches_the_caller(programs, tmp_path, others):
    """Somebody's processors, renderers and IDs are called; their errors alone stay in the call."""
    done = programs.run(EXPIRING.format(before="", calls=OTHERS[others]), tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr[-2000:]
    lines = [line for path in tmp_path.glob("logs/*") for line in path.read_text().splitlines()]
    numbers = [json.loads(line)["event"]["sequence"] for line in lines]
    assert numbers == [*range(1, len(numbers) + 1)]


def _read_at_length():
    """Its text, its stack and its group are made, as a secret's place and an object's fields are."""
    try:
        try:
            raise KeyError("order")
        except KeyError as cause:
            raise Unreadable("x") from cause
    except Unreadable:
        log.exception("failed %d", 1, extra={"order": Order(7), "password": "hunter2"})


class Unreadable(Exception):
    def __str__(self):
        raise LookupError


@dataclass
class Order:
    number: int


@pytest.mark.slow
@pytest.mark.parametrize("call", [_failing, _read_at_length])
def test_a_time_limit_while_an_exception_is_read_reaches_the_caller(logged, call):
    def expire(number, frame):
        raise TimeoutError

    before = signal.signal(signal.SIGUSR1, expire)
    try:
        for _ in range(5):
            call()
        lost, points = swallowed(call, lambda: expire(signal.SIGUSR1, None), TimeoutError)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert lost == []
    assert points > 200, "no code was interrupted"


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
