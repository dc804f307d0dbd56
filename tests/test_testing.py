"""`flowery_logging.testing.captured()`: the events of a block, and no trace of it afterwards."""

from __future__ import annotations

import asyncio
import enum
import gc
import json
import logging
import re
import sys
import threading
import unittest
import uuid
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import flowery_logging
from flowery_logging import context, runtime
from flowery_logging.counters import Counters
from flowery_logging.testing import captured

log = logging.getLogger("shop.orders")
slog = flowery_logging.get_logger("shop.orders")


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    flowery_logging.shutdown()


def everything() -> dict[str, Any]:
    """What a set-up changes in a process."""
    methods = ("_log", "makeRecord", "callHandlers", "__setattr__")
    hooks = (sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning)
    root = logging.getLogger()
    return {
        "methods": [vars(logging.Logger).get(name) for name in methods],
        "hooks": hooks,
        "root": (root.level, list(root.handlers)),
        "levels": [log.level, logging.getLogger("flowery_logging").level],
        "bound": context.fields(),
        "structlog": flowery_logging.get_logger().is_enabled_for(logging.DEBUG),
        "stats": flowery_logging.stats().keys(),
    }


def test_both_loggers_threads_and_tasks_and_no_file(tmp_path: Path) -> None:
    async def work(number: int) -> None:
        await asyncio.sleep(0)
        slog.info("in a task", number=number)
        await slog.ainfo("in an executor")

    async def main() -> None:
        await asyncio.gather(*map(work, range(3)))

    with captured() as logs:
        log.info("order %s", "placed", extra={"order_id": 7})
        slog.warning("stock is low")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: log.info("in a thread", extra={"n": n}), range(100)))
        asyncio.run(main())
    assert len(logs) == 108
    assert logs.messages[:2] == ["order placed", "stock is low"]
    assert sorted(event["numeric_labels"]["n"] for event in logs.where("in a thread")) == list(
        range(100)
    )
    assert [event["event"]["sequence"] for event in logs] == sorted(
        e["event"]["sequence"] for e in logs
    )
    assert logs[0]["ecs.version"] == "9.4.0"
    assert list(tmp_path.iterdir()) == []


class Colour(enum.Enum):
    RED = "red"


