"""Runs contenders side by side: each in its child process, asked in turn, round by round."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

from bench.contenders import Contender

PATIENCE: Final = 30
"""Seconds that a child may take to end after its input has ended."""


@dataclass
class Result:
    """What one contender took in each round, in ns an event, and its bytes an event."""

    name: str
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    bytes: list[float] = field(default_factory=list)


class Child:
    """One contender in a process of its own. `missing` names the package that it lacks.

    It writes below `directory`, which is made, on one processor if `cpu` is given, in so many
    threads.
    """

    def __init__(
        self, contender: Contender, directory: Path, cpu: int | None, threads: int = 1
    ) -> None:
        self.result = Result(contender.name)
        self._weight = contender.weight
        directory.mkdir(exist_ok=True)
        place = [str(directory), "" if cpu is None else str(cpu), str(threads)]
        self._said = TemporaryFile("w+")  # noqa: SIM115 - open as long as the child
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker", contender.name, *place],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )
        self.missing = ""

    def close(self) -> None:
        """End the child by ending its input; kill it if that does not help."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._said.close()

    def await_ready(self) -> None:
        """Wait until it is set up. Raises RuntimeError with its last words if it dies."""
        word, _, rest = self._read().partition(" ")
        if word == "missing":
            self.missing = rest.strip()

    def measure(self, events: int) -> None:
        """Let it write so many events (fewer, if one weighs more than others).

        Raises RuntimeError with its last words if it dies.
        """
        self.begin(events)
        self.finish()

    def begin(self, events: int) -> None:
        """Let it write without waiting for the end."""
        assert self._process.stdin is not None
        self._events = max(1, events // self._weight)
        print(self._events, file=self._process.stdin, flush=True)

    def finish(self) -> None:
        """Take the result of what was begun. Raises RuntimeError if the child has died."""
        events = self._events
        wall, cpu, size = map(int, self._read().split())
        self.result.wall.append(wall / events)
        self.result.cpu.append(cpu / events)
        self.result.bytes.append(size / events)

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._said.seek(0)
            raise RuntimeError(f"{self.result.name} has ended:\n{self._said.read()[-2000:]}")
        return line


def measure(
    contenders: Sequence[Contender],
    rounds: int,
    events: int,
    root: Path,
    progress: Callable[[int], None],
) -> tuple[list[Result], dict[str, str]]:
    """Measure contenders side by side, their files below `root`.

    Returns the results, and by name of a contender the package for which it was left out. Raises
    RuntimeError if a child dies.
    """
    cpu, order = one_cpu(), random.Random(0)
    with ExitStack() as stack:
        children = []
        for contender in contenders:
            children.append(Child(contender, root / contender.slug, cpu))
            stack.callback(children[-1].close)
        for child in children:
            child.await_ready()
        present = [child for child in children if not child.missing]
        for number in range(rounds):
            for child in order.sample(present, len(present)):
                child.measure(events)
            progress(number + 1)
    missing = {child.result.name: child.missing for child in children if child.missing}
    return [child.result for child in present], missing


def one_cpu() -> int | None:
    """Return the processor to pin all children to, or None where that is not possible.

    It is the last one: the first gets most interrupts.
    """
    if not hasattr(os, "sched_getaffinity"):
        return None
    return max(os.sched_getaffinity(0))
