"""A line made from the template of a shape is the line that the general path makes."""

import pytest
from hypothesis import given, settings, strategies as st

import flowery_logging
from flowery_logging.counters import Counters
from flowery_logging.ecs import shapes
from flowery_logging.ecs.compose import Composer
from flowery_logging.ecs.event import Event, Site, Static
from tests.conftest import FIRST_KEYS, strict
from tests.ecs.generated import PLACERS, any_names, any_values, several_layers
from tests.strategies import hostile_events, messages

STATIC = Static(
    {"name": "50 % {shop}", "node": {"name": "web-1"}},
    {"name": "web-1"},
    {"type": "logs", "dataset": "flowery", "namespace": "default"},
    "shop %b",
)
SITE = Site("info", {"logger": "shop"}, STATIC.encoded())
THREAD = b'"thread":{"id":7}}}\n'


def composer(kind="ordinary"):
    return Composer(STATIC, PLACERS[kind](), Counters())


def in_general(composer):
    composer._shapes.encode = lambda *_: None
    return composer


def composed(composer, message, fields, bound):
    composer._counters = composer._placer.counters = counters = Counters()
    before, after = composer.compose(Event(1.5, SITE, message, THREAD, fields, bound))
    document = strict(before + b'"sequence":1},"process":{' + after)
    assert list(document)[:4] == FIRST_KEYS
    return repr(sorted_tree(document)), counters.snapshot()


def sorted_tree(value):
    if isinstance(value, dict):
        return {key: sorted_tree(value[key]) for key in sorted(value)}
    return value


@pytest.mark.parametrize(
    "kind", sorted(PLACERS.keys() - {"relaxed"})
)  # which places no lines' fields
@given(messages, several_layers())
@settings(max_examples=100)
def test_both_ways_give_the_same_line(kind, message, layers):
    fields, bound = layers[0], layers[-1] if len(layers) > 1 else {}
    short, general = composer(kind), in_general(composer(kind))
    found = [composed(short, message, fields, bound) for _ in range(2)]
    assert found == [composed(general, message, fields, bound)] * 2


@given(st.lists(any_names, max_size=4, unique=True), st.data())
def test_one_shape_with_many_values(some, data):
    """The same names again and again: what was learnt from one event serves the others."""
    short, general = composer(), in_general(composer())
    for _ in range(data.draw(st.integers(2, 4))):
        fields = {name: data.draw(any_values) for name in some}
        assert composed(short, "x", fields, {}) == composed(general, "x", fields, {})


@pytest.mark.parametrize("kind", ["ordinary", "least", "shown"])
def test_hostile_fields(kind):
    short, general = composer(kind), in_general(composer(kind))
    for event in hostile_events(13, 150):
        given = event.message, event.extras, event.bound
        assert composed(short, *given) == composed(general, *given)


ACCESS = {
    "http.request.method": "GET", "http.response.status_code": 200, "url.path": "/100%/한글",
    "url.query": "full=true&page=2", "client.ip": "2001:db8::1", "event.category": ["web"],
    "event.duration": 12_345_678, "order_id": 7, "note": "50 %b \0 {x}", "express": True,
    "amount": 12.5, "user.id": 7, "tags": "a", "container.cpu.usage": 0.5, "labels": "own",
}  # fmt: skip
BOUND = {"trace.id": "4bf92f3577b34da6a3ce929d0e0e4736", "order_id": 8, "url.domain": "shop"}


def test_an_access_event_goes_by_its_shape(monkeypatch):
    """Else nothing above has been compared."""
    short, general = composer(), in_general(composer())
    assert composed(short, "m", ACCESS, BOUND) == composed(general, "m", ACCESS, BOUND)
    monkeypatch.setattr(Composer, "document", None)
    other = {**ACCESS, "event.duration": 5, "url.query": "x=y"}
    assert composed(short, "n", other, BOUND)[1] == {}


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
    short, general = composer(), in_general(composer())
    composed(short, "m", ACCESS, BOUND)
    assert short._shapes._known
    fields = {**ACCESS, name: value}
    assert composed(short, "m", fields, BOUND) == composed(general, "m", fields, BOUND)
    fields, bound = {n: v for n, v in ACCESS.items() if n != name}, {**BOUND, name: value}
    assert composed(short, "m", fields, bound) == composed(general, "m", fields, bound)


@pytest.mark.parametrize(
    ("fields", "bound"),
    [
        ({"a.b": "x", "a_b": "y", "a b": "z"}, {}),
        ({"a.b": 1, "a_b": "y"}, {"a b": 2.5}),
        ({"url": "scalar", "url.path": "/"}, {}),
        ({"user.id": "event's"}, {"user.id": "bound"}),
        ({"service.environment": "test", "a": 1}, {}),
        ({"a": 1}, {"host.name": "mine"}),
        ({"event.dataset": "mine", "event.kind": "event"}, {}),
        ({"error.type": "Mine", "error.code": "5"}, {"error": "bound"}),
        ({"labels.a": "x", "a": "y"}, {"numeric_labels.a": 7}),
    ],
)
def test_fields_in_the_way_of_others(fields, bound):
    short, general = composer(), in_general(composer())
    for _ in range(2):
        assert composed(short, "m", fields, bound) == composed(general, "m", fields, bound)


def test_fields_that_are_too_many_with_the_bound_ones():
    short, general = composer("few"), in_general(composer("few"))
    fields = {"a": "x", "b": "y"}
    for bound in ({"c": 1}, fields, {"b": "z", "a": "z"}, {"c": 1, "d": 2}):
        assert composed(short, "m", fields, bound) == composed(general, "m", fields, bound)


def test_the_zero_of_a_field_without_a_dot_is_shown(logged):
    """Also by the general path, which leaves out objects that are empty."""
    logged.setup(fields={"stock": "long", "note_text": "text"})
    flowery_logging.get_logger().info("x", stock=0, note_text="")
    flowery_logging.get_logger().info("x", stock=0, note_text="", odd=[[]])
    for event in logged.events():
        assert event["stock"] == 0
        assert event["note_text"] == ""
        assert "error" not in event


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(shapes, "MAX_KEPT", 10)
    short, general = composer(), in_general(composer())
    for number in range(30):
        fields = {f"name{number}": number}
        assert composed(short, "x", fields, {}) == composed(general, "x", fields, {})
    assert len(short._shapes._known) == 10
