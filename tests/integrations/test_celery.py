"""A real Celery worker (prefork, filesystem broker), fed by a process of its own."""

import signal

import pytest
from celery import Celery
from celery.beat import Scheduler
from celery.signals import before_task_publish
from celery.worker.request import Request

from flowery_logging.integrations import celery, celery_worker
from flowery_logging.trace import continue_trace, current_trace
from tests.integrations.celery_workers import APP, ends, process, read, wait_for_ends

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"

TASKS = """
app.conf.worker_send_task_events = False

@app.task
def deliver(order_id):
    flowery_logging.bind(order_id=order_id)
    log.info("delivering")
    if order_id % 10 == 0:
        arrived.delay(order_id)

@app.task
def arrived(order_id):
    log.info("arrived")

@app.task(bind=True, max_retries=2)
def stubborn(self):
    log.info("trying")
    if self.request.retries < 2:
        raise self.retry(countdown=0)

@app.task
def failing():
    raise ValueError("꽃")

@app.task
def together():
    (here / "together" / str(os.getpid())).touch()
    deadline = time.monotonic() + 300
    while len(os.listdir(here / "together")) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
"""
SENDER = """
import logging, sys
from flowery_logging import continue_trace
from shop_tasks import deliver, failing, stubborn, together

for number in range(50):
    with continue_trace({"traceparent": f"00-{number + 1:032x}-{'1' * 16}-01", "x-request-id": f"r-{number}"}):
        deliver.delay(number)
with continue_trace({"traceparent": "00-%s-00f067aa0ba902b7-01" % sys.argv[1]}):
    stubborn.delay()
    failing.delay()
failing.apply_async(headers={"traceparent": "00-%s-00f067aa0ba902b7-01" % ("a" * 32)})
deliver.delay(1)
for _ in range(2):  # one for each process of the worker
    together.delay()
logging.getLogger("sender").info("sent")
"""
ENDED = 50 + 5 + 3 + 2 + 1 + 2


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """Run it all once; return every event, and the PIDs of the worker's processes."""
    directory = tmp_path_factory.mktemp("celery")
    (directory / "shop_tasks.py").write_text(APP + TASKS)
    (directory / "queue").mkdir()
    (directory / "together").mkdir()
    command = ["-m", "celery", "-A", "shop_tasks", "worker", "-c", "2"]
    options = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "info"]
    worker = process(directory, "courier", *command, *options)
    try:
        sender = process(directory, "gateway", "-c", SENDER, TRACE)
        _, err = sender.communicate(timeout=300)
        assert sender.returncode == 0, err.decode()
        wait_for_ends(directory, ENDED, worker)
    finally:
        worker.send_signal(signal.SIGTERM)
        _, err = worker.communicate(timeout=300)
    found = read(directory)
    assert len(ends(found)) == ENDED, err.decode()
    return found


def of(events, name):
    return [e for e in events if e.get("labels", {}).get("task") == f"shop_tasks.{name}"]


@pytest.mark.slow
def test_each_task_runs_in_its_senders_trace(events):
    lines = [e for e in of(events, "deliver") if "http" in e and "request" in e["http"]]
    by_logger = {name: [e for e in lines if e["log"]["logger"] == name] for name in
                 ("tasks", "flowery_logging.task")}  # fmt: skip
    assert [len(found) for found in by_logger.values()] == [50, 50]
    for event in (e for found in by_logger.values() for e in found):
        number = event["numeric_labels"]["order_id"]
        assert event["trace"]["id"] == f"{number + 1:032x}"
        assert event["http"]["request"]["id"] == f"r-{number}"
        assert event["labels"]["task_id"]


@pytest.mark.slow
def test_a_task_of_a_task_goes_on_in_the_trace(events):
    found = [e for e in of(events, "arrived") if e["message"] == "arrived"]
    assert sorted(e["trace"]["id"] for e in found) == [f"{n + 1:032x}" for n in range(0, 50, 10)]
    hops = {e["transaction"]["id"] for e in of(events, "arrived") + of(events, "deliver")}
    assert len(hops) == 56


@pytest.mark.slow
def test_the_event_of_a_tasks_end_tells_outcome_and_duration(events):
    for event in ends(of(events, "deliver")):
        assert event["event"]["outcome"] == "success"
        assert event["event"]["duration"] > 0
        assert event["message"] == "task shop_tasks.deliver: success"


