"""The kit's README names every file and no other, and says what the library's defaults are."""

from __future__ import annotations

import re
from pathlib import Path

from flowery_logging.config.table import SETTINGS

KIT = Path(__file__).resolve().parents[2] / "filebeat"
TEXT = (KIT / "README.md").read_text()


def named_in_the_table() -> set[str]:
    rows = re.findall(r"^\| (`[^|]+`) \|", TEXT, re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    # A second name of a row may leave out the folder of the first.
    return {name if (KIT / name).exists() else f"logstash/{name}" for name in names}


def test_every_file_that_it_names_is_there() -> None:
    names = named_in_the_table()
    assert "filebeat.yml" in names
    assert [name for name in names if not (KIT / name).exists()] == []


def test_every_file_is_named_by_itself_or_its_folder() -> None:
    names = named_in_the_table()
    for path in KIT.rglob("*"):
        relative = path.relative_to(KIT)
        if path.is_file() and path.name != "README.md":
            parents = {f"{parent}/" for parent in relative.parents}
            assert names & {str(relative), *parents}, relative


def test_the_time_that_the_files_last_is_computed_from_the_defaults() -> None:
    assert f"{SETTINGS['keep_bytes'].default // 1024**3} GB" in TEXT
    assert f"`keep_days` ({SETTINGS['keep_days'].default})" in TEXT


def test_what_differs_for_opensearch_is_all_said() -> None:
    said = TEXT[TEXT.index("## Differences for OpenSearch") :]
    for name in ("ecs@mappings", "ISM", "ignore_dynamic_beyond_limit", "allow_auto_create"):
        assert name in said
