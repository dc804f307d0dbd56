"""Arbitrary events through both loggers: every call returns, every line is one that indexes."""

import copy
import logging
import re

import pytest
from hypothesis import example, given, strategies as st

import flowery_logging
from flowery_logging.ecs import plan
from tests.conftest import FIRST_KEYS, strict
from tests.strategies import errors, extras, hostile_events, messages, names

log = logging.getLogger("shop.orders")
OTHER = logging.NullHandler()  # beside it ours gets records

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
LABEL = re.compile(r"[^.*\\\[\]\s\x00-\x1f\x7f]{1,128}")


@pytest.fixture
def logged(logged):
    """A set-up that has room for all the names that are drawn: beyond it a warning is logged."""
    return logged.setup(limits={"label_names": 10_000})


def send(kind, message, extra, error, bound=None):
    logger = flowery_logging.get_logger("shop.orders")
    with flowery_logging.bound(**(bound or {})):
        if kind == "stdlib":
            log.info(message, extra=extra, exc_info=error)
        elif kind == "records":
            logging.getLogger().addHandler(OTHER)
            log.info(message, extra=extra, exc_info=error)
            logging.getLogger().removeHandler(OTHER)
        else:
            fields = {str(name): value for name, value in extra.items()}
            fields = {n: v for n, v in fields.items() if n not in {"self", "event"}}
            if error is not None:  # a field of this name would take the error's place
                fields["exc_info"] = error
            logger.info(message, **fields)


def check(line):
    document = strict(line)
    assert list(document)[:4] == FIRST_KEYS
    assert STAMP.fullmatch(document["@timestamp"])
    assert type(document["message"]) is str
    assert document["service"]["name"] == "shop"
    assert document["host"]["name"]
    assert document["event"]["id"].endswith(f"-{document['event']['sequence']}")
    assert document["process"]["entity_id"] in document["event"]["id"]
    assert len(line) <= 32_000
    for name, value in document.get("labels", {}).items():
        assert LABEL.fullmatch(name)
        assert type(value) is str or all(type(item) is str for item in value)
    for name, value in document.get("numeric_labels", {}).items():
        assert LABEL.fullmatch(name)
        assert type(value) in {int, float}
    return document


def numbers(logged):
    return [document["event"]["sequence"] for document in map(check, logged.lines())]


@given(
    st.sampled_from(["stdlib", "records", "structlog"]),
    messages,
    extras,
    errors,
    st.dictionaries(names, st.text(max_size=5), max_size=3),
)
def test_every_event_becomes_a_line(logged, kind, message, extra, error, bound):
    log.info("a file's first record is numbered too")
    before = flowery_logging.stats()
    send(kind, message, extra, error, bound)
    after = flowery_logging.stats()
    assert after["events"] == before["events"] + 1
    assert after["fallbacks"] == before["fallbacks"]
    last = check(logged.lines()[-1])
    assert last["event"]["id"].endswith(f"-{last['event']['sequence']}")
    assert ("error" in last) >= (error is not None)


@pytest.mark.slow
def test_hostile_events_leave_no_gap(logged):
    for event in hostile_events(7, 300):
        send(event.kind, event.message, event.extras, event.exception, event.bound)
    found = numbers(logged)[-301:]
    assert found == list(range(found[0], found[0] + 301))


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(["stdlib", "records", "structlog"]), st.dictionaries(names, plain, max_size=4)
)
def test_nothing_of_the_callers_is_changed(logged, kind, extra):
    before = copy.deepcopy(extra)
    send(kind, "x", extra, None)
    assert extra == before


ordinary = st.dictionaries(
    st.sampled_from(
        ["a", "order_id", "b-c", "user", "password", "query", "url.path", "a.b", "x y"]
    ),
    st.text(max_size=9)
    | st.integers(-(10**13), 10**13)
    | st.floats()
    | st.booleans()
    | st.none()
    | st.sampled_from(["4111111111111111", "https://u:pw@h", "?token=x", "Bearer abcdefgh"])
    | st.integers(8190, 8200).map("y".__mul__),
    max_size=4,
)


@given(st.text(max_size=20) | st.integers(30_000, 40_000).map("x".__mul__), ordinary, ordinary)
def test_an_event_with_an_exception_has_the_same_fields(logged, message, extra, bound):
    """It goes the careful way, and one that has come often enough by its plan."""
    with flowery_logging.bound(**bound):
        logger = flowery_logging.get_logger("shop.orders")
        for _ in range(plan.LEARNT_AFTER):
            logger.info(message, **extra)
        logger.info(message, **extra, exc_info=ValueError("x"))
    by_plan, careful = map(strict, logged.lines()[-2:])
    assert careful.pop("error")["type"] == "ValueError"
    for document in (by_plan, careful):
        _forget_what_differs(document)
    if "characters left out" not in careful["message"]:  # the line was cut, in another place
        assert by_plan == careful


def _forget_what_differs(document):
    del document["@timestamp"]
    document["event"].pop("id")
    document["event"].pop("sequence")
    document["log"].pop("origin")


@given(messages, extras, st.dictionaries(names, st.text(max_size=5), max_size=3))
@example("", {"message": {f"k{number}": number for number in range(200)}, "a": False}, {})
def test_stdlib_events_are_the_same_with_and_without_a_record(logged, message, extra, bound):
    for kind in ("stdlib", "records"):
        send(kind, message, extra, None, bound)
    direct, record = map(strict, logged.lines()[-2:])
    for document in (direct, record):
        _forget_what_differs(document)
    assert direct == record


@pytest.mark.parametrize("seed", range(3))
def test_the_same_seed_gives_the_same_hostility(seed):
    first, again = ([repr(e.extras.keys()) for e in hostile_events(seed, 20)] for _ in range(2))
    assert first == again
