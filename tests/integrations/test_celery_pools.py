"""Real Celery workers whose tasks run in the worker's own process: greenlets, threads, none."""

import json
import signal
import time

import pytest

from tests.integrations.celery_workers import APP, ends, process, read, wait_for_ends
from tests.integrations.test_celery_ends import SECRET, TASKS

pytestmark = pytest.mark.slow

SENDER = """
import json, sys, time
from pathlib import Path
from flowery_logging import continue_trace
import end_tasks

here = Path(end_tasks.__file__).parent
sent = {}

def send(name, **options):
    with continue_trace({"traceparent": f"00-{len(sent) + 1:032x}-{'1' * 16}-01"}):
        sent[f"{name} {len(sent)}"] = [getattr(end_tasks, name).apply_async(
            kwargs={"secret": sys.argv[1]}, **options).id, f"{len(sent) + 1:032x}"]

for name in sys.argv[2].split(","):
    send(name)
print(json.dumps(sent))
for name, (task_id, _) in sent.items():
    if name.startswith("terminated"):
        while not (here / "running" / task_id).exists():
            time.sleep(0.05)
        end_tasks.app.control.revoke(task_id, terminate=True)
"""
COMMON = ["fine", "failing", "again", "ignoring", "rejecting", "fine", "fine"]
GREENLETS = [*COMMON, "hanging", "terminated", "fine"]
HOW = {
    "fine": ["success"],
    "failing": ["failure"],
    "again": ["retry", "success"],
    "ignoring": ["ignored"],
    "rejecting": ["rejected"],
    "hanging": ["time-limit"],
    "terminated": ["terminated"],
    "terminated_in_vain": ["success"],
}


@pytest.mark.parametrize(
    ("pool", "names"),
    [("gevent", GREENLETS), ("threads", [*COMMON, "terminated_in_vain"]), ("solo", COMMON)],
)
def test_each_end_is_one_event_of_its_own_trace(tmp_path, pool, names):
    (tmp_path / "end_tasks.py").write_text(APP + TASKS)
    (tmp_path / "queue").mkdir()
    (tmp_path / "running").mkdir()
    options = ["--without-gossip", "--without-mingle", "-P", pool, "-c", "8", "-l", "info"]
    worker = process(tmp_path, "courier", "-m", "celery", "-A", "end_tasks", "worker", *options)
    sender = process(tmp_path, "gateway", "-c", SENDER, SECRET, ",".join(names))
    try:
        out, err = sender.communicate(timeout=300)
        assert sender.returncode == 0, err.decode()
        sent = json.loads(out)
        expected = sum(len(HOW[name.split()[0]]) for name in sent)
        wait_for_ends(tmp_path, expected, worker)
    finally:
        worker.send_signal(signal.SIGTERM)
        _, err = worker.communicate(timeout=300)
    events = read(tmp_path)
    for name, (task_id, trace_id) in sent.items():
        found = ends(events, task_id)
        actions = [e["event"]["action"].removeprefix("task-") for e in found]
        assert sorted(actions) == HOW[name.split()[0]], (name, err.decode()[-3000:])
        lines = [e for e in events if e.get("labels", {}).get("task_id") == task_id]
        assert {e["trace"]["id"] for e in lines} == {trace_id}
        bound = {e["labels"].get("order", task_id) for e in lines}
        assert bound == {task_id}
    assert not any(SECRET in path.read_text() for path in (tmp_path / "logs").iterdir())


def test_a_task_that_a_cold_shutdown_cannot_end_says_how_it_ends(tmp_path):
    """Celery cancels what runs; a thread cannot be ended, and is waited for."""
    (tmp_path / "end_tasks.py").write_text(APP + TASKS)
    (tmp_path / "queue").mkdir()
    (tmp_path / "running").mkdir()
    options = ["--without-gossip", "--without-mingle", "-P", "threads", "-l", "info"]
    worker = process(tmp_path, "courier", "-m", "celery", "-A", "end_tasks", "worker", *options)
    names = "terminated_in_vain"
    sender = process(tmp_path, "gateway", "-c", SENDER.partition("for name, (")[0], SECRET, names)
    try:
        out, err = sender.communicate(timeout=300)
        assert sender.returncode == 0, err.decode()
        ((task_id, _),) = json.loads(out).values()
        deadline = time.monotonic() + 300
        while not (tmp_path / "running" / task_id).exists():
            assert worker.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        worker.send_signal(signal.SIGQUIT)
        _, err = worker.communicate(timeout=600)
    found = [event["event"]["action"] for event in ends(read(tmp_path), task_id)]
    assert found == ["task-success"], err.decode()[-3000:]
