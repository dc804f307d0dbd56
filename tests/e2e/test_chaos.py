"""Everything between a log call and its document breaks; every event arrives all the same.

The environment changes a run: FLOWERY_CHAOS_SEED repeats one, FLOWERY_CHAOS_SECONDS makes it
longer, FLOWERY_CHAOS_RATE changes how many events each writer makes a second.
"""

from __future__ import annotations

import os
import random
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from .chaos.comparison import FIELDS, Verdict, compare
from .chaos.disk import Disk
from .chaos.faults import EVERY_FAULT, OF_THE_PATH, Chaos, Surroundings
from .chaos.fleet import Fleet
from .processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import StartFilebeat
    from .elasticsearch_client import ElasticsearchClient
    from .processes import Elasticsearch
    from .receiver import Receiver

SEED = os.environ.get("FLOWERY_CHAOS_SEED") or secrets.token_hex(4)
SECONDS = float(os.environ.get("FLOWERY_CHAOS_SECONDS", "100"))
RATE = float(os.environ.get("FLOWERY_CHAOS_RATE", "60"))

DISK_MEGABYTES = 600
# Retention leaves a file alone for a minute after it was closed.
RETENTION_IS_SURE_AFTER = 90
# Longer than Filebeat waits for a receiver that is back.
QUIET_SECONDS = 6
DELIVERED_WITHIN = 600


@dataclass(frozen=True)
class Setting:
    """A way to let go of a finished file; what breaks in its run, and for how long, in seconds."""

    name: str
    overrides: dict[str, object]
    faults: tuple[str, ...]
    outage: float
    seconds: float


ON_EOF = Setting(
    "close.reader.on_eof: true, as in filebeat.yml",
    {},
    EVERY_FAULT,
    outage=8,
    seconds=SECONDS,
)
INACTIVE = Setting(
    "close.on_state_change.inactive: 24h",
    {
        "filebeat.inputs.0.close.reader.on_eof": "false",
        "filebeat.inputs.0.close.on_state_change.inactive": "24h",
    },
    OF_THE_PATH,
    outage=4,
    seconds=SECONDS / 3,
)


@pytest.fixture
def disk(log_dir: Path) -> Iterator[Disk]:
    with Disk(log_dir, DISK_MEGABYTES) as disk:
        yield disk


@pytest.fixture
def fleet(
    binary: Path,  # there before the first event: else retention removes what nobody ships yet
    disk: Disk,
    log_dir: Path,
    tmp_path: Path,
    environment: str,
    setting: Setting,
) -> Iterator[Fleet]:
    rng = random.Random(f"fleet {SEED} {setting.name}")
    fleet = Fleet(tmp_path / "fleet", log_dir, environment, RATE, rng)
    try:
        fleet.start()
        yield fleet
    finally:
        fleet.stop()


@pytest.mark.parametrize("setting", [ON_EOF, INACTIVE], ids=["on_eof", "inactive"])
def test_every_call_that_returned_is_delivered_once(
    setting: Setting,
    fleet: Fleet,
    disk: Disk,
    log_dir: Path,
    filebeat: StartFilebeat,
    receiver: Receiver,
    elasticsearch_server: Elasticsearch,
    elasticsearch: ElasticsearchClient,
    environment: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with capsys.disabled():
        print(f"\nFLOWERY_CHAOS_SEED={SEED} FLOWERY_CHAOS_SECONDS={SECONDS:.0f}: {setting.name}")
    running = filebeat(log_dir, setting.overrides)
    stream = f"logs-flowery-{environment}"
    assert wait_until(lambda: elasticsearch.count(stream) > 0)
    around = Surroundings(
        fleet, disk, running, receiver, elasticsearch_server, elasticsearch, stream
    )
    chaos = Chaos(around, random.Random(f"faults {SEED} {setting.name}"), setting.outage)
    chaos.run(setting.faults, setting.seconds)
    fleet.stop()
    seconds = wait_for_delivery(chaos)
    verdict = compare(fleet.returned(), elasticsearch.scroll(stream, FIELDS))
    with capsys.disabled():
        print(report(chaos, verdict, seconds))
    assert verdict.wrong == []
    assert receiver.counters.rejected == []
    # The record that announces it may lie in a file that was removed, announced, unshipped.
    assert (fleet.floods() > 0) == (disk.mounted and "fill_the_disk" in setting.faults)
    assert verdict.dropped > 0 or verdict.removed_unshipped > 0 or not fleet.floods()
    assert verdict.removed_files > 0 or chaos.seconds() < RETENTION_IS_SURE_AFTER
    audit = run_audit(log_dir, elasticsearch_server.url, stream)
    assert audit.returncode == 0, audit.stdout + audit.stderr


def wait_for_delivery(chaos: Chaos) -> float:
    """Wait until nothing has come for some seconds; in how many the last one came."""
    counters = chaos.around.receiver.counters
    began = last_change = time.monotonic()
    seen = -1

    def is_quiet() -> bool:
        nonlocal seen, last_change
        chaos.peak.sample(chaos.around.filebeat.pid)
        now = time.monotonic()
        if counters.received != seen:
            seen, last_change = counters.received, now
        return now - last_change > QUIET_SECONDS

    assert wait_until(is_quiet, DELIVERED_WITHIN, interval=0.3), counters
    return last_change - began


def run_audit(log_dir: Path, url: str, stream: str) -> subprocess.CompletedProcess[str]:
    """What the library itself says of the files that are left and of what arrived."""
    command = [sys.executable, "-m", "flowery_logging", "audit", str(log_dir)]
    options = ["--elasticsearch", url, "--index", stream, "--grace", "0"]
    return subprocess.run([*command, *options], capture_output=True, text=True, check=False)


def report(chaos: Chaos, verdict: Verdict, seconds: float) -> str:
    """What happened, for people; one fact a line."""
    fleet, repeats = chaos.around.fleet, chaos.around.receiver.counters.duplicates
    return "\n".join(
        [
            *chaos.story,
            f"{fleet.killed} writers killed, {chaos.rollovers} rollovers",
            f"{verdict.calls} calls of {verdict.callers} callers returned",
            f"{verdict.documents} documents, {verdict.dropped} events announced as dropped",
            f"{verdict.removed_files} files removed, {verdict.removed_unshipped} events unshipped",
            f"repeats: {repeats} refused, {verdict.straddling} over a rollover",
            f"delivered {seconds:.1f} s after the last call",
            f"Filebeat at most: {chaos.peak.descriptors} descriptors, {chaos.peak.megabytes} MB",
        ]
    )
