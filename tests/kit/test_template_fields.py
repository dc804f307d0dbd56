"""No field that the library writes is missing from the template: nothing is typed by a guess."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAPPINGS = ROOT / "filebeat/elasticsearch/component_templates/flowery@mappings.json"
# The callers' own, which dynamic templates type.
OF_THE_CALLERS = {"labels", "numeric_labels", "baggage"}


def mapped(properties: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, mapping in properties.items():
        yield prefix + name
        yield from mapped(mapping.get("properties", {}), f"{prefix}{name}.")


def written(node: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in node.items():
        if isinstance(value, dict) and prefix + name not in OF_THE_CALLERS:
            yield from written(value, f"{prefix}{name}.")
        elif prefix + name not in OF_THE_CALLERS:
            yield prefix + name


@pytest.mark.slow
def test_the_template_types_every_field_that_the_library_writes(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "tests.kit.every_field", str(tmp_path)]
    ran = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    lines = [line for path in tmp_path.iterdir() for line in path.read_bytes().splitlines()]
    found = {name for line in lines for name in written(json.loads(line))}
    # Of each kind of event at least one is there.
    assert {"error.stack_trace", "http.response.status_code", "trace.id", "url.path"} <= found
    assert {"event.duration", "span.id", "user_agent.original", "event.outcome"} <= found
    template = json.loads(MAPPINGS.read_text())["template"]["mappings"]["properties"]
    assert found - set(mapped(template)) == set()
