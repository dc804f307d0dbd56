"""The kit's templates: their types are those of ECS, their order the one that works."""

from __future__ import annotations

from typing import Any

import pytest

from flowery_logging.ecs import fields

from .substitutions import SUBSTITUTIONS, Substitution, substitute
from .templates import kit_templates

# Where we differ from ECS, and why.
OUR_OWN_TYPES = {
    "@timestamp": "date_nanos",  # microseconds are kept, so that one request's lines stay in order
}


@pytest.fixture
def kit() -> dict[str, Any]:
    return kit_templates()


def leaves(properties: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """The explicit fields by dotted name, with their types."""
    found: dict[str, str] = {}
    for name, mapping in properties.items():
        if "properties" in mapping:
            found |= leaves(mapping["properties"], f"{prefix}{name}.")
        else:
            found[prefix + name] = mapping["type"]
    return found


def explicit_types(kit: dict[str, Any]) -> dict[str, str]:
    template = kit["/_component_template/flowery@mappings"]["template"]
    return leaves(template["mappings"]["properties"])


def test_every_explicit_type_is_that_of_ecs(kit: dict[str, Any]) -> None:
    types = explicit_types(kit)
    expected = {name: fields.types()[name] for name in types if name != "numeric_labels"}
    assert types == expected | {"numeric_labels": "object"} | OUR_OWN_TYPES


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
        "numeric_labels",
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
    ours = [f"flowery@{name}" for name in ("mappings", "settings", "fields", "ilm", "custom")]
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


def test_events_are_deleted_in_the_end(kit: dict[str, Any]) -> None:
    # The stock policy keeps them for ever, and would win over the data stream's own lifecycle.
    template = kit["/_component_template/flowery@settings"]["template"]
    assert template["lifecycle"]["data_retention"] == "30d"
    assert template["settings"]["index"]["lifecycle"]["prefer_ilm"] is False


def test_bare_words_are_looked_for_in_existing_fields(kit: dict[str, Any]) -> None:
    template = kit["/_component_template/flowery@settings"]["template"]
    searched = template["settings"]["index"]["query"]["default_field"]
    multi_fields = {"message.cjk", "error.message.cjk", "error.stack_trace.text"}
    assert set(searched) - multi_fields <= set(explicit_types(kit))


@pytest.mark.parametrize("substitution", SUBSTITUTIONS, ids=lambda entry: entry.lacks)
def test_a_substitution_that_matches_nothing_fails(substitution: Substitution) -> None:
    with pytest.raises(LookupError, match="lacks"):
        substitute({"template": {"mappings": {"properties": {}}}}, [substitution])
