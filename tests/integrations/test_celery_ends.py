"""A real Celery worker (prefork) whose tasks end in every way: each end is one event, traced."""

import json
import signal
import time

import pytest

from tests.integrations.celery_workers import APP, ends, process, read

pytestmark = pytest.mark.slow

SECRET = "hunter2-of-the-queue"

TASKS = """
from celery.exceptions import Ignore, Reject
from flowery_logging.integrations import tasks

app.conf.beat_schedule = {"tick": {"task": "end_tasks.tick", "schedule": 0.5}}
app.conf.beat_schedule_filename = str(here / "beat")

def observe(ended):
    with open(here / "observed", "a") as file:
        file.write(f"{ended.task_id} {ended.how} {ended.outcome} {ended.duration} {ended.waited}\\n")

tasks.observers = (*tasks.observers, observe)

def running(task):
    flowery_logging.bind(order=task.request.id)
    log.info("running")
    (here / "running" / task.request.id).touch()

def for_ever():
    while True:
        time.sleep(0.1)

@app.task(bind=True)
def fine(self, secret=None):
    running(self)
    return secret

@app.task(bind=True)
def failing(self, secret=None):
    raise ValueError("wilted")

@app.task(bind=True, throws=(KeyError,))
def expected(self, secret=None):
    raise KeyError("wilted")

@app.task(bind=True, max_retries=1)
def again(self, secret=None):
    if not self.request.retries:
        raise self.retry(countdown=0, exc=OSError("closed"))

@app.task(bind=True)
def ignoring(self, secret=None):
    raise Ignore()

@app.task(bind=True)
def rejecting(self, secret=None):
    raise Reject("broken", requeue=False)

@app.task(bind=True, time_limit=1)
def hanging(self, secret=None):
    running(self)
    for_ever()

@app.task(bind=True, soft_time_limit=1)
def softly(self, secret=None):
    running(self)
    for_ever()

@app.task(bind=True)
def killed(self, secret=None):
    running(self)
    os.kill(os.getpid(), signal.SIGKILL)
    for_ever()

@app.task(bind=True, acks_late=True, reject_on_worker_lost=True)
def reborn(self, secret=None):
    begun = (here / "running" / self.request.id).exists()
    running(self)
    if not begun:
        os.kill(os.getpid(), signal.SIGKILL)
        for_ever()

@app.task(bind=True)
def exiting(self, secret=None):
    running(self)
    sys.exit(3)

@app.task(bind=True)
def terminated(self, secret=None):
    running(self)
    for_ever()

@app.task(bind=True)
def terminated_in_vain(self, secret=None):
    running(self)
    deadline = time.monotonic() + 300
    while not any("kill_job" in path.read_text() for path in (here / "logs").iterdir()):
        assert time.monotonic() < deadline  # until Celery says that it cannot be terminated
        time.sleep(0.1)

@app.task(bind=True)
def revoked(self, secret=None):
    running(self)

@app.task(bind=True)
def expiring(self, secret=None):
    running(self)

@app.task(bind=True)
def tick(self):
    running(self)
"""
SENDER = """
import json, sys, time
from pathlib import Path
from flowery_logging import continue_trace
import end_tasks

here = Path(end_tasks.__file__).parent
sent = {}

def send(name, **options):
    with continue_trace({"traceparent": f"00-{len(sent) + 1:032x}-{'1' * 16}-01"}):
        sent[name] = [getattr(end_tasks, name).apply_async(
            kwargs={"secret": sys.argv[1]}, **options).id, f"{len(sent) + 1:032x}"]

for name in ("fine", "failing", "expected", "again", "ignoring", "rejecting", "hanging", "softly",
             "killed", "reborn", "exiting", "terminated"):
    send(name)
send("expiring", expires=0.0)
end_tasks.app.send_task("end_tasks.unheard", kwargs={"secret": sys.argv[1]})
while not (here / "running" / sent["terminated"][0]).exists():
    time.sleep(0.05)
end_tasks.app.control.revoke(sent["terminated"][0], terminate=True)
end_tasks.app.control.revoke("called-back")
while not any("flagged as revoked: called-back" in path.read_text()
              for path in (here / "logs").glob("courier-*")):
    time.sleep(0.05)
send("revoked", task_id="called-back")
print(json.dumps(sent))
"""

