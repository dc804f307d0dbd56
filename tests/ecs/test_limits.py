"""Each limit of an event reached: the line stays valid, the message stays, the count grows."""

import logging
import re

import pytest

import flowery_logging
from flowery_logging.ecs import fields as ecs_fields
from flowery_logging.ecs.schema import is_reserved
from tests.strategies import EndlessMapping, Raising, RaisingMapping, cyclic, deep

log = logging.getLogger("shop.orders")

KEYWORDS = [
    name
    for name, kind in ecs_fields.types().items()
    if kind == "keyword" and not is_reserved(name) and not name.startswith("error.")
][:128]

REACHED = [
    # extra fields, the count that grows
    ({"a": "x" * 8193}, "cut_values"),
    ({"error.message": "x" * 8193}, "cut_values"),
    ({f"f{number}": number for number in range(129)}, "fields_over_limit"),
    ({"a": list(range(129))}, "cut_lists"),
    ({"tags": ["t"] * 129}, "cut_lists"),
    ({f"f{number}": "x" * 5000 for number in range(20)}, "cut_lines"),
    ({"tags": ["가" * 300] * 128}, "cut_lines"),
    ({f"f{number}": ["\x01" * 8000] * 9 for number in range(120)}, "cut_lines"),
    (dict.fromkeys(KEYWORDS, "\x01" * 1000), "cut_lines"),
    ({"a": {Raising(): 1}}, None),
    ({"a": Raising()}, None),
    ({"a": RaisingMapping()}, None),
    ({"a": EndlessMapping()}, "fields_over_limit"),
    ({"a": cyclic()}, None),
    ({"a": deep(2000)}, None),
]


@pytest.mark.parametrize(("extra", "name"), REACHED)
def test_a_limit_leaves_a_line_with_its_message(logged, counted, extra, name):
    log.info("the message", extra=extra)
    event = logged.event()
    assert event["message"] == "the message"
    assert len(logged.lines()[-1]) <= 32_000
    assert counted("fallbacks") == 0
    if name is not None:
        assert counted(name) >= 1


def test_a_label_keeps_8192_characters_and_says_how_many_are_missing(logged):
    log.info("x", extra={"a": "x" * 8192, "b": "y" * 10_000})
    labels = logged.event()["labels"]
    assert labels["a"] == "x" * 8192
    kept = labels["b"].count("y")
    assert len(labels["b"]) <= 8192
    assert labels["b"] == "y" * kept + f"… [{10_000 - kept} characters left out]"


def test_a_long_list_says_how_many_are_missing(logged):
    log.info("x", extra={"a": list(range(200))})
    found = logged.event()["labels"]["a"]
    assert found == [str(number) for number in range(127)] + ["… [73 more]"]


def test_fields_beyond_the_limit_stand_in_one_label(logged, counted):
    log.info("x", extra={f"f{number}": number for number in range(130)})
    event = logged.event()
    assert event["numeric_labels"] == {f"f{number}": number for number in range(128)}
    assert event["labels"]["more_fields"] == '{"f128":128,"f129":129}'
    assert counted("fields_over_limit") == 2


@pytest.mark.parametrize("count", [126, 200, 6_000, 20_000])
def test_a_line_has_its_trace_however_many_fields_it_has(logged, counted, count):
    header = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    fields = {f"f{number}": number for number in range(count)}
    with flowery_logging.continue_trace(header), flowery_logging.bound(order=7):
        log.info("x", extra=fields)
        log.info("x", extra={"body": fields})
        flowery_logging.get_logger("shop").info("x", **fields)
    for event in logged.events():
        assert event["trace"]["id"] == "0af7651916cd43dd8448eb211c80319c"
        assert event["numeric_labels"]["order"] == 7
        assert len(event["numeric_labels"]) <= 128
    shown = sum(len(e["numeric_labels"]) - 1 for e in logged.events())
    assert counted("fields_over_limit") == 3 * count - shown


def test_a_line_of_one_field_has_its_trace(logged):
    logged.setup(limits={"fields": 1})
    with flowery_logging.continue_trace({}) as trace:
        log.info("x", extra={"order_id": 7})
    event = logged.event()
    assert event["trace"] == {"id": trace.trace_id}


