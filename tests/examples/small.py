"""Runs the small examples, and reads what they have logged."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from examples.kafka.orders import TOPIC
from tests.conftest import strict

ROOT = Path(__file__).parents[2]
WITHIN = 300  # seconds, on a loaded machine


class Run:
    """What an example has shown, and what it and its programs have logged."""

    def __init__(self, directory: Path, shown: str) -> None:
        self.shown = shown
        (self.trace_id,) = re.findall(r"^trace ([0-9a-f]{32})$", shown, re.MULTILINE)
        files = [path.read_bytes() for path in directory.glob("*.ndjson")]
        self.records = [strict(line) for written in files for line in written.splitlines()]
        own = [r for r in self.records if r.get("trace", {}).get("id") == self.trace_id]
        self.trace = sorted(own, key=lambda event: event["@timestamp"])

    def one(self, message: str) -> dict[str, Any]:
        (found,) = [event for event in self.trace if event["message"] == message]
        return found

    def of(self, logger: str) -> list[dict[str, Any]]:
        return [event for event in self.trace if event["log"]["logger"] == logger]


def environment(directory: Path) -> dict[str, str]:
    """Return the environment of an example that logs to the directory."""
    own = ("FLOWERY_", "OTEL_", "ELASTIC_", "DJANGO_", "KAFKA_", "EXAMPLE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return {**kept, "FLOWERY_LOG_DIR": str(directory), "NO_COLOR": "1"}


def run(name: str, directory: Path, **variables: str) -> Run:
    """Run an example until it ends; it logs to the directory, and loses nothing."""
    ran = subprocess.run(
        [sys.executable, "-m", f"examples.{name}"],
        cwd=ROOT,
        env=environment(directory) | variables,
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert_nothing_is_lost(directory)
    return Run(directory, ran.stdout)


def assert_nothing_is_lost(directory: Path) -> None:
    """The audit finds no number missing, and no process that has ended uncleanly."""
    audit = [sys.executable, "-m", "flowery_logging", "audit", str(directory), "--json"]
    ran = subprocess.run([*audit, "--grace", "0"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    ends = {process["end"] for process in json.loads(ran.stdout)["processes"]}
    assert ends <= {"clean", "signal"}


def assert_orders_reach_the_courier(found: Run) -> None:
    """Each record is handled in the trace in which it was written."""
    ordered, delivered = found.one("주문 접수"), found.one("배송 출발")
    assert [e["service"]["name"] for e in found.trace] == ["orders", "courier"]
    assert delivered["labels"] == {"topic": TOPIC, "item": ordered["labels"]["item"]}
    assert delivered["numeric_labels"]["order_id"] == ordered["numeric_labels"]["order_id"] == 1
    written = {r["trace"]["id"] for r in found.records if r["message"] == "주문 접수"}
    handled = [r for r in found.records if r["message"] == "배송 출발"]
    assert {r["trace"]["id"] for r in handled} == written
    assert len(handled) == len(written) == 2
    (broken,) = [r for r in found.records if r["message"] == "record is no order"]
    assert broken["error"]["type"] == "json.decoder.JSONDecodeError"
    assert broken["trace"]["id"] not in written
