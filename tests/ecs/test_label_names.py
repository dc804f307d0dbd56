"""A process makes 256 names of labels; the fields of further names stand together in one."""

import json
import logging
import threading

import pytest

import flowery_logging
from flowery_logging import runtime
from flowery_logging.ecs.label_names import FORGOTTEN_AFTER, LabelNames
from flowery_logging.system import System

log = logging.getLogger("shop.orders")

WAYS = {
    "logging": lambda fields: log.info("e", extra=fields),
    "get_logger": lambda fields: flowery_logging.get_logger().info("e", **fields),
    "bound": lambda fields: _in_a_context(fields),
    "nested": lambda fields: log.info("e", extra={"by_user": fields}),
    "labels": lambda fields: log.info("e", extra={"labels": fields}),
}


def _in_a_context(fields):
    with flowery_logging.bound(**fields):
        log.info("e")


def names(events):
    """The names of labels in events, of texts and numbers apart."""
    boxes = ("labels", "numeric_labels")
    return {(box, name) for event in events for box in boxes for name in event.get(box, {})}


@pytest.mark.parametrize("way", WAYS)
def test_names_made_at_run_time_take_no_more_than_their_room(logged, counted, way):
    for number in range(1000):
        WAYS[way]({f"user_{number}": number})
    events = [event for event in logged.events() if event["message"] == "e"]
    assert len(events) == 1000
    assert len(names(events) - {("labels", "more_fields")}) == 256
    last = json.loads(events[-1]["labels"]["more_fields"])
    assert list(last.values()) == [999]
    assert next(iter(last)).endswith("user_999")
    assert counted("label_names_over_limit") >= 1000 - 256


def test_names_that_had_room_keep_it(logged):
    log.info("early", extra={"order_id": 7, "color": "red"})
    for number in range(1000):
        log.info("e", extra={f"user_{number}": number})
    for _ in range(10):
        log.info("late", extra={"order_id": 8, "color": "blue", "quite_new": 1.5})
        event = logged.last()
        assert event["numeric_labels"] == {"order_id": 8}
        assert event["labels"] == {"color": "blue", "more_fields": '{"quite_new":1.5}'}


def test_one_warning_names_the_first_that_has_no_room(logged):
    for number in range(300):
        log.info("e", extra={f"user_{number}": "x"})
    warnings = [e for e in logged.records() if e["log.level"] == "warning"]
    assert len(warnings) == 1
    assert "'user_256'" in warnings[0]["message"]


def test_fields_of_ecs_and_declared_ones_need_no_room(logged):
    logged.setup(fields={f"flowery.f{number}": "long" for number in range(300)})
    for number in range(300):
        log.info("e", extra={f"flowery.f{number}": number, "user.name": "kim"})
    log.info("last", extra={"order_id": 7})
    assert logged.last()["numeric_labels"] == {"order_id": 7}


def test_a_secret_that_has_no_room_is_hidden(logged):
    for number in range(300):
        log.info("e", extra={f"user_{number}": number})
    log.info("last", extra={"password": "swordfish-1", "card": "4111 1111 1111 1111"})
    text = logged.lines()[-1]
    assert b"swordfish" not in text
    assert b"4111 1111" not in text


def test_the_room_can_be_set(logged):
    logged.setup(limits={"label_names": 16})
    for number in range(100):
        log.info("e", extra={f"user_{number}": number})
        assert runtime.label_names() == (min(number + 1, 16), 16)
    assert len(names(logged.events()) - {("labels", "more_fields")}) == 16


def test_threads_share_the_room(logged):
    def write(thread):
        for number in range(200):
            log.info("e", extra={f"user_{thread}_{number}": number})

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = logged.events()
    assert len(events) == 800
    assert 250 <= len(names(events) - {("labels", "more_fields")}) <= 256


def test_a_process_begins_anew_when_the_index_does(monkeypatch):
    told: list[str] = []
    forgotten: list[bool] = []
    known = LabelNames(2, told.append)
    known.when_forgotten(lambda: forgotten.append(True))
    assert [known.admits(name, numeric=False) for name in "abcd"] == [True, True, False, False]
    assert told == ["c"]
    later = System.monotonic() + FORGOTTEN_AFTER
    monkeypatch.setattr(System, "monotonic", staticmethod(lambda: later))
    assert [known.admits(name, numeric=False) for name in "bcda"] == [True, True, True, False]
    assert (told, forgotten) == (["c", "a"], [True])
