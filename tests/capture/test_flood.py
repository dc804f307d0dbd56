"""Flood control: of equal events the first are written, the rest are counted, and said."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import tracemalloc
from typing import Any

import freezegun
import pytest
import structlog

import flowery_logging
from flowery_logging import ConfigError
from tests.conftest import Logged

log = logging.getLogger("shop.orders")
slog = flowery_logging.get_logger("shop.orders")


@pytest.fixture
def clock():
    with freezegun.freeze_time("2026-11-23 10:00:00") as frozen:
        yield frozen


def written(logged: Logged) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the events that were written, and the lines that say what was left out."""
    events = [event for event in logged.events() if event["event"].get("action") != "log-flood"]
    told = [event for event in logged.events() if event["event"].get("action") == "log-flood"]
    assert [e["event"]["sequence"] for e in logged.records()] == list(
        range(first(logged), first(logged) + len(logged.records()))
    )
    return events, told


def first(logged: Logged) -> int:
    number = logged.records()[0]["event"]["sequence"]
    assert isinstance(number, int)
    return number


def by_logging(number: int) -> None:
    log.warning("queue %s is full", number, extra={"number": number})


def by_structlog(number: int) -> None:
    slog.warning("queue is full", number=number)


def by_structlog_with_arguments(number: int) -> None:
    slog.warning("queue %d is full", number)


def by_a_record(number: int) -> None:
    log.warning("queue %s is full", number, stack_info=True)


def with_an_error(number: int) -> None:
    log.error("failed", exc_info=ValueError(number))


WAYS = [by_logging, by_structlog, by_structlog_with_arguments, by_a_record, with_an_error]


@pytest.mark.parametrize("way", WAYS)
def test_the_rest_is_counted_and_one_line_says_how_many(logged, clock, way):
    logged.setup(flood="5/10s")
    before = logged.count("left_out_by_flood")
    for number in range(100):
        way(number)
    assert len(written(logged)[0]) == 5
    assert written(logged)[1] == []
    clock.tick(11)
    log.info("something else")
    events, (told,) = written(logged)
    assert len(events) == 6
    assert told["numeric_labels"] == {"left_out": 95, "flood_limit_seconds": 10}
    assert told["message"].startswith("95 more equal events within 10 s left out (test_flood.py:")
    assert (told["log.level"], told["log"]) == (events[0]["log.level"], events[0]["log"])
    assert told["event"]["start"] == "2026-11-23T10:00:00.000000Z"
    assert told.get("error", {}).get("id") == events[0].get("error", {}).get("id")
    assert logged.count("left_out_by_flood") - before == 95


def test_the_last_one_says_that_more_may_be_left_out(logged):
    logged.setup(flood=3)
    for number in range(10):
        by_logging(number)
    events, _ = written(logged)
    assert [event["numeric_labels"].get("flood_limit") for event in events] == [None, None, 3]


def test_each_window_has_its_line(logged, clock):
    logged.setup(flood="2/10s")
    for _ in range(3):
        for number in range(10):
            by_logging(number)
        clock.tick(10)
    flowery_logging.shutdown()
    events, told = written(logged)
    assert len(events) == 6
    assert [event["numeric_labels"]["left_out"] for event in told] == [8, 8, 8]


