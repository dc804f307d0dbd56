"""The saved objects of Kibana: generated, complete, and using fields that there are."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from scripts.kibana.lens import DATA_VIEW, INDEX, VERSIONS
from scripts.kibana.panels import DASHBOARDS, PANELS, SEARCHES, Formula, Placed, Terms
from scripts.kibana.rules import RULES, Threshold

KIT = Path(__file__).resolve().parents[2] / "filebeat"
GRID_COLUMNS = 48
# What a dashboard of version 10.1.0 may have; anything else is refused at import.
DASHBOARD_ATTRIBUTES = {
    *("title", "description", "kibanaSavedObjectMeta", "timeRestore", "timeFrom", "timeTo"),
    *("refreshInterval", "controlGroupInput", "panelsJSON", "optionsJSON", "hits", "version"),
}
NAME = re.compile(r"([a-z_@][\w.]*)\s*(?:>=|<=|:|>|<)")


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    lines = (KIT / "kibana" / "flowery.ndjson").read_text().splitlines()
    return [json.loads(line) for line in lines]


def leaves(properties: dict[str, Any], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, mapping in properties.items():
        inner = mapping.get("properties")
        found |= leaves(inner, f"{prefix}{name}.") if inner else {prefix + name}
    return found


def fields_of_the_template() -> set[str]:
    path = KIT / "elasticsearch" / "component_templates" / "flowery@mappings.json"
    return leaves(json.loads(path.read_text())["template"]["mappings"]["properties"])


def kqls() -> set[str]:
    found = {panel.kql for panel in PANELS} | {search.kql for search in SEARCHES}
    found |= {rule.kql for rule in RULES if isinstance(rule, Threshold)}
    for panel in PANELS:
        for metric in panel.metrics:
            parts = metric.metrics.values() if isinstance(metric, Formula) else [metric]
            found |= {part.kql for part in parts}
    return found - {""}


def fields_used() -> set[str]:
    found = {column for search in SEARCHES for column in search.columns}
    for panel in PANELS:
        found |= {bucket.field for bucket in panel.buckets if isinstance(bucket, Terms)}
        for metric in panel.metrics:
            parts = metric.metrics.values() if isinstance(metric, Formula) else [metric]
            found |= {part.field for part in parts}
    return found | {name for kql in kqls() for name in NAME.findall(kql)} - {""}


def test_every_field_is_in_the_template_or_a_label() -> None:
    known = fields_of_the_template() | {"_ignored"}
    used = {name for name in fields_used() if name}
    assert "event.duration" in used
    unknown = {name for name in used - known if not name.startswith(("labels.", "numeric_labels."))}
    assert unknown == set()


def test_every_reference_is_in_the_file(objects: list[dict[str, Any]]) -> None:
    there = {(one["type"], one["id"]) for one in objects}
    assert len(there) == len(objects)
    for one in objects:
        for reference in one["references"]:
            assert (reference["type"], reference["id"]) in there


def test_versions_are_those_that_8_19_takes_and_newer_ones_migrate(
    objects: list[dict[str, Any]],
) -> None:
    for one in objects:
        assert one["coreMigrationVersion"] == "8.8.0"
        assert one["typeMigrationVersion"] == VERSIONS[one["type"]]


def test_the_data_view_covers_the_streams_of_the_template(objects: list[dict[str, Any]]) -> None:
    template = json.loads((KIT / "elasticsearch" / "index_templates" / "flowery.json").read_text())
    assert ",".join(template["index_patterns"]) == INDEX
    (view,) = [one for one in objects if one["type"] == "index-pattern"]
    assert view["attributes"]["title"] == INDEX
    assert view["attributes"]["timeFieldName"] == "@timestamp"


def test_lens_columns_refer_to_each_other(objects: list[dict[str, Any]]) -> None:
    for one in objects:
        if one["type"] != "lens":
            continue
        (layer,) = one["attributes"]["state"]["datasourceStates"]["formBased"]["layers"].values()
        columns = layer["columns"]
        assert layer["columnOrder"] == list(columns)
        for column in columns.values():
            assert set(column.get("references", ())) <= set(columns)
            order = column.get("params", {}).get("orderBy", {})
            assert order.get("columnId") in {None, *columns}
        shown = json.dumps(one["attributes"]["state"]["visualization"])
        assert all(name in columns for name in re.findall(r'"([bm]\d+)"', shown))
        (reference,) = one["references"]
        assert reference["id"] == DATA_VIEW
        assert reference["name"].removeprefix("indexpattern-datasource-layer-") == "layer1"


def test_dashboards_have_only_what_an_import_takes(objects: list[dict[str, Any]]) -> None:
    for one in objects:
        if one["type"] != "dashboard":
            continue
        assert set(one["attributes"]) <= DASHBOARD_ATTRIBUTES
        panels = json.loads(one["attributes"]["panelsJSON"])
        names = {f"{panel['panelIndex']}:{panel['panelRefName']}" for panel in panels}
        assert names == {reference["name"] for reference in one["references"]}


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.id)
def test_panels_lie_on_the_grid_and_beside_each_other(dashboard: Any) -> None:
    for placed in dashboard.placed:
        assert 0 <= placed.x < placed.x + placed.width <= GRID_COLUMNS
    for one, other in combinations(dashboard.placed, 2):
        assert not overlap(one, other), (one, other)


def overlap(one: Placed, other: Placed) -> bool:
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    above = one.y + one.height <= other.y or other.y + other.height <= one.y
    return not (beside or above)


def test_every_panel_is_on_a_dashboard() -> None:
    placed = {place.id for dashboard in DASHBOARDS for place in dashboard.placed}
    assert {panel.id for panel in PANELS} <= placed
    assert placed <= {panel.id for panel in PANELS} | {search.id for search in SEARCHES}