def test_a_line_that_is_too_long_says_how_many_of_all_fields_are_left_out(logged):
    logged.setup(limits={"label_names": 10_000, "line_bytes": 8_000})
    log.info("x", extra={f"f{number:03}": "v" * 60 for number in range(140)})
    labels = logged.last()["labels"]
    said = re.fullmatch(r"(\d+) fields left out: .*", labels.pop("more_fields"))
    assert said is not None
    assert 0 < len(labels) < 128
    assert int(said[1]) == 140 - len(labels)


def test_what_lies_too_deep_is_one_text(logged):
    log.info("x", extra={"a": deep(9)})
    ((name, value),) = logged.event()["labels"].items()
    assert name.count("_") == 8
    assert value == '{"l0":{"leaf":1}}'


NAN = float("nan")  # no JSON: an object that holds it is read value by value


@pytest.mark.parametrize(
    ("inner", "ending"),
    [
        ([NAN] * 998, '"NaN"]]'),
        ([NAN] * 999, '"NaN","<1 more>"]]'),
        ([NAN] * 996 + [[1]], '"NaN",[1]]]'),
        ([NAN] * 997 + [[1]], '"NaN","<list with 1 entries>"]]'),
    ],
)
def test_of_an_object_1000_values_are_read(logged, inner, ending):
    log.info("x", extra={"a": [inner]})
    assert logged.event()["labels"]["a"].endswith(ending)


def test_of_the_entries_of_a_dict_1000_are_read_too(logged):
    found = []
    for entries in (998, 999):
        log.info("x", extra={"a": [{str(number): 1 for number in range(entries)}, NAN]})
        found.append(logged.last()["labels"]["a"])
    whole, cut = found
    assert whole.endswith('"997":1},"<1 more>"]')
    assert cut.endswith('"997":1,"<more>":1},"<1 more>"]')


def test_an_object_inside_itself_is_named(logged):
    log.info("x", extra={"a": cyclic()})
    assert logged.event()["labels"] == {
        "a_name": "cycle",
        "a_list": '[{"name":"cycle","list":"<cycle>","self":"<cycle>"}]',
        "a_self": "<cycle>",
    }


def test_a_field_that_cannot_be_read_does_not_cost_the_others(logged):
    log.info("x", extra={"a": 1, "b": Raising(), "c": RaisingMapping(), "d": 2})
    event = logged.event()
    assert event["numeric_labels"] == {"a": 1, "d": 2}
    assert event["labels"]["b"] == "<unprintable Raising>"
    assert event["labels"]["c_unreadable"] == "RaisingMapping: KeyError"


class Uncut(list[str]):
    """A list that raises when a part of it is asked for."""

    def __getitem__(self, _):
        raise RuntimeError("no part")


def test_of_an_object_whose_entries_raise_the_others_are_kept(logged, counted):
    log.info("x", extra={"errors": [{"loc": Uncut(["name"]), "input": "y"}, {"n": 1}]})
    assert logged.event()["labels"]["errors"] == '["<unprintable dict>",{"n":1}]'
    assert counted("fallbacks") == 0


@pytest.mark.parametrize("message", ["x" * 50_000, "가" * 50_000, "😀" * 20_000, "\x01" * 20_000])
def test_a_long_message_keeps_head_and_tail(logged, counted, message):
    log.info("<" + message + ">")
    event = logged.event()
    assert event["message"].startswith("<" + message[0])
    assert event["message"].endswith(message[0] + ">")
    assert "characters left out" in event["message"]
    assert counted("cut_lines") == 1


def test_a_line_takes_what_fits(logged):
    log.info("x" * 30_000)
    log.info("x" * 40_000)
    lengths = [len(line) for line in logged.lines()[1:]]
    assert 30_000 < lengths[0] <= 32_000
    assert 8_000 < lengths[1] <= 32_000


def test_labels_are_cut_before_the_message(logged):
    log.info("m" * 2000, extra={f"f{number}": "x" * 8000 for number in range(100)})
    assert logged.event()["message"] == "m" * 2000


def test_long_names_of_threads_and_loggers_do_not_break_the_limit(logged):
    name = "n" * 40_000
    record = logging.makeLogRecord(
        {
            "name": name,
            "funcName": name,
            "threadName": name,
            "levelname": name,
            "levelno": 20,
            "msg": "x",
        }
    )
    logging.getLogger().handle(record)
    assert len(logged.lines()[-1]) <= 32_000
    assert logged.event()["log"]["logger"] == "n" * 512


def test_a_mapping_without_end_where_ecs_has_a_point_comes_to_an_end(logged):
    log.info("x", extra={"client.geo.location": EndlessMapping()})
    assert logged.event()["message"] == "x"