# Task → how it ends, its event's level and outcome, and whether it ran (and so has a duration).
ENDS = {
    "fine": ("success", "info", "success", True),
    "failing": ("failure", "error", "failure", True),
    "expected": ("failure", "warning", "failure", True),
    "ignoring": ("ignored", "info", "unknown", True),
    "rejecting": ("rejected", "warning", "failure", True),
    "hanging": ("time-limit", "error", "failure", True),
    "softly": ("failure", "error", "failure", True),
    "killed": ("lost", "error", "failure", True),
    "exiting": ("failure", "error", "failure", True),
    "terminated": ("terminated", "warning", "unknown", True),
    "expiring": ("expired", "warning", "failure", False),
    "revoked": ("revoked", "warning", "unknown", False),
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Run it all once; return the directory, the events, and each task's ID and trace."""
    directory = tmp_path_factory.mktemp("ends")
    (directory / "end_tasks.py").write_text(APP + TASKS)
    (directory / "queue").mkdir()
    (directory / "running").mkdir()
    options = ["--without-gossip", "--without-mingle", "-c", "2", "-l", "debug"]
    worker = process(directory, "courier", "-m", "celery", "-A", "end_tasks", "worker", *options)
    beat = process(directory, "beat", "-m", "celery", "-A", "end_tasks", "beat", "-l", "info")
    sender = process(directory, "gateway", "-c", SENDER, SECRET)
    try:
        out, err = sender.communicate(timeout=300)
        assert sender.returncode == 0, err.decode()
        sent = json.loads(out)
        waiting = {task_id for task_id, _ in sent.values()}
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            events = read(directory)
            done = {e["labels"]["task_id"] for e in ends(events)
                    if e["event"]["action"] != "task-retry"}  # fmt: skip
            ticks = [e for e in ends(events) if e["labels"]["task"] == "end_tasks.tick"]
            exits = [e for e in events if "exited with" in e["message"]]
            again = ends(events, sent["reborn"][0])
            if waiting <= done and ticks and len(exits) >= 4 and len(again) == 2:
                break
            assert worker.poll() is None
            time.sleep(0.1)
    finally:
        for one in (beat, worker):
            one.send_signal(signal.SIGTERM)
        _, err = worker.communicate(timeout=300)
        beat.communicate(timeout=300)
    return directory, read(directory), sent, err.decode()


@pytest.mark.parametrize("name", ENDS)
def test_each_end_is_one_event(ran, name):
    _, events, sent, err = ran
    how, level, outcome, ran_at_all = ENDS[name]
    task_id, trace_id = sent[name]
    found = ends(events, task_id)
    assert [e["event"]["action"] for e in found] == [f"task-{how}"], err[-5000:]
    (end,) = found
    assert (end["log.level"], end["event"]["outcome"]) == (level, outcome)
    assert end["trace"]["id"] == trace_id
    assert end["labels"]["task"] == f"end_tasks.{name}"
    assert ("duration" in end["event"]) == ran_at_all
    assert (end["event"].get("duration", 1)) > 0


@pytest.mark.parametrize("name", [name for name in ENDS if ENDS[name][3]])
def test_each_start_is_one_event_of_the_same_hop(ran, name):
    _, events, sent, _ = ran
    task_id, trace_id = sent[name]
    (start,) = [e for e in events if e["event"].get("action") == "task-start"
                and e["labels"]["task_id"] == task_id]  # fmt: skip
    (end,) = ends(events, task_id)
    assert start["trace"]["id"] == trace_id
    assert start["transaction"]["id"] == end["transaction"]["id"]
    assert start["numeric_labels"]["task_wait_ms"] >= 0


def test_a_retry_is_an_event_of_its_own(ran):
    _, events, sent, _ = ran
    task_id, trace_id = sent["again"]
    found = ends(events, task_id)
    assert {e["event"]["action"]: e["log.level"] for e in found} == {
        "task-retry": "warning",
        "task-success": "info",
    }
    assert {e["trace"]["id"] for e in found} == {trace_id}
    assert len({e["transaction"]["id"] for e in found}) == 2


def test_a_task_whose_process_is_lost_and_that_comes_again_has_two_ends(ran):
    _, events, sent, _ = ran
    task_id, trace_id = sent["reborn"]
    found = ends(events, task_id)
    assert [e["event"]["action"] for e in found] == ["task-lost", "task-success"]
    assert {e["trace"]["id"] for e in found} == {trace_id}
    assert len({e["transaction"]["id"] for e in found}) == 2


def test_each_line_that_names_a_task_has_its_trace(ran):
    _, events, sent, _ = ran
    control = "celery.worker.control"  # calls one task back that nobody has sent yet
    for task_id, trace_id in sent.values():
        about = [e for e in events if task_id in e["message"] and e["service"]["name"] == "courier"
                 and (task_id, e["log"]["logger"]) != ("called-back", control)]  # fmt: skip
        for event in about:
            assert event.get("trace", {}).get("id") == trace_id, event["message"]
            assert event["labels"]["task_id"] == task_id


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("hanging", ["Hard time limit", "TimeLimitExceeded", "exited with 'signal"]),
        ("killed", ["WorkerLostError", "exited with 'signal 9"]),
        ("exiting", ["WorkerLostError"]),
        ("softly", ["Soft time limit", "SoftTimeLimitExceeded"]),
        ("revoked", ["Discarding revoked task"]),
        ("expiring", ["Discarding revoked task"]),
    ],
)
def test_the_main_process_lines_carry_trace_and_task(ran, name, texts):
    _, events, sent, _ = ran
    task_id, trace_id = sent[name]
    lines = [e for e in events if e.get("labels", {}).get("task_id") == task_id]
    assert {e["trace"]["id"] for e in lines} == {trace_id}
    for text in texts:
        assert any(text in e["message"] for e in lines), text


