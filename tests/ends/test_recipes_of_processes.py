"""The recipes of docs/processes.md for spawned workers, pools and reloaders, as they stand."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs import blocks
from tests.ends.servers import ROOT, Kind, ends, running

PAGE = (ROOT / "docs" / "processes.md").read_text()
FILES = {block.title: block.text for block in blocks(PAGE)}
SERVICE, POOLS = FILES["main.py"], FILES["pool.py"]


@pytest.mark.slow
@pytest.mark.parametrize("option", ["workers=2", "reload=True"])
def test_the_service(tmp_path, option):
    assert "workers=2)  # or reload=True" in SERVICE
    program = SERVICE.replace("workers=2)", f"{option}, port=int(__import__('sys').argv[1]))")
    with running(tmp_path, Kind("main.py {port}", program)) as server:
        server.until(lambda: requests(tmp_path) or server.answers())
        server.until(lambda: requests(tmp_path))
    assert "was not called" not in server.output()


def requests(folder: Path) -> list[str]:
    """Return the services of the requests that were written."""
    return [e["service"]["name"] for e in events(folder) if e["message"].startswith("GET /")]


def events(folder: Path) -> list[dict[str, Any]]:
    found = [path.read_text() for path in (folder / "logs").glob("*.ndjson")]
    return [json.loads(line) for text in found for line in text.split("\n") if line.endswith("}")]


@pytest.mark.slow
def test_the_pools(tmp_path):
    (tmp_path / "main.py").write_text(POOLS)
    done = subprocess.run(
        [sys.executable, "main.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True,
    )  # fmt: skip
    assert "was not called" not in done.stderr
    packed = [e for e in events(tmp_path) if e["message"] == "packed"]
    assert sorted(e["numeric_labels"]["order_id"] for e in packed) == list(range(8))
    assert {e["service"]["name"] for e in packed} == {"orders"}
    assert set(ends(tmp_path / "logs")) == {"clean"}
