"""What is put at once stands where, and as what, the rules put it."""

from collections import Counter

import pytest
from hypothesis import given, settings, strategies as st

from flowery_logging.counters import Counters
from flowery_logging.ecs import document, fields as ecs_fields, slots
from flowery_logging.ecs.document import QUERIES, Placer
from flowery_logging.ecs.limits import LEAST, Limits
from flowery_logging.ecs.redact import Redactor
from tests.strategies import NUMBERS, TEXTS, hostile_events, names, values

DECLARED = {
    "flowery.order.id": "long",
    "flowery.order.query": "keyword",
    "flowery.rate": "scaled_float",
    "flowery.small": "integer",
    "flowery.part": "float",
    "flowery.peer": "ip",
    "flowery.note": "text",
    "flowery.done": "boolean",
    "flowery.day": "date",
    "flowery.open": "object",
}

PLACERS = {
    "ordinary": lambda: Placer(DECLARED, Redactor(), Limits(), Counters()),
    "messages": lambda: Placer(DECLARED, Redactor(messages=True), Limits(), Counters()),
    "names": lambda: Placer(
        {}, Redactor(keys=["http", "part", "fe80"], safe=["password"]), Limits(), Counters()
    ),
    "least": lambda: Placer(DECLARED, Redactor(), LEAST, Counters()),
    "few": lambda: Placer({}, Redactor(), Limits(fields=3, items=2, depth=2), Counters()),
    "relaxed": lambda: Placer({}, Redactor(), Limits(), Counters()).relaxed(Limits(items=3)),
    "shown": lambda: Placer(DECLARED, Redactor(), Limits(), Counters()).unredacted(),
}


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


SECRETS = st.sampled_from([
    "4111111111111111", "4111 1111 1111 1111", "9001011234568", "https://u:pw@h/", "Bearer abcdefgh",
    "basic dXNlcjpwYXNz", "eyJhbGciOi.eyJzdWIiOi.c2ln", "?token=x", "a?password=x", "key: value",
    "pw=1", "fe80::1", "http=7", "123456789012", "-12345678901",
])  # fmt: skip

PARAMETERS = st.sampled_from([
    "token=abcdef", "a=b", "full=true", "pass%77ord=x", "password=", "=x", "x", "", "a=1;pin=2",
    "n=4111111111111111", "j=eyJhbGciOi.eyJzdWIiOi.c2ln", "u=https://u:pw@h", "b=Bearer abcdefgh",
    "a=?pin=7", "가=나", "x-api.key=7", "a b=c", "[]=1", "'=1", "http=7", "a==b", "x" * 70 + "=1",
])  # fmt: skip

queries = st.lists(PARAMETERS, max_size=4).map("&".join)

lengths = st.sampled_from([63, 64, 65, 511, 512, 513, 1024, 1025, 8191, 8192, 8193])
edges = st.sampled_from([2**31, 2**53, 2**63, 10**10, 10**12, 9 * 10**15, 2**127, 2**1023])

fitting = (
    st.text(max_size=12)
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.lists(st.text(max_size=5) | SECRETS, max_size=4)
    | SECRETS
    | queries
    | st.builds(lambda one, count: one * count, st.sampled_from(["x", "가", "😀", "="]), lengths)
    | st.builds(
        lambda edge, near, sign: sign * (edge + near),
        edges,
        st.integers(-2, 2),
        st.sampled_from([1, -1]),
    )
    | st.builds(lambda edge, sign: sign * float(edge), edges, st.sampled_from([1, -1]))
    | st.ip_addresses().map(str)
    | st.sampled_from(TEXTS)
    | st.sampled_from(NUMBERS)
    | st.sampled_from([4222222222222, 9001011234568, 4111111111111111])  # cards, a resident
)

query_names = st.sampled_from(
    [*QUERIES, "url.query", "labels.query", "dns.query", "a.query_string"]
)

any_names = (
    names
    | st.sampled_from(sorted(ecs_fields.types()))
    | st.sampled_from(sorted(DECLARED))
    | query_names
    | st.sampled_from(
        ["flowery.open.a", "flowery.open.query", "container.labels.token", "http.part"]
    )
)

any_values = fitting | values


@st.composite
def several_layers(draw):
    """Layers that often give the same name, with values of any types."""
    some = st.sampled_from(draw(st.lists(any_names, min_size=1, max_size=5)))
    chosen = some | any_names
    return draw(st.lists(st.dictionaries(chosen, any_values, max_size=6), min_size=1, max_size=3))


layers = several_layers()


@pytest.mark.parametrize("kind", PLACERS)
@given(layers)
@settings(max_examples=150)
def test_both_ways_give_the_same_document(kind, layers):
    short, rules = PLACERS[kind](), by_rules(PLACERS[kind]())
    assert placed(short, layers) == placed(short, layers) == placed(rules, layers)


@given(st.lists(layers, min_size=2, max_size=5))
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
