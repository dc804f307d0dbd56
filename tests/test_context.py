"""The flows of a request: what each shows, what stays its own."""

import asyncio
import functools
import inspect
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import anyio.to_thread
import pytest
from starlette.background import BackgroundTask

from flowery_logging import context
from flowery_logging.context import (
    bind,
    bound,
    carried,
    fields,
    request_scope,
    unbind,
)
from flowery_logging.request import Request


@pytest.fixture(autouse=True)
def own_context():
    """Leave nothing bound for the next test."""
    before = context.current()
    yield
    context._scope.set(before)


def test_outside_a_request_fields_are_local():
    bind(a=1)
    bind(b=2)
    unbind("a", "unknown")
    assert fields() == {"b": 2}
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(fields).result() == {}


def test_unbind_where_nothing_was_bound_has_no_effect():
    copy_context().run(unbind, "a")


def test_bound_restores_what_was_bound_before_also_after_an_exception():
    bind(a=1)
    with bound(a=2, b=3):
        assert fields() == {"a": 2, "b": 3}
    with pytest.raises(ZeroDivisionError), bound(a=4):
        1 / 0
    assert fields() == {"a": 1}


def test_bound_is_never_seen_by_the_request():
    with request_scope(Request({"id": 1})) as request:
        with bound(a=1):
            assert fields() == {"id": 1, "a": 1}
            assert request.latest == {"id": 1}
        assert fields() == {"id": 1}


def test_what_a_thread_binds_is_seen_by_the_request_that_started_it():
    with request_scope(Request({"id": 1})):
        inner = copy_context()
        thread = threading.Thread(target=inner.run, args=(lambda: bind(user=7),))
        thread.start()
        thread.join()
        assert fields() == {"id": 1, "user": 7}


def test_siblings_never_see_each_others_value_of_the_same_name():
    async def child(number):
        bind(order_id=number)
        await asyncio.sleep(0.001 * (number % 3))
        return fields()["order_id"]

    async def main():
        with request_scope(Request()):
            return await asyncio.gather(*(child(number) for number in range(50)))

    assert asyncio.run(main()) == list(range(50))


def test_a_request_shows_nothing_of_what_was_bound_outside():
    bind(outer=1)
    with request_scope(Request({"id": 1})):
        assert fields() == {"id": 1}
    assert fields() == {"outer": 1}


def test_unbind_reaches_the_request_and_brings_back_its_fixed_field():
    with request_scope(Request({"id": 1})) as request:
        bind(id=2, a=3)
        unbind("id", "a")
        assert fields() == {"id": 1}
        assert request.latest == {"id": 1}


def test_after_the_request_a_task_that_outlives_it_reads_on_and_binds_for_itself():
    async def outlive(ended):
        await ended.wait()
        bind(late=1)
        return fields()

    async def main():
        ended = asyncio.Event()
        with request_scope(Request({"id": 1})) as request:
            bind(user=7)
            task = asyncio.create_task(outlive(ended))
        ended.set()
        assert await task == {"id": 1, "user": 7, "late": 1}
        assert request.latest == {"id": 1, "user": 7}
        assert fields() == {}

    asyncio.run(main())


def test_requests_in_threads_never_mix():
    def serve(number):
        with request_scope(Request({"id": number})):
            bind(order_id=number)
            with bound(step=number):
                return fields()

    with ThreadPoolExecutor(8) as pool:
        for number, seen in enumerate(pool.map(serve, range(500))):
            assert seen == {"id": number, "order_id": number, "step": number}


def test_the_fragment_is_rendered_once_for_each_change():
    calls = []

    def render(seen):
        calls.append(dict(seen))
        return len(calls)

    def other(seen):
        return "other"

    def rendered(how):
        scope = context.current()
        assert scope is not None
        return scope.rendered(how)

    with request_scope(Request({"id": 1})) as request:
        assert [rendered(render) for _ in range(3)] == [1, 1, 1]
        bind(a=1)
        assert [rendered(render) for _ in range(3)] == [2, 2, 2]
        request.put({"b": 2})  # as another task of the request would
        assert rendered(render) == 3
        assert rendered(other) == "other"
        assert rendered(render) == 4
    assert calls[2] == {"id": 1, "a": 1, "b": 2}


