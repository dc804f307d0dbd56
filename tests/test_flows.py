"""Flows of one request under each way to run things side by side: none shows another's fields."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread
import pytest
import trio

from flowery_logging import context
from flowery_logging.context import bind, bound, fields, request_scope
from flowery_logging.request import Request


@pytest.fixture(autouse=True)
def own_context() -> Iterator[None]:
    """Leave nothing bound for the next test."""
    before = context.current()
    yield
    context._scope.set(before)


def test_trios_tasks_beside_each_other_show_none_of_the_others_fields():
    seen = {}

    async def work(number, barrier):
        bind(order_id=number, **{f"of_{number}": True})
        barrier.append(number)
        while len(barrier) < 5:
            await trio.lowlevel.checkpoint()
        await trio.lowlevel.checkpoint()
        seen[number] = fields()

    async def main():
        with request_scope(Request({"id": 1})) as request:
            bind(shop="one")
            barrier: list[int] = []
            async with trio.open_nursery() as nursery:
                for number in range(5):
                    nursery.start_soon(work, number, barrier)
            assert set(request.latest) >= {"shop", "order_id", *(f"of_{n}" for n in range(5))}
            assert fields()["shop"] == "one"

    trio.run(main)
    assert seen == {
        number: {"id": 1, "shop": "one", "order_id": number, f"of_{number}": True}
        for number in range(5)
    }


def test_what_the_opening_task_of_trio_binds_later_shows_in_the_others():
    async def work(ready, done):
        bind(mine=True)
        ready.set()
        await done.wait()
        assert fields() == {"id": 1, "mine": True, "late": True}

    async def main():
        with request_scope(Request({"id": 1})):
            ready, done = trio.Event(), trio.Event()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(work, ready, done)
                await ready.wait()
                bind(late=True)
                done.set()

    trio.run(main)


@pytest.mark.parametrize("in_thread", [trio.to_thread.run_sync, anyio.to_thread.run_sync])
def test_a_thread_of_trio_works_for_the_task_that_waits_for_it(in_thread):
    async def work(number):
        await in_thread(lambda: bind(order_id=number))
        await trio.lowlevel.checkpoint()
        assert await in_thread(fields) == {"id": 1, "order_id": number}

    async def main():
        with request_scope(Request({"id": 1})) as request:
            async with trio.open_nursery() as nursery:
                for number in range(5):
                    nursery.start_soon(work, number)
            await in_thread(lambda: bind(endpoint=True))
            assert fields()["endpoint"]
            assert request.latest["endpoint"]

    trio.run(main)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_tasks_of_an_anyio_group_show_none_of_the_others_fields(backend):
    seen = []

    async def work(number):
        bind(order_id=number)
        await anyio.lowlevel.checkpoint()
        with bound(step=number):
            await anyio.lowlevel.checkpoint()
            await anyio.to_thread.run_sync(lambda: bind(deeper=number))
            await anyio.lowlevel.checkpoint()
            seen.append(fields())

    async def main():
        with request_scope(Request({"id": 1})):
            async with anyio.create_task_group() as group:
                for number in range(20):
                    group.start_soon(work, number)

    anyio.run(main, backend=backend)
    assert sorted(seen, key=lambda found: found["order_id"]) == [
        {"id": 1, "order_id": n, "step": n, "deeper": n} for n in range(20)
    ]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_requests_beside_each_other_show_none_of_the_others_fields(backend):
    async def child(number):
        bind(child=number)
        await anyio.lowlevel.checkpoint()
        assert fields() == {"id": number, "mine": number, "child": number}

    async def work(number):
        with request_scope(Request({"id": number})):
            bind(mine=number)
            await anyio.lowlevel.checkpoint()
            async with anyio.create_task_group() as group:
                group.start_soon(child, number)
                await anyio.lowlevel.checkpoint()

    async def main():
        async with anyio.create_task_group() as group:
            for number in range(50):
                group.start_soon(work, number)

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_code_that_a_thread_sends_back_to_the_loop_belongs_to_its_task(backend):
    async def main():
        async def back():
            bind(back=True)

        with request_scope(Request({"id": 1})) as request:
            await anyio.to_thread.run_sync(lambda: anyio.from_thread.run(back))
            assert request.latest["back"]

    anyio.run(main, backend=backend)


def test_a_plain_thread_under_trio_is_a_flow_of_its_own():
    found = []

    def alone():
        bind(alone=True)
        found.append(fields())

    async def main():
        with request_scope(Request({"id": 1})):
            thread = threading.Thread(target=alone)
            thread.start()
            await trio.to_thread.run_sync(thread.join)
            assert fields()["id"] == 1

    trio.run(main)
    assert found in ([{"alone": True}], [{"id": 1, "alone": True}])  # the latter from 3.14 on


GREENLETS = """
import sys
if sys.argv[1] == "patched":
    from gevent import monkey
    monkey.patch_all()
import gevent
import gevent.pool
from flowery_logging.context import bind, bound, carried, fields, request_scope
from flowery_logging.request import Request

def work(number):
    bind(order_id=number, **{f"of_{number}": True})
    gevent.sleep(0)
    with bound(step=number):
        gevent.sleep(0)
        assert fields() == {
            "id": 1, "shop": "one", "order_id": number, f"of_{number}": True, "step": number,
        }, fields()
    return number

def serve(number):
    with request_scope(Request({"id": 1})) as request:
        bind(shop="one")
        jobs = [gevent.spawn(carried(work), one) for one in range(5)]
        gevent.joinall(jobs, raise_error=True)
        assert set(request.latest) == {
            "id", "shop", "order_id", *(f"of_{one}" for one in range(5))
        }, request.latest
        assert fields()["of_3"]
        pool = gevent.get_hub().threadpool
        pool.apply(lambda: None)

with request_scope(Request({"outer": True})):
    bind(outermost=True)
serve(0)  # in the thread's own greenlet
gevent.joinall([gevent.spawn(serve, number) for number in range(20)], raise_error=True)
print("apart")
"""


@pytest.mark.slow
@pytest.mark.parametrize("patched", ["patched", "plain"])
def test_greenlets_beside_each_other_show_none_of_the_others_fields(patched):
    ran = subprocess.run(
        [sys.executable, "-c", GREENLETS, patched],
        capture_output=True, text=True, timeout=300, check=False, env=dict(os.environ),
    )  # fmt: skip
    assert ran.stdout == "apart\n", ran.stderr


@pytest.mark.slow
def test_where_there_are_no_greenlets_a_thread_is_a_flow():
    program = """
import sys
sys.modules["greenlet"] = None  # as where it is not installed
from flowery_logging.context import bind, fields, request_scope
from flowery_logging.request import Request
with request_scope(Request()):
    bind(a=1)
    print(fields())
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "{'a': 1}\n"
