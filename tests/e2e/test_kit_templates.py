"""The templates beside the stock ones: their names do not clash, their order is what works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .elasticsearch_client import ElasticsearchClient

# By ecs@mappings alone: an ip, a date.
LABELS = {"client_ip": "192.0.2.1", "created": "2026-07-01T12:00:00Z"}


@pytest.fixture
def swapped(elasticsearch: ElasticsearchClient, environment: str) -> str:
    """A stream of this test alone whose template has ecs@mappings first."""
    found = elasticsearch.request("GET", "/_index_template/flowery")["index_templates"]
    template = {
        name: value
        for name, value in found[0]["index_template"].items()
        if not name.startswith(("created_date", "modified_date"))
    }
    order = template["composed_of"]
    template["composed_of"] = ["ecs@mappings", *(name for name in order if name != "ecs@mappings")]
    stream = f"swapped-{environment}"
    template |= {"index_patterns": [stream], "priority": 600}
    elasticsearch.request("PUT", f"/_index_template/{stream}", template)
    return stream


def types_of_labels(elasticsearch: ElasticsearchClient, stream: str) -> dict[str, str]:
    document = {"@timestamp": "2026-07-01T12:00:00Z", "message": "m", "labels": LABELS}
    (result,) = elasticsearch.bulk([{"create": {"_index": stream}}, document])
    assert "error" not in result, result
    mapping = elasticsearch.mapping(stream)
    return {name: mapping[f"labels.{name}"] for name in LABELS}


def test_labels_are_keywords_whatever_they_are_called(
    elasticsearch: ElasticsearchClient, environment: str
) -> None:
    types = types_of_labels(elasticsearch, f"logs-flowery-{environment}")
    assert types == dict.fromkeys(LABELS, "keyword")


def test_with_ecs_mappings_first_they_are_not(
    elasticsearch: ElasticsearchClient, swapped: str
) -> None:
    types = types_of_labels(elasticsearch, swapped)
    assert set(types.values()) != {"keyword"}


@pytest.mark.parametrize("stream", ["logs-flowery-production", "logs-flowery.orders-production"])
def test_our_streams_take_our_template_and_others_do_not(
    elasticsearch: ElasticsearchClient, stream: str
) -> None:
    ours = simulated(elasticsearch, stream)
    assert ours["mappings"]["properties"]["event"]["properties"]["sequence"] == {"type": "long"}
    assert ours["settings"]["index"]["lifecycle"]["prefer_ilm"] == "false"
    neighbour = stream.replace("flowery", "floweryx")
    body = elasticsearch.request("POST", f"/_index_template/_simulate_index/{neighbour}")
    assert "sequence" not in str(body.get("template", {}))


def simulated(elasticsearch: ElasticsearchClient, stream: str) -> dict[str, Any]:
    answer = elasticsearch.request("POST", f"/_index_template/_simulate_index/{stream}")
    template: dict[str, Any] = answer["template"]
    return template
