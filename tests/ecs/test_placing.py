"""Where a caller's field goes: one row for each rule (docs/fields.md)."""

import datetime as dt
import logging
import math
import uuid
from decimal import Decimal
from enum import Enum
from ipaddress import ip_address
from pathlib import PurePosixPath
from urllib.parse import urlparse, urlsplit

import pytest

import flowery_logging
from flowery_logging.ecs import fields as ecs_fields

log = logging.getLogger("shop.orders")


class Colour(Enum):
    RED = "red"


ZONE = dt.timezone(dt.timedelta(hours=9))

IN_PLACE = [
    # a name and a value; where the value stands, and as what
    ({"user.id": "7"}, "user.id", "7"),
    ({"user": {"id": "7"}}, "user.id", "7"),
    ({"user": {"id": 7}}, "user.id", "7"),
    ({"user.name": True}, "user.name", "true"),
    ({"user.name": 1.5}, "user.name", "1.5"),
    ({"user.name": dt.date(2026, 1, 2)}, "user.name", "2026-01-02"),
    ({"user.id": uuid.UUID(int=7)}, "user.id", "00000000-0000-0000-0000-000000000007"),
    ({"user.name": "x" * 1024}, "user.name", "x" * 1024),
    ({"tags": ["a", "b"]}, "tags", ["a", "b"]),
    ({"tags": "a"}, "tags", ["a"]),
    ({"tags": ("a", 1)}, "tags", ["a", "1"]),
    ({"user.roles": {"admin"}}, "user.roles", ["admin"]),
    ({"http.response.status_code": 200}, "http.response.status_code", 200),
    ({"http.response.status_code": "200"}, "http.response.status_code", 200),
    ({"http.response.status_code": 200.0}, "http.response.status_code", 200),
    ({"event.duration": 2**63 - 1}, "event.duration", 2**63 - 1),
    ({"event.risk_score": 7}, "event.risk_score", 7.0),
    ({"event.risk_score": "0.1"}, "event.risk_score", 0.1),
    ({"event.risk_score": Decimal("0.1")}, "event.risk_score", 0.1),
    ({"container.cpu.usage": 0}, "container.cpu.usage", 0.0),
    ({"gen_ai.request.temperature": 1}, "gen_ai.request.temperature", 1.0),
    ({"gen_ai.usage.input_tokens": 5}, "gen_ai.usage.input_tokens", 5),
    ({"faas.coldstart": True}, "faas.coldstart", True),
    ({"faas.coldstart": "false"}, "faas.coldstart", False),
    ({"event.created": dt.datetime(2026, 1, 2, 9, tzinfo=ZONE)}, "event.created", "2026-01-02T00:00:00Z"),
    ({"event.created": dt.datetime(2026, 1, 2, 9)}, "event.created", "2026-01-02T09:00:00"),
    ({"event.created": dt.date(2026, 1, 2)}, "event.created", "2026-01-02"),
    ({"event.created": "2026-01-02T03:04:05.678Z"}, "event.created", "2026-01-02T03:04:05.678Z"),
    ({"event.created": "2026-01-02T03:04+09:00"}, "event.created", "2026-01-02T03:04+09:00"),
    ({"client.ip": "10.0.0.1"}, "client.ip", "10.0.0.1"),
    ({"client.ip": ip_address("::1")}, "client.ip", "::1"),
    ({"dns.resolved_ip": "10.0.0.1"}, "dns.resolved_ip", ["10.0.0.1"]),
    ({"client.geo.location": {"lat": 52, "lon": 13.4}}, "client.geo.location", {"lat": 52.0, "lon": 13.4}),
    ({"client.geo.location": [13.4, 52.5]}, "client.geo.location", {"lat": 52.5, "lon": 13.4}),
    ({"client.geo.location": [180, 90]}, "client.geo.location", {"lat": 90.0, "lon": 180.0}),
    ({"client.geo.location": [-180, -90]}, "client.geo.location", {"lat": -90.0, "lon": -180.0}),
    ({"container.labels": {"app": "shop", "tier": 1}}, "container.labels", {"app": "shop", "tier": "1"}),
    ({"container.labels.app.kubernetes.io/name": "x"}, "container.labels.app_kubernetes_io/name", "x"),
    ({"container.labels.a.created": "x"}, "container.labels.a_created", "x"),
    ({"gen_ai.request.stop_sequences": [{"a": "b"}]}, "gen_ai.request.stop_sequences", [{"a": "b"}]),
    ({"entity.metrics": {"cpu": 0.5}}, "entity.metrics", {"cpu": "0.5"}),
    (
        {"dns.answers": [{"name": "a", "ttl": "5"}, {"data": "10.0.0.1"}]},
        "dns.answers",
        [{"name": "a", "ttl": 5}, {"data": "10.0.0.1"}],
    ),
    ({"dns": {"answers": {"name": "a"}}}, "dns.answers", [{"name": "a"}]),
    (
        {"email.attachments": [{"file": {"name": "a", "size": 7}}]},
        "email.attachments",
        [{"file": {"name": "a", "size": 7}}],
    ),
    ({"network": {"inner": {"vlan": {"id": 7}}}}, "network.inner.vlan.id", "7"),
    ({"file.elf.imports": {"a": "b"}}, "file.elf.imports", [{"a": "b"}]),
    ({"file.elf.go_imports": {"a.b": 1}}, "file.elf.go_imports", {"a_b": "1"}),
    ({"error.message": "x" * 2000}, "error.message", "x" * 2000),
    ({"url.full": "https://x/?a=b"}, "url.full", "https://x/?a=b"),
    ({"trace.id": "mine"}, "trace.id", "mine"),
    ({"event.dataset": "mine"}, "event.dataset", "mine"),
    ({"service.environment": "test"}, "service.environment", "test"),
    ({"service.node.role": "blue"}, "service.node.role", "blue"),
]  # fmt: skip

