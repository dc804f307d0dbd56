"""What breaks while the writers write: each fault, and a run of them in random order."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.e2e.processes import PATIENCE, wait_until

from .usage import Peak

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from tests.e2e.elasticsearch_client import ElasticsearchClient
    from tests.e2e.processes import Elasticsearch, Filebeat
    from tests.e2e.receiver import Receiver

    from .disk import Disk
    from .fleet import Fleet

# More than Filebeat's queue (4 096) holds.
MORE_THAN_THE_QUEUE = 5000
MOST_OF_AN_OUTAGE = 300.0

OF_THE_PATH = (
    "kill_filebeat",
    "refuse",
    "hang_up",
    "outlast_inactivity",
    "roll_over",
)
"""Faults behind the files."""

EVERY_FAULT = (
    *OF_THE_PATH,
    "kill_writers",
    "kill_writers",
    "restart_filebeat",
    "stall",
    "restart_elasticsearch",
    "fill_the_disk",
)


@dataclass
class Surroundings:
    """All that can break: what lies between a log call and a document."""

    fleet: Fleet
    disk: Disk
    filebeat: Filebeat
    receiver: Receiver
    elasticsearch: Elasticsearch
    client: ElasticsearchClient
    stream: str


@dataclass
class Chaos:
    """Breaks one thing after the other; `outage` is what an outage lasts at least, in seconds."""

    around: Surroundings
    rng: random.Random
    outage: float
    peak: Peak = field(default_factory=Peak)
    story: list[str] = field(default_factory=list)
    rollovers: int = 0

    def __post_init__(self) -> None:
        self._began = time.monotonic()

    def seconds(self) -> float:
        """How long it has gone on."""
        return time.monotonic() - self._began

    def run(self, names: Sequence[str], seconds: float) -> None:
        """Every fault once in random order, then more at random until the time is over."""
        faults = [getattr(self, name) for name in names]
        for fault in self.rng.sample(faults, len(faults)):
            self._break(fault)
        while self.seconds() < seconds:
            self._break(self.rng.choice(faults))

    def _break(self, fault: Callable[[], None]) -> None:
        began = self.seconds()
        fault()
        took = self.seconds() - began
        self.story.append(f"{began:6.1f} s  {fault.__name__} ({took:.1f} s)")
        self._pause(0.5, 2)

    def _pause(self, least: float, most: float) -> None:
        """Let everything run for a random time, in seconds."""
        self._wait(lambda: False, self.rng.uniform(least, most))

    def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        def look() -> bool:
            self.peak.sample(self.around.filebeat.pid)
            return condition()

        return wait_until(look, seconds)

    def kill_writers(self) -> None:
        for _ in range(self.rng.randint(1, 2)):
            self.around.fleet.kill_one()

    def kill_filebeat(self) -> None:
        self.around.filebeat.kill()
        self._pause(0, 2)
        self.around.filebeat.start()

    def restart_filebeat(self) -> None:
        self.around.filebeat.restart()

    def refuse(self) -> None:
        """Connections are closed, and new ones refused."""
        self.around.receiver.stop()
        self._pause(1, 3)
        self.around.receiver.start()

    def stall(self) -> None:
        """Events are taken, but not passed on nor acknowledged."""
        self.around.receiver.stalled = True
        self._pause(2, 4)
        self.around.receiver.stalled = False

    def hang_up(self) -> None:
        """Connections are closed again and again, some in the middle of a window."""
        for _ in range(4):
            self.around.receiver.stop()
            self.around.receiver.start()
            self._pause(0.2, 1)

    def outlast_inactivity(self) -> None:
        """The output is down for longer than Filebeat keeps a silent file open."""
        fleet, before = self.around.fleet, sum(self.around.fleet.returned().values())
        self.around.receiver.stop()
        self._wait(lambda: False, self.outage)
        written = self._wait(
            lambda: sum(fleet.returned().values()) - before > MORE_THAN_THE_QUEUE,
            MOST_OF_AN_OUTAGE,
        )
        assert written, "too few events for an outage: is the rate too low?"
        if self.rng.random() < 0.5:
            self.kill_filebeat()
        self.around.receiver.start()

    def restart_elasticsearch(self) -> None:
        self.around.elasticsearch.stop()
        self._pause(1, 3)
        self.around.elasticsearch.start()

    def roll_over(self) -> None:
        """A new backing index; events that Filebeat repeats now are then in both."""
        self.around.client.request("POST", f"/{self.around.stream}/_rollover")
        self.rollovers += 1
        self.kill_filebeat()

    def fill_the_disk(self) -> None:
        """No byte can be written for some seconds; who is killed now would lose what waits."""
        disk, fleet = self.around.disk, self.around.fleet
        if not disk.mounted:
            return
        before = fleet.floods()

        def is_flooded() -> bool:
            disk.fill()  # retention and closed files give room back
            return fleet.floods() > before

        assert self._wait(is_flooded, PATIENCE), "no writer has dropped events on a full disk"
        disk.free()
        self._wait_until_all_call()

    def _wait_until_all_call(self) -> None:
        """What waits in memory is written at the next call."""
        fleet, before = self.around.fleet, self.around.fleet.calls()
        recovered = self._wait(
            lambda: all(now > then for now, then in zip(fleet.calls(), before, strict=True)),
            PATIENCE,
        )
        assert recovered, "a writer makes no calls although the disk has room again"
