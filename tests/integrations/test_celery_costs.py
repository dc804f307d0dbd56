"""What has made a task slow: its queries, its calls and its CPU time, in a real worker."""

import signal

import pytest

from tests.integrations.celery_workers import APP, ends, process, read, wait_for_ends

pytestmark = pytest.mark.slow

BURNT = 50_000_000
"""Nanoseconds of CPU time that a task spends."""

TASKS = f"""
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy
from django.conf import settings
from flowery_logging.integrations import calls, sqlalchemy as flowery_sqlalchemy

settings.configure(
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": str(here / "db")}}}},
    INSTALLED_APPS=["flowery_logging.integrations.django.LoggingConfig"],
    FLOWERY_REQUESTS={{"database_queries": True}},
    LOGGING_CONFIG=None,
)
import django
django.setup()
from django.db import connection

engine = sqlalchemy.create_engine("sqlite://")
flowery_sqlalchemy.instrument(engine)

def ask(times):
    with engine.connect() as asked:
        for _ in range(times):
            asked.execute(sqlalchemy.text("SELECT 1"))

def burn():
    until = time.thread_time_ns() + {BURNT}
    while time.thread_time_ns() < until:
        pass

@app.task
def with_sqlalchemy():
    ask(2)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(flowery_logging.carried(ask), 3).result()

@app.task
def with_django():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")

@app.task
def burning():
    burn()

@app.task
def calling():
    with calls.calling(calls.Target("GET", "orders", "/"), {{}}, None):
        pass

@app.task(bind=True, max_retries=1)
def again(self):
    ask(self.request.retries + 1)
    if not self.request.retries:
        raise self.retry(countdown=0)

@app.task
def failing():
    ask(1)
    raise ValueError("x")

@app.task
def idle():
    pass
"""
NAMES = ("with_sqlalchemy", "with_django", "burning", "calling", "again", "failing", "idle")
SENDER = f"import tasks_of_costs as t; [getattr(t, name).delay() for name in {NAMES}]"


ROUNDED = 0.001
"""Milliseconds by which a time may be more than another one that it lies in."""


@pytest.fixture(scope="module", params=["prefork", "solo", "threads"])
def ran(request, tmp_path_factory):
    """Run each task once; return the numbers on its ends by its name, and the pool."""
    directory = tmp_path_factory.mktemp(request.param)
    (directory / "tasks_of_costs.py").write_text(APP + TASKS)
    (directory / "queue").mkdir()
    command = ["-m", "celery", "-A", "tasks_of_costs", "worker", "-c", "1", "-P", request.param]
    options = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "info"]
    worker = process(directory, "courier", *command, *options)
    try:
        sender = process(directory, "gateway", "-c", SENDER)
        _, err = sender.communicate(timeout=300)
        assert sender.returncode == 0, err.decode()
        wait_for_ends(directory, len(NAMES) + 1, worker)
    finally:
        worker.send_signal(signal.SIGTERM)
        _, err = worker.communicate(timeout=300)
    found: dict[str, list[dict[str, float]]] = {}
    for event in ends(read(directory)):
        name = event["labels"]["task"].removeprefix("tasks_of_costs.")
        numbers = event["numeric_labels"] | {"duration": event["event"]["duration"] / 1e6}
        found.setdefault(name, []).append(numbers)
    assert set(found) == set(NAMES), err.decode()
    return found


def test_queries_are_those_of_the_task_and_of_its_threads(ran):
    (with_sqlalchemy,), (with_django,), (failing,) = (
        ran[name] for name in ("with_sqlalchemy", "with_django", "failing")
    )
    assert with_sqlalchemy["database_queries"] == 5
    assert with_django["database_queries"] == failing["database_queries"] == 1
    for numbers in (with_sqlalchemy, with_django, failing):
        assert 0 < numbers["database_queries_sum_ms"] <= numbers["duration"] + ROUNDED


def test_each_try_has_its_own(ran):
    assert [numbers["database_queries"] for numbers in ran["again"]] == [1, 2]


def test_calls_are_there(ran):
    (numbers,) = ran["calling"]
    assert numbers["outgoing_calls"] == 1
    assert 0 < numbers["outgoing_calls_sum_ms"] <= numbers["duration"] + ROUNDED


def test_the_cpu_time_is_that_of_the_task(ran):
    (burning,), (idle,) = ran["burning"], ran["idle"]
    assert BURNT / 1e6 <= burning["thread_cpu_ms"] <= burning["duration"] + ROUNDED
    assert 0 <= idle["thread_cpu_ms"] <= idle["duration"] + ROUNDED


def test_what_there_was_none_of_is_left_out(ran):
    (idle,) = ran["idle"]
    assert set(idle) == {"duration", "thread_cpu_ms", "task_wait_ms"}
