"""The kit's templates: their types are those of ECS, their order the one that works."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from flowery_logging.ecs import fields

from .substitutions import SUBSTITUTIONS, Substitution, substitute
from .templates import kit_templates

# Where we differ from ECS, and why.
OUR_OWN_TYPES = {
    "@timestamp": "date_nanos",  # microseconds are kept, so that one request's lines stay in order
    # Not of ECS.
    "parent.id": "keyword",
    "error.group": "keyword",
    "baggage": "object",
    "numeric_labels.delivery_lag_ms": "double",
}


OWN_COMPONENTS = ("mappings", "settings", "retention", "fields", "ilm", "custom")


@pytest.fixture
def kit() -> dict[str, Any]:
    return kit_templates()


def mappings(properties: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The explicit fields by dotted name."""
    for name, mapping in properties.items():
        if "properties" in mapping:
            yield from mappings(mapping["properties"], f"{prefix}{name}.")
        else:
            yield prefix + name, mapping


def explicit_types(kit: dict[str, Any]) -> dict[str, str]:
    template = kit["/_component_template/flowery@mappings"]["template"]
    found = mappings(template["mappings"]["properties"])
    return {name: mapping["type"] for name, mapping in found}


def test_every_explicit_type_is_that_of_ecs(kit: dict[str, Any]) -> None:
    types = explicit_types(kit)
    expected = {name: fields.types()[name] for name in types if name not in OUR_OWN_TYPES}
    assert types == expected | OUR_OWN_TYPES


@pytest.mark.parametrize(
    "name",
    [
        "@timestamp",
        "message",
        "log.level",
        "log.logger",
        "log.origin.file.name",
        "log.origin.file.line",
        "log.origin.function",
        "ecs.version",
        "service.name",
        "service.version",
        "service.environment",
        "service.node.name",
        "event.dataset",
        "event.id",
        "event.sequence",
        "event.ingested",
        "data_stream.type",
        "data_stream.dataset",
        "data_stream.namespace",
        "process.entity_id",
        "process.pid",
        "process.thread.id",
        "process.thread.name",
        "host.name",
        "trace.id",
        "transaction.id",
        "span.id",
        "http.request.id",
        "error.type",
        "error.message",
        "error.stack_trace",
        "labels",
        "numeric_labels.delivery_lag_ms",
    ],
)
def test_every_field_of_the_line_has_an_explicit_type(kit: dict[str, Any], name: str) -> None:
    assert name in explicit_types(kit)


def test_our_types_come_before_the_stock_guesses_and_after_the_stock_basics(
    kit: dict[str, Any],
) -> None:
    # After ecs@mappings a label's type would follow from its name; before logs@mappings the
    # time would lose its microseconds.
    order = kit["/_index_template/flowery"]["composed_of"]
    ours = [f"flowery@{name}" for name in OWN_COMPONENTS]
    assert order == ["logs@mappings", "logs@settings", *ours, "ecs@mappings"]


def test_it_stands_above_the_stock_template_for_our_streams_alone(kit: dict[str, Any]) -> None:
    template = kit["/_index_template/flowery"]
    assert template["priority"] > 500
    assert template["index_patterns"] == ["logs-flowery-*", "logs-flowery.*-*"]


def test_a_field_too_many_or_malformed_never_costs_the_event(kit: dict[str, Any]) -> None:
    template = kit["/_component_template/flowery@settings"]["template"]
    mapping = template["settings"]["index"]["mapping"]
    assert mapping["ignore_malformed"] is True
    assert mapping["total_fields"]["ignore_dynamic_beyond_limit"] is True


@pytest.mark.parametrize("name", ["flowery", "flowery.kept"])
def test_all_streams_take_their_retention_from_one_place(kit: dict[str, Any], name: str) -> None:
    # The stock policy keeps them for ever, and would win over the data stream's own lifecycle.
    template = kit["/_component_template/flowery@retention"]["template"]
    assert template["lifecycle"]["data_retention"] == "30d"
    assert template["settings"]["index"]["lifecycle"]["prefer_ilm"] is False
    assert "flowery@retention" in kit[f"/_index_template/{name}"]["composed_of"]
    others = [body for path, body in kit.items() if "retention" not in path]
    assert "data_retention" not in str(others)


def test_what_must_be_taken_when_nothing_else_is_meets_nothing_that_refuses(
    kit: dict[str, Any],
) -> None:
    kept = kit["/_component_template/flowery@kept"]["template"]
    assert kept["mappings"]["dynamic"] is False
    assert "final_pipeline" not in kept["settings"]["index"]
    template = kit["/_index_template/flowery.kept"]
    assert template["priority"] > kit["/_index_template/flowery"]["priority"]
    assert template["composed_of"] == ["flowery@kept", "flowery@retention", "flowery@ilm"]


def test_what_nobody_searches_by_is_not_indexed(kit: dict[str, Any]) -> None:
    properties = kit["/_component_template/flowery@mappings"]["template"]["mappings"]["properties"]
    without = {name for name, mapping in mappings(properties) if mapping.get("index") is False}
    assert without == {
        *("event.id", "event.duration", "event.original", "log.origin.file.line"),
        *("process.thread.id", "numeric_labels.delivery_lag_ms"),
    }


def test_bare_words_are_looked_for_in_existing_fields(kit: dict[str, Any]) -> None:
    template = kit["/_component_template/flowery@settings"]["template"]
    searched = template["settings"]["index"]["query"]["default_field"]
    multi_fields = {"message.cjk", "error.message.cjk", "error.stack_trace.text"}
    assert set(searched) - multi_fields <= set(explicit_types(kit))


@pytest.mark.parametrize("substitution", SUBSTITUTIONS, ids=lambda entry: entry.lacks)
def test_a_substitution_that_matches_nothing_fails(substitution: Substitution) -> None:
    with pytest.raises(LookupError, match="lacks"):
        substitute({"template": {"mappings": {"properties": {}}}}, [substitution])
