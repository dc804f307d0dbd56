"""Tasks and callbacks that fail without anybody asking: their lines carry what was bound in them."""

import asyncio
import builtins
import concurrent.futures
import contextvars
import functools
import gc
import logging
import sys
import threading
import types

import pytest

import flowery_logging
from flowery_logging import bind, bound, carried, continue_trace

TRACES = [f"{number:032x}" for number in range(1, 10)]


def incoming(number):
    return {"traceparent": f"00-{TRACES[number]}-00f067aa0ba902b7-01"}


async def fails(**fields):
    bind(**fields)
    raise ValueError("wilted")


def asyncio_lines(logged):
    return [e for e in logged.events() if e["log"]["logger"] == "asyncio"]


async def forget(coroutine):
    """Run a task to its end, and keep nothing of it but garbage that a collection has to find."""
    task = asyncio.create_task(coroutine)
    circle: list[object] = [task]
    circle.append(circle)
    del task
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def collected_by_hand():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_a_forgotten_task_is_told_with_its_own_trace_whoever_collects_it(logged):
    async def main():
        with continue_trace(incoming(0)):
            bind(shop="one")
            await forget(fails(order_id=7))
            bind(late="later")
        with continue_trace(incoming(1)):
            bind(shop="two", order_id=8)
            gc.collect()

    asyncio.run(main())
    (line,) = asyncio_lines(logged)
    assert line["message"].startswith("Task exception was never retrieved")
    assert line["trace"]["id"] == TRACES[0]
    assert line["labels"]["shop"] == "one"
    assert line["numeric_labels"]["order_id"] == 7


def test_it_shows_no_field_of_a_sibling_also_where_the_opener_collects_it(logged):
    async def sibling():
        bind(order_id=9, theirs="yes")

    async def main():
        with continue_trace(incoming(0)):
            await forget(fails(order_id=7))
            await asyncio.create_task(sibling())
            gc.collect()

    asyncio.run(main())
    (line,) = asyncio_lines(logged)
    assert line["numeric_labels"]["order_id"] == 7
    assert "theirs" not in line.get("labels", {})


def test_a_task_that_opens_a_request_itself_is_told_with_that_one(logged):
    async def work():
        with continue_trace(incoming(0), job="nightly"):
            await fails(order_id=7)

    async def main():
        await forget(work())
        with continue_trace(incoming(1)):
            gc.collect()

    asyncio.run(main())
    (line,) = asyncio_lines(logged)
    assert line["trace"]["id"] == TRACES[0]
    assert (line["labels"]["job"], line["numeric_labels"]["order_id"]) == ("nightly", 7)


def test_a_task_outside_of_any_request_gets_no_others_trace(logged):
    async def main():
        await forget(fails())
        with continue_trace(incoming(1)):
            gc.collect()

    asyncio.run(main())
    (line,) = asyncio_lines(logged)
    assert "trace" not in line


def test_a_forgotten_future_gets_no_trace_but_that_of_what_has_failed(logged):
    def work():
        raise ValueError("wilted")

    async def main():
        loop = asyncio.get_running_loop()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            with continue_trace(incoming(0)):
                loop.run_in_executor(pool, carried(work))
            loop.run_in_executor(pool, work)
        for _ in range(5):
            await asyncio.sleep(0)
        with continue_trace(incoming(1)):
            gc.collect()

    asyncio.run(main())
    found = asyncio_lines(logged)
    assert sorted(e.get("trace", {}).get("id", "") for e in found) == ["", TRACES[0]]


@pytest.mark.parametrize("schedule", ["call_soon", "call_later", "call_soon_threadsafe", "done"])
def test_a_callback_that_fails_is_told_with_the_trace_it_was_made_in(logged, schedule):
    def callback(*_):
        bind(order_id=7)
        raise ValueError("wilted")

    async def main():
        loop = asyncio.get_running_loop()
        with continue_trace(incoming(0)):
            if schedule == "call_later":
                loop.call_later(0, callback)
            elif schedule == "done":
                asyncio.create_task(asyncio.sleep(0)).add_done_callback(callback)
            else:
                getattr(loop, schedule)(callback)
        for _ in range(10):
            await asyncio.sleep(0.001)

    asyncio.run(main())
    (line,) = asyncio_lines(logged)
    assert line["trace"]["id"] == TRACES[0]
    assert line["numeric_labels"]["order_id"] == 7


def test_many_tasks_that_fail_at_once_keep_their_own(logged):
    async def one(number):
        with continue_trace(incoming(number)):
            await forget(fails(number=number))
            bind(number=100)

    async def main():
        await asyncio.gather(*(one(number) for number in range(9)))
        with continue_trace({}):
            gc.collect()

    asyncio.run(main())
    found = asyncio_lines(logged)
    assert sorted((e["trace"]["id"], e["numeric_labels"]["number"]) for e in found) == list(
        zip(TRACES, range(9), strict=True)
    )