def test_an_exit_that_no_task_is_to_blame_for_has_no_trace(ran):
    _, events, _, _ = ran
    for event in events:
        if "exited with" in event["message"] and "trace" in event:
            assert event["labels"]["task"].removeprefix("end_tasks.") in {
                "hanging", "killed", "reborn", "exiting", "terminated",
            }  # fmt: skip


def test_no_argument_and_no_result_is_in_any_file(ran):
    directory, events, _, _ = ran
    for path in (directory / "logs").iterdir():
        assert SECRET not in path.read_text()
    assert not [e for e in events if any(name.startswith("data") for name in e.get("labels", {}))]


def test_lines_that_repeat_our_events_are_left_out(ran):
    _, events, _, _ = ran
    own = [e["message"] for e in events if e["log"]["logger"].startswith("celery")]
    assert own
    assert not [text for text in own if text.endswith("received") or "succeeded in" in text]


def test_what_beat_sends_begins_a_trace_that_the_task_goes_on_in(ran):
    _, events, _, _ = ran
    sending = [e for e in events if e["event"].get("action") == "task-sent"]
    traces = {e["trace"]["id"]: e["labels"]["task_id"] for e in sending}
    assert len(traces) == len(sending) > 0
    assert {(e["labels"]["task"], e["labels"]["task_schedule"], e["event"]["outcome"])
            for e in sending} == {("end_tasks.tick", "tick", "success")}  # fmt: skip
    assert not [e for e in events if "Sending due task" in e["message"]]
    ticks = [e for e in events if e["service"]["name"] == "courier"
             and e.get("labels", {}).get("task") == "end_tasks.tick"]  # fmt: skip
    assert ticks
    assert {(e["trace"]["id"], e["labels"]["task_id"]) for e in ticks} <= set(traces.items())


def test_observers_learn_of_each_end_once(ran):
    directory, events, sent, _ = ran
    observed = [line.split() for line in (directory / "observed").read_text().splitlines()]
    for name, (how, _, outcome, ran_at_all) in ENDS.items():
        (found,) = [line for line in observed if line[0] == sent[name][0]]
        assert found[1:3] == [how, outcome]
        assert (found[3] != "None") == ran_at_all
    assert len(observed) == len(ends(events))


def test_nothing_of_the_other_tasks_is_on_a_line(ran):
    _, events, _, _ = ran
    for event in events:
        labels = event.get("labels", {})
        if "order" in labels:
            assert labels["order"] == labels["task_id"]
