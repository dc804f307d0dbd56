"""Lines beside the slow and obvious reference, with events at the edges of the rules."""

import dataclasses
import logging
from collections import Counter as Counted
from unittest import mock

import pytest
from hypothesis import given, settings, strategies as st

import flowery_logging
from flowery_logging.counters import Counters
from flowery_logging.ecs import encode, fields as ecs_fields, plan
from flowery_logging.ecs.compose import Composer
from flowery_logging.ecs.document import Placer
from flowery_logging.ecs.event import Event, Site, Static
from flowery_logging.ecs.limits import Limits
from flowery_logging.ecs.line import LineEncoder
from flowery_logging.redaction import Redactor
from tests.conftest import strict
from tests.ecs import reference
from tests.ecs.generated import DECLARED

log = logging.getLogger("shop.orders")

PLAIN_TYPES = {"keyword", "wildcard", "match_only_text", "long", "integer", "float", "double",
               "scaled_float", "boolean", "date", "ip", "text"}  # fmt: skip
OPEN = tuple(f"{n}." for n, kind in ecs_fields.types().items() if kind in {"object", "flattened"})
FIELDS = sorted(
    name
    for name, kind in ecs_fields.types().items()
    if kind in PLAIN_TYPES and not name.startswith((*OPEN, "service.", "error.", "@", "event."))
)
TAKEN = [
    "a",
    "a.b",
    "a_b",
    "a b",
    "a_b_2",
    "user.id",
    "user",
    "url.path",
    "url",
    "labels.a",
    "tags",
]
NAMES = [*TAKEN, "password", "x.token", "query", "url.query", "client.ip", "event.action", "host",
         "event.duration", "service.node.role", "faas.coldstart", "message", "주문", "x" * 129,
         "http.response.status_code", "event.risk_score", "flowery.order.id", "flowery.rate",
         "flowery.note", "flowery.peer", "flowery.day", "http.request.id", "trace.id"]  # fmt: skip


@st.composite
def numbers(draw):
    """Digits that are a card's or a resident's, or nearly."""
    prefix = draw(st.sampled_from(["4", "51", "34", "62", "9", "35", "27", "50", "1", "900101"]))
    length = draw(st.sampled_from([13, 15, 16, 19]))
    body = prefix + draw(st.text("0123456789", min_size=20, max_size=20))
    stem = body[: length - 1]
    ends = [stem + digit for digit in "0123456789"]
    secret = [e for e in ends if reference.is_card(e) or reference.is_resident(e)]
    return draw(st.sampled_from(secret or ends) if draw(st.booleans()) else st.sampled_from(ends))


edges = st.sampled_from([2**31, 2**53, 2**63, 10**10, 10**12, 10**15, 10**18, 9 * 10**15, 8192])
integers = st.builds(lambda edge, near, sign: sign * (edge + near),
                     edges, st.integers(-1, 1), st.sampled_from([1, -1]))  # fmt: skip
floats = st.sampled_from([0.5, -0.0, 7.0, 1e300, 3.4028234e38, 3.5e38, 9.0e15, 9.2e15])
queries = st.lists(
    st.sampled_from(["a=b", "token=abc", "page=2", "pin=7", "password=", "x"]),
    min_size=1,
    max_size=3,
).map("&".join)
lengths = st.sampled_from([511, 512, 513, 1024, 1025, 8191, 8192, 8193])
texts = (
    st.sampled_from(["", "x", "7", "-7", "0.5", "true", "2026-01-02", "2026-02-30", "10.0.0.1",
                     "::1", "999.1.1.1", "fe80::1%eth0", *reference.CLEANED])
    | st.builds(str.__mul__, st.sampled_from(["y", "가", "😀"]), lengths)
    | numbers()
)  # fmt: skip
scalars = (
    texts
    | integers
    | numbers().filter(lambda digits: digits[0] != "0").map(int)
    | st.integers(-1000, 1000)
    | floats
    | st.sampled_from([float("nan"), float("inf"), True, False, None])
)
names = st.sampled_from(NAMES) | st.sampled_from(FIELDS)


def values_of(name):
    """Values that a field of a name may get; a query is one, and none is a number's text."""
    last = name.rpartition(".")[2]
    return queries if last in reference.QUERIES else values


values = (
    scalars
    | st.lists(scalars, max_size=3)
    | st.dictionaries(st.sampled_from(["a", "b", "id", "pin"]), scalars, max_size=3)
)


@st.composite
def some_fields(draw):
    chosen = draw(st.lists(names, max_size=5, unique=True))
    return {name: draw(values_of(name)) for name in chosen}


def told(line):
    """What a line says of the caller's fields, as the reference has it."""
    found = strict(line)
    labels = {**found.pop("labels", {}), **found.pop("numeric_labels", {})}
    ours = {"@timestamp", "log.level", "ecs.version", "message", "host", "data_stream", "log",
            "process", "event.id", "event.sequence", "event.dataset", "service.name",
            "service.node.name"}  # fmt: skip
    return {"fields": dict(_flat("", found, ours)), "labels": labels}


def _flat(prefix, tree, ours):
    for name, value in tree.items():
        path = prefix + name
        if path in ours:
            continue
        if isinstance(value, dict):
            yield from _flat(f"{path}.", value, ours)
        else:
            yield path, value


def exact(told):
    """Also the types: 7 == 7.0 == True."""
    return {part: {n: repr(v) for n, v in entries.items()} for part, entries in told.items()}