AS_LABELS = [
    # reserved names
    ({"@timestamp": "x"}, "@timestamp", "x"),
    ({"@metadata": {"index": "x"}}, "@metadata_index", "x"),
    ({"@version": 1}, "@version", 1),
    ({"message": "x"}, "message", "x"),
    ({"event.id": "x"}, "event_id", "x"),
    ({"event": {"sequence": 5}}, "event_sequence", 5),
    ({"event.ingested": "2026-01-01"}, "event_ingested", "2026-01-01"),
    ({"log": "x"}, "log", "x"),
    ({"log": {"level": "x"}}, "log_level", "x"),
    ({"process": {"pid": 1}}, "process_pid", 1),
    ({"service.name": "x"}, "service_name", "x"),
    ({"data_stream.dataset": "x"}, "data_stream_dataset", "x"),
    ({"ecs.version": "1"}, "ecs_version", "1"),
    ({"agent": "x"}, "agent", "x"),
    ({"input": {"type": "x"}}, "input_type", "x"),
    ({"type": "x"}, "type", "x"),
    ({"host": "x"}, "host", "x"),
    ({"host.name": "x"}, "host_name", "x"),
    # ECS names whose values do not fit
    ({"error": "x"}, "error", "x"),
    ({"event": "x"}, "event", "x"),
    ({"user": "x"}, "user", "x"),
    ({"tags": {"a": 1}}, "tags_a", 1),
    ({"user.id": ["a", "b"]}, "user_id", ["a", "b"]),
    ({"user.id": {"a": 1}}, "user_id_a", 1),
    ({"user.name.first": "x"}, "user_name_first", "x"),
    ({"user.name": "x" * 1025}, "user_name", "x" * 1025),
    ({"user.name": "😀" * 513}, "user_name", "😀" * 513),
    ({"http.response.status_code": "teapot"}, "http_response_status_code", "teapot"),
    ({"http.response.status_code": "2_00"}, "http_response_status_code", "2_00"),
    ({"http.response.status_code": " 200"}, "http_response_status_code", " 200"),
    ({"http.response.status_code": "\u0662\u0660\u0660"}, "http_response_status_code", "\u0662\u0660\u0660"),
    ({"http.response.status_code": 1.5}, "http_response_status_code", 1.5),
    ({"http.response.status_code": True}, "http_response_status_code", "true"),
    ({"event.duration": 2**63}, "event_duration", str(2**63)),
    ({"gen_ai.usage.input_tokens": 2**31}, "gen_ai_usage_input_tokens", 2**31),
    ({"event.risk_score": math.nan}, "event_risk_score", "NaN"),
    ({"event.risk_score": "1e5"}, "event_risk_score", "1e5"),
    ({"event.risk_score": 3.5e38}, "event_risk_score", 3.5e38),
    ({"faas.coldstart": 1}, "faas_coldstart", 1),
    ({"event.created": "yesterday"}, "event_created", "yesterday"),
    ({"event.created": "2026-02-30"}, "event_created", "2026-02-30"),
    ({"event.created": "2026-01-01T00:00:00+18:30"}, "event_created", "2026-01-01T00:00:00+18:30"),
    ({"event.created": 1_700_000_000}, "event_created", 1_700_000_000),
    ({"event.created": dt.datetime(999, 1, 1)}, "event_created", "0999-01-01T00:00:00"),
    ({"client.ip": "999.1.1.1"}, "client_ip", "999.1.1.1"),
    ({"client.ip": "fe80::1%eth0"}, "client_ip", "fe80::1%eth0"),
    ({"client.ip": 1}, "client_ip", 1),
    ({"client.geo.location": {"lat": 95}}, "client_geo_location_lat", 95),
    ({"client.geo.location": "52.5,13.4"}, "client_geo_location", "52.5,13.4"),
    ({"client.geo.location": [math.nan, 52.0]}, "client_geo_location", ["NaN", "52.0"]),
    ({"client.geo.location": [13.4, math.nan]}, "client_geo_location", ["13.4", "NaN"]),
    ({"client.geo.location": [math.inf, 52.0]}, "client_geo_location", ["Infinity", "52.0"]),
    ({"client.geo.location": [13, -90.5]}, "client_geo_location", ["13", "-90.5"]),
    ({"client.geo.location": [181, 52]}, "client_geo_location", ["181", "52"]),
    ({"container.labels": "x"}, "container_labels", "x"),
    ({"container.labels.created": "yesterday"}, "container_labels_created", "yesterday"),
    ({"container.labels": {"my_ip": "nowhere"}}, "container_labels_my_ip", "nowhere"),
    ({"container.labels": {"@timestamp": "x"}}, "container_labels_@timestamp", "x"),
    ({"entity.raw": [{"a_score_b": "x"}]}, "entity_raw", '[{"a_score_b":"x"}]'),
    (
        {"gen_ai.request.stop_sequences": [{"a": "b"}, {"client_ip": "nowhere"}]},
        "gen_ai_request_stop_sequences",
        '[{"a":"b"},{"client_ip":"nowhere"}]',
    ),
    ({"dns.answers": "x"}, "dns_answers", "x"),
    ({"dns.answers": [{"name": "a", "ttl": "x"}]}, "dns_answers", '[{"name":"a","ttl":"x"}]'),
    ({"dns.answers": [{"unknown": "a"}]}, "dns_answers", '[{"unknown":"a"}]'),
    ({"email.attachments": [{"file": "x"}]}, "email_attachments", '[{"file":"x"}]'),
    ({"network.inner": "x"}, "network_inner", "x"),
    ({"labels": "x"}, "labels", "x"),
    # everything else
    ({"a": "x"}, "a", "x"),
    ({"a": ""}, "a", ""),
    ({"a": 7}, "a", 7),
    ({"a": 1.5}, "a", 1.5),
    ({"a": True}, "a", "true"),
    ({"a": False}, "a", "false"),
    ({"a": 2**53}, "a", 2**53),
    ({"a": 2**53 + 1}, "a", str(2**53 + 1)),
    ({"a": -(2**70)}, "a", str(-(2**70))),
    ({"a": 10**5000}, "a", hex(10**5000)),
    ({"a": math.inf}, "a", "Infinity"),
    ({"a": -math.inf}, "a", "-Infinity"),
    ({"a": Decimal("0.10")}, "a", "0.10"),
    ({"a": Colour.RED}, "a", "red"),
    ({"a": PurePosixPath("/a/b")}, "a", "/a/b"),
    ({"a": urlsplit("https://h/a?b=c#d")}, "a", "https://h/a?b=c#d"),
    ({"a": urlparse("https://kim:hunter2@h/a")}, "a", "https://kim:[redacted:password]@h/a"),
    ({"a": ip_address("10.0.0.1")}, "a", "10.0.0.1"),
    ({"a": dt.datetime(2026, 1, 2, 3, tzinfo=ZONE)}, "a", "2026-01-02T03:00:00+09:00"),
    ({"a": b"bytes"}, "a", "bytes"),
    ({"a": b"\xff\xfe"}, "a", "//4="),
    ({"a": ValueError("x")}, "a", "ValueError: x"),
    ({"a": dict}, "a", "builtins.dict"),
    ({"a": [1, "b", None, True]}, "a", ["1", "b", "true"]),
    ({"a": (1, 2)}, "a", ["1", "2"]),
    ({"a": [-1, 4111, 1111, 1111, 1111]}, "a", ["-1", "4111", "1111", "1111", "1111"]),
    ({"a": [[2**63 - 1]]}, "a", f"[[{2**63 - 1}]]"),
    ({"a": [[2**63]]}, "a", f'[["{2**63}"]]'),
    ({"a": [[-(2**63)]]}, "a", f"[[{-(2**63)}]]"),
    ({"a": [[-(2**63) - 1]]}, "a", f'[["{-(2**63) - 1}"]]'),
    ({"a": [[1], {"b": 2}]}, "a", '[[1],{"b":2}]'),
    ({"a": {"b": {"c": 1}}}, "a_b_c", 1),
    ({"a.b": 1}, "a_b", 1),
    ({"a*b": 1}, "a_b", 1),
    ({"a\\b": 1}, "a_b", 1),
    ({"a[0]": 1}, "a_0_", 1),
    ({"a b\tc": 1}, "a_b_c", 1),
    ({"": 1}, "_", 1),
    ({" ": 1}, "_", 1),
    ({"...": 1}, "___", 1),
    ({"주문": 1}, "주문", 1),
    ({"\ud800": 1}, "_ud800", 1),
    ({"\u3000": 1}, "_", 1),
    ({"x" * 200: 1}, "x" * 128, 1),
    ({7: "x"}, "7", "x"),
    ({None: "x"}, "None", "x"),
    ({("a", 1): "x"}, "_'a',_1_", "x"),
    ({"labels": {"a": 1}}, "a", 1),
    ({"labels": {"a": {"b": "x"}}}, "a_b", "x"),
    ({"numeric_labels.a": "x"}, "a", "x"),
    ({"a": None}, None, None),
    ({"a": []}, None, None),
    ({"a": {}}, None, None),
    ({"a": {"b": {}}}, None, None),
]  # fmt: skip


