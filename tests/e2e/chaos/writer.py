"""A service under chaos: bursts of events from several threads, forks, a flood on a full disk.

    python -m tests.e2e.chaos.writer SERVICE LOGS TALLIES --environment E --seed S [--rate R] …

It ends when it is told to (SIGTERM), or at once (SIGKILL).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import threading
import time
from pathlib import Path

import flowery_logging
from bench.losses.caller import Caller

MAX_BYTES = 100_000
KEEP_BYTES = 300_000
THREADS = 2
# What a flood goes on to once the library has had to give up events.
DROPPED = 300


class Service:
    """One process: `rate` events a second on average, in bursts at full speed."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._random = random.Random(f"{options.seed}")

    def run(self) -> None:
        for number in range(1, THREADS):
            name = f"thread {number}"
            threading.Thread(target=self._call_on, args=(False,), name=name, daemon=True).start()
        self._call_on(main=True)

    def _call_on(self, main: bool) -> None:
        """Burst and pause, for ever; the main thread does more in between."""
        caller = self._caller()
        rate = self._options.rate / THREADS
        while True:
            began, events = time.monotonic(), self._random.randint(1, 100)
            caller.call(events)
            if main and self._options.floods is not None and flowery_logging.stats()["waiting"]:
                self._flood(caller)
            if main and self._options.forks:
                self._storm()
            time.sleep(max(0.0, began + events / rate - time.monotonic()))

    def _caller(self) -> Caller:
        return Caller(self._options.tallies, self._options.service)

    def _flood(self, caller: Caller) -> None:
        """The disk is full: log until memory is too and events are dropped, or it has room."""
        enough = flowery_logging.stats().get("dropped", 0) + DROPPED
        while flowery_logging.stats()["waiting"]:
            caller.call(100)
            if flowery_logging.stats().get("dropped", 0) >= enough:
                with self._options.floods.open("ab") as floods:
                    floods.write(b".")
                return

    def _storm(self) -> None:
        """Fork children at once while the other threads log; wait for all."""
        seeds = [self._random.random() for _ in range(self._random.randint(2, 5))]
        children = [self._fork(seed) for seed in seeds]
        for child in children:
            os.waitpid(child, 0)

    def _fork(self, seed: float) -> int:
        child = os.fork()
        if child == 0:
            with contextlib.suppress(Exception):
                self._random = random.Random(seed)
                self._live_as_child()
            os._exit(1)
        return child

    def _live_as_child(self) -> None:
        caller = self._caller()
        caller.call(self._random.randint(1, 60))
        if self._random.random() < 0.3:
            os.waitpid(self._fork(self._random.random()), 0)
            caller.call(5)
        self._let_nothing_wait(caller)
        self._end_as_child()

    def _let_nothing_wait(self, caller: Caller) -> None:
        """What waits in memory for a full disk goes with the process: stay until it is written."""
        while flowery_logging.stats()["waiting"]:
            time.sleep(0.1)
            caller.call()

    def _end_as_child(self) -> None:
        """In one of the ways in which processes end; it returns from none."""
        way = self._random.randrange(3)
        if way == 0:
            flowery_logging.shutdown()
        elif way == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("service")
    parser.add_argument("logs")
    parser.add_argument("tallies", type=Path)
    parser.add_argument("--environment", required=True)
    parser.add_argument("--seed", required=True)
    parser.add_argument("--rate", type=float, default=60.0)
    parser.add_argument("--forks", action="store_true")
    parser.add_argument("--floods", type=Path, help="gets a byte for each flood")
    options = parser.parse_args()
    flowery_logging.setup(
        service=options.service,
        directory=options.logs,
        environment=options.environment,
        output="file",
        max_bytes=MAX_BYTES,
        keep_bytes=KEEP_BYTES,
    )
    Service(options).run()


if __name__ == "__main__":
    main()
