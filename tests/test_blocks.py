"""Blocks of `continue_trace` and `bound` that end in another order than they have begun."""

import asyncio
import gc
import itertools
from contextlib import ExitStack
from contextvars import copy_context

import pytest

from flowery_logging import bind, bound, continue_trace, current_trace
from flowery_logging.context import fields, request_scope
from flowery_logging.request import Request
from flowery_logging.scope import Block


@pytest.fixture(autouse=True)
def nothing_is_bound():
    assert (fields(), current_trace()) == ({}, None)
    yield
    assert (fields(), current_trace()) == ({}, None)


def working(message):
    """Work at a message in a generator, which its caller leaves open."""
    with continue_trace({}, message=message):
        while True:
            yield


def shown():
    return fields().get("message")


def test_generators_that_take_turns_leave_nothing_behind():
    first, second = working(1), working(2)
    next(first)
    next(second)
    first.close()
    assert shown() == 2
    second.close()


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_the_innermost_block_that_is_open_stands_in_whatever_order_they_end(order):
    opened = [working(number) for number in range(4)]
    for generator in opened:
        next(generator)
    open_ones = set(range(4))
    for number in order:
        opened[number].close()
        open_ones.remove(number)
        assert shown() == max(open_ones, default=None)


def test_messages_in_one_thread_that_overlap_for_long_keep_nothing_of_each_other():
    stacks = [ExitStack()]
    stacks[0].enter_context(continue_trace({}, message=0))
    for number in range(1, 3_000):  # far more than the calls that Python allows in each other
        stacks.append(ExitStack())
        stacks[-1].enter_context(continue_trace({}, message=number))
        stacks.pop(0).close()
        assert shown() == number
    stacks.pop().close()


def test_a_generator_that_is_closed_after_the_request_around_it():
    inner = working("inner")
    with request_scope(Request({"message": "outer"})):
        next(inner)
    assert fields() == {}  # the request is over, and with it what has begun in it
    with continue_trace({}, message="next"):
        inner.close()
        assert shown() == "next"


def test_a_generator_that_is_closed_in_the_next_block():
    inner = working("inner")
    with continue_trace({}, message="outer"):
        next(inner)
    with continue_trace({}, message="next"):
        inner.close()
        assert shown() == "next"


def test_a_generator_that_is_closed_in_another_context_leaves_that_alone():
    opened = working(1)
    copy_context().run(next, opened)
    with continue_trace({}, message=2):
        opened.close()
        assert shown() == 2


def test_what_binds_to_a_request_ends_with_it():
    with ExitStack() as late:
        with continue_trace({}, message=1):
            late.enter_context(bound(step=1))
        assert fields() == {}


def test_bound_fields_end_in_whatever_order():
    first, second, third = ExitStack(), ExitStack(), ExitStack()
    with continue_trace({}) as trace:
        first.enter_context(bound(step=1, name="first"))
        second.enter_context(bound(name="second"))
        third.enter_context(bound(more=3))
        first.close()
        bind(order_id=7)
        assert fields() == {**trace.fields(), "name": "second", "more": 3, "order_id": 7}
        third.close()
        assert fields() == {**trace.fields(), "name": "second", "order_id": 7}
        second.close()
        assert "name" not in fields()


def test_what_is_bound_around_a_request_may_end_before_it():
    outer, inner = ExitStack(), ExitStack()
    outer.enter_context(bound(step=1))
    trace = inner.enter_context(continue_trace({}))
    inner.enter_context(bound(more=2))
    outer.close()
    assert fields() == {**trace.fields(), "more": 2}
    inner.close()


async def rows():
    """Bind something while the rows of a query are read."""
    with bound(cursor=1):
        while True:
            yield


async def left_open(messages):
    """Leave a generator open, as `break` does, until the loop has closed it in a task."""
    async for _ in messages():
        break
    gc.collect()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def working_in(message=0):
    """Work at a message in an asynchronous generator, which its caller leaves open."""
    with continue_trace({}, message=message):
        while True:
            yield


@pytest.mark.slow
@pytest.mark.parametrize("left", [rows, working_in])
@pytest.mark.parametrize("block", [lambda: continue_trace({}), lambda: bound(a=1)])
def test_a_block_ends_in_which_a_generator_was_left_open(left, block):
    async def main():
        for _ in range(3):
            with block():
                await left_open(left)
            assert (fields(), current_trace()) == ({}, None)

    asyncio.run(main())


def test_a_task_keeps_what_was_bound_when_it_was_started_though_that_block_has_ended():
    async def work():
        await asyncio.sleep(0)
        with bound(b=2):
            await asyncio.sleep(0)
        return fields()

    async def main():
        with bound(a=1):
            task = asyncio.create_task(work())
        return await task

    assert asyncio.run(main()) == {"a": 1}


def blocks():
    gc.collect()
    return sum(type(one) is Block for one in gc.get_objects())


def test_tasks_that_begin_in_each_other_keep_no_block_that_has_ended():
    async def work(number):
        with bound(number=number):
            await asyncio.sleep(0)
            following = asyncio.create_task(work(number - 1)) if number else None
            await asyncio.sleep(0)
        return following

    before = blocks()

    async def main():
        following = [asyncio.create_task(work(200))]
        while following:
            following = [task for task in [await following[0]] if task is not None]
        return blocks()

    assert asyncio.run(main()) < before + 20