def at(document, path):
    for part in path.split("."):
        document = document[part]
    return document


@pytest.mark.parametrize(("extra", "path", "expected"), IN_PLACE)
def test_a_field_of_ecs_stands_in_its_place(logged, extra, path, expected):
    log.info("x", extra=extra)
    event = logged.event()
    value = at(event, path)
    assert value == expected
    assert type(value) is type(expected)
    assert "labels" not in event
    assert "numeric_labels" not in event


@pytest.mark.parametrize(("extra", "name", "expected"), AS_LABELS)
def test_everything_else_is_a_label(logged, extra, name, expected):
    log.info("x", extra=extra)
    event = logged.event()
    labels = event.get("labels", {}) | event.get("numeric_labels", {})
    assert labels == ({} if name is None else {name: expected})
    number = name is not None and type(expected) in {int, float}
    assert ("numeric_labels" in event) is number
    assert event["message"] == "x"


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        ({"event.id": "x"}, "reserved_names"),
        ({"host": "x"}, "reserved_names"),
        ({"log": {"level": "x"}}, "reserved_names"),
        ({"client.ip": "x"}, "misfits"),
        ({"user.name": "x" * 1025}, "misfits"),
        ({"user.id": "1", "user": {"id": "2"}}, "misfits"),
        ({"a.b": 1, "a": {"b": 2}}, "renamed_labels"),
        ({"a_b": "x", "a": {"b": 2}}, "renamed_labels"),
    ],
)
def test_each_conflict_is_counted_once(logged, counted, extra, name):
    log.info("x", extra=extra)
    assert counted(name) == 1


