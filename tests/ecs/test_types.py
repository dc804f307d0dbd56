"""Objects of every kind as plain data; what a caller owns stays as it is."""

import dataclasses
import datetime as dt
import logging
import re
import threading
import uuid
import warnings
from collections import OrderedDict, UserDict
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pydantic
import pytest
from django.http import QueryDict
from django.utils.functional import SimpleLazyObject, lazystr

from tests.integrations import django_site
from tests.strategies import LyingText

django_site.configure()  # once for all tests of a run

log = logging.getLogger("shop.orders")


class Item(pydantic.BaseModel):
    name: str
    token: pydantic.SecretStr = pydantic.SecretStr("hunter2")
    at: dt.date = dt.date(2026, 1, 2)


class Opaque:
    def __repr__(self):
        return "<a connection>"


class Task(pydantic.BaseModel):
    """Like Airflow's task instance or a chain of LangChain: it holds what pydantic knows nothing of."""

    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)

    name: str
    password: str = "hunter2"
    by: Opaque = Opaque()
    order: object = None


class Node(pydantic.BaseModel):
    name: str
    password: str = "hunter2"
    parent: "Node | None" = None


@dataclasses.dataclass
class Order:
    id: int
    password: str = "hunter2"
    lock: object = dataclasses.field(default_factory=threading.Lock, repr=False)


class Stamp(dt.datetime):
    """Like pandas' Timestamp: a datetime with nanoseconds in its text."""

    def isoformat(self, sep="T", timespec="auto"):
        zone = "+00:00" if self.tzinfo else ""
        return f"{self:%Y-%m-%dT%H:%M:%S.%f}789{zone}"


class NotATime(dt.datetime):
    """Like pandas' NaT."""

    def isoformat(self, sep="T", timespec="auto"):
        return "NaT"


class Point(NamedTuple):
    x: int
    y: str


NAT = NotATime(2026, 1, 1)

MOST = 10_000
"""Items of an array that are read; one with more of them loses its form."""

