"""A terminal of a test's own, which programs share, and whose reader may stop reading."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.files.test_console import ESCAPES, environment

DEADLINE = 100
CTRL_S, CTRL_Q = b"\x13", b"\x11"


class Terminal:
    """A pseudo-terminal, and what was shown on it."""

    def __init__(self, folder: Path, columns: int = 100) -> None:
        self.folder = folder
        self._leader, self.follower = pty.openpty()
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(self.follower, termios.TIOCSWINSZ, size)
        self._shown = b""
        self._running: list[subprocess.Popen[str]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while chunk := os.read(self._leader, 65_536):
                self._shown += chunk
        except OSError:
            pass  # it was closed

    @property
    def raw(self) -> str:
        return self._shown.decode(errors="replace").replace("\r\n", "\n")

    @property
    def text(self) -> str:
        return ESCAPES.sub("", self.raw)

    def start(self, program: str, **others: Any) -> subprocess.Popen[str]:
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True} | others
        environ = environment(**options.pop("env", {}))
        command = [sys.executable, "-c", program]
        process = subprocess.Popen(
            command, stderr=self.follower, cwd=self.folder, env=environ, **options
        )
        self._running.append(process)
        return process

    def run(self, program: str, **others: Any) -> str:
        """Return what there is on the terminal when a program has ended."""
        process = self.start(program, **others)
        process.communicate(timeout=DEADLINE)
        assert process.returncode in {0, 1}
        self.settle()
        return self.text

    def settle(self) -> None:
        """Wait until all that was written has been read: a mark that is written last is there."""
        mark = f"settled {time.monotonic_ns()}"
        os.write(self.follower, f"{mark}\n".encode())
        self.wait_for(mark)
        self._shown = self._shown.replace(f"{mark}\r\n".encode(), b"")

    def type(self, keys: bytes) -> None:
        os.write(self._leader, keys)

    def is_held(self) -> bool:
        """Tell whether the terminal takes nothing, as after Ctrl-S."""
        return not select.select([], [self.follower], [], 0)[1]

    def wait_for(self, pattern: str) -> None:
        wait(lambda: re.search(pattern, self.text) is not None, lambda: self.text)

    def close(self) -> None:
        for process in self._running:
            process.kill()
            process.communicate()
        os.close(self.follower)


def wait(condition: Callable[[], bool], told: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, told()
        time.sleep(0.01)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.close()