VALUES: dict[str, Any] = {
    "order_id": 7, "share": 0.5, "text": "x", "yes": True, "no": False, "big": 2**70, "when": datetime(2026, 1, 2, tzinfo=timezone.utc),
    "day": date(2026, 1, 2), "key": uuid.UUID(int=7), "colour": Colour.RED, "price": Decimal("1.50"),
    "items": [1, 2], "http.response.status_code": 500, "user.id": "kim", "url.path": "/a", "my.own": 3,
    "이름": "김하늘",
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_found_as_it_was_given(name: str) -> None:
    value = VALUES[name]
    with captured() as logs:
        slog.info("stdlib or not", **{name: value})
        log.info("stdlib or not", extra={name: value})
    assert len(logs.where("stdlib or not", **{name: value})) == 2
    assert logs.has(**{name: ...})
    assert not logs.has(**{name: "another"})
    assert not logs.has("another", **{name: value})
    assert not logs.has(**{name: None})


def test_what_may_be_asked_for() -> None:
    with captured() as logs:
        slog.info("order placed", order_id=7, ok=True)
        slog.error("payment refused", exc_info=ValueError("no money"), message_args="x")
    assert logs.has(message="order placed")
    assert logs.has("order placed")
    assert logs.has(re.compile("^order"))
    assert logs.has(order_id=lambda value: value > 6)
    assert logs.has(level="error", logger="shop.orders")
    assert logs.has(**{"error.type": "ValueError", "error.message": "no money"})
    assert logs.has(nothing=None)
    assert not logs.has("placed")
    assert not logs.has(ok=1)
    assert not logs.has(order_id="7")
    assert not logs.has(order_id=7, level="error")
    assert logs.errors().messages == ["payment refused"]
    assert logs.errors() == [logs[1]] == logs.where(level="error")
    assert logs.where("nothing") == [] != logs
    assert logs.one(order_id=7)["message"] == "order placed"
    assert logs[-1]["message"] == "payment refused"
    assert logs[:1].messages == ["order placed"]
    with pytest.raises(AssertionError, match=r"2 events match, not one, of:\n.* order placed"):
        logs.one()
    assert "order placed  ok=true order_id=7" in repr(logs)
    logs.clear()
    assert not logs


def test_levels_beside_the_usual_ones() -> None:
    with captured(level=1) as logs:
        log.log(5, "low")
        log.log(45, "high")
        log.critical("highest")
    assert logs.errors().messages == ["high", "highest"]


def test_one_trace() -> None:
    with captured() as logs:
        log.info("outside")
        with flowery_logging.continue_trace({}, order_id=1):
            log.info("one")
        found = flowery_logging.TraceContext
        assert found is not None
        assert logs.trace().messages == ["one"]
        first = logs[1]["trace"]["id"]
        with flowery_logging.continue_trace({}):
            log.info("two")
        assert logs.trace(first).messages == logs.trace(first[:12]).messages == ["one"]
        with pytest.raises(AssertionError, match="2 traces, not one"):
            logs.trace()


def test_it_leaves_no_trace(tmp_path: Path) -> None:
    before = everything()
    with captured() as logs:
        flowery_logging.setup(
            "orders", directory=tmp_path / "logs", level="DEBUG", levels={"shop": 10}
        )
        flowery_logging.bind(order_id=7)
        log.debug("after setup()")
        flowery_logging.shutdown()
        flowery_logging.setup("orders", directory=tmp_path / "logs")
        flowery_logging.set_level("DEBUG")
        flowery_logging.set_level("DEBUG", "shop.orders")
        slog.debug("after another")
    assert logs.messages == ["after setup()", "after another"]
    assert logs[0]["service"]["name"] == "orders"
    assert everything() == before
    assert list(tmp_path.iterdir()) == []


def test_a_set_up_that_stands_goes_on(logged: Any) -> None:
    log.info("before")
    with flowery_logging.bound(step="one"):
        before = everything()
        with captured(level="INFO") as logs:
            log.info("inside")
            log.debug("below")
            flowery_logging.setup("another", redact=["mine"])
            flowery_logging.bind(mine=1)
        assert everything() == before
    log.debug("after")
    assert [event["message"] for event in logged.events()] == ["before", "after"]
    assert {event["service"]["name"] for event in logged.events()} == {"shop"}
    assert logs.messages == ["inside"]
    assert logs.has(step="one")


def test_a_set_up_that_stands_has_no_file_of_a_block(tmp_path: Path) -> None:
    """A project whose settings call `setup()` has a block a test."""
    flowery_logging.setup("shop", directory=tmp_path / "logs", output="file")
    log.info("before")
    for number in range(3):
        with captured():
            log.info("in block %d", number)
    flowery_logging.shutdown()
    (path,) = tmp_path.glob("logs/*.ndjson")
    assert [json.loads(line)["message"] for line in path.read_text().splitlines()] == [
        "log file opened",
        "before",
        "log closed",
    ]


def test_what_is_logged_behind_a_block_has_a_closing_record(tmp_path: Path) -> None:
    flowery_logging.setup("shop", directory=tmp_path / "logs", output="file")
    log.info("before")
    with captured():
        log.info("in the block")
    log.info("behind")
    flowery_logging.shutdown()
    events = [
        json.loads(line)
        for path in sorted(tmp_path.glob("logs/*.ndjson"))
        for line in path.read_text().splitlines()
    ]
    numbers = [event["event"]["sequence"] for event in events]
    assert numbers == list(range(numbers[0], numbers[0] + 6))
    assert [event["message"] for event in events[3:]] == ["log file opened", "behind", "log closed"]


def test_a_level_that_a_block_changes_is_as_before(logged: Any) -> None:
    logged.setup(level="INFO")
    before = runtime.standing()
    flowery_logging.set_level("DEBUG")
    flowery_logging.set_level("DEBUG", "shop")
    assert slog.is_enabled_for(logging.DEBUG)
    runtime.return_to(before)
    assert not slog.is_enabled_for(logging.DEBUG)
    assert not log.isEnabledFor(logging.DEBUG)


def test_a_level_that_was_changed_before_a_block_stands_after_it(logged: Any) -> None:
    logged.setup(level="INFO", levels="shop.cart=WARNING")
    flowery_logging.set_level("DEBUG")
    flowery_logging.set_level("ERROR", "shop.orders")
    before = everything()
    with captured():
        log.info("inside")
    assert everything() == before
    assert logging.getLogger("shop").isEnabledFor(logging.DEBUG)
    assert logging.getLogger("shop.orders").level == logging.ERROR
    assert logging.getLogger("shop.cart").level == logging.WARNING


def test_a_level_that_was_changed_without_a_set_up_stands_after_a_block() -> None:
    flowery_logging.set_level("ERROR")
    flowery_logging.set_level("DEBUG", "shop.orders")
    orders = flowery_logging.get_logger("shop.orders")
    before = everything(), orders.is_enabled_for(logging.DEBUG)
    with captured(level="WARNING"):
        flowery_logging.set_level("INFO", "shop.orders")
    assert (everything(), orders.is_enabled_for(logging.DEBUG)) == before
    assert logging.root.level == logging.ERROR
    assert logging.getLogger("shop.orders").level == logging.DEBUG
    flowery_logging.shutdown()
    assert logging.getLogger("shop.orders").level == logging.NOTSET


def test_files_that_are_asked_for_are_written(tmp_path: Path) -> None:
    with captured() as logs:
        flowery_logging.setup("orders", directory=tmp_path, output="file")
        log.info("both")
    assert logs.messages == ["both"]
    (file,) = tmp_path.glob("orders-*.ndjson")
    assert b'"both"' in file.read_bytes()


def test_blocks_in_blocks() -> None:
    with captured() as outer:
        log.info("one")
        with captured(level="DEBUG") as inner:
            log.debug("two")
        log.debug("three")
        log.info("four")
    assert outer.messages == ["one", "two", "four"]
    assert inner.messages == ["two"]


def test_a_block_that_fails_and_a_wrong_option() -> None:
    before = everything()
    with pytest.raises(ZeroDivisionError), captured():
        raise ZeroDivisionError
    with (
        pytest.raises(flowery_logging.ConfigError, match="level: unknown level"),
        captured(level="LOUD"),
    ):
        pass
    assert everything() == before


class Orders(unittest.TestCase):
    def test_assert_logs_goes_on_working(self) -> None:
        with captured() as logs:
            with self.assertLogs("shop", "INFO") as seen:
                log.info("stdlib")
                slog.info("structlog", order_id=7)
            assert [record.getMessage() for record in seen.records] == ["stdlib", "structlog"]
            assert logs.has("structlog", order_id=7)
            with self.assertNoLogs("shop") if sys.version_info >= (3, 10) else captured():
                pass


def test_comparisons_leave_nothing_behind() -> None:
    def alive() -> int:
        return sum(type(one) is Counters for one in gc.get_objects())

    with captured() as logs:
        logging.getLogger("shop").warning("placed", extra={"day": date(2026, 5, 4)})
        gc.collect()  # what earlier tests have left to it
        before = alive()
        for _ in range(10):
            assert logs.has("placed", day=date(2026, 5, 4))
        assert alive() == before