LABELS = [
    (np.int64(7), 7),
    (np.uint64(2**64 - 1), str(2**64 - 1)),
    (np.float32(0.5), 0.5),
    (np.float64("nan"), "NaN"),
    (np.bool_(True), "true"),
    (np.str_("x"), "x"),
    (np.array([1, 2]), ["1", "2"]),
    (np.array(7), 7),
    (np.array([[1, 2], [3, 4]]), "[[1,2],[3,4]]"),
    (np.datetime64("2026-01-02"), "2026-01-02"),
    (Stamp(2026, 1, 2, 3, tzinfo=dt.timezone.utc), "2026-01-02T03:00:00.000000789+00:00"),
    (NAT, "NaT"),
    (Item(name="tea"), '{"name":"tea","token":"[redacted]","at":"2026-01-02"}'),
    (Task(name="tea"), '{"name":"tea","password":"[redacted]","by":"<a connection>","order":null}'),
    (
        Task(name="tea", order=[Point(1, "b")]),
        '{"name":"tea","password":"[redacted]","by":"<a connection>","order":[[1,"b"]]}',
    ),
    (Order(7), '{"id":7,"password":"[redacted]"}'),
    (lazystr("lazy"), "lazy"),
    (SimpleLazyObject(lambda: "lazy"), "lazy"),
    (Point(1, "b"), ["1", "b"]),
    (LyingText("x"), "x"),
    (dt.time(3, 4), "03:04:00"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (range(3), "range(0, 3)"),
]


@pytest.mark.parametrize(("value", "expected"), LABELS)
def test_as_a_label(logged, value, expected):
    log.info("x", extra={"a": value})
    event = logged.event()
    assert event.get("labels", {}) | event.get("numeric_labels", {}) == {"a": expected}


class Reserved(pydantic.BaseModel):
    name: str
    note: str = "for us alone"

    def model_dump(self, mode="python"):  # type: ignore[override]
        return {"name": self.name}


def test_what_a_model_leaves_out_itself_is_not_shown(logged):
    log.info("x", extra={"a": Reserved(name="tea")})
    assert logged.event()["labels"] == {"a": '{"name":"tea"}'}


def test_a_model_that_holds_itself(logged):
    node = Node(name="tea")
    node.parent = node
    log.info("x", extra={"a": node})
    assert re.fullmatch(
        r"Node\(name='tea', password='\[redacted\]', parent=.?<Recursion on Node .*>.?\)",
        logged.event()["labels"]["a"],
    )


def test_a_model_with_a_value_of_another_type_warns_of_nothing(logged):
    item = Item.model_construct(name=7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        log.info("x", extra={"a": item})
    assert logged.event()["labels"] == {"a": '{"name":7,"token":"[redacted]","at":"2026-01-02"}'}


@pytest.mark.parametrize(
    "value",
    [QueryDict("a=1&a=2&b=x"), UserDict({"a": ["1", "2"], "b": "x"}), OrderedDict(a=("1", "2"), b="x"),
     MappingProxyType({"a": ["1", "2"], "b": "x"})],
)  # fmt: skip
def test_mappings_of_every_kind(logged, value):
    log.info("x", extra={"q": value})
    assert logged.event()["labels"] == {"q_a": ["1", "2"], "q_b": "x"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([{"x": float("nan"), "n": 2**60}], '[{"x":"NaN","n":1152921504606846976}]'),
        (
            [{"name": "password", "value": "hunter2", "n": None}],
            '[{"name":"password","value":"[redacted]","n":null}]',
        ),
        ([{"n": 2**64}], '[{"n":"18446744073709551616"}]'),
        (
            [{"x": None, "items": ["password", "hunter2"]}],
            '[{"x":null,"items":["password","[redacted]"]}]',
        ),
    ],
)
def test_an_object_whose_values_are_no_json(logged, value, expected):
    log.info("x", extra={"a": value})
    assert logged.event()["labels"] == {"a": expected}


@pytest.mark.parametrize(
    ("items", "expected"),
    [([1, True], ["1", "true"]), ([1, 2.5], ["1", "2.5"]), ([7, None], ["7"])],
)
def test_a_list_of_integers_and_others(logged, items, expected):
    for _ in range(2):  # the second goes by the plan that the first has made
        log.info("x", extra={"a": items})
    assert [event["labels"] for event in logged.events()] == [{"a": expected}] * 2


def test_a_date_of_another_kind_in_a_date_field(logged):
    log.info("x", extra={"event.created": Stamp(2026, 1, 2, 3, tzinfo=dt.timezone.utc)})
    log.info("x", extra={"event.created": NAT})
    first, second = logged.events()
    assert first["event"]["created"] == "2026-01-02T03:00:00.000000789Z"
    assert second["labels"] == {"event_created": "NaT"}


def test_numpy_in_a_field_of_ecs(logged):
    log.info("x", extra={"http.response.status_code": np.int64(200), "user.id": np.int64(7)})
    event = logged.event()
    assert event["http"]["response"]["status_code"] == 200
    assert event["user"]["id"] == "7"


def test_a_lazy_object_that_cannot_be_had_does_not_cost_the_event(logged):
    def fail():
        raise RuntimeError("no database here")

    log.info("x", extra={"a": 1, "user": SimpleLazyObject(fail)})
    event = logged.event()
    assert event["numeric_labels"] == {"a": 1}
    assert event["labels"]["user"].startswith("<SimpleLazyObject")


def test_an_array_of_as_many_items_as_are_read_keeps_its_form(logged):
    log.info(
        "x", extra={"whole": np.ones((100, MOST // 100), int), "more": np.ones((101, 100), int)}
    )
    labels = logged.event()["labels"]
    assert labels["whole"].startswith("[[1,1,")
    assert labels["more"][:2] == ["1", "1"]
