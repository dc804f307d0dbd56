"""The same templates for OpenSearch, made from those for Elasticsearch.

What differs:

* No stock templates: composed of the kit's own and flowery@fields alone, because there is no
  `ignore_missing_component_templates`.
* Strings that no template names become keywords by a dynamic template of our own, because there is
  no `ecs@mappings`.
* `data_stream.dataset` and `.namespace` are keywords: a constant_keyword must have its value there.
* No data-stream lifecycle and no ILM: retention by the ISM policy flowery.
* No failure store: what is refused is the shipper's to keep (Logstash's dead letters).
* No `ignore_dynamic_beyond_limit`: the limit is 10,000 fields, and beyond it an event with a new
  name is refused.
* No logsdb.
* No `allow_auto_create`: cluster settings decide. No roles: the security plugin has its own.
"""

from __future__ import annotations

import copy
from typing import Any, Final

from flowery_logging.cli.kit.requests import Json, Request

FIELD_LIMIT: Final = 10_000

_REST_OF_STRINGS: Final[Json] = {
    "strings": {
        "match_mapping_type": "string",
        "mapping": {"type": "keyword", "ignore_above": 1024},
    }
}


def for_opensearch(requests: list[Request], retention_days: int = 30) -> list[Request]:
    """Return the requests for OpenSearch that do what those for Elasticsearch do."""
    there = {request.name for request in requests} - {"flowery@ilm", "flowery@retention"}
    variants: list[Request] = []
    for request in requests:
        if request.folder in {"ilm_policies", "roles"}:
            continue
        if request.name in {"flowery@ilm", "flowery@retention"}:
            continue
        variants.append(Request(request.folder, request.name, _variant(request, there)))
    # Last: the servers that lack it refuse it alone.
    return [*variants, _ism_policy(retention_days)]


def _variant(request: Request, there: set[str]) -> Json | None:
    if request.body is None:
        return None
    body = copy.deepcopy(request.body)
    if request.folder == "ingest_pipelines":
        body.pop("_meta", None)
    if "mappings" in body.get("template", {}):
        _streams_parts(body["template"]["mappings"])
    if request.name == "flowery@mappings":
        body["template"]["mappings"]["dynamic_templates"].append(_REST_OF_STRINGS)
    if request.name == "flowery@settings":
        _settings(body["template"])
    if "composed_of" in body:
        body["composed_of"] = [name for name in body["composed_of"] if name in there]
        body.pop("ignore_missing_component_templates")
        body.pop("allow_auto_create")
    return body


def _streams_parts(mappings: Json) -> None:
    properties = mappings["properties"].get("data_stream", {}).get("properties", {})
    for name in {"dataset", "namespace"} & set(properties):
        properties[name] = {"type": "keyword", "ignore_above": 1024}


def _settings(template: Json) -> None:
    template.pop("data_stream_options")
    index: dict[str, Any] = template["settings"]["index"]
    index.pop("mode")
    index["mapping"]["total_fields"] = {"limit": FIELD_LIMIT}


def _ism_policy(days: int) -> Request:
    """Return the policy of Index State Management: rolled over daily or at 50 GB, then deleted."""
    rollover = {"min_index_age": "1d", "min_primary_shard_size": "50gb"}
    old_enough = {"conditions": {"min_rollover_age": f"{days}d"}}
    states = [
        {
            "name": "hot",
            "actions": [{"rollover": rollover}],
            "transitions": [{"state_name": "delete", **old_enough}],
        },
        {"name": "delete", "actions": [{"delete": {}}], "transitions": []},
    ]
    patterns = ["logs-flowery-*", "logs-flowery.*-*"]
    policy = {
        "description": "The streams of flowery_logging. To change: min_rollover_age.",
        "default_state": "hot",
        "states": states,
        "ism_template": [{"index_patterns": patterns, "priority": 501}],
    }
    return Request("ism_policies", "flowery", {"policy": policy})