def test_an_entry_without_a_value_does_not_cost_its_object_the_place(logged):
    log.info("x", extra={"dns.answers": [{"name": "shop.example", "type": None}]})
    assert logged.event()["dns"]["answers"] == [{"name": "shop.example"}]


@pytest.mark.parametrize("name", ["risk_score", "a.score.b", "client_ip", "created"])
def test_an_entry_that_a_template_types_by_its_name_is_a_label(logged, name):
    log.info("x", extra={"container.labels": {name: "a", "tier": "web"}})
    event = logged.event()
    assert event["container"]["labels"] == {"tier": "web"}
    assert event["labels"] == {f"container_labels_{name.replace('.', '_')}": "a"}


def test_a_list_where_a_field_takes_one_value_is_a_label_each_time(logged):
    log.info("x", extra={"user.id": "7"})
    for items in (["a", "b"], ["c"], []):
        log.info("x", extra={"user.id": items})
    assert [event.get("labels") for event in logged.events()] == [
        None,
        {"user_id": ["a", "b"]},
        {"user_id": ["c"]},
        None,
    ]


@pytest.mark.parametrize("name", ["tags", "dns.answers", "file.elf.imports", "user.id", "a"])
def test_an_empty_list_is_left_out_whatever_its_name(logged, counted, name):
    for _ in range(6):  # a plan is made meanwhile
        log.info("x", extra={name: [], "n": 7})
    for event in logged.events():
        assert event["numeric_labels"] == {"n": 7}
        assert event.keys().isdisjoint(("labels", "tags", "dns", "file", "user"))
    assert counted("fallbacks") == 0


