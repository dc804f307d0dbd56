"""`make stack` shows its searches and, ended by Ctrl-C, leaves nothing running."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

from .processes import wait_until

ROOT = Path(__file__).resolve().parents[2]
READY = "Ctrl-C ends all of it."


def descendants(pid: int) -> set[int]:
    """The processes below one, as Linux lists them."""
    found: set[int] = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            child = int(status.parent.name)
            found |= {child} | descendants(child)
    return found


def is_running(pid: int) -> bool:
    """Whether a process does anything: an ended one whose parent has not asked does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}


def test_it_shows_the_way_and_ends_as_a_whole(tmp_path: Path) -> None:
    said = tmp_path / "said"
    with said.open("wb") as output:
        stack = subprocess.Popen(
            [sys.executable, "-m", "examples.stack"],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        ready = wait_until(lambda: stack.poll() is not None or READY in said.read_text())
        assert ready
        assert stack.poll() is None, said.read_text()
        started = descendants(stack.pid)
        assert len(started) >= 5
        stack.send_signal(signal.SIGINT)
        assert stack.wait(300) == 0
    finally:
        stack.kill()
        stack.wait()
    text = said.read_text()
    assert "0 rejected" in text
    assert "주문" in text
    assert re.search(r"\d+ +gateway", text)
    (logs,) = re.findall(r"The log files +(.+)", text)
    assert not Path(logs).parent.exists()
    assert wait_until(lambda: not any(map(is_running, started)))
