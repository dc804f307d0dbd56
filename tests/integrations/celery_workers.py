"""Real Celery workers and senders, in a folder of their own, and the events that they write."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.integrations.conftest import written

ROOT = Path(__file__).parents[2]

# How the module of an application begins: what it needs beyond that follows.
APP = """
import logging, os, signal, sys, time
from pathlib import Path
from celery import Celery
import flowery_logging
from examples.shop import broker
from flowery_logging.integrations import celery

here = Path(__file__).parent
flowery_logging.setup(service=os.environ["SERVICE"], directory=here / "logs", output="file")
celery.instrument()
app = Celery("shop", broker=broker.URL)
app.conf.broker_transport_options = {"polling_interval": 0.05} | {
    name: str(here / "queue")
    for name in ("data_folder_in", "data_folder_out", "control_folder")
}
app.conf.worker_timer_precision = 0.1  # seconds; its end waits for it
log = logging.getLogger("tasks")
"""


def process(directory, service, *command):
    """Start Python in the folder, as this service."""
    environ = {**os.environ, "SERVICE": service, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, *command], cwd=directory, env=environ,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def read(directory):
    """Every event that lies in the folder, in the order of time."""
    return sorted(written(directory / "logs"), key=lambda event: str(event["@timestamp"]))


def ends(events, task_id=None):
    """The events that say how tasks have ended; of one task, if it is named."""
    found = [e for e in events if e["log"]["logger"] == "flowery_logging.task"]
    return [e for e in found if task_id in (None, e["labels"]["task_id"])]


def wait_for_ends(directory, count, worker):
    """Wait until so many tasks have ended, or time is up, while the worker runs."""
    deadline = time.monotonic() + 900
    while len(ends(read(directory))) < count and time.monotonic() < deadline:
        assert worker.poll() is None
        time.sleep(0.1)
