"""A line made by the plan of a shape is the line that the careful way makes."""

import dataclasses
import datetime as dt
import json
import uuid
from collections import OrderedDict
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

import pytest
from hypothesis import given, settings, strategies as st

import flowery_logging
from flowery_logging.counters import Counters
from flowery_logging.ecs import fields as ecs_fields, plan
from flowery_logging.ecs.compose import Composer
from flowery_logging.ecs.event import Event, Site, Static
from flowery_logging.ecs.line import LineEncoder
from tests.conftest import FIRST_KEYS, strict
from tests.ecs.generated import PLACERS, any_names, any_values, several_layers
from tests.strategies import hostile_events, messages

STATIC = Static(
    {"name": "50 % {shop}", "environment": "production", "node": {"name": "web-1"}},
    {"name": "web-1"},
    {"type": "logs", "dataset": "flowery", "namespace": "default"},
    "shop %b",
)
SITE = Site("info", {"logger": "shop"}, STATIC.encoded())
THREAD = b'"thread":{"id":7}}}\n'


@pytest.fixture(autouse=True)
def _learn_at_once(monkeypatch):
    monkeypatch.setattr(plan, "LEARNT_AFTER", 1)


class Way:
    """One way to a line, by plans or the careful one, and what it has counted."""

    def __init__(self, make, kind="ordinary"):
        self.placer = PLACERS[kind]()
        self.counters = self.placer.counters = Counters()
        self.encode = make(STATIC, self.placer, self.counters)

    def __call__(self, message, fields, bound):
        before = dict(self.counters.snapshot())
        halves = self.encode(Event(1.5, SITE, message, THREAD, fields, bound))
        document = strict(halves[0] + b'"sequence":1},"process":{' + halves[1])
        assert list(document)[:4] == FIRST_KEYS
        grown = {n: v - before.get(n, 0) for n, v in self.counters.snapshot().items()}
        # Whatever is counted of bound fields is counted once a change of them.
        return repr(sorted_tree(document)), {} if bound else {n: v for n, v in grown.items() if v}


def by_plans(kind="ordinary"):
    return Way(lambda *given: LineEncoder(*given).encode_event, kind)


def carefully(kind="ordinary"):
    return Way(lambda *given: Composer(*given).compose, kind)


def sorted_tree(value):
    if isinstance(value, dict):
        return {key: sorted_tree(value[key]) for key in sorted(value)}
    return value


KINDS = sorted(PLACERS.keys() - {"relaxed"})  # which places no lines' fields
UUID = "7d3f1c52-9b0e-4e64-a165-70867728950e"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "value",
    [UUID, uuid.UUID(UUID), "kim", "비밀번호", "x" * 15, 1767225600123, 1701011000181, (1, "kim"),
     dt.date(2026, 1, 2), dt.datetime(2026, 1, 2), Decimal(4111111111111111), {"kim"},
     [{}, None], [{"a": "kim"}, 7], [{"password": "x"}], [{"name": "token", "value": "x"}],
     "This field is required.", ["This field is required."], ("required field", "This is required."),
     "1.2.3", "1042", "/run/secrets/db"],
)  # fmt: skip
def test_values_that_are_told_at_a_glance(kind, value):
    short, careful = by_plans(kind), carefully(kind)
    for name in ("a", "user.id", "b", "http.request.method", "password", "session_id"):
        fields = {name: {"c": value} if name == "b" else value}
        for _ in range(3):
            assert short("x", fields, {}) == careful("x", fields, {})
        assert short("x", {}, fields)[0] == careful("x", {}, fields)[0]


@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=() if k == "ordinary" else pytest.mark.slow) for k in KINDS]
)
@given(messages, several_layers())
@settings(max_examples=100)
def test_both_ways_give_the_same_line(kind, message, layers):
    fields, bound = layers[0], layers[-1] if len(layers) > 1 else {}
    short, careful = by_plans(kind), carefully(kind)
    found = [short(message, fields, bound) for _ in range(2)]
    assert found == [careful(message, fields, bound)] * 2


@pytest.mark.slow
@given(st.lists(any_names, max_size=4, unique=True), st.data())
def test_one_shape_with_many_values(some, data):
    """The same names again and again: what was learnt from one event serves the others."""
    short, careful = by_plans(), carefully()
    for _ in range(data.draw(st.integers(2, 4))):
        fields = {name: data.draw(any_values) for name in some}
        assert short("x", fields, {}) == careful("x", fields, {})


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ordinary", "least", "shown"])
def test_hostile_fields(kind):
    short, careful = by_plans(kind), carefully(kind)
    for event in hostile_events(13, 150):
        given = event.message, event.extras, event.bound
        assert short(*given) == careful(*given)


