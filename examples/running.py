"""What the small examples share: where they log, a program that runs beside, the trace shown."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WITHIN = 120.0  # seconds that a program may take to be ready, to be done and to stop


class ProgramError(SystemExit):
    """A program that an example needs has ended too early, or is late: that ends the example."""


def begin(example: str) -> Path:
    """Return where the example and its programs log: FLOWERY_LOG_DIR, or a new folder in logs/."""
    new = ROOT / "logs" / f"{example}-{datetime.now(timezone.utc):%Y%m%dT%H%M%S}"
    directory = Path(os.environ.get("FLOWERY_LOG_DIR") or new).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    os.environ |= {"FLOWERY_LOG_DIR": str(directory), "FLOWERY_LOG_OUTPUT": "file"}
    return directory


class Program:
    """A program that runs beside the example. Its output lies beside the logs.

    `told` gets the signals that tell the example to end.
    """

    def __init__(self, directory: Path, arguments: tuple[str, ...], told: list[int]) -> None:
        self._arguments, self._told = arguments, told
        self._output = directory / "output.txt"
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def wait_until(self, true: Callable[[], bool]) -> None:
        """Wait for a condition.

        Raises ProgramError where the program ends before, or takes more than `WITHIN`; SystemExit
        where the example is told to end.
        """
        deadline = time.monotonic() + WITHIN
        while not true():
            if self._told:
                raise SystemExit
            code, late = self._process.poll(), time.monotonic() > deadline
            if code is not None or late:
                said = self._output.read_text("utf-8", "replace")
                how = "takes too long" if late else f"ended with exit code {code}"
                raise ProgramError(f"{' '.join(self._arguments)} {how}:\n{said}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it as a deployment does: SIGTERM, and SIGKILL for one that does not heed it."""
        self._process.terminate()
        try:
            self._process.wait(WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def program(directory: Path, *arguments: str) -> Iterator[Program]:
    """Run `python -m ARGUMENTS` until the block ends. SIGTERM ends it first, then the example."""
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda signum, _frame: told.append(signum))
    running = Program(directory, arguments, told)
    try:
        yield running
    finally:
        running.stop()
        signal.signal(signal.SIGTERM, before)
        if told:
            signal.raise_signal(signal.SIGTERM)


@contextmanager
def server(directory: Path, port: int, *arguments: str) -> Iterator[str]:
    """Run `python -m ARGUMENTS` until the block ends, which begins when it serves at the port.

    Yields its address.
    """
    with program(directory, *arguments) as running:
        running.wait_until(lambda: _listens(port))
        yield f"http://127.0.0.1:{port}"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def lines(directory: Path) -> list[dict[str, Any]]:
    """Return the events written so far."""
    found = []
    for path in sorted(directory.glob("*.ndjson")):
        written = path.read_bytes().splitlines(keepends=True)
        found += [json.loads(line) for line in written if line.endswith(b"\n")]
    return found


def show(trace_id: str, directory: Path) -> None:
    """Print the trace as a tree, and the command that prints it."""
    command = ["trace", trace_id, os.path.relpath(directory)]
    print(f"flowery-logging {' '.join(command)}\n", flush=True)
    subprocess.run([sys.executable, "-m", "flowery_logging", *command], check=True)
