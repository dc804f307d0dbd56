"""The alert rules: parameters that their types have, fields that the template has, limits of watch."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from flowery_logging.cli.kit.watch import LIMITS
from scripts.kibana.rules import RULES, Query, Threshold

KIT = Path(__file__).resolve().parents[2] / "filebeat"
FILES = sorted((KIT / "kibana" / "rules").glob("*.json"))

# Kibana's documentation of the two types (index threshold; Elasticsearch query with ES|QL).
PARAMETERS = {
    ".index-threshold": {
        *("index", "timeField", "aggType", "aggField", "groupBy", "termField", "termSize"),
        *("timeWindowSize", "timeWindowUnit", "filterKuery", "thresholdComparator", "threshold"),
    },
    ".es-query": {
        *("searchType", "esqlQuery", "timeField", "timeWindowSize", "timeWindowUnit", "size"),
        *("aggType", "groupBy", "thresholdComparator", "threshold", "excludeHitsFromPreviousRun"),
    },
}
GROUPS = {".index-threshold": "threshold met", ".es-query": "query matched"}


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def mapped() -> set[str]:
    """Every field that the template names, by its dotted name."""
    template = load(KIT / "elasticsearch" / "component_templates" / "flowery@mappings.json")
    return set(names(template["template"]["mappings"]["properties"]))


def names(properties: dict[str, Any], prefix: str = "") -> list[str]:
    found: list[str] = []
    for name, mapping in properties.items():
        found.append(prefix + name)
        found += names(mapping.get("properties", {}), f"{prefix}{name}.")
    return found


def test_every_alert_of_the_list_is_there() -> None:
    wanted = {"error-rate", "silent", "missing", "dropped", "removed", "lag", "ignored", "foreign"}
    wanted |= {"dead-letters", "shards", "disk", "queue", "expiry"}
    assert {path.stem.removeprefix("flowery-") for path in FILES} == wanted


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_rule_has_what_its_type_takes(path: Path) -> None:
    rule = load(path)
    kind, params = rule["rule_type_id"], rule["params"]
    assert set(params) <= PARAMETERS[kind]
    assert rule["consumer"] == "stackAlerts"
    assert re.fullmatch(r"\d+[mhd]", rule["schedule"]["interval"])
    assert params["timeWindowUnit"] in {"s", "m", "h", "d"}
    assert ("aggField" in params) == (params["aggType"] != "count")
    assert ("termField" in params) == (params["groupBy"] == "top")
    if kind == ".es-query":  # Kibana refuses any other comparison with ES|QL
        assert (params["thresholdComparator"], params["threshold"]) == (">", [0])
    connectors = {one.stem for one in (KIT / "kibana" / "connectors").glob("*.json")}
    assert {action["id"] for action in rule["actions"]} == connectors
    assert {action["group"] for action in rule["actions"]} == {GROUPS[kind]}


def test_the_connectors_are_of_the_free_licence() -> None:
    kinds = {load(path)["connector_type_id"] for path in KIT.glob("kibana/connectors/*.json")}
    assert kinds == {".server-log", ".index"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_asks_for_fields_that_there_are(rule: Threshold | Query) -> None:
    text = f"{rule.kql} {rule.field}" if isinstance(rule, Threshold) else rule.esql
    found = re.findall(r"\b(?:event|service|process|log)\.[a-z_.]+", text)
    assert set(found) <= mapped()


def test_the_limits_of_watch_are_those_of_the_rules() -> None:
    watched = {
        rule.field.removeprefix("numeric_labels."): (rule.above, rule.below)
        for rule in RULES
        if isinstance(rule, Threshold) and "flowery-watch" in rule.kql
    }
    assert watched == {limit.name: (limit.number, limit.below) for limit in LIMITS}
