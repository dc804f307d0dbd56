"""The origin of calls that code of ours makes for an application: as without it."""

import asyncio
import logging
import sys
import threading
from functools import partial
from typing import Any

import pytest

import flowery_logging
from flowery_logging import bound, carried, continue_trace
from flowery_logging.integrations import asgi, wsgi


def with_a_handler(add_handler):
    """Let another handler see each record, so that there are records."""
    add_handler(logging.NullHandler())
    return logging.getLogger("shop").info


LOGS = {
    "logging": lambda _: logging.getLogger("shop").info,
    "records": with_a_handler,
    "get_logger": lambda _: flowery_logging.get_logger("shop").info,
    "without a name": lambda _: flowery_logging.get_logger().info,
    "log": lambda _: partial(flowery_logging.get_logger("shop").log, logging.INFO),
}
WRAPPERS: dict[str, Any] = {
    "carried": carried,
    "bound": bound(shop=7),
    "continue_trace": continue_trace({}),
    "two": lambda function: carried(bound(shop=7)(function)),
}


@pytest.fixture
def add_handler():
    added = []

    def add(handler):
        logging.getLogger("shop").addHandler(handler)
        added.append(handler)

    yield add
    for handler in added:
        logging.getLogger("shop").removeHandler(handler)


def place(logged):
    """Return the origin of the one event of an application's."""
    (event,) = [e for e in logged.events() if e["message"] == "called"]
    origin = event["log"]["origin"]
    return origin["file"]["name"], origin["function"], event["log"]["logger"]


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_the_caller_of_what_is_compiled(logged, add_handler, log, wrapper):
    WRAPPERS[wrapper](partial(LOGS[log](add_handler), "called"))()
    expected = __name__ if log == "without a name" else "shop"
    assert place(logged) == ("test_callers.py", "test_the_caller_of_what_is_compiled", expected)


def test_the_line_is_that_of_the_call(logged):
    run = carried(partial(logging.getLogger("shop").info, "called"))
    line = sys._getframe().f_lineno + 1
    run()
    (event,) = [e for e in logged.events() if e["message"] == "called"]
    assert event["log"]["origin"]["file"]["line"] == line


def test_in_a_thread_it_is_the_thread(logged):
    thread = threading.Thread(target=carried(partial(logging.getLogger("shop").info, "called")))
    thread.start()
    thread.join()
    assert place(logged) == ("threading.py", "run", "shop")


@bound(part="audit")
def audit(log):
    log("called", stacklevel=2)


@bound(part="audit")
async def audit_later(log):
    log("called", stacklevel=2)


def test_a_stack_level_that_leads_out_of_a_decorated_function(logged):
    audit(logging.getLogger("shop").info)
    function = "test_a_stack_level_that_leads_out_of_a_decorated_function"
    assert place(logged) == ("test_callers.py", function, "shop")


def test_a_stack_level_that_leads_out_of_an_async_one(logged):
    async def shop():
        await audit_later(logging.getLogger("shop").info)

    asyncio.run(shop())
    assert place(logged) == ("test_callers.py", "shop", "shop")


def test_other_handlers_see_the_same(logged, add_handler):
    records: list[Any] = []
    handler: Any = logging.NullHandler()
    handler.handle = records.append
    add_handler(handler)
    carried(partial(logging.getLogger("shop").info, "called"))()
    (record,) = records
    assert (record.pathname, record.funcName) == (__file__, "test_other_handlers_see_the_same")


class Shop(logging.Logger):
    """A logger that makes its records itself."""

    def makeRecord(self, *args, **named):
        return super().makeRecord(*args, **named)


def test_a_logger_of_a_class_of_its_own(logged):
    log = Shop("own")
    log.parent = logging.getLogger()
    carried(partial(log.warning, "called"))()
    assert place(logged)[1:] == ("test_a_logger_of_a_class_of_its_own", "own")


def test_a_body_of_wsgi_that_is_compiled(logged):
    info = partial(logging.getLogger("shop").info, "called%.0s")
    app = wsgi.RequestMiddleware(lambda _environ, _start: filter(info, [b"piece"]))
    body = app({"REQUEST_METHOD": "GET"}, lambda *_: None)
    list(body)
    assert place(logged)[1] == "test_a_body_of_wsgi_that_is_compiled"


def test_an_application_of_asgi_that_is_compiled(logged):
    info: Any = partial(logging.getLogger("shop").info, "called%.0s%.0s%.0s")
    app: Any = asgi.RequestMiddleware(info)

    async def serve():
        await app({"type": "http", "headers": []}, None, None)

    with pytest.raises(TypeError):  # what it returns is not awaitable
        asyncio.run(serve())
    assert place(logged)[1] == "serve"


def test_our_own_records_stay_where_they_are(logged):
    list(wsgi.RequestMiddleware(lambda *_: [b""])({"REQUEST_METHOD": "GET"}, lambda *_: None))
    (event,) = [e for e in logged.events() if e["log"]["logger"].startswith("flowery_logging")]
    assert event["log"]["origin"]["file"]["name"] == "exchange.py"