MOMENT = dt.datetime(2026, 1, 2, 9, tzinfo=dt.timezone(dt.timedelta(hours=9)))

ACCESS = {
    "http.request.method": "GET", "http.response.status_code": 200, "url.path": "/100%/한글",
    "url.query": "full=true&page=2", "client.ip": "2001:db8::1", "event.category": ["web"],
    "event.duration": 12_345_678, "order_id": 7, "note": "50 %b \0 {x}", "express": True,
    "amount": 12.5, "user.id": 7, "tags": "a", "container.cpu.usage": 0.5, "labels": "own",
}  # fmt: skip
BOUND = {"trace.id": "4bf92f3577b34da6a3ce929d0e0e4736", "order_id": 8, "url.domain": "shop"}


def test_an_access_event_goes_by_its_plan(monkeypatch):
    """Else nothing above has been compared."""
    short, careful = by_plans(), carefully()
    assert short("m", ACCESS, BOUND) == careful("m", ACCESS, BOUND)
    other = {**ACCESS, "event.duration": 5, "url.query": "x=y"}
    expected = careful("n", other, BOUND)
    monkeypatch.setattr(Composer, "document", None)
    assert short("n", other, BOUND) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("http.request.method", "Bearer abcdefgh"),
        ("http.request.method", "x" * 600),
        ("http.request.method", "\ud800"),
        ("url.query", "token=abc"),
        ("url.query", "a=" + "x" * 1100),
        ("url.query", "a=" + "x" * 9000),
        ("client.ip", "10.0.0.300"),
        ("event.category", ["web", 7]),
        ("event.category", ["Bearer abcdefgh"]),
        ("event.category", []),
        ("event.duration", 2**63),
        ("event.duration", -1),
        ("order_id", 4222222222222),
        ("amount", float("nan")),
        ("amount", float("-inf")),
        ("user.id", 10**12),
        ("note", "y" * 9000),
        ("note", "z" * 40_000),
        ("note", "password=x&pin=7"),
    ],
)
def test_one_value_that_does_not_fit(name, value):
    short, careful = by_plans(), carefully()
    short("m", ACCESS, BOUND)
    fields = {**ACCESS, name: value}
    assert short("m", fields, BOUND) == careful("m", fields, BOUND)
    fields, bound = {n: v for n, v in ACCESS.items() if n != name}, {**BOUND, name: value}
    assert short("m", fields, bound) == careful("m", fields, bound)


@pytest.mark.parametrize(
    ("fields", "bound"),
    [
        ({"a.b": "x", "a_b": "y", "a b": "z"}, {}),
        ({"a.b": 1, "a_b": "y"}, {"a b": 2.5}),
        ({"url": "scalar", "url.path": "/"}, {}),
        ({"user.id": "event's"}, {"user.id": "bound"}),
        ({"user.id": "dotted", "user": {"id": "nested"}}, {}),
        ({"service.environment": "test", "a": 1}, {}),
        ({"a": 1}, {"host.name": "mine"}),
        ({"event.dataset": "mine", "event.kind": "event"}, {}),
        ({"error.type": "Mine", "error.code": "5"}, {"error": "bound"}),
        ({"labels.a": "x", "a": "y"}, {"numeric_labels.a": 7}),
        ({"event.created": MOMENT, "event": {"created": MOMENT}}, {}),
        ({"event.created": MOMENT}, {"event": {"created": MOMENT}}),
        ({"tags": ["a"], "event.category": ["b"]}, {"tags": ["c"]}),
        ({"event": {"category": ["a", 7], "created": MOMENT}, "event.category": ["b", 7]}, {}),
    ],
)
def test_fields_in_the_way_of_others(fields, bound):
    short, careful = by_plans(), carefully()
    for _ in range(2):
        assert short("m", fields, bound) == careful("m", fields, bound)


def test_fields_that_are_too_many_with_the_bound_ones():
    short, careful = by_plans("few"), carefully("few")
    fields = {"a": "x", "b": "y"}
    for bound in ({"c": 1}, fields, {"b": "z", "a": "z"}, {"c": 1, "d": 2}):
        assert short("m", fields, bound) == careful("m", fields, bound)


def test_the_zero_of_a_field_without_a_dot_is_shown(logged):
    """Also by the general path, which leaves out objects that are empty."""
    logged.setup(fields={"stock": "long", "note_text": "text"})
    flowery_logging.get_logger().info("x", stock=0, note_text="")
    flowery_logging.get_logger().info("x" * 40_000, stock=0, note_text="")
    for event in logged.events():
        assert event["stock"] == 0
        assert event["note_text"] == ""
        assert "error" not in event


class Visitor(NamedTuple):
    user: str
    password: str


@dataclasses.dataclass
class Person:
    given: str
    password: str