def test_the_caller_of_bind_may_change_his_mapping_afterwards():
    given = {"a": 1}
    bind(**given)
    given["a"] = 2
    assert fields() == {"a": 1}


async def silent(bound_by_sibling, ended):
    await bound_by_sibling.wait()
    seen = [fields()]
    await ended.wait()
    return [*seen, fields()]


def test_a_sibling_that_binds_nothing_shows_nothing_of_the_others_running_or_ended():
    async def binding(is_bound, ended):
        bind(order_id=7)
        is_bound.set()
        await asyncio.sleep(0)
        ended.set()

    async def main():
        is_bound, ended = asyncio.Event(), asyncio.Event()
        with request_scope(Request({"id": 1})):
            return await asyncio.gather(silent(is_bound, ended), binding(is_bound, ended))

    assert asyncio.run(main())[0] == [{"id": 1}, {"id": 1}]


def test_threads_beside_each_other_show_nothing_of_each_other_also_when_a_thread_is_used_again():
    def work(number):
        before = fields()
        bind(order_id=number)
        return before, fields()

    async def main():
        with request_scope(Request({"id": 1})):
            bind(user=7)
            return await asyncio.gather(*(asyncio.to_thread(work, n) for n in range(50)))

    for number, (before, after) in enumerate(asyncio.run(main())):
        assert before == {"id": 1, "user": 7}
        assert after == {"id": 1, "user": 7, "order_id": number}


def test_threads_below_a_task_work_for_it_and_not_for_its_siblings():
    def work(number):
        bind(order_id=number)

    async def child(number):
        await anyio.to_thread.run_sync(work, number)
        first = fields()
        return first, await anyio.to_thread.run_sync(fields)

    async def main():
        with request_scope(Request({"id": 1})) as request:
            found = await asyncio.gather(*(child(number) for number in range(20)))
            assert request.latest["order_id"] in range(20)
            return found

    for number, found in enumerate(asyncio.run(main())):
        assert found == ({"id": 1, "order_id": number},) * 2


def test_what_a_worker_thread_binds_over_an_earlier_value_is_seen_by_the_task_that_waits():
    async def main():
        with request_scope(Request()) as request:
            bind(user="guest")
            await anyio.to_thread.run_sync(lambda: bind(user="kim"))
            assert fields() == {"user": "kim"}
            assert await anyio.to_thread.run_sync(fields) == {"user": "kim"}
            assert request.latest == {"user": "kim"}

    asyncio.run(main())


def test_a_task_keeps_what_was_bound_when_it_was_started():
    async def child():
        await asyncio.sleep(0)
        return fields()["order_id"]

    async def main():
        tasks = []
        with request_scope(Request()):
            for number in range(3):
                bind(order_id=number)
                tasks.append(asyncio.create_task(child()))
            return await asyncio.gather(*tasks)

    assert asyncio.run(main()) == [0, 1, 2]


def test_the_opener_shows_its_own_value_and_otherwise_what_its_tasks_have_bound():
    async def child():
        bind(order_id=8, item="rose")

    async def main():
        with request_scope(Request()) as request:
            bind(order_id=7)
            await asyncio.create_task(child())
            assert fields() == {"order_id": 7, "item": "rose"}
            assert request.latest == {"order_id": 8, "item": "rose"}
            bind(more=1)
            assert fields() == {"order_id": 7, "item": "rose", "more": 1}

    asyncio.run(main())


def test_the_opener_shows_what_a_task_binds_anew_though_it_has_seen_the_former_value():
    async def child(go_on):
        bind(step=1)
        await go_on.wait()
        bind(step=2)

    async def main():
        go_on = asyncio.Event()
        with request_scope(Request()):
            task = asyncio.create_task(child(go_on))
            await asyncio.sleep(0)
            bind(user=7)
            assert fields() == {"step": 1, "user": 7}
            go_on.set()
            await task
            assert fields() == {"step": 2, "user": 7}

    asyncio.run(main())