@pytest.mark.slow
def test_retries_stay_in_the_trace_and_count(events):
    def retries(event):
        return event.get("numeric_labels", {}).get("task_retries")

    tries = [e for e in of(events, "stubborn") if e["message"] == "trying"]
    assert [retries(e) for e in tries] == [None, 1, 2]
    assert {e["trace"]["id"] for e in tries} == {TRACE}
    assert len({e["labels"]["task_id"] for e in tries}) == 1
    # By their number: the next try may have ended elsewhere before this one's end is logged.
    assert {retries(e): e["event"]["action"] for e in ends(of(events, "stubborn"))} == {
        None: "task-retry",
        1: "task-retry",
        2: "task-success",
    }
    assert len(ends(of(events, "stubborn"))) == 3


@pytest.mark.slow
def test_a_failure_stands_once_with_its_stack_trace_on_the_trace(events):
    failed = [e for e in events if "error" in e and e["error"].get("message") == "꽃"]
    assert sorted(e["trace"]["id"] for e in failed) == [TRACE, "a" * 32]
    assert {e["log"]["logger"] for e in failed} == {"celery.app.trace"}
    for event in ends(of(events, "failing")):
        assert (event["log.level"], event["event"]["outcome"]) == ("error", "failure")


@pytest.mark.slow
def test_a_task_from_outside_a_request_begins_a_trace(events):
    (event,) = [e for e in of(events, "deliver") if e["message"] == "delivering"
                and "http" not in e]  # fmt: skip
    assert len(event["trace"]["id"]) == 32


@pytest.mark.slow
def test_celerys_own_lines_are_there_and_no_event_is_lost_in_any_process(events):
    assert any("ready" in e["message"] for e in events if e["log"]["logger"].startswith("celery"))
    by_process: dict[str, list[int]] = {}
    for event in events:
        numbers = by_process.setdefault(event["process"]["entity_id"], [])
        numbers.append(event["event"]["sequence"])
    assert len(by_process) == 4  # the sender, the worker, its two processes
    for entity, numbers in by_process.items():
        assert sorted(numbers) == list(range(1, len(numbers) + 1)), entity
    closed = [e["process"]["entity_id"] for e in events if e["message"] == "log closed"]
    assert set(closed) == set(by_process)


@pytest.fixture
def eager():
    celery.instrument()
    celery.instrument()
    app = Celery("eager")
    app.conf.task_always_eager = True
    yield app
    celery.uninstrument()
    celery.uninstrument()


def test_an_eager_task_runs_in_the_callers_trace_and_leaves_his_context(eager, collector):
    seen = []

    @eager.task
    def work():
        found = current_trace()
        assert found is not None
        seen.append(found)

    with continue_trace({"traceparent": TRACEPARENT}) as outer:
        work.delay()
        assert current_trace() is outer
    (inner,) = seen
    assert inner.trace_id == TRACE
    assert inner.transaction_id != outer.transaction_id
    (line,) = [li for li in collector.lines if li.record.name == "flowery_logging.task"]
    assert line.fields["task"].endswith("work")


def test_it_is_undone(eager, collector):
    celery.uninstrument()

    @eager.task
    def work():
        assert current_trace() is None

    work.delay().get()
    assert not [li for li in collector.lines if li.record.name == "flowery_logging.task"]


def test_nothing_of_it_stays_in_celery():
    def parts():
        of_request = [getattr(Request, name) for name in ("__init__", "on_timeout", "on_failure")]
        return [*of_request, Scheduler.apply_entry, Scheduler.apply_async]

    before = parts()
    celery.instrument()
    celery_worker.follow()
    assert all(ours is not theirs for ours, theirs in zip(parts(), before, strict=True))
    celery.uninstrument()
    assert parts() == before


@pytest.mark.parametrize("wrong", [{"service": 7}, {"repeats": "yes"}, {"servise": "courier"}])
def test_a_wrong_option_is_refused_and_named(wrong):
    with pytest.raises(TypeError, match=next(iter(wrong))):
        celery.instrument(**wrong)
    assert "traceparent" not in sent_headers()


def sent_headers():
    headers: dict[str, str] = {}
    with continue_trace({}):
        before_task_publish.send(sender="task", headers=headers)
    return headers


def test_what_was_there_is_not_replaced_and_the_time_is_that_of_this_sending(eager):
    first = sent_headers()
    assert set(first) == {"traceparent", "flowery_sent"}
    again = {**first, "flowery_hop": "old"}
    before_task_publish.send(sender="task", headers=again)
    assert again["traceparent"] == first["traceparent"]
    assert again["flowery_sent"] > first["flowery_sent"]
    assert "flowery_hop" not in again
