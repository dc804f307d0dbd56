"""Programs that log in processes of their own, and what they leave in their directory."""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
import textwrap
from collections import defaultdict
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.programs import Programs

_programs = Programs("-X", "dev")
atexit.register(_programs.close)


def strict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), f"duplicate keys: {keys}"
    return dict(pairs)


def read(path: Path) -> list[dict[str, Any]]:
    """All records of one file; each line must be whole and valid."""
    data = path.read_bytes()
    assert data.endswith(b"\n") or not data, f"torn line at the end of {path}"
    return [parse(line) for line in data.splitlines()]


def parse(line: bytes) -> dict[str, Any]:
    """One record, in which no key stands twice: what is written back as it was has none."""
    record: dict[str, Any] = orjson.loads(line)
    if orjson.dumps(record) != line:
        record = json.loads(line, object_pairs_hook=strict)
    return record


class Logs:
    """A directory of logs and the programs that write there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def files(self) -> list[Path]:
        return sorted(self.directory.glob("*.ndjson"))

    def records(self) -> list[dict[str, Any]]:
        return [record for path in self.files() for record in read(path)]

    @staticmethod
    def records_of(path: Path) -> list[dict[str, Any]]:
        return read(path)

    def by_process(self) -> dict[str, list[dict[str, Any]]]:
        """Records by `process.entity_id`, in the order of their files and lines."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for record in self.records():
            found[record["process"]["entity_id"]].append(record)
        return found

    def messages(self) -> list[str]:
        return [r["message"] for r in self.records() if r["log"].get("logger") != "flowery_logging"]

    def actions(self) -> list[str]:
        return [r["event"]["action"] for r in self.records() if "action" in r["event"]]

    def check_sequences(self, *, ordered: bool = True) -> None:
        """Every process: 1, 2, 3 … without gap, repeat or disorder, and IDs that say the same.

        After a fault a file's header may stand before lines that have waited (not `ordered`).
        """
        for entity, records in self.by_process().items():
            numbers = [record["event"]["sequence"] for record in records]
            numbers = numbers if ordered else sorted(numbers)
            assert numbers == list(range(1, len(numbers) + 1)), f"{entity}: {numbers[:50]}"
            assert {r["event"]["id"] for r in records} == {f"{entity}-{n}" for n in numbers}

    def cut_torn_line(self) -> None:
        """Take off an unfinished last line, after a `kill -9` in the middle of a write.

        The kernel ends the write of a process that is killed where a page ends; the call has not
        returned then, and no reader takes a line without its end.
        """
        newest = max(self.files(), key=lambda path: path.name)
        whole, _, _ = newest.read_bytes().rpartition(b"\n")
        newest.write_bytes(whole and whole + b"\n")

    def run(
        self, program: str, *, setup: str = "", python: str = sys.executable, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run a program that finds `log`, `flowery_logging` and its `writer()` ready."""
        lines = [
            "import logging, os, sys, time, signal, threading",
            "import flowery_logging",
            f"flowery_logging.setup('svc', directory={str(self.directory)!r}, output='file', {setup})",
            "log = logging.getLogger('app')",
            "def writer(): return flowery_logging.runtime._sink.writer",
            textwrap.dedent(program),
        ]
        code = "\n".join(lines)
        if python == sys.executable and _programs.can_run():
            done = _programs.run(code, name="<string>", argv=["-c"], timeout=timeout)
            return subprocess.CompletedProcess("-c", done.returncode, done.stdout, done.stderr)
        return subprocess.run(
            [python, "-X", "dev", "-c", code],
            capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path / "logs")