STATIC = Static({"name": "shop"}, {"name": "web-1"}, {"type": "logs"}, "shop")
SITE = Site("info", {}, STATIC.encoded())
LIMITS = Limits(line_bytes=1_000_000, label_names=1_000_000)
PLACER = Placer(DECLARED, Redactor(), LIMITS, Counters())
WAYS = {
    "plans": LineEncoder(STATIC, PLACER, Counters()).encode_event,
    "careful": Composer(STATIC, PLACER, Counters()).compose,
}


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=300)
@given(fields=some_fields(), bound=some_fields())
def test_a_line_says_what_the_reference_says(way, fields, bound):
    """By the plan, once it is learnt, and by the careful way."""
    expected = exact(reference.document(fields, bound, DECLARED))
    for _ in range(plan.LEARNT_AFTER + 1):
        event = Event(1.5, SITE, "x", b'"thread":{}}}\n', fields, bound)
        before, after = WAYS[way](event)
        line = before + b'"sequence":1},"process":{' + after
        assert exact(told(line)) == expected


NUMBERS = (
    4222222222222, 4111111111111111, 4111111111111112, 5500000000000004, 378282246310005,
    6200000000000005, 9410110000000002, 9410110000000003, 9001011234568, 9001011234569,
    9001015234561, 9001017234566, 9001018234569, 9001018234568, 9013011234568, 1767225600123,
    1701011000181, 1701011000182, 1767225600123456, 1767225600123456789, 2000000000000,
)  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("kind", ["integer", "text", "message", "list", "nested", "field"])
def test_card_and_resident_numbers(logged, number, kind):
    """Also those of Korea's domestic cards (9), and of foreigners (a seventh digit of 5 to 8)."""
    digits = str(number)
    shown = {"integer": number, "text": digits, "list": [number], "nested": [[digits]]}
    fields = {"user.id": number} if kind == "field" else {"no": shown.get(kind, 1)}
    for _ in range(plan.LEARNT_AFTER + 1):
        log.info(digits if kind == "message" else "x", extra=fields)
        log.info("x", extra={"no": 4222222222222, "other": number})
    is_secret = reference.is_card(digits) or reference.is_resident(digits)
    for event, line in zip(logged.events(), logged.lines()[1:], strict=True):
        assert (digits.encode() in line) is not is_secret
        assert event["message"] in {"x", digits, "[redacted:card]", "[redacted:resident_number]"}


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("token=abc&x&page=2", "token=[redacted]&page=2"),
        ("page=2&token=abc&x", "page=2&token=[redacted]"),
        ("password=&x", "password=&x"),
        ("x&pin=7", "x&pin=[redacted]"),
    ],
)
def test_an_and_in_a_secret_of_a_query(logged, query, shown):
    assert reference.without_parameters("url.query", query) == shown
    for _ in range(plan.LEARNT_AFTER + 1):
        log.info("x", extra={"url.query": query, "query": query})
    for event in logged.events():
        assert (event["url"]["query"], event["labels"]["query"]) == (shown, shown)


def test_a_number_that_must_not_be_hidden_is_one_of_those_above():
    secret = [n for n in NUMBERS if reference.is_card(str(n)) or reference.is_resident(str(n))]
    assert len(secret) == 11


def test_a_name_of_the_context_stands_once(logged):
    with flowery_logging.bound(**{"a.b": 1, "a b": "x", "user": {"id": "u"}}):
        for _ in range(plan.LEARNT_AFTER + 1):
            log.info("x", extra={"a_b": 2, "user.name": "kim"})
    for event in logged.events():
        assert event["numeric_labels"] == {"a_b": 2, "a_b_2": 1}
        assert event["labels"] == {"a_b_3": "x"}
        assert event["user"] == {"name": "kim", "id": "u"}


@pytest.mark.parametrize("levels", [6, 7, 8, 9])
def test_what_lies_in_lists_is_shown_down_to_a_depth(logged, levels):
    value: object = "x"
    for _ in range(levels):
        value = [value]
    log.info("x", extra={"a": [value]})
    encoded = "x" if levels < reference.DEPTH else "<list with 1 entries>"
    depth = min(levels, reference.DEPTH - 1) + 1
    found = logged.event()["labels"]["a"]
    assert found == "[" * depth + f'"{encoded}"' + "]" * depth


@settings(max_examples=1000)
@given(numbers() | st.integers(10**9, 10**19).map(str))
def test_digits_are_a_secret_as_a_text_if_they_are_as_a_number(digits):
    """So the items of a list of integers need not be asked for as texts."""
    number = int(digits.lstrip("0") or 0)
    redactor = Redactor()
    assert (redactor.clean(str(number)) != str(number)) is (redactor.clean_number(number) != number)


@dataclasses.dataclass
class Parcel:
    weight: object
    note: object
    password: object = "x"


objects = (
    st.decimals(allow_nan=True)
    | st.uuids()
    | st.datetimes()
    | st.dates()
    | st.binary(max_size=20)
    | st.builds(Parcel, scalars, texts)
    | st.sets(st.integers(0, 9), max_size=2)
    | st.tuples(st.sampled_from(["password", "size"]), texts)
    | st.dictionaries(st.sampled_from(["token", "size"]), scalars).map(Counted)
)
inner = st.recursive(
    scalars | objects,
    lambda some: (
        st.lists(some, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "id", "pin", "name", "value"]), some, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=500)
@given(st.lists(inner, min_size=1, max_size=3))
def test_objects_inside_others_are_shown_as_by_the_careful_way(value):
    """With care each value is asked for alone; else the JSON text of all."""
    shown = encode.to_json(value, Redactor())
    with mock.patch.object(encode, "_as_it_is", return_value=None):
        assert encode.to_json(value, Redactor()) == shown
