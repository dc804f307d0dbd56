"""The team's own typed fields, and what is refused of them."""

import json
import logging
from typing import Any

import pytest

import flowery_logging
from flowery_logging.ecs.conversion import TYPES

log = logging.getLogger("shop.orders")

FIELDS = {
    "flowery.order.id": "long",
    "flowery.order.placed": "date",
    "flowery.price": "scaled_float",
    "flowery.items": "nested",
    "flowery.items.sku": "keyword",
    "flowery.items.count": "long",
    "shop_name": "keyword",
    "flowery.client_ip": "keyword",
}


@pytest.mark.parametrize("spelling", ["dotted", "nested", "file"])
def test_a_declared_field_stands_in_its_place(logged, tmp_path, spelling):
    given: Any = FIELDS
    if spelling == "nested":
        given = {
            "flowery": {"order": {"id": "long"}, "price": "scaled_float"},
            "shop_name": "keyword",
        }
    elif spelling == "file":
        given = tmp_path / "fields.json"
        given.write_text(json.dumps(FIELDS))
    logged.setup(fields=given)
    log.info(
        "x", extra={"flowery.order.id": "7", "flowery": {"price": 1}, "shop_name": 5, "other": 1}
    )
    event = logged.event()
    assert event["flowery"] == {"order": {"id": 7}, "price": 1.0}
    assert event["shop_name"] == "5"
    assert event["numeric_labels"] == {"other": 1}


def test_a_value_that_does_not_fit_is_a_label(logged, counted):
    logged.setup(fields=FIELDS)
    log.info("x", extra={"flowery.order.id": "seven", "shop_name": ["a"]})
    event = logged.event()
    assert "flowery" not in event
    assert event["labels"] == {"flowery_order_id": "seven", "shop_name": ["a"]}
    assert counted("misfits") == 2


def test_objects_by_their_declared_fields(logged):
    logged.setup(fields=FIELDS)
    log.info("x", extra={"flowery.items": [{"sku": 7, "count": "2"}]})
    log.info("x", extra={"flowery.items": [{"sku": 7, "colour": "red"}]})
    first, second = logged.events()
    assert first["flowery"]["items"] == [{"sku": "7", "count": 2}]
    assert second["labels"] == {"flowery_items": '[{"sku":7,"colour":"red"}]'}


def test_without_the_declaration_it_is_a_label_again(logged):
    logged.setup(fields=FIELDS)
    log.info("x", extra={"shop_name": "a"})
    logged.setup(fields={})
    log.info("x", extra={"shop_name": "a"})
    first, second = logged.events()
    assert first["shop_name"] == "a"
    assert second["labels"] == {"shop_name": "a"}


@pytest.mark.parametrize(
    "name", ["주문.번호", "Order_2.line-item", ".".join("x" * 20), "x._id", "x" * 128]
)
def test_names_of_any_script_and_depth_that_elasticsearch_takes(logged, name):
    logged.setup(fields={name: "keyword"})
    log.info("x", extra={name: "a"})
    value = logged.event()
    for part in name.split("."):
        value = value[part]
    assert value == "a"


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_every_type_may_be_declared(logged, kind):
    logged.setup(fields={"flowery.x": kind})


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"flowery.x": "number"}, "unknown type 'number'"),
        ({"flowery.x": 5}, "unknown type 5"),
        ({"flowery.x": ["long"]}, "unknown type"),
        ({"flowery.x": "long", "flowery.x.y": "long"}, "lies inside flowery.x"),
        ({"flowery": "keyword", "flowery.x": "long"}, "lies inside flowery"),
        ({"flowery.x": "long", "flowery": {"x": "keyword"}}, "twice"),
        ({"user.id": "long"}, "user.id is keyword in ECS"),
        ({"user": "keyword"}, "object in ECS"),
        ({"user.name.first": "keyword"}, "lies inside user.name"),
        ({"message": "keyword"}, "reserved"),
        ({"log.x": "keyword"}, "reserved"),
        ({"labels.x": "keyword"}, "reserved"),
        ({"": "keyword"}, "not a field name"),
        ({"a..b": "keyword"}, "not a field name"),
        ({"a b": "keyword"}, "not a field name"),
        ({"a*": "keyword"}, "not a field name"),
        ({"x" * 129: "keyword"}, "not a field name"),
        ({"_id": "keyword"}, "not a field name"),
        ({"_source.x": "keyword"}, "not a field name"),
        ({"a\ud800": "keyword"}, "not a field name"),
        ({"a\x00": "keyword"}, "not a field name"),
        ({"type.x": "keyword"}, "reserved"),
        ({".".join("x" * 21): "keyword"}, "deeper"),
        ({".".join("x" * 20): "object"}, "deeper"),
        ("/nowhere/fields.json", "cannot be read"),
        (5, "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_a_config_error(logged, fields, reason):
    with pytest.raises(flowery_logging.ConfigError, match=reason) as caught:
        logged.setup(fields=fields)
    assert "fields" in str(caught.value)
    assert "argument" in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[1]", '"x"', ""])
def test_a_file_that_is_no_mapping(logged, tmp_path, text):
    path = tmp_path / "fields.json"
    path.write_text(text)
    with pytest.raises(flowery_logging.ConfigError, match="fields"):
        logged.setup(fields=path)


def test_the_environment_names_the_file(logged, tmp_path, monkeypatch):
    path = tmp_path / "fields.json"
    path.write_text('{"flowery.x": "number"}')
    monkeypatch.setenv("FLOWERY_LOG_FIELDS", str(path))
    with pytest.raises(flowery_logging.ConfigError, match="FLOWERY_LOG_FIELDS"):
        logged.setup()


@pytest.mark.parametrize("kind", ["flattened", "nested", "object"])
def test_a_pseudonymised_name_inside_a_declared_object(logged, monkeypatch, kind):
    monkeypatch.setenv("FLOWERY_LOG_PSEUDONYM_KEY", "an invented key of enough characters")
    logged.setup(fields={"shop.data": kind}, pseudonyms=("customer",))
    log.info("x", extra={"shop.data": {"customer": "kim-cheolsu", "n": 1}})
    log.info("x", extra={"customer": [{"name": "kim-cheolsu"}]})
    for line in logged.lines()[-2:]:
        assert b"hmac:" in line
        assert b"kim-cheolsu" not in line
    assert logged.last()["labels"]["customer"].startswith('[{"name":"hmac:')
