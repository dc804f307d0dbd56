"""The table of losses: it counts right, and ours has none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.losses import counting, writers
from bench.losses.counting import Count

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_has_a_row_for_each_library_and_no_loss_of_ours() -> None:
    command = [sys.executable, "-m", "bench.losses", "--processes", "2", "--events", "500"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()]
    assert [row[0] for row in rows[2:]] == [contender.name for contender in writers.CONTENDERS]
    assert rows[2][2:] == ["0"] * 4


def test_lost_and_repeated_calls_are_counted() -> None:
    found = [("a", 1), ("a", 3), ("a", 3), ("b", 1), ("b", 2)]
    assert counting.count({"a": 3, "b": 1, "c": 1}, found) == Count(calls=5, lost=2, repeated=1)


def test_torn_lines_and_other_records_are_no_calls(tmp_path: Path) -> None:
    torn = b'{"caller":"a","call":1}\n{"caller":"a","ca\n{"message":"header"}\n7\n'
    (tmp_path / "app.log").write_bytes(torn)
    (tmp_path / "app.log.1").write_bytes(b'{"caller":"a","call":2}\n')
    assert sorted(counting.on_disk(tmp_path, "app.log*")) == [("a", 1), ("a", 2)]


@pytest.mark.parametrize(
    "event",
    [
        {"labels": {"caller": "a"}, "numeric_labels": {"call": 1.0}},
        {"caller": "a", "call": 1},
    ],
)
def test_each_librarys_place_for_a_callers_fields(event: dict[str, Any]) -> None:
    assert list(counting.call_of(event)) == [("a", 1)]
