"""Servers with several processes: what any of them shows is what all of their files hold."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integrations import exposed
from tests.integrations.conftest import written
from tests.integrations.exposed import LINES, SERVER, TASK, Exposed

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
DURATIONS = "http_server_request_duration_seconds"
BATCH = 100

WSGI = """
import logging, os, time
import flowery_logging
flowery_logging.setup("shop", directory=os.environ["LOGS"], output="file")
from flowery_logging.integrations import prometheus
from flowery_logging.integrations.wsgi import RequestMiddleware

prometheus.instrument()
metrics = prometheus.wsgi_app()

def shop(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/boom":
        raise ValueError("no flowers")
    time.sleep(0.01)
    logging.getLogger("app").warning("in the view", extra={"@timestamp": 1})
    start_response("200 OK", [])
    return [b"ok"]

followed = RequestMiddleware(shop)

def app(environ, start_response):
    chosen = metrics if environ["PATH_INFO"] == "/metrics" else followed
    return chosen(environ, start_response)
"""

ASGI = """
import logging, os, time
import flowery_logging
flowery_logging.setup("shop", directory=os.environ["LOGS"], output="file")
from fastapi import FastAPI
from flowery_logging.integrations import fastapi, prometheus

prometheus.instrument()
app = FastAPI()
app.add_route("/metrics", prometheus.asgi_app())

@app.get("/boom")
async def boom():
    raise ValueError("no flowers")

@app.get("/{name}")
def view(name: str):
    time.sleep(0.01)
    logging.getLogger("app").warning("in the view", extra={"@timestamp": 1})
    return name

fastapi.instrument(app, quiet=["/metrics"])
"""

DJANGO = """
import logging, os, time
import flowery_logging
flowery_logging.setup("shop", directory=os.environ["LOGS"], output="file")
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from flowery_logging.integrations import prometheus

def metrics(request):
    body, content_type = prometheus.exposition(request.headers.get("Accept", ""))
    return HttpResponse(body, content_type=content_type)

def view(request, name=""):
    if name == "boom":
        raise ValueError("no flowers")
    time.sleep(0.01)
    logging.getLogger("app").warning("in the view", extra={"@timestamp": 1})
    return HttpResponse("ok")

urlpatterns = [path("metrics", metrics), path("<str:name>", view), path("", view)]
settings.configure(
    ROOT_URLCONF=__name__, SECRET_KEY="x", ALLOWED_HOSTS=["*"], LOGGING_CONFIG=None,
    MIDDLEWARE=["flowery_logging.integrations.django.RequestMiddleware"],
    FLOWERY_REQUESTS={"quiet": ["/metrics"]},
)
prometheus.instrument()
app = get_wsgi_application()
"""

CELERY = """
import logging, os, time
import flowery_logging
flowery_logging.setup("web", directory=os.environ["LOGS"], output="file")
from celery import Celery
from celery.signals import worker_ready
from examples.shop import broker
from flowery_logging.integrations import celery, prometheus

celery.instrument(service="courier")
prometheus.instrument()
queue = os.path.join(os.path.dirname(os.path.abspath(__file__)), "queue")
os.makedirs(queue, exist_ok=True)
app = Celery("main", broker=broker.URL)
app.conf.broker_transport_options = {
    "polling_interval": 0.05, "data_folder_in": queue, "data_folder_out": queue,
    "control_folder": queue,
}

@worker_ready.connect
def show(**_):
    server = prometheus.serve(0)
    with open("port.new", "w") as file:
        file.write(str(server.server_port))
    os.rename("port.new", "port")

@app.task(bind=True, max_retries=1, default_retry_delay=0)
def work(self, number):
    logging.getLogger("app").info("task %d", number)
    if number % 10 == 3:
        raise ValueError("no flowers")
    if number % 10 == 5 and not self.request.retries:
        raise self.retry()
"""


class Served:
    """A server, its files and its metrics."""

    def __init__(self, folder: Path, command: list[str], port: int = 0) -> None:
        self.folder, self.port = folder, port
        self.logs, shared = folder / "logs", folder / "metrics"
        shared.mkdir()
        environment = {
            **os.environ, "LOGS": str(self.logs), "PROMETHEUS_MULTIPROC_DIR": str(shared),
            "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        self.environment = environment
        self.log = (folder / "output").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, env=environment,
            stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def until(self, true: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 300
        while not true():
            assert self.process.poll() is None, (self.folder / "output").read_text()
            assert time.monotonic() < deadline, (self.folder / "output").read_text()
            time.sleep(0.05)

    def get(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            error.close()
            return ""
        except OSError:
            return ""

    def scrape_at_rest(self) -> tuple[Exposed, list[dict[str, Any]]]:
        """The metrics and the events at a moment at which nothing was written."""
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            before = written(self.logs)
            text = self.get("/metrics")
            if text and before == written(self.logs):
                return Exposed(text), before
        raise AssertionError((self.folder / "output").read_text())

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(300)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(300)
            self.log.close()


@contextmanager
def serving(folder: Path, module: str, command: list[str], port: int = 0) -> Iterator[Served]:
    (folder / "main.py").write_text(module)
    served = Served(folder, command, port)
    try:
        yield served
    finally:
        served.end()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def access(served: Served) -> list[Any]:
    return exposed.of_logger(written(served.logs), "access")


def agree(served: Served, sent: int) -> None:
    """What is shown is what the files hold, exactly."""
    found, events = served.scrape_at_rest()
    counts, seconds = exposed.requests(events)
    assert found.of("flowery_log_events_total", LINES) == exposed.lines(events)
    shown = found.of("flowery_log_bytes_total", ["service_name"])
    sizes = sum(path.stat().st_size for path in served.logs.glob("*.ndjson"))
    assert sum(shown.values()) == sizes
    requests = found.of(f"{DURATIONS}_count", SERVER)
    scrapes = {("/metrics", "200"), ("_unmatched", "200")} - {(key[0], key[3]) for key in counts}
    assert {key: n for key, n in requests.items() if (key[0], key[3]) not in scrapes} == counts
    taken = found.of(f"{DURATIONS}_sum", SERVER)
    assert {key: taken[key] for key in counts} == pytest.approx(seconds, rel=1e-9)
    reserved = found.of("flowery_log_repaired_events_total", ["reason"])
    assert reserved[("reserved_name",)] == sum(e["message"] == "in the view" for e in events)
    assert sum(counts.values()) == sent


def send_until_two_have_answered(served: Served) -> int:
    """Send requests until more than one worker has taken some; return how many were sent."""
    sent, deadline = 0, time.monotonic() + 300
    while len({event["process"]["pid"] for event in access(served)}) < 2:
        assert time.monotonic() < deadline
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(served.get, ["/a", "/b", "/c", "/boom"] * (BATCH // 4)))
        sent += BATCH
        served.until(lambda: len(access(served)) == sent)
    return sent


SERVERS = {
    "gunicorn": (WSGI, "gunicorn main:app --workers 2 --threads 2 -b 127.0.0.1:{}"),
    "gunicorn, preload": (WSGI, "gunicorn main:app --preload --workers 2 -b 127.0.0.1:{}"),
    "gunicorn with Django": (DJANGO, "gunicorn main:app --workers 2 --threads 2 -b 127.0.0.1:{}"),
    "uvicorn": (ASGI, "uvicorn main:app --workers 2 --port {}"),
}


@pytest.mark.parametrize("name", SERVERS)
def test_any_worker_shows_what_all_of_them_have_written(tmp_path: Path, name: str) -> None:
    module, command = SERVERS[name]
    port = free_port()
    with serving(tmp_path, module, command.format(port).split(), port) as served:
        served.until(lambda: served.get("/metrics"))
        agree(served, send_until_two_have_answered(served))


def test_what_a_worker_had_counted_stays_when_it_ends(tmp_path: Path) -> None:
    port = free_port()
    command = f"gunicorn main:app --workers 1 -b 127.0.0.1:{port}".split()
    with serving(tmp_path, WSGI, command, port) as served:
        served.until(lambda: served.get("/metrics"))
        for _ in range(BATCH):
            served.get("/a")
        served.until(lambda: len(access(served)) == BATCH)
        worker = access(served)[0]["process"]["pid"]
        os.kill(worker, signal.SIGKILL)
        served.until(lambda: served.get("/metrics"))
        agree(served, BATCH)
        found, _ = served.scrape_at_rest()
        assert found.of("flowery_log_waiting_events", ["service_name"]) == {}


def test_a_worker_of_celery_with_processes_shows_all_of_their_tasks(tmp_path: Path) -> None:
    command = "celery -A main worker -c 2 --without-gossip --without-mingle --without-heartbeat"
    send = "import main; [main.work.apply_async((n,), ignore_result=True) for n in range(40)]"
    with serving(tmp_path, CELERY, command.split()) as served:
        served.until((tmp_path / "port").exists)
        served.port = int((tmp_path / "port").read_text())
        environment = {**served.environment}
        del environment["PROMETHEUS_MULTIPROC_DIR"]  # the sender is another service's process
        subprocess.run(
            [sys.executable, "-c", send], cwd=tmp_path, env=environment, check=True, timeout=300
        )
        served.until(lambda: sum(exposed.tasks(written(served.logs)).values()) == 44)
        found, events = served.scrape_at_rest()
        assert found.of("flowery_tasks_total", TASK) == exposed.tasks(events)
        states = {key[2]: n for key, n in exposed.tasks(events).items()}
        assert states == {"success": 36, "failure": 4, "retry": 4}
        ours = [event for event in events if event["service"]["name"] == "courier"]
        lines = found.of("flowery_log_events_total", LINES)
        assert {key: n for key, n in lines.items() if key[0] == "courier"} == exposed.lines(ours)
        waits = found.of("flowery_task_queue_wait_seconds_count", ["task"])
        assert waits == {("main.work",): 44}
