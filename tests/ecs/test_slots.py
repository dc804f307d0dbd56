"""What is put at once stands where, and as what, the rules put it."""

from collections import Counter

import pytest
from hypothesis import given, settings, strategies as st

from flowery_logging.counters import Counters
from flowery_logging.ecs import document, fields as ecs_fields, slots
from tests.ecs.generated import PLACERS, several_layers
from tests.strategies import hostile_events


def placed(placer, layers):
    """Everything that comes of placing."""
    placer.counters = Counters()
    document = placer.place(*layers)
    labels = document.labels
    everything = document.tree, labels.texts, labels.numbers, labels.names, document.paths
    # The types too: 1 == 1.0 == True.
    return repr(everything), placer.counters.snapshot()


def by_rules(placer):
    placer.slots.by_type = {}
    return placer


@pytest.mark.parametrize("kind", PLACERS)
@given(several_layers())
@settings(max_examples=150)
def test_both_ways_give_the_same_document(kind, layers):
    short, rules = PLACERS[kind](), by_rules(PLACERS[kind]())
    assert placed(short, layers) == placed(short, layers) == placed(rules, layers)


@given(st.lists(several_layers(), min_size=2, max_size=5))
def test_what_was_learnt_earlier_serves_others(several):
    short, rules = PLACERS["ordinary"](), by_rules(PLACERS["ordinary"]())
    for layers in several:
        assert placed(short, layers) == placed(rules, layers)


@pytest.mark.parametrize("kind", ["ordinary", "least", "shown"])
def test_hostile_fields(kind):
    short, rules = PLACERS[kind](), by_rules(PLACERS[kind]())
    for event in hostile_events(11, 150):
        layers = event.extras, event.bound
        assert placed(short, layers) == placed(rules, layers)


def test_every_field_of_ecs():
    short, rules = PLACERS["ordinary"](), by_rules(PLACERS["ordinary"]())
    for name in ecs_fields.types():
        for value in ["text", "10.0.0.1", 7, -1.5, True, ["a", "b"], 2**40, "2026-01-02", "a=b"]:
            assert placed(short, [{name: value}]) == placed(rules, [{name: value}])


@pytest.mark.parametrize(
    "layers",
    [
        [{"http.request.method": [1, [2]]}, {"http.request.method": "GET"}],
        [{"order_id": "x" * 9000}, {"order_id": 7}],
        [{"user": {"id": "nested"}, "user.id": "dotted"}, {"user.id": "bound"}],
        [{"a.b": 1, "a_b": 2, "a b": 3}],
        [{"url": "scalar", "url.path": "/"}, {"url": {"path": "/bound"}}],
    ],
)
def test_the_same_name_again(layers):
    short, rules = PLACERS["ordinary"](), by_rules(PLACERS["ordinary"]())
    assert placed(short, layers) == placed(short, layers) == placed(rules, layers)


def test_the_fields_of_a_request_have_slots(monkeypatch):
    """Else nothing above has been compared."""
    ways: Counter[str] = Counter()
    walk = document._Placing._walk
    monkeypatch.setattr(
        document._Placing, "_walk", lambda *given: (ways.update(given[1:2]), walk(*given))[1]
    )
    placer = PLACERS["ordinary"]()
    tree = placer.place({
        "http.request.method": "GET", "http.response.status_code": 200, "url.path": "/orders/7",
        "url.query": "full=true&page=2", "client.ip": "2001:db8::1", "event.category": ["web"],
        "event.duration": 12_345_678, "user.id": 7, "tags": "a", "order_id": 7, "note": "b",
        "express": True, "amount": 12.5, "faas.coldstart": False, "container.cpu.usage": 0.5,
    }).tree  # fmt: skip
    assert tree["user"]["id"] == "7"
    assert not ways
    placer.place({"url.query": "token=abc"})
    assert list(ways) == ["url.query"]


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(slots, "MAX_KEPT", 20)
    short, rules = PLACERS["ordinary"](), by_rules(PLACERS["ordinary"]())
    for number in range(50):
        layers = [{f"name{number}": number, "x" * (200 + 2 * number): "y"}]
        assert placed(short, layers) == placed(rules, layers)
    kept = short.slots.by_type
    assert [len(kept[kind]) for kind in (int, str)] == [20, 20]