def test_a_handler_of_the_loops_own_runs_with_it_too_and_its_context_is_a_copy(logged):
    seen = contextvars.ContextVar("seen", default="")

    async def work():
        seen.set("inside")
        raise ValueError("wilted")

    def handler(loop, report):
        logging.getLogger("own").error("lost: %s [%s]", report["exception"], seen.get())
        loop.default_exception_handler(report)

    async def main():
        asyncio.get_running_loop().set_exception_handler(handler)
        with continue_trace(incoming(0)):
            await forget(work())
        gc.collect()

    asyncio.run(main())
    own, default = [e for e in logged.events() if e["log"]["logger"] in ("own", "asyncio")]
    assert own["message"] == "lost: wilted [inside]"
    assert own["trace"]["id"] == default["trace"]["id"] == TRACES[0]


def test_a_report_of_no_task_stays_as_it_is(logged):
    async def main():
        with continue_trace(incoming(1)):
            asyncio.get_running_loop().call_exception_handler({"message": "the weather"})

    asyncio.run(main())
    (line,) = asyncio_lines(logged)
    assert line["trace"]["id"] == TRACES[1]


def test_it_is_undone(logged):
    ours = asyncio.BaseEventLoop.call_exception_handler
    flowery_logging.shutdown()
    assert asyncio.BaseEventLoop.call_exception_handler is not ours
    assert not hasattr(asyncio.BaseEventLoop.call_exception_handler, "__wrapped__")


def test_a_thread_that_fails_with_what_it_was_given_is_told_with_that(logged):
    def work():
        bind(order_id=7)
        raise ValueError("wilted")

    with continue_trace(incoming(0)):
        thread = threading.Thread(target=carried(work))
    hook, threading.excepthook = threading.excepthook, lambda _: None
    try:
        thread.start()
        thread.join()
    finally:
        threading.excepthook = hook
    (line,) = [e for e in logged.events() if e["log"]["logger"] == "threading.excepthook"]
    assert line["trace"]["id"] == TRACES[0]
    assert line["numeric_labels"]["order_id"] == 7


def test_a_done_callback_of_an_executors_future_is_told_with_what_it_was_given(logged):
    def callback(_):
        raise ValueError("wilted")

    with concurrent.futures.ThreadPoolExecutor(1) as pool, continue_trace(incoming(0)):
        pool.submit(int).add_done_callback(carried(callback))
    (line,) = [e for e in logged.events() if e["log"]["logger"] == "concurrent.futures"]
    assert line["trace"]["id"] == TRACES[0]


GROUPS = ["group"] if sys.version_info >= (3, 11) else []


@pytest.mark.parametrize("way", ["plain", "from", "context", *GROUPS])
def test_an_exception_that_is_logged_outside_of_its_request_brings_it_along(logged, way):
    def work():
        with continue_trace(incoming(0)), bound(step="pay"):
            bind(order_id=7)
            raise ValueError("wilted")

    def wrapped():
        try:
            work()
        except ValueError as error:
            if way == "plain":
                raise
            if way == "from":
                raise RuntimeError("no luck") from error
            if way == "context":
                raise RuntimeError("no luck")
            raise vars(builtins)["ExceptionGroup"]("all", [OSError("other"), error]) from None

    try:
        wrapped()
    except Exception:
        logging.getLogger("outside").exception("failed")
        flowery_logging.get_logger("outside").exception("failed")
    found = [e for e in logged.events() if e["log"]["logger"] == "outside"]
    assert [e["trace"]["id"] for e in found] == [TRACES[0]] * 2
    assert {e["numeric_labels"]["order_id"] for e in found} == {7}


def test_where_a_request_logs_the_exception_of_another_its_own_trace_stands(logged):
    with continue_trace(incoming(1)):
        try:
            with continue_trace(incoming(0)):
                raise ValueError("wilted")
        except ValueError:
            logging.getLogger("outer").exception("failed")
    (line,) = [e for e in logged.events() if e["log"]["logger"] == "outer"]
    assert line["trace"]["id"] == TRACES[1]


def test_an_exception_brings_along_what_its_flow_has_seen_of_the_others(logged):
    try:
        with continue_trace(incoming(0)):
            bind(order_id=7)
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                pool.submit(carried(lambda: bind(found="by a thread"))).result()
            raise ValueError("wilted")
    except ValueError:
        logging.getLogger("outside").exception("failed")
    (line,) = [e for e in logged.events() if e["log"]["logger"] == "outside"]
    assert line["labels"]["found"] == "by a thread"
    assert line["numeric_labels"]["order_id"] == 7


class LoopOfUvloop(asyncio.SelectorEventLoop):
    """Logs as uvloop's: no frame of Python's stands between the logger and who calls it."""

    call_exception_handler = functools.partial(logging.getLogger("asyncio").error, "%s says %s")


def test_the_origin_of_what_uvloop_reports_is_never_ours(logged, monkeypatch):
    def call():
        loop.call_exception_handler({"message": "wilted"})

    monkeypatch.setitem(sys.modules, "uvloop", types.SimpleNamespace(Loop=LoopOfUvloop))
    flowery_logging.setup()
    loop = LoopOfUvloop()
    try:
        loop.call_soon(call)
        loop.call_soon(loop.stop)
        loop.run_forever()
    finally:
        loop.close()
    (line,) = asyncio_lines(logged)
    assert line["message"].endswith("says {'message': 'wilted'}")
    assert line["log"]["origin"]["function"] == "call"
