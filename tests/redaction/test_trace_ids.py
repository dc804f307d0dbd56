"""IDs of traces and spans that happen to have the digits of a card: a request must stay together."""

import json
import logging

import pytest

import flowery_logging
from flowery_logging.redaction.redactor import Redactor

CARD = "4111111111111111"  # also one of 16 hexadecimal digits
LONG = "4000000000000000006"  # as Datadog's
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
REDACTOR = Redactor()


def test_a_caller_and_a_request_have_such_ids(logged, monkeypatch):
    before = flowery_logging.stats()["redacted"]
    monkeypatch.setattr("flowery_logging.trace.os.urandom", lambda size: bytes.fromhex(CARD)[:size])
    with flowery_logging.continue_trace({"traceparent": f"00-{TRACE}-{CARD}-01"}):
        for number in range(8):  # a shape is learnt after a few events
            logging.getLogger("app").info("packed %d", number)
            flowery_logging.get_logger("app").info("sent", number=number)
    events = [event for event in logged.events() if event["log"]["logger"] == "app"]
    assert len(events) == 16
    assert {event["transaction"]["id"] for event in events} == {CARD}
    assert flowery_logging.stats()["redacted"] == before


@pytest.mark.parametrize("repeats", [1, 8])
@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"transaction.id": CARD, "span.id": CARD}, ("transaction", "id")),
        ({"span": {"id": CARD}}, ("span", "id")),
        ({"parent.id": int(CARD)}, ("parent", "id")),
        ({"dd.parent_id": LONG}, ("labels", "dd_parent_id")),
        ({"spanID": CARD}, ("labels", "spanID")),
        ({"span_id": LONG[:16]}, ("labels", "span_id")),
        ({"trace_id": int(LONG)}, ("labels", "trace_id")),
        ({"x-b3-spanid": CARD}, ("labels", "x-b3-spanid")),
        ({"sent": {"spanId": CARD}}, ("labels", "sent_spanId")),
    ],
)
def test_fields_whose_names_say_so(logged, given, found, repeats):
    for _ in range(repeats):
        flowery_logging.get_logger("app").info("sent", **given)
        logging.getLogger("app").info("sent", extra=given)
    group, name = found
    values = [event[group][name] for event in logged.events() if event["log"]["logger"] == "app"]
    assert len(values) == 2 * repeats
    assert set(values) <= {CARD, LONG, LONG[:16]}


@pytest.mark.parametrize("repeats", [1, 8])
def test_an_id_as_a_number(logged, repeats):
    for _ in range(repeats):
        flowery_logging.get_logger("app").info("sent", span_id=int(CARD), order_id=int(CARD))
    events = [event for event in logged.events() if event["log"]["logger"] == "app"]
    assert {event["numeric_labels"]["span_id"] for event in events} == {int(CARD)}
    assert {event["labels"]["order_id"] for event in events} == {"[redacted:card]"}


def test_an_id_in_a_list_of_spans(logged):
    flowery_logging.get_logger("app").info("sent", spans=[{"spanId": CARD, "paid": CARD}])
    (event,) = [event for event in logged.events() if event["log"]["logger"] == "app"]
    assert json.loads(event["labels"]["spans"]) == [{"spanId": CARD, "paid": "[redacted:card]"}]


@pytest.mark.parametrize("text", [
    f"[trace_id={TRACE} span_id={CARD} resource.service.name=svc] paid",
    f'{{"traceId": "{TRACE}", "spanId": "{CARD}"}}',
    f"{{'span.id': '{CARD}'}}",
    f'"{{\\"spanId\\":\\"{CARD}\\"}}"',
    f"x-b3-spanid: {CARD}",
    f"dd.span_id={LONG} paid",
    f"transaction.id: {CARD}",
    f"traceparent: 00-{TRACE}-{CARD}-01",
    f"b3: {TRACE}-{CARD}-1",
])  # fmt: skip
def test_texts_that_say_so(text):
    assert REDACTOR.clean(text) == text


@pytest.mark.parametrize("text", [
    f"transaction_id={CARD}", f"id={CARD}", f"card {CARD}", "span_id=4111 1111 1111 1111",
    f"spanning id={CARD}", f"order_id: {CARD}", f"span_id={TRACE[:16]} {CARD}",
])  # fmt: skip
def test_texts_that_do_not(text):
    assert REDACTOR.clean(text).endswith("[redacted:card]")


def test_a_resident_number_is_no_id(logged):
    flowery_logging.get_logger("app").info("sent", trace_id="9001011234568", span_id=9001011234568)
    (event,) = [event for event in logged.events() if event["log"]["logger"] == "app"]
    assert set(event["labels"].values()) == {"[redacted:resident_number]"}


@pytest.mark.parametrize("value", [int("4" * 30), "4" * 9_000])
def test_what_is_too_long_for_an_id_is_cut_as_any_other(logged, value):
    flowery_logging.get_logger("app").info("sent", span_id=value, spans=[{"span_id": value}])
    (event,) = [event for event in logged.events() if event["log"]["logger"] == "app"]
    assert event["labels"]["span_id"].startswith("444")
    assert len(event["labels"]["span_id"]) <= 8192
    assert event["labels"]["spans"].startswith('[{"span_id":"444')