def test_what_is_not_equal_is_written(logged):
    stdlib = structlog.wrap_logger(
        log,
        processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    logged.setup(flood=2)
    texts = [f"order {number}" for number in range(20)]
    for text in texts:
        slog.info(text)
    for number in range(2):
        slog.info("a call site")
        slog.info("a call site")
        log.error("an error", exc_info=[ValueError(), KeyError(), TypeError()][number])
        log.error("an error", exc_info=OSError())
        for n in range(4):
            log.info({"event": f"order {n}", "number": number})
            stdlib.info(f"order {n}", number=number)
    events, told = written(logged)
    assert len(events) == 44
    assert told == []


@pytest.mark.parametrize("end", ["shutdown", "again", "checkpoint", "off"])
def test_what_was_counted_is_said_when_it_ends(logged, end):
    logged.setup(flood=2)
    for number in range(10):
        by_logging(number)
    ends = {
        "shutdown": flowery_logging.shutdown,
        "again": lambda: logged.setup(flood=7),
        "checkpoint": lambda: flowery_logging.runtime.checkpoint(),
        "off": lambda: logged.setup(flood="OFF"),
    }
    ends[end]()
    _, (told,) = written(logged)
    assert told["numeric_labels"]["left_out"] == 8


def test_a_program_that_ends_says_it(tmp_path, programs):
    code = "import logging, flowery_logging\n"
    code += "flowery_logging.setup('shop', output='stdout', flood=2)\n"
    code += "for n in range(50): logging.warning('full %d', n)\n"
    done = programs.run(code, tmp_path)
    assert done.stdout.count('"message":"full') == 2
    assert '"left_out":48' in done.stdout


def test_threads_lose_no_count(logged):
    logged.setup(flood=10)

    def work() -> None:
        for number in range(500):
            by_logging(number)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    flowery_logging.shutdown()
    events, told = written(logged)
    assert len(events) + sum(event["numeric_labels"]["left_out"] for event in told) == 2000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_counts_its_own(logged):
    logged.setup(flood=2)
    for number in range(10):
        by_logging(number)
    pid = os.fork()
    if pid == 0:
        try:
            for number in range(5):
                by_logging(number)
            flowery_logging.shutdown()
        finally:
            os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    flowery_logging.shutdown()
    told = [event for event in logged.events() if event["event"].get("action") == "log-flood"]
    assert sorted(event["numeric_labels"]["left_out"] for event in told) == [3, 8]


@pytest.mark.slow
def test_more_call_sites_than_are_kept(logged):
    logged.setup(flood=1, limits={"fields": 8})
    for _ in range(2):
        for number in range(4100):
            slog.info(f"text {number}")
    flowery_logging.shutdown()
    events, told = written(logged)
    assert len(events) + sum(event["numeric_labels"]["left_out"] for event in told) == 8200


def test_requests_are_no_flood(logged):
    logged.setup(flood=1)
    own = flowery_logging.runtime.own_logger("flowery_logging.access")
    for number in range(10):
        own.log(logging.INFO, "GET / 200")
        logging.getLogger("uvicorn.access").info("%s %s", "GET", number)
    assert len(written(logged)[0]) == 20


def test_other_handlers_see_all(logged):
    logged.setup(flood=1)
    seen: list[logging.LogRecord] = []

    class Handler(logging.Handler):
        def emit(self, record):
            seen.append(record)

    handler = Handler()
    log.addHandler(handler)
    try:
        for number in range(10):
            by_logging(number)
            by_structlog(number)
    finally:
        log.removeHandler(handler)
    assert len(seen) == 20
    assert len(written(logged)[0]) == 2


def test_strange_messages_never_raise(logged):
    class Strange:
        def __str__(self):
            raise ValueError

        __repr__ = __str__  # with an address in it, each would have another message
        __hash__ = None  # type: ignore[assignment]

    logged.setup(flood=2)
    for _ in range(5):
        log.info(Strange())
        slog.info({"a": [1]})
        log.info("x", extra={1: 2})  # type: ignore[dict-item]
    flowery_logging.shutdown()
    events, told = written(logged)
    assert len(events) == 6
    assert len(told) == 3


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (100, (100, 10)), ("100", (100, 10)), ("20/1m", (20, 60)), ("5/s", (5, 1)), ("5 / 2", (5, 2)),
        ((7, 3), (7, 3)), ((7, "3m"), (7, 180)), ("off", None), (None, None),
    ],
)  # fmt: skip
def test_how_it_is_given(value, expected):
    assert flowery_logging.config.resolve({"flood": value, "output": "none"}).flood == expected


@pytest.mark.parametrize("value", [0, -1, "many", "5/week", "", 1.5, True, (1,), {}, "5/0"])
def test_what_cannot_be_used(value):
    with pytest.raises(ConfigError, match=r"^flood: .*allowed: how many equal events"):
        flowery_logging.setup(flood=value, output="none")


def test_long_texts_are_not_kept(logged):
    logged.setup(flood=100)
    tracemalloc.start()
    try:
        for number in range(500):
            log.info(f"{number} " + "x" * 50_000)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 500 * 50_000 / 5


def test_what_logs_at_a_garbage_collection_in_the_middle_of_a_set_up(tmp_path):
    """A destructor does: the collector runs where tuples are made of what was left out."""
    program = f"""
import gc, itertools, logging, flowery_logging
log = logging.getLogger("app")
flowery_logging.setup("svc", directory={str(tmp_path)!r}, output="file", flood="2/60s")
numbers = itertools.count()
for limit in range(300_000, 300_010):
    for number in range(900):
        for _ in "abc":
            log.info("m%d" % number)
    gc.callbacks.append(lambda phase, _: log.info("collected %d" % next(numbers)))
    gc.set_threshold(50)
    flowery_logging.setup(max_bytes=limit)
    gc.set_threshold(700)
    gc.callbacks.clear()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
