"""What an event is made of is gone with it: nothing of it is kept by who has written it."""

import asyncio
import gc
import logging
import threading
import weakref

import pytest
import structlog

import flowery_logging

log = logging.getLogger("shop")


class Held:
    """Stands in a frame, or is given to a call; a lock, a connection, a file."""


def fail(held):
    raise ValueError("no")


def by_logging(held):
    try:
        fail(held)
    except ValueError:
        log.exception("failed")


def by_get_logger(held):
    try:
        fail(held)
    except ValueError:
        flowery_logging.get_logger().exception("failed")


def by_structlog(held):
    try:
        fail(held)
    except ValueError:
        structlog.get_logger().exception("failed")


def as_an_argument(held):
    log.error("failed %s", held, extra={"held": held})


def with_the_stack(held):
    log.error("failed", stack_info=True, extra={"held": held})


def handed_to_our_handler(held):
    record = logging.LogRecord("shop", 40, __file__, 1, "failed %s", (held,), None)
    for handler in logging.getLogger().handlers:
        handler.handle(record)


def through_a_child(held):
    logging.getLogger("shop.orders").error("failed %s", held)


def of_a_bound_field(held):
    with flowery_logging.bound(held=held):
        log.error("failed")


def in_a_request(held):
    with flowery_logging.continue_trace({}), pytest.raises(ValueError, match="no"):
        fail(held)


def in_a_task(held):
    async def main():
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task

    async def work():
        fail(held)

    asyncio.run(main())


WAYS = [
    by_logging, by_get_logger, by_structlog, as_an_argument, with_the_stack, handed_to_our_handler,
    through_a_child, of_a_bound_field, in_a_request, in_a_task,
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("others", [True, False], ids=["beside another handler", "alone"])
def test_nothing_of_an_event_is_kept(logged, way, others):
    handler = logging.NullHandler()
    if others:
        log.addHandler(handler)
    ended, done = threading.Event(), threading.Event()
    seen = []

    def work():  # an idle thread of a pool, which logs nothing more
        held = Held()
        seen.append(weakref.ref(held))
        way(held)
        del held
        done.set()
        ended.wait(60)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert done.wait(60)
        if way is in_a_task:  # which is in a circle with its exception
            gc.collect()
        assert seen[0]() is None
    finally:
        ended.set()
        thread.join()
        log.removeHandler(handler)


def test_what_is_said_when_an_uncaught_exception_is_let_go_is_an_event(tmp_path, programs):
    code = """
import asyncio, flowery_logging
flowery_logging.setup("shop", directory="logs", output="file")
async def bad(): raise KeyError("lost")
async def main():
    task = asyncio.create_task(bad())
    await asyncio.sleep(0.01)
    raise ValueError("the end")
asyncio.run(main())
"""
    assert programs.run(code, tmp_path).returncode == 1
    lines = "".join(path.read_text() for path in tmp_path.glob("logs/*"))
    assert "Uncaught exception" in lines
    assert "Task exception was never retrieved" in lines
