"""A terminal that takes no lines for a while: nothing is silenced, and what is missing is said."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.files.conftest import Logs
from tests.files.terminals import CTRL_Q, CTRL_S, DEADLINE, Terminal, terminal, wait
from tests.files.test_outputs import program

__all__ = ["terminal"]

STOPS_WITH_THE_LOCK = """
import signal
from flowery_logging.files import channel
def stop(descriptor, data, own=channel._write):
    if descriptor == 2 and b"stops here" in bytes(data): os.kill(os.getpid(), signal.SIGSTOP)
    return own(descriptor, data)
channel._write = stop
log.error("stops here")
log.error("goes on")
"""
LINES = """
for n in range(50): log.error("line %d", n)
print("written", flush=True)
sys.stdin.readline()
log.error("later")
"""


def is_stopped(process: subprocess.Popen[str]) -> bool:
    status = Path(f"/proc/{process.pid}/stat").read_text()
    return status.rpartition(") ")[2][0] == "T"


@pytest.mark.slow
def test_a_stopped_process_silences_no_other_one(terminal: Terminal) -> None:
    """As by Ctrl-Z while it writes: it holds the lock of the terminal until it goes on."""
    options = {"output": "file,console", "directory": "logs"}
    stopped = terminal.start(program(STOPS_WITH_THE_LOCK, **options))
    wait(lambda: is_stopped(stopped))
    other = terminal.start(program(LINES, **options))
    assert other.stdout is not None
    assert other.stdout.readline() == "written\n"
    terminal.settle()
    assert [n for n in range(50) if not re.search(rf"\bline {n}\b", terminal.text)] == []
    os.kill(stopped.pid, signal.SIGCONT)
    stopped.communicate(timeout=DEADLINE)
    other.communicate("\n", timeout=DEADLINE)
    terminal.settle()
    assert len(re.findall("stops here|goes on|later", terminal.text)) == 3
    assert "not shown" not in terminal.text


@pytest.mark.slow
def test_a_stopped_process_silences_no_other_one_on_a_pipe(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    options: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    stopped, other = (
        subprocess.Popen(
            [sys.executable, "-c", program(text, output="file", directory=str(tmp_path))],
            stderr=writing,
            **options,
        )
        for text in (STOPS_WITH_THE_LOCK, f"sys.stdin.readline()\n{LINES}")
    )
    os.close(writing)
    try:
        wait(lambda: is_stopped(stopped))
        other.communicate("\n\n", timeout=DEADLINE)
        os.kill(stopped.pid, signal.SIGCONT)
        stopped.communicate(timeout=DEADLINE)
    finally:
        stopped.kill()
        other.kill()
    with open(reading) as lines:
        shown = lines.read()
    assert len(re.findall(r"ERROR app: (?:line \d+|stops here|goes on|later)\n", shown)) == 53


MANY = """
sys.stdin.readline()
for n in range(1500): log.error("line %d %s", n, "x" * 100)
print("written", flush=True)
sys.stdin.readline()
log.error("again")
"""


def stuck(terminal: Terminal, **options: Any) -> list[str]:
    """Return what is shown of a program whose reader has pressed Ctrl-S, and Ctrl-Q later."""
    process = terminal.start(program(MANY, **options))
    assert process.stdin is not None
    assert process.stdout is not None
    terminal.type(CTRL_S)
    wait(terminal.is_held)
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline().strip() == "written"
    terminal.type(CTRL_Q)
    terminal.settle()
    process.communicate("\n", timeout=DEADLINE)
    terminal.settle()
    return terminal.text.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("output", ["file,console", "console"])
def test_what_was_not_shown_is_said_when_lines_are_taken_again(
    terminal: Terminal, output: str, tmp_path: Path
) -> None:
    directory = {"directory": "logs"} if "file" in output else {}
    lines = stuck(terminal, output=output, **directory)
    (at,) = [n for n, line in enumerate(lines) if "not shown" in line]
    kept = "; the file has them" if "file" in output else ""
    told = re.fullmatch(rf"flowery_logging: (\d+) lines were not shown here{kept}", lines[at])
    assert told is not None, lines[at]
    assert "again" in lines[at + 1]
    numbers = {int(n) for n in re.findall(r"\bline (\d+) x{100}", "".join(lines))}
    assert len(numbers) + int(told[1]) == 1500
    if "file" in output:
        assert len(Logs(tmp_path / "logs").messages()) == 1501
