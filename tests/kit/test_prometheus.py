"""The kit's rules for Prometheus: each is tested both ways, has its runbook, and asks what is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowery_logging.cli.exporter.programs import NAMES as PROGRAMS
from flowery_logging.integrations.prometheus.families import FAMILIES, GAUGE, WRITES
from flowery_logging.integrations.prometheus.traffic import Traffic
from scripts.kibana.panels import DASHBOARDS, PANELS
from scripts.kibana.queries import QUERIES

KIT = Path(__file__).resolve().parents[2] / "filebeat"
FOLDER = KIT / "prometheus"
RULES = yaml.safe_load((FOLDER / "rules" / "flowery.rules.yml").read_text())
ALL = [rule for group in RULES["groups"] for rule in group["rules"]]
ALERTS = [rule for rule in ALL if "alert" in rule]
TESTS = yaml.safe_load((FOLDER / "tests" / "flowery.test.yml").read_text())["tests"]
RUNBOOKS = re.findall(r"^## (.*)$", (KIT / "runbooks.md").read_text(), re.MULTILINE)

NAME = re.compile(r"\b((?:flowery|http|service)[a-z0-9_:]*)\b")


def shown() -> set[str]:
    """The names of all samples that a service or an exporter may show."""
    found = {
        f"{name}{'' if family.kind is GAUGE else '_total'}" for name, family in FAMILIES.items()
    }
    histograms = {WRITES}
    for metric in Traffic().collectors():
        (family,) = metric.describe()
        if family.type == "histogram":
            histograms.add(family.name)
        else:
            found.add(family.name + ("_total" if family.type == "counter" else ""))
    ends = ("_bucket", "_count", "_sum")
    return found | set(PROGRAMS) | {name + end for name in histograms for end in ends}


def asked(expression: str) -> set[str]:
    """The names of metrics in an expression: not what stands in braces or after `by`."""
    bare = re.sub(r"\{[^}]*\}|\b(?:by|on|group_left) \([^)]*\)|\"[^\"]*\"", "", expression)
    return set(NAME.findall(bare))


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_has_a_test_that_fires_and_one_that_does_not(rule: dict[str, Any]) -> None:
    name = rule["alert"]
    kinds = {test["name"]: test["promql_expr_test"][0]["exp_samples"] for test in TESTS}
    assert kinds[f"{name} fires"] == [{"labels": f'{{alertname="{name}"}}', "value": 1}]
    assert kinds[f"{name} is silent"] == []


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_has_a_severity_a_summary_and_a_runbook(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    file, _, title = rule["annotations"]["runbook"].partition(": ")
    assert file == "runbooks.md"
    assert title in RUNBOOKS


def test_rules_and_panels_ask_for_metrics_that_are_there() -> None:
    recorded = {rule["record"] for rule in ALL if "record" in rule}
    wanted = {name for rule in ALL for name in asked(rule["expr"])}
    wanted |= {name for queries in QUERIES.values() for q in queries for name in asked(q.promql)}
    assert wanted - recorded - shown() == set()
    assert "flowery_log_events_total" in wanted


def test_alertmanager_sends_each_severity_somewhere() -> None:
    configuration = yaml.safe_load((FOLDER / "alertmanager.yml").read_text())
    receivers = {receiver["name"]: receiver for receiver in configuration["receivers"]}
    route = configuration["route"]
    assert route["receiver"] in receivers
    (page,) = route["routes"]
    assert page["matchers"] == ['severity="page"']
    assert {"slack_configs", "email_configs"} <= receivers[page["receiver"]].keys()
    alerts = {rule["alert"] for rule in ALERTS}
    named = re.findall(r'alertname="(\w+)"', (FOLDER / "alertmanager.yml").read_text())
    assert set(named) <= alerts


def test_a_secret_stands_in_no_file() -> None:
    text = (FOLDER / "alertmanager.yml").read_text()
    settings = set(re.findall(r"^\s*(\w+):", text, re.MULTILINE))
    assert {"slack_api_url_file", "smtp_auth_password_file"} <= settings
    assert not {"slack_api_url", "smtp_auth_password"} & settings


def test_grafana_has_kibanas_panels_where_kibana_has_them() -> None:
    titles = {panel.id: panel.title for panel in PANELS}
    for source in DASHBOARDS:
        board = json.loads((FOLDER / "grafana" / f"{source.id}.json").read_text())
        assert board["title"] == source.title
        wanted = [titles[one.id] for one in source.placed if one.id in QUERIES]
        assert [panel["title"] for panel in board["panels"]] == wanted
        for panel in board["panels"]:
            assert panel["targets"]
            assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24


def test_queries_are_those_of_panels() -> None:
    assert set(QUERIES) <= {panel.id for panel in PANELS}
