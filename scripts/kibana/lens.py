"""Kibana's saved objects from the readable source: `flowery.ndjson`, one object a line.

The versions are the oldest that 8.19 and 9.x both take; a newer Kibana migrates them on import.
"""

from __future__ import annotations

import json
from typing import Any, Final

from scripts.kibana.panels import (
    DASHBOARDS,
    PANELS,
    SEARCHES,
    Dashboard,
    Formula,
    Metric,
    Panel,
    Search,
    Terms,
    Time,
)

Json = dict[str, Any]

CORE_VERSION: Final = "8.8.0"
VERSIONS: Final = {
    "index-pattern": "8.0.0",
    "search": "10.2.0",
    "lens": "8.9.0",
    "dashboard": "10.2.0",
}
DATA_VIEW: Final = "flowery"
INDEX: Final = "logs-flowery-*,logs-flowery.*-*"
LAYER: Final = "layer1"
DATES: Final = {"@timestamp"}
NANOSECONDS: Final = {
    "id": "duration",
    "params": {"inputFormat": "nanoseconds", "outputFormat": "asMilliseconds"},
}
# A trace's ID opens the saved search with that ID.
TRACE_LINK: Final = (
    "../app/discover#/view/flowery-search-trace"
    "?_a=(query:(language:kuery,query:'trace.id:%22{{value}}%22'))"
)


def ndjson() -> str:
    """Return the text of flowery.ndjson."""
    objects = [_data_view(), *map(_search, SEARCHES), *map(_lens, PANELS)]
    objects += map(_dashboard, DASHBOARDS)
    return "".join(json.dumps(one, ensure_ascii=False, sort_keys=True) + "\n" for one in objects)


def _object(kind: str, identity: str, attributes: Json, references: list[Json]) -> Json:
    return {
        "type": kind,
        "id": identity,
        "attributes": attributes,
        "references": references,
        "coreMigrationVersion": CORE_VERSION,
        "typeMigrationVersion": VERSIONS[kind],
    }


def _reference(kind: str, identity: str, name: str) -> Json:
    return {"type": kind, "id": identity, "name": name}


def _data_view() -> Json:
    formats = {
        "event.duration": NANOSECONDS,
        "trace.id": {"id": "url", "params": {"type": "a", "urlTemplate": TRACE_LINK}},
    }
    attributes = {
        "title": INDEX,
        "name": "Flowery",
        "timeFieldName": "@timestamp",
        "fieldFormatMap": json.dumps(formats),
        "fields": "[]",
        "sourceFilters": "[]",
        "allowNoIndex": True,
    }
    return _object("index-pattern", DATA_VIEW, attributes, [])


def _kuery(text: str) -> Json:
    return {"query": text, "language": "kuery"}


def _search(search: Search) -> Json:
    name = "kibanaSavedObjectMeta.searchSourceJSON.index"
    source = {"query": _kuery(search.kql), "filter": [], "indexRefName": name}
    attributes = {
        "title": search.title,
        "description": search.description,
        "columns": list(search.columns),
        "sort": [["@timestamp", "asc" if search.ascending else "desc"]],
        "kibanaSavedObjectMeta": {"searchSourceJSON": json.dumps(source)},
        "grid": {},
        "hideChart": False,
        "isTextBasedQuery": False,
        "timeRestore": False,
    }
    return _object("search", search.id, attributes, [_reference("index-pattern", DATA_VIEW, name)])


def _lens(panel: Panel) -> Json:
    columns = _columns(panel)
    layer = {"columnOrder": list(columns), "columns": columns, "incompleteColumns": {}}
    kind, visualization = _visualization(panel)
    attributes = {
        "title": panel.title,
        "description": "",
        "visualizationType": kind,
        "state": {
            "datasourceStates": {"formBased": {"layers": {LAYER: layer}}},
            "visualization": visualization,
            "query": _kuery(panel.kql),
            "filters": [],
            "internalReferences": [],
            "adHocDataViews": {},
        },
    }
    name = f"indexpattern-datasource-layer-{LAYER}"
    return _object("lens", panel.id, attributes, [_reference("index-pattern", DATA_VIEW, name)])


def _columns(panel: Panel) -> dict[str, Json]:
    columns: dict[str, Json] = {}
    for number, bucket in enumerate(panel.buckets):
        columns[f"b{number}"] = _bucket(panel, bucket)
    for number, metric in enumerate(panel.metrics):
        name = f"m{number}"
        if isinstance(metric, Formula):
            columns |= _formula(name, metric)
        else:
            columns[name] = _metric(metric)
    return columns


def _bucket(panel: Panel, bucket: Terms | Time) -> Json:
    if isinstance(bucket, Time):
        return {
            "label": "@timestamp",
            "dataType": "date",
            "operationType": "date_histogram",
            "sourceField": "@timestamp",
            "isBucketed": True,
            "scale": "interval",
            "params": {"interval": "auto", "includeEmptyRows": True, "dropPartials": False},
        }
    order: Json = {"type": "column", "columnId": f"m{_ordering_metric(panel, bucket)}"}
    return {
        "label": bucket.label,
        "customLabel": True,
        "dataType": "string",
        "operationType": "terms",
        "sourceField": bucket.field,
        "isBucketed": True,
        "scale": "ordinal",
        "params": {
            "size": bucket.size,
            "orderBy": order,
            "orderDirection": "desc",
            "otherBucket": False,
            "missingBucket": False,
            "parentFormat": {"id": "terms"},
        },
    }