OBJECTS = {
    "a subclass of dict": OrderedDict(given="kim", password="x"),
    "a mapping": MappingProxyType({"given": "kim", "password": "x"}),
    "a dataclass": Person("kim", "x"),
    "a named tuple": Visitor("kim", "x"),
}


@pytest.mark.parametrize("kind", ["ordinary", "names", "chosen", "shown"])
@pytest.mark.parametrize("value", OBJECTS.values(), ids=OBJECTS)
def test_objects_with_names_of_their_own(kind, value):
    """A name of the object may say something else than that of a scalar in its place."""
    short, careful = by_plans(kind), carefully(kind)
    for name in ("user.email", "user.full_name", "customer.address", "user.roles", "a"):
        for _ in range(3):
            assert short("x", {name: value}, {}) == careful("x", {name: value}, {})
        assert short("x", {}, {name: value})[0] == careful("x", {}, {name: value})[0]


VALUES = ["text", "10.0.0.1", 7, -1.5, True, ["a", "b"], [], 2**40, "2026-01-02", "a=b"]


@pytest.mark.slow
def test_every_field_of_ecs():
    short, careful = by_plans(), carefully()
    for name in ecs_fields.types():
        for value in VALUES:
            assert short("x", {name: value}, {}) == careful("x", {name: value}, {})


@pytest.mark.parametrize(
    ("fields", "bound"),
    [
        ({"a": {"b": 1, "c": {"d": "x"}}}, {}),
        ({"a": {"b": {}}, "c": {}}, {}),
        ({"a": {}, "b": {"c": 1}}, {}),
        ({"a": {"c": 1}, "b": {}}, {}),
        ({"a": {"password": {"b": 1}, "token": None, "pin": []}}, {}),
        ({"user": {"id": 7, "name": "kim"}}, {"user.id": "bound", "user.email": "a@b"}),
        ({"user.id": 7}, {"user": {"id": "bound", "email": "a@b"}}),
        ({"url": {"query": "token=abc&a=b"}}, {"url": {"path": "/"}}),
        ({"a": None}, {"a": 1}),
        ({"service.environment": "test", "service.node.role": "blue"}, {"service.version": "1"}),
        ({"event.action": "pay", "event.dataset": "mine"}, {"event.kind": "event"}),
        ({"a": 1}, {"event.action": "pay", "error.type": "Mine"}),
    ],
)
def test_objects_and_contexts(fields, bound):
    short, careful = by_plans(), carefully()
    for _ in range(2):
        assert short("m", fields, bound) == careful("m", fields, bound)


@pytest.mark.parametrize("kind", [dt.datetime, dt.date])
def test_a_date_that_its_field_does_not_take(kind):
    short, careful = by_plans(), carefully()
    for year in (2026, 999, 2026, 999):
        fields = {"event.created": kind(year, 1, 2), "event.start": kind(2026, 1, 2)}
        assert short("m", fields, {}) == careful("m", fields, {})


def test_dicts_of_one_shape_are_told_apart_by_where_their_entries_are():
    short, careful = by_plans(), carefully()
    for fields in ({"a": {}, "b": {"c": 1}}, {"a": {"c": 1}, "b": {}}, {"a": {"c": 1}, "b": {}}):
        assert short("m", fields, {}) == careful("m", fields, {})


def test_a_dict_that_lies_in_itself():
    short, careful = by_plans(), carefully()
    inside: dict[str, object] = {"name": "x"}
    usual = {"a": {"name": "x", "self": {"name": "x", "self": {"name": "x"}}}}
    assert short("m", usual, {}) == careful("m", usual, {})
    inside["self"] = inside
    assert short("m", {"a": inside}, {}) == careful("m", {"a": inside}, {})
    assert "<cycle>" in short("m", {"a": inside}, {})[0]


AUDITING = """
import logging, sys
import flowery_logging

flowery_logging.setup("svc", directory="logs", output="file")
log, calls = logging.getLogger("shop"), []

def hook(name, arguments):
    if name in {"compile", "exec"}:
        calls.append(name)
        log.info("audited %d", len(calls))

sys.addaudithook(hook)
for _ in range(10):
    compile("1", "here", "eval")
audited = len(calls)
log.info("audited in all", extra={"audited": audited})
"""


def test_an_audit_hook_that_logs_what_is_compiled_comes_to_an_end(programs, tmp_path):
    done = programs.run(AUDITING, tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr[-2000:]
    lines = [line for path in tmp_path.glob("logs/*") for line in path.read_text().splitlines()]
    messages = [event["message"] for event in map(json.loads, lines)]
    (calls,) = (json.loads(line)["numeric_labels"]["audited"] for line in lines if "in all" in line)
    assert 10 < calls < 20
    assert {f"audited {number}" for number in range(1, calls + 1)} <= {*messages}
