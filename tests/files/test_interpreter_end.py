"""Events of the interpreter's end: in a `__del__` no module can be imported any more.

The same calls, first of all in a process that is up and running, then as the first of one that is
ending, give the same lines: whatever an event needs was imported by `setup()`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """
import dataclasses, datetime, decimal, enum, ipaddress, logging, pathlib, sys, uuid
import flowery_logging

class Colour(enum.Enum):
    RED = "red"

@dataclasses.dataclass
class Order:
    id: int = 7

def failure():
    try:
        raise KeyError("no such order")
    except KeyError as error:
        return error

VALUES = [
    datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc), datetime.date(2026, 1, 2),
    datetime.time(3, 4), datetime.timedelta(1), uuid.UUID(int=5), decimal.Decimal("1.5"), Colour.RED,
    Order(), pathlib.Path("/x"), ipaddress.ip_address("10.0.0.1"), {"a": {"b": 1}}, [1, "b"], b"x",
    b"\\xff", {1}, ValueError("v"), 1j, Colour, 10**30, "\\ud800", "가" * 9000, 4111111111111111,
]
TEXTS = [
    "card 4111 1111 1111 1111", "resident 900101-1234568", "https://u:p@h/?a=b&api%5Fkey=secret",
    "Bearer abcdefgh12345678", "Basic dXNlcjpwYXNzd29yZA==", "eyJhbGciOi.eyJzdWIiOi.c2ln",
    "x" * 40_000, "한글 😀", "line\\nbreak \\x1b[31m",
]
ECS = {
    "event.created": VALUES[0], "user.id": 7, "client.ip": "10.0.0.1", "user.name": "가" * 2000,
    "client.geo.location": [13.4, 52.5], "event.risk_score": "0.1", "container.labels": {"a.b": 1},
    "dns.answers": [{"name": "a", "ttl": "5"}], "tags": ("a", "b"), "url.query": "token=x&a=b",
}

class Service:
    def __init__(self):
        self.log, self.structured = logging.getLogger("late"), flowery_logging.get_logger("late")
        self.error, self.values, self.texts, self.ecs = failure(), VALUES, TEXTS, ECS
        self.bound = flowery_logging.bound

    def say(self):
        for value in self.values:
            self.log.info("value %s", value, extra={"a": value})
            self.structured.info("value", a=value)
        for text in self.texts:
            self.log.info(text, extra={"a": text})
            self.structured.info(text, a=text)
        for name, value in self.ecs.items():
            self.log.info("field", extra={name: value})
        with self.bound(a=self.values[0]):
            self.log.error("failed", exc_info=self.error)
            self.structured.error("failed", exc_info=self.error, stack_info=True)
        self.log.info("does not fit %d", "x")

class Late(Service):
    def __del__(self):
        self.say()

directory, output, late = sys.argv[1:]
flowery_logging.setup("svc", directory=directory, output=output, level="DEBUG", max_bytes="20kB")
if late == "late":
    service = Late()
else:
    Service().say()
"""


@pytest.mark.slow
@pytest.mark.parametrize("output", ["file", "stdout"])
def test_lines_at_the_end_are_those_of_any_other_time(tmp_path: Path, output: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    now, late = (said(program, tmp_path / moment, output, moment) for moment in ("now", "late"))
    assert len(now) > 60
    assert late == now


def said(program: Path, directory: Path, output: str, moment: str) -> list[Any]:
    """What a process has said, without what differs from one to the next."""
    command = [sys.executable, str(program), str(directory), output, moment]
    quiet = {**os.environ, "FLOWERY_LOG_STDERR_LEVEL": "OFF"}
    done = subprocess.run(command, capture_output=True, check=True, env=quiet)
    assert b"Error" not in done.stderr
    lines = done.stdout.splitlines()
    for path in sorted(directory.glob("*.ndjson")):
        lines += path.read_bytes().splitlines()
    events = sorted(map(json.loads, lines), key=lambda event: event["event"]["sequence"])
    return [comparable(event) for event in events if event["log"]["logger"] == "late"]


def comparable(event: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in event.items() if key not in {"@timestamp", "process"}}
    kept["event"] = {"dataset": event["event"]["dataset"]}
    for part, name in (("labels", "stack_info"), ("error", "stack_trace")):
        if name in kept.get(part, {}):
            kept[part][name] = rows(kept[part][name])
    return kept


def rows(trace: str) -> list[str]:
    """Without source lines, which Python 3.13.0 cannot read any more; `say` has two callers."""
    found = [row for row in trace.splitlines() if not row.startswith("    ")]
    return found[-1:] if found[0].startswith("Stack") else found
