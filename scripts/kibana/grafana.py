"""Grafana's dashboards from the readable source: those panels that have queries of Prometheus.

The form is that of Grafana 9 and newer (schema version 36), which later ones migrate on import. The
data source is asked for on import; a graph shows exemplars, whose trace ID opens Kibana.
"""

from __future__ import annotations

from typing import Any, Final

from scripts.kibana.panels import DASHBOARDS, PANELS, Dashboard, Panel, Placed
from scripts.kibana.queries import QUERIES, Query

Json = dict[str, Any]

SCHEMA_VERSION: Final = 36
SOURCE: Final = {"type": "prometheus", "uid": "${DS_PROMETHEUS}"}
SHAPES: Final = {"bar": "timeseries", "line": "timeseries", "table": "table", "metric": "stat"}
PER_COLUMN: Final = 2  # Kibana's grid has 48 columns, Grafana's 24

_PANELS: Final = {panel.id: panel for panel in PANELS if panel.id in QUERIES}


def dashboards() -> dict[str, Json]:
    """Return the dashboards by the names of their files."""
    return {dashboard.id: _dashboard(dashboard) for dashboard in DASHBOARDS}


def _dashboard(source: Dashboard) -> Json:
    placed = [one for one in source.placed if one.id in _PANELS]
    panels = [_panel(number, _PANELS[one.id], one) for number, one in enumerate(placed, 1)]
    return {
        "__inputs": [
            {"name": "DS_PROMETHEUS", "label": "Prometheus", "type": "datasource",
             "pluginId": "prometheus", "pluginName": "Prometheus"},
        ],
        "uid": source.id,
        "title": source.title,
        "description": source.description,
        "tags": ["flowery"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": []},
        "panels": panels,
    }  # fmt: skip


def _panel(number: int, panel: Panel, placed: Placed) -> Json:
    grid = {
        "x": placed.x // PER_COLUMN,
        "y": placed.y,
        "w": placed.width // PER_COLUMN,
        "h": placed.height,
    }
    queries = QUERIES[panel.id]
    return {
        "id": number,
        "type": SHAPES[panel.shape],
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": grid,
        "fieldConfig": {"defaults": {"unit": queries[0].unit}, "overrides": []},
        "options": {},
        "targets": [_target(panel, place, query) for place, query in enumerate(queries)],
    }


def _target(panel: Panel, place: int, query: Query) -> Json:
    over_time = SHAPES[panel.shape] == "timeseries"
    return {
        "refId": chr(ord("A") + place),
        "datasource": SOURCE,
        "expr": query.promql,
        "legendFormat": query.legend,
        "range": over_time,
        "instant": not over_time,
        "format": "table" if panel.shape == "table" else "time_series",
        "exemplar": over_time and "_bucket" in query.promql,
    }
