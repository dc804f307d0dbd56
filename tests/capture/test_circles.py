"""What an event asks for its text may log itself, twice even, and what it logs may ask it again."""

import json
import logging

import pytest
import structlog

import flowery_logging

log = logging.getLogger("shop.circle")
own = flowery_logging.get_logger("shop.circle")

MANY = 4_000
"""More events than a stack can have; who goes on at each depth comes to no end before that."""


class Circle:
    """An object that logs itself, twice, whenever it is asked."""

    def __init__(self, call):
        self.call, self.left = call, MANY

    def go_round(self):
        for _ in range(2):
            if self.left:
                self.left -= 1
                self.call(self)

    def __str__(self):
        self.go_round()
        return "a circle"

    __repr__ = __str__


class Entries(dict[str, int]):
    """A mapping that logs itself, twice, whenever its entries are asked for."""

    def __init__(self, circle):
        super().__init__(a=1)
        self.circle = circle

    def items(self):
        self.circle.go_round()
        return super().items()


class Failure(Exception):
    def __init__(self, circle):
        super().__init__()
        self.circle = circle

    def __str__(self):
        return str(self.circle)


CALLS = {
    "logging, an argument": lambda circle: log.info("x %s", circle),
    "logging, a message": lambda circle: log.info(circle),
    "logging, an extra": lambda circle: log.info("x", extra={"a": circle}),
    "logging, a mapping": lambda circle: log.info("x", extra={"a": Entries(circle)}),
    "logging, an exception": lambda circle: log.info("x", exc_info=Failure(circle)),
    "get_logger, an argument": lambda circle: own.info("x %s", circle),
    "get_logger, a field": lambda circle: own.info("x", a=circle),
    "structlog, an argument": lambda circle: structlog.get_logger().info("x %s", circle),
}


@pytest.fixture(params=[False, True], ids=["alone", "beside ECSFormatter"])
def other(request, tmp_path):
    """A handler of the application's with our formatter, or none."""
    if not request.param:
        yield None
        return
    path = tmp_path / "other.log"
    handler = logging.FileHandler(path)
    handler.setFormatter(flowery_logging.ECSFormatter())
    log.addHandler(handler)
    yield path
    log.removeHandler(handler)
    handler.close()


@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_an_object_that_logs_itself_comes_to_an_end(logged, other, call):
    circle = Circle(call)
    call(circle)
    assert circle.left
    log.info("the next one")
    assert logged.events()[-1]["message"] == "the next one"


def test_a_record_factory_that_logs_comes_to_an_end(logged, monkeypatch):
    made = logging.getLogRecordFactory()
    circle = Circle(lambda _: log.info("from the factory"))

    def factory(*args, **kwargs):
        circle.go_round()
        return made(*args, **kwargs)

    monkeypatch.setattr(logging, "_logRecordFactory", factory)
    log.info("x")
    assert circle.left
    assert logged.events()[-1]["message"] == "x"


def test_a_processor_of_structlogs_that_logs_comes_to_an_end(logged):
    circle = Circle(lambda _: structlog.get_logger().info("from the processor"))

    def processor(_logger, _name, event):
        circle.go_round()
        return event

    structlog.configure(processors=[processor, structlog.processors.JSONRenderer()])
    structlog.get_logger().info("x")
    assert circle.left
    assert logged.events()[-1]["message"] == "x"


def test_what_a_processor_logs_comes_to_the_others_alone(logged):
    calls = []

    def talkative(event):
        calls.append(event)
        if len(calls) < 100:
            log.info("from the processor")
            own.info("from the processor")
        return {**event, "talkative": True}

    logged.setup(processors=[talkative, lambda event: {**event, "quiet": True}])
    log.info("x")
    first, second, last = logged.events()
    assert first["message"] == second["message"] == "from the processor"
    assert first["labels"] == second["labels"] == {"quiet": "true"}
    assert last["labels"] == {"talkative": "true", "quiet": "true"}


def test_a_long_way_to_a_call_is_no_circle(logged):
    """A call at the end of the stack, whose event asks an object, raises no more than before."""
    calls = []

    def deeper(depth):
        if depth:
            deeper(depth - 1)
        else:
            calls.append(depth)
            log.info("x", extra={"a": {"b": [Circle(lambda _: None)]}})

    for depth in range(600, 1000):
        try:
            deeper(depth)
        except RecursionError:
            break
    assert len(logged.events()) >= len(calls) - 1


class Endless:
    """An object whose text asks for itself, and logs nothing."""

    def go_round(self):
        str(self)

    def __str__(self):
        return f"{self}"

    __repr__ = __str__


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_an_object_that_asks_itself_is_no_circle(logged, other, call):
    call(Endless())
    log.info("the next one")
    assert [event["log.level"] for event in logged.events()] == ["info", "info"]
    if other is not None:
        lines = map(json.loads, other.read_text().splitlines())
        assert {line["log.level"] for line in lines} == {"info"}


class Broken:
    """An object that cannot be put into words."""

    def __str__(self):
        raise ValueError

    __repr__ = __str__


class Telling:
    """An object that logs something broken as it is put into words."""

    def __str__(self):
        log.info("broken", extra={"a": Broken()})
        return "told"

    __repr__ = __str__


def test_another_error_ends_no_circle(logged):
    log.info("x %s", Telling())
    first, last = logged.events()
    assert first["labels"] == {"a": "<unprintable Broken>"}
    assert last["message"] == "x told"
