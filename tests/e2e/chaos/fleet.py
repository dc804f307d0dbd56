"""The writers of a run: started, killed and replaced, ended."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.losses.tally import read_tallies
from tests.e2e.processes import Process

if TYPE_CHECKING:
    import random

ROOT = Path(__file__).resolve().parents[3]
SIZE = 8
FORKING = 2  # so many of them fork


class Writer(Process):
    """One process of a service, with the children that it forks."""

    name = "writer"

    def __init__(self, service: str, tallies: Path, log: Path, options: list[str]) -> None:
        command = [sys.executable, "-m", "tests.e2e.chaos.writer", service, *options]
        super().__init__(command, log, environment={"PYTHONPATH": str(ROOT)})
        self._service = service
        self._tallies = tallies

    def calls(self) -> int:
        """How many calls have returned in this process, its children left out."""
        own = f"{self._service}-{self.pid}-"
        return sum(n for name, n in read_tallies(self._tallies).items() if name.startswith(own))

    def is_ready(self) -> bool:
        """Whether it logs."""
        return self.calls() > 0


class Fleet:
    """`SIZE` services with a writer each; whoever is killed has a successor at once."""

    def __init__(
        self, folder: Path, log_dir: Path, environment: str, rate: float, rng: random.Random
    ) -> None:
        """`folder` takes tallies and output; `rate` is in events a second and writer."""
        self.tallies = folder / "tallies"
        self.tallies.mkdir(parents=True)
        self.killed = 0
        self._folder = folder
        self._floods = folder / "floods"
        self._options = [str(log_dir), str(self.tallies), "--environment", environment]
        self._options += ["--rate", str(rate)]
        self._random = rng
        self._writers: list[Writer] = []

    def start(self) -> None:
        """Start all, one after the other."""
        for number in range(SIZE):
            self._writers.append(self._start(number))

    def stop(self) -> None:
        """End all by SIGTERM; a writer that has ended by itself is an `AssertionError`."""
        fallen = [writer.log_tail() for writer in self._writers if writer.pid is None]
        for writer in self._writers:
            writer.stop()
        self._writers.clear()
        assert fallen == []

    def kill_one(self) -> None:
        """Kill a random one together with its children, by SIGKILL, and start another."""
        number = self._random.randrange(SIZE)
        assert self._writers[number].pid is not None, self._writers[number].log_tail()
        self._writers[number].kill()
        self.killed += 1
        self._writers[number] = self._start(number)

    def calls(self) -> list[int]:
        """The returned calls of each running writer."""
        return [writer.calls() for writer in self._writers]

    def returned(self) -> dict[str, int]:
        """The returned calls of every caller that ever was."""
        return read_tallies(self.tallies)

    def floods(self) -> int:
        """How often a writer has filled its memory, on a full disk, until events were dropped."""
        return self._floods.stat().st_size if self._floods.exists() else 0

    def _start(self, number: int) -> Writer:
        service = f"writer-{number}"
        options = [*self._options, "--seed", str(self._random.random())]
        options += ["--floods", str(self._floods)] if number == SIZE - 1 else []
        options += ["--forks"] if number < FORKING else []
        writer = Writer(service, self.tallies, self._folder / f"{service}.log", options)
        writer.start()
        return writer