def test_what_the_opener_binds_later_is_seen_by_what_it_started():
    async def child(go):
        await go.wait()
        return fields()

    async def main():
        go = asyncio.Event()
        with request_scope(Request()):
            task = asyncio.create_task(child(go))
            await asyncio.sleep(0)
            bind(user=7)
            go.set()
            return await task

    assert asyncio.run(main()) == {"user": 7}


def test_a_task_may_take_off_for_itself_what_the_opener_has_bound():
    async def child():
        unbind("user")
        await asyncio.sleep(0)
        return fields()

    async def other():
        await asyncio.sleep(0)
        bind(b=2)
        return fields()

    async def main():
        with request_scope(Request({"id": 1})):
            bind(user=7)
            found = await asyncio.gather(child(), other())
            assert fields()["user"] == 7
            return found

    assert asyncio.run(main()) == [{"id": 1}, {"id": 1, "user": 7, "b": 2}]


def test_a_thread_that_unbinds_gets_the_requests_own_value_back():
    def work():
        bind(id=2)
        unbind("id")
        return fields()

    with request_scope(Request({"id": 1})), ThreadPoolExecutor(1) as pool:
        assert pool.submit(carried(work)).result() == {"id": 1}


def test_threads_that_work_for_one_task_one_after_the_other_leave_it_all_they_bind():
    async def child():
        for name in ("a", "b"):
            await anyio.to_thread.run_sync(lambda name: bind(**{name: 1}), name)
        return fields()

    async def main():
        with request_scope(Request({"id": 1})):
            return await asyncio.create_task(child())

    assert asyncio.run(main()) == {"id": 1, "a": 1, "b": 1}


def on_a_line():
    """Return what a line shows here, which keeps it for the next one."""
    scope = context.current()
    assert scope is not None
    return scope.rendered(dict)


def test_flows_that_share_a_view_show_each_their_own():
    async def silent(is_bound):
        await is_bound.wait()
        return on_a_line()

    async def main():
        is_bound = asyncio.Event()
        with request_scope(Request({"id": 1})):
            task = asyncio.create_task(silent(is_bound))
            await asyncio.create_task(asyncio.to_thread(bind, order_id=7))
            assert on_a_line() == {"id": 1, "order_id": 7}
            is_bound.set()
            assert await task == {"id": 1}

    asyncio.run(main())


def test_the_next_line_of_a_task_shows_what_its_opener_or_its_thread_has_bound():
    async def child(go_on, seen):
        while await go_on.get():
            seen.put_nowait(on_a_line())
        await anyio.to_thread.run_sync(lambda: bind(item="rose"))
        seen.put_nowait(on_a_line())

    async def main():
        go_on: asyncio.Queue[bool] = asyncio.Queue()
        seen: asyncio.Queue[Any] = asyncio.Queue()
        with request_scope(Request()):
            task = asyncio.create_task(child(go_on, seen))
            for number in (1, 2, 3):
                bind(user=number)
                go_on.put_nowait(True)
                assert await seen.get() == {"user": number}
            go_on.put_nowait(False)
            await task
        return await seen.get()

    assert asyncio.run(main()) == {"user": 3, "item": "rose"}


def test_what_was_bound_stays_where_the_request_adopts_another_identity():
    with request_scope(Request({"id": 1, "name": "a"})) as request:
        bind(order_id=7, name="own")
        request.adopt({"id": 2, "name": "b"})
        assert fields() == request.latest == {"id": 2, "order_id": 7, "name": "own"}


def test_what_is_told_of_a_flow_that_has_ended_shows_nothing_of_its_siblings():
    async def failing():
        bind(a=1)
        with bound(step=1):
            raise ValueError

    async def other(**own):
        bind(**own)
        return context.current()

    async def main():
        with request_scope(Request({"id": 1})):
            flows = other(b=2), failing(), other(c=3)
            found: Any = await asyncio.gather(*flows, return_exceptions=True)
            ended: list[Any] = [context.scope_of_failure(found[1]), context.as_left(found[0])]
            return fields(), *(scope.fields() for scope in ended)

    whole, failed, left = asyncio.run(main())
    assert whole == {"id": 1, "a": 1, "b": 2, "c": 3}
    assert failed == {"id": 1, "a": 1, "step": 1}
    assert left == {"id": 1, "b": 2}


