"""What is learnt is bounded, and comes back when it was forgotten."""

import logging
import sys
import threading

import flowery_logging
from flowery_logging.ecs import plan
from flowery_logging.kept import Kept

log = logging.getLogger("shop.orders")


def test_the_oldest_is_forgotten():
    kept: Kept[int, str] = Kept(3)
    for number in range(5):
        assert kept.keep(number, str(number)) == str(number)
    assert kept == {2: "2", 3: "3", 4: "4"}


def test_many_at_once_push_out_the_oldest():
    kept: Kept[int, bool] = Kept(32)
    for first in range(0, 100, 10):
        kept.keep_all(range(first, first + 10), True)
        assert len(kept) <= 32
    assert {*range(90, 100)} <= kept.keys() <= {*range(60, 100)}
    kept.keep_all(range(200, 300), False)  # more than there is room for: all the same
    assert kept.keys() == {*range(200, 300)}


def test_many_threads_keep_no_more_than_the_limit():
    kept: Kept[tuple[int, int], int] = Kept(10)

    def keep(first):
        for number in range(2000):
            kept.keep((first, number), number)

    threads = [threading.Thread(target=keep, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept) <= 10 + len(threads)


def calls_of(call):
    """How many functions a call calls."""
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(None)
    return count


def test_after_a_burst_of_one_off_names_and_threads_an_event_does_what_it_did(logged):
    logger = flowery_logging.get_logger("shop.orders")

    def usual():
        logger.info("x", order_id=7, note="ordinary", **{"user.id": "u-7"})

    def settled():
        for _ in range(plan.LEARNT_AFTER + 1):
            usual()
        # The first of a second makes its text anew: on a busy machine that is many.
        return min(calls_of(usual) for _ in range(100))

    before = settled()
    for number in range(2 * plan.MAX_PLANS):
        logger.info("x", **{f"once_{number}": 1})
    current = threading.current_thread()
    name = current.name
    for number in range(5000):
        current.name = f"once-{number}"
        log.info("x")
    current.name = name
    assert settled() == before