def _ordering_metric(panel: Panel, bucket: Terms) -> int:
    labels = [metric.label for metric in panel.metrics]
    if bucket.by:
        return labels.index(bucket.by)
    counts = [
        number
        for number, metric in enumerate(panel.metrics)
        if isinstance(metric, Metric) and metric.operation == "count"
    ]
    return counts[0] if counts else 0


def _metric(metric: Metric) -> Json:
    column: Json = {
        "label": metric.label,
        "customLabel": True,
        "dataType": "date" if metric.field in DATES else "number",
        "operationType": metric.operation,
        "sourceField": metric.field or "___records___",
        "isBucketed": False,
        "scale": "ratio",
        "params": {"emptyAsNull": metric.operation != "count"},
    }
    if metric.percentile:
        column["params"] = {"percentile": metric.percentile}
    if metric.kql:
        column["filter"] = _kuery(metric.kql)
    return column


def _formula(name: str, formula: Formula) -> dict[str, Json]:
    """Return the column of a formula and those that it manages: its metrics and their sum."""
    parts = {f"{name}{key}": metric for key, metric in formula.metrics.items()}
    columns: dict[str, Json] = {}
    result = f"{name}X{len(parts)}"
    shown = {"label": formula.label, "customLabel": True, "dataType": "number"}
    scale = {"isBucketed": False, "scale": "ratio"}
    params: Json = {"formula": formula.text, "isFormulaBroken": False}
    if formula.percent:
        params["format"] = {"id": "percent", "params": {"decimals": 1}}
    columns[name] = {
        **shown,
        **scale,
        "operationType": "formula",
        "params": params,
        "references": [result],
    }
    for key, metric in parts.items():
        part = Metric(f"Part of {formula.label}", metric.operation, metric.field, kql=metric.kql)
        columns[key] = _metric(part) | {"params": {"emptyAsNull": False}}
    columns[result] = {
        **shown,
        **scale,
        "label": f"Part of {formula.label}",
        "operationType": "math",
        "params": {"tinymathAst": _syntax_tree(name, formula)},
        "references": list(parts),
    }
    return columns


def _syntax_tree(name: str, formula: Formula) -> Json:
    def tree(expression: Any) -> Any:
        if isinstance(expression, str):
            return f"{name}{expression}"
        if not isinstance(expression, tuple):
            return expression
        operation, *arguments = expression
        return {"type": "function", "name": operation, "args": [tree(one) for one in arguments]}

    root: Json = tree(formula.expression)
    return root | {"location": {"min": 0, "max": len(formula.text)}, "text": formula.text}


def _visualization(panel: Panel) -> tuple[str, Json]:
    """Return Lens's name of the shape and its state."""
    buckets = [f"b{number}" for number in range(len(panel.buckets))]
    metrics = [f"m{number}" for number in range(len(panel.metrics))]
    if panel.shape == "metric":
        return "lnsMetric", {"layerId": LAYER, "layerType": "data", "metricAccessor": metrics[0]}
    if panel.shape == "table":
        shown = [{"columnId": column} for column in (*buckets, *metrics)]
        return "lnsDatatable", {"layerId": LAYER, "layerType": "data", "columns": shown}
    series = "line" if panel.shape == "line" else "bar_stacked"
    if not isinstance(panel.buckets[0], Time):
        series = "bar_horizontal"
    layer: Json = {
        "layerId": LAYER,
        "layerType": "data",
        "seriesType": series,
        "xAccessor": buckets[0],
        "accessors": metrics,
    }
    if len(buckets) > 1:
        layer["splitAccessor"] = buckets[1]
    return "lnsXY", {
        "legend": {"isVisible": True, "position": "right"},
        "valueLabels": "hide",
        "preferredSeriesType": series,
        "layers": [layer],
    }


def _dashboard(dashboard: Dashboard) -> Json:
    searches = {search.id for search in SEARCHES}
    panels, references = [], []
    for number, placed in enumerate(dashboard.placed):
        index = f"p{number}"
        kind = "search" if placed.id in searches else "lens"
        grid = {"x": placed.x, "y": placed.y, "w": placed.width, "h": placed.height, "i": index}
        panels.append({
            "type": kind,
            "panelIndex": index,
            "panelRefName": f"panel_{index}",
            "gridData": grid,
            "embeddableConfig": {"enhancements": {}},
        })  # fmt: skip
        references.append(_reference(kind, placed.id, f"{index}:panel_{index}"))
    options = {"useMargins": True, "syncColors": True, "hidePanelTitles": False}
    source = {"query": _kuery(""), "filter": []}
    attributes = {
        "title": dashboard.title,
        "description": dashboard.description,
        "kibanaSavedObjectMeta": {"searchSourceJSON": json.dumps(source)},
        "panelsJSON": json.dumps(panels),
        "optionsJSON": json.dumps(options),
        "timeRestore": True,
        "timeFrom": "now-1h",
        "timeTo": "now",
        "refreshInterval": {"pause": True, "value": 60_000},
        "version": 1,
    }
    return _object("dashboard", dashboard.id, attributes, references)
