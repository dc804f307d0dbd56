"""What viewers of other people are told of our lines fits our lines."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowery_logging.cli.reading.fields import leaves
from flowery_logging.cli.reading.wanted import LEVELS
from flowery_logging.ecs import fields
from tests.cli.events import TRACE, checkout

VIEWERS = Path(__file__).resolve().parents[2] / "filebeat" / "viewers"
KINDS = {"keyword": "string", "match_only_text": "string", "wildcard": "string", "date": "string",
         "long": "integer", "constant_keyword": "string", "object": "json"}  # fmt: skip

OURS = {"labels": "object", "numeric_labels": "object", "parent.id": "keyword"}
"""What ECS has no type for: boxes, and a field that Elastic APM has beside `span.id`."""


@pytest.fixture(scope="module")
def lnav() -> dict[str, Any]:
    content = json.loads((VIEWERS / "lnav.json").read_text())
    assert content.pop("$schema") == "https://lnav.org/schemas/format-v1.schema.json"
    ((name, form),) = content.items()
    assert name == "flowery_log"
    assert isinstance(form, dict)
    return form


def test_lnav_is_told_of_fields_that_lines_have_and_of_their_types(lnav: dict[str, Any]) -> None:
    for name, value in lnav["value"].items():
        path = name.replace("/", ".")
        kind = OURS.get(path) or fields.types().get(path)
        assert kind is not None, path
        assert value["kind"] == KINDS[kind], path
    shown = {part["field"] for part in lnav["line-format"] if isinstance(part, dict)}
    assert shown <= {*lnav["value"], "__timestamp__", "__level__"}
    for role in ("timestamp-field", "level-field", "body-field", "opid-field"):
        assert lnav[role] in lnav["value"]


def test_lnav_knows_every_level(lnav: dict[str, Any]) -> None:
    import re

    for level in LEVELS:
        assert [name for name, form in lnav["level"].items() if re.search(form, level)], level


@pytest.mark.skipif(shutil.which("lnav") is None, reason="lnav is not installed (Debian: lnav)")
def test_the_real_lnav_reads_our_files(tmp_path: Path) -> None:
    installed = tmp_path / ".config" / "lnav" / "formats" / "installed"
    installed.mkdir(parents=True)
    shutil.copy(VIEWERS / "lnav.json", installed / "flowery_log.json")
    checkout(tmp_path / "logs")
    files = [str(path) for path in (tmp_path / "logs").iterdir()]

    def run(*arguments: str) -> str:
        environment = {**os.environ, "HOME": str(tmp_path), "TZ": "UTC"}
        environment.pop("XDG_CONFIG_HOME", None)
        done = subprocess.run(
            ["lnav", *arguments], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        return done.stdout

    assert run("-C") == ""
    lines = run("-n", *files).splitlines()
    assert len([line for line in lines if line.startswith("11-27 03:00:00")]) == 8
    assert "shop.PaymentError: 결제 실패 <7>" in lines
    query = (
        ';select log_level, log_opid, "service/name" from flowery_log where log_level >= "error"'
    )
    rows = run("-n", "-c", query, "-c", ":write-csv-to -", *files).splitlines()
    assert rows[1:] == [f"error,{TRACE},{name}" for name in ("orders", "orders", "gateway")]


@pytest.mark.slow
def test_hl_is_told_of_fields_that_lines_have(tmp_path: Path) -> None:
    """Hl itself is not run: it cannot be installed by a package manager of Debian or Python."""
    content = yaml.safe_load((VIEWERS / "hl.yaml").read_text())["fields"]
    known = set(fields_of_lines(tmp_path))
    for name in content["hide"]:
        assert any(path == name or path.startswith(f"{name}.") for path in known), name
    predefined = content["predefined"]
    (level,) = predefined.pop("level")["variants"]
    assert {name for names in level["values"].values() for name in names} == set(LEVELS)
    for told in (level, *predefined.values()):
        assert set(told["names"]) <= known


def fields_of_lines(directory: Path) -> Iterator[str]:
    """The names of the fields of real lines."""
    from tests.files.conftest import Logs

    logs = Logs(directory)
    assert logs.run("log.info('x')").returncode == 0
    for record in logs.records():
        yield from (name for name, _ in leaves(record))