def test_the_view_of_the_whole_request_shows_what_is_bound_later():
    request = Request({"id": 1})
    scope = context.whole(request)
    with request_scope(request):
        bind(a=1)
    assert scope.fields() == {"id": 1, "a": 1}


def test_no_field_is_lost_where_many_threads_bind_at_once():
    def work(number):
        bind(**{f"f{number}": number})

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads meet in the middle of everything
    try:
        with request_scope(Request()) as request, ThreadPoolExecutor(16) as pool:
            list(pool.map(carried(work), range(1000)))
            assert len(request.latest) == len(fields()) == 1000
    finally:
        sys.setswitchinterval(before)


def test_carried_takes_what_is_bound_into_any_thread_and_brings_nothing_back():
    def work(number):
        seen = fields()
        bind(order_id=number)
        return seen, fields()

    with ThreadPoolExecutor(4) as pool:
        with bound(a=1):
            found = list(pool.map(carried(work), range(50)))
        assert pool.submit(fields).result() == {}
    assert found == [({"a": 1}, {"a": 1, "order_id": n}) for n in range(50)]
    assert fields() == {}


def test_carried_keeps_the_name_the_result_and_the_exception():
    def work(number, *, by):
        return number // by

    run = carried(work)
    assert (run.__name__, run(7, by=2)) == ("work", 3)
    with pytest.raises(ZeroDivisionError):
        run(7, by=0)


async def _work(number):
    """Return what is bound before and after a wait, and bind something."""
    seen = fields()
    await asyncio.sleep(0)
    bind(order_id=number)
    return seen, fields()


class _Worker:
    async def __call__(self, number):
        return await _work(number)


@pytest.mark.parametrize("work", [_work, functools.partial(_work), _Worker()])
def test_carried_goes_along_with_an_async_function_which_stays_one(work):
    with bound(a=1):
        run = carried(work)

    async def main():
        with bound(b=2):
            return await run(7), fields()

    assert inspect.iscoroutinefunction(run)
    assert asyncio.run(main()) == (({"a": 1}, {"a": 1, "order_id": 7}), {"b": 2})


def test_an_async_background_task_that_is_carried_runs():
    seen = []

    async def work():
        seen.append(fields())

    with bound(a=1):
        task = BackgroundTask(carried(work))
    asyncio.run(task())
    assert seen == [{"a": 1}]


def test_a_carried_coroutine_that_ends_in_another_flow_changes_nothing_there():
    class Waiting:
        def __await__(self):
            yield

    async def work():
        await Waiting()

    with bound(a=1):
        coroutine = carried(work)()
    copy_context().run(coroutine.send, None)
    with bound(b=2):
        coroutine.close()
        assert fields() == {"b": 2}


def test_a_block_decorates_a_function_each_call_of_which_has_its_own():
    @bound(a=1)
    def work():
        bind(b=len(fields()))
        return fields()

    assert [work(), work(), fields()] == [{"a": 1, "b": 1}, {"a": 1, "b": 1}, {}]


def test_a_block_that_decorates_an_async_function_lasts_while_that_runs():
    @bound(a=1)
    async def work(number):
        await asyncio.sleep(0)
        with bound(b=number):
            await asyncio.sleep(0)
            return fields()

    async def main():
        return await asyncio.gather(work(1), work(2)), fields()

    assert inspect.iscoroutinefunction(work)
    assert asyncio.run(main()) == ([{"a": 1, "b": 1}, {"a": 1, "b": 2}], {})


def test_an_exception_goes_through_a_block_that_decorates():
    @bound(a=1)
    async def work():
        raise LookupError

    with pytest.raises(LookupError):
        asyncio.run(work())


def test_a_block_is_for_one_with_statement():
    block = bound(a=1)
    with block:
        pass
    with pytest.raises(AttributeError), block:  # as of `contextlib`
        pass
    assert fields() == {}
