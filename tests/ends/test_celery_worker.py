"""The tasks' module names the worker's processes, and them alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.ends.servers import ROOT, Kind, running

TASKS = """
import logging, os, sys
import flowery_logging
from celery import Celery, signals
from examples.shop import broker
from flowery_logging.integrations import celery

def setup():
    flowery_logging.setup("web", directory=os.environ["LOGS"], output="file", dataset="flowery.{{service}}")

{set_up}
queue = os.path.join(os.path.dirname(os.path.abspath(__file__)), "queue")
os.makedirs(queue, exist_ok=True)
app = Celery("main", broker=broker.URL)
app.conf.broker_transport_options = {{
    "polling_interval": 0.05, "data_folder_in": queue, "data_folder_out": queue, "control_folder": queue,
}}
app.conf.worker_timer_precision = 0.1
{configuration}

@app.task
def work(number):
    logging.getLogger("app").info("task %d", number)
    print(f"printed {{number}}")
    print(f"warned {{number}}", file=sys.stderr)
"""
BEFORE = "setup()\ncelery.instrument(service='courier')"
AFTER = "celery.instrument(service='courier')\nsetup()"
REDIRECT = """
@signals.worker_init.connect
def redirect(**_):
    app.log.redirect_stdouts_to_logger(logging.getLogger("printed"), "INFO")
"""
WORKER = "-m celery -A main worker --without-gossip --without-mingle --without-heartbeat "
SEND = "import main, logging; [main.work.apply_async((n,), ignore_result=True) for n in range(10)]; logging.getLogger('app').info('sent')"


def events(folder: Path) -> list[dict[str, Any]]:
    lines = [line for path in (folder / "logs").glob("*") for line in path.read_text().split("\n")]
    return [json.loads(line) for line in lines if line.endswith("}")]


def run(folder: Path, pool: str, set_up: str, configuration: str = "") -> list[dict[str, Any]]:
    """Send ten tasks and let a worker do them; return every event."""
    kind = Kind(WORKER + pool, TASKS.format(set_up=set_up, configuration=configuration))
    with running(folder, kind) as server:
        subprocess.run(
            [sys.executable, "-c", SEND], cwd=folder, check=True, capture_output=True, timeout=300,
            env={**os.environ, "LOGS": str(folder / "logs"), "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        server.until(lambda: len([e for e in done(folder) if e.startswith("task ")]) == 10)
        server.end(signal.SIGTERM)
    return events(folder)


def done(folder: Path) -> list[str]:
    return [e["message"] for e in events(folder) if e["log"]["logger"] == "app"]


@pytest.mark.slow
@pytest.mark.parametrize("set_up", [BEFORE, AFTER], ids=["setup before", "setup after"])
@pytest.mark.parametrize("pool", ["-c 2", "--pool threads -c 2", "--pool solo"])
def test_the_service_of_the_worker_is_the_one_given_to_instrument(tmp_path, pool, set_up):
    found = run(tmp_path, pool, set_up)
    services = {e["message"]: e["service"]["name"] for e in found if e["log"]["logger"] == "app"}
    assert services.pop("sent") == "web"
    assert services == {f"task {number}": "courier" for number in range(10)}
    courier = [e for e in found if e["service"]["name"] == "courier"]
    assert {e["data_stream"]["dataset"] for e in courier} == {"flowery.courier"}
    assert {e["event"]["dataset"] for e in courier} == {"courier"}


@pytest.mark.slow
@pytest.mark.parametrize("pool", ["-c 2", "--pool threads -c 2", "--pool solo"])
@pytest.mark.parametrize("output", ["file", "file,stdout", "file,console"])
def test_what_a_worker_prints_makes_no_loop_where_celery_redirects_it(tmp_path, pool, output):
    set_up = BEFORE.replace(
        "setup()",
        f"flowery_logging.setup('web', directory=os.environ['LOGS'], output={output!r})",
        1,
    )
    found = run(tmp_path, pool, set_up, REDIRECT)
    assert sorted(
        e["message"] for e in found if e["log"]["logger"] == "app" and e["message"] != "sent"
    ) == sorted(f"task {n}" for n in range(10))
    assert len(found) < 300
    for number in range(10):
        for word in ("printed", "warned"):
            assert len([e for e in found if e["message"] == f"{word} {number}"]) == 1