def test_two_entries_of_an_object_that_become_one_are_both_kept(logged, counted):
    log.info("x", extra={"container.labels.a b": "one", "container.labels.a_b": "two"})
    event = logged.event()
    assert event["container"]["labels"] == {"a_b": "one"}
    assert event["labels"] == {"container_labels_a_b": "two"}
    assert counted("misfits") == 1


def test_two_names_that_become_one_are_both_kept(logged):
    log.info("x", extra={"a.b": 1, "a": {"b": "two"}, "a*b": 3})
    event = logged.event()
    assert event["numeric_labels"] == {"a_b": 1, "a_b_3": 3}
    assert event["labels"] == {"a_b_2": "two"}


def test_seven_and_its_text_land_in_different_fields(logged):
    log.info("x", extra={"a": 7})
    log.info("x", extra={"a": "7"})
    first, second = logged.events()
    assert first["numeric_labels"] == {"a": 7}
    assert second["labels"] == {"a": "7"}


@pytest.mark.parametrize("name", ["order_id", "user.id", "labels.a", "event.created"])
def test_an_events_own_field_wins_over_a_bound_one(logged, name):
    with flowery_logging.bound(**{name: "2026-01-01"}):
        log.info("x", extra={name: "2026-12-31"})
    line = logged.lines()[-1]
    assert b"2026-12-31" in line
    assert b"2026-01-01" not in line


def test_bound_fields_are_placed_by_the_same_rules(logged):
    with flowery_logging.bound(
        **{"user.id": 7, "order": {"id": 1}, "host": "x", "url": {"path": "/a"}}
    ):
        log.info("x")
        log.info("y", extra={"a": 1})
    for event in logged.events():
        assert event["user"] == {"id": "7"}
        assert event["url"] == {"path": "/a"}
        assert event["labels"] == {"host": "x"}
        assert event["numeric_labels"]["order_id"] == 1


def test_what_the_library_writes_beside_a_callers_field_stays(logged):
    log.info("x", extra={"service.node.role": "blue", "event.action": "pay"})
    event = logged.event()
    assert event["service"]["name"] == "shop"
    assert event["service"]["node"].keys() == {"name", "role"}
    assert event["event"]["action"] == "pay"
    assert event["event"]["dataset"] == "shop"


def test_every_field_of_ecs_takes_a_value_of_its_type(logged, counted):
    """The generated table, the conversions and the schema agree on all names."""
    samples = {
        "boolean": True, "date": "2026-01-01", "ip": "10.0.0.1", "geo_point": {"lat": 1.0, "lon": 2.0},
        "long": 1, "integer": 1, "float": 1.5, "double": 1.5, "scaled_float": 1.5,
        "object": {"a": "b"}, "flattened": {"a": "b"}, "nested": {"a": "b"},
    }  # fmt: skip
    skipped = ("labels", "@timestamp", "message", "service.name")
    reserved = (
        "log.",
        "process.",
        "host.",
        "ecs.",
        "data_stream.",
        "agent.",
        "event.i",
        "event.sequence",
    )
    parents = ecs_fields.parents()
    names = [n for n in ecs_fields.types() if n not in skipped and not n.startswith(reserved)]
    for name in names:
        kind = ecs_fields.types()[name]
        if not (kind in {"object", "nested"} and name in parents):
            log.info("x", extra={name: samples.get(kind, "x")})
    assert counted("misfits") == 0
    assert counted("reserved_names") == 0
