"""The exporter shows what the files hold, whoever writes them, and what ships them."""

import json
import logging
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import httpx
import pytest
from click.testing import CliRunner
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

import flowery_logging
from flowery_logging import trace
from flowery_logging.cli.commands import commands
from flowery_logging.cli.exporter.command import registry_of
from flowery_logging.integrations import fastapi, prometheus, tasks
from flowery_logging.integrations.httpx import instrument, uninstrument
from flowery_logging.integrations.prometheus.endpoint import listen
from tests.integrations import exposed
from tests.integrations.exposed import CLIENT, LINES, SERVER, TASK, Exposed

DURATIONS = "http_server_request_duration_seconds"
CALLS = "http_client_request_duration_seconds"


class Scraped:
    """An exporter of a directory, and how Prometheus asks it."""

    def __init__(self, url):
        self.url = url

    def text(self):
        with urllib.request.urlopen(self.url) as answer:
            return answer.read().decode()

    def scrape(self):
        return Exposed(self.text())


@pytest.fixture
def export():
    """Shows a directory from a thread of this process."""
    servers = []

    def start(directory, **programs):
        server = listen("127.0.0.1", 0, registry_of(str(directory), **programs))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return Scraped(f"http://127.0.0.1:{server.server_port}/metrics")

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def refuse(request):
    raise httpx.ConnectError("refused")


def busy():
    """Requests, a task and lines of all kinds."""
    app = FastAPI()

    @app.get("/orders/{order_id}")
    async def order(order_id: int):
        if order_id == 500:
            raise ValueError("no flowers")
        return order_id

    fastapi.instrument(app)
    client = TestClient(app, raise_server_exceptions=False)
    for path in ("/orders/1", "/orders/2", "/orders/500", "/nowhere"):
        client.get(path)
    instrument()
    try:
        with httpx.Client(transport=httpx.MockTransport(refuse)) as calls:
            for host in ("stock.internal", "pay.internal"):
                with pytest.raises(httpx.ConnectError):
                    calls.get(f"http://{host}/")
    finally:
        uninstrument()
    run = tasks.Run("pack", "1", trace.request_of_message({}))
    run.waited = 250_000_000
    run.start(0)
    run.end(tasks.SUCCESS, 2_000_000_000)
    logging.getLogger("app").warning("꽃 " * 100)


def test_lines_requests_and_tasks_are_those_of_the_files(logged, export):
    busy()
    exporter = export(logged.directory)
    found = exporter.scrape()
    assert found.of("flowery_log_events_total", LINES) == exposed.lines(logged.records())
    sizes = found.of("flowery_log_bytes_total", ["service_name"])
    assert sizes == {("shop",): sum(len(line) + 1 for line in logged.lines())}
    counts, seconds = exposed.requests(logged.records())
    assert found.of(f"{DURATIONS}_count", SERVER) == counts
    assert found.of(f"{DURATIONS}_sum", SERVER) == pytest.approx(seconds, rel=1e-9)
    assert found.of("flowery_tasks_total", TASK) == {("shop", "pack", "success", "success"): 1}
    assert found.of("flowery_task_queue_wait_seconds_sum", ["task"]) == {("pack",): 0.25}
    assert found.of("flowery_log_files", ["service_name"]) == {("shop",): 1}
    assert found.of("flowery_log_open_files", ["service_name"]) == {("shop",): 1}


@pytest.mark.slow
def test_the_command_shows_them_until_it_is_ended(logged):
    logging.getLogger("app").warning("꽃")
    command = [sys.executable, "-m", "flowery_logging", "exporter", str(logged.directory)]
    with subprocess.Popen(
        [*command, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert said.startswith("metrics on http://127.0.0.1:")
        found = Scraped(said.rpartition(" ")[2].strip()).scrape()
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=300)
    assert found.of("flowery_log_events_total", LINES) == exposed.lines(logged.records())
    assert (process.returncode, rest) == (0, "")


@pytest.mark.parametrize("declared", [{}, {"http.route": "keyword"}])
def test_a_service_and_its_exporter_say_the_same(logged, export, declared):
    flowery_logging.setup(fields=declared)
    registry = CollectorRegistry()
    prometheus.instrument(registry)
    try:
        busy()
        ours = Exposed(prometheus.exposition("", registry)[0].decode())
    finally:
        prometheus.uninstrument()
    theirs = export(logged.directory).scrape()
    for name, labels in (
        ("flowery_log_events_total", LINES),
        ("flowery_log_bytes_total", LINES),
        ("flowery_tasks_total", TASK),
        (f"{DURATIONS}_count", SERVER),
        (f"{DURATIONS}_bucket", (*SERVER, "le")),
        (f"{CALLS}_count", CLIENT),
        ("flowery_task_duration_seconds_bucket", ("task", "outcome", "le")),
    ):
        assert theirs.of(name, labels) == ours.of(name, labels), name


def test_new_lines_new_files_and_new_services_are_followed(logged, export):
    exporter = export(logged.directory)
    logging.getLogger("app").error("one")
    first = exporter.scrape().of("flowery_log_events_total", LINES)
    assert first == exposed.lines(logged.records())
    flowery_logging.setup("courier", max_bytes=5_000)
    for _ in range(100):
        logging.getLogger("app").info("x" * 100)
    found = exporter.scrape()
    assert found.of("flowery_log_events_total", LINES) == exposed.lines(logged.records())
    assert found.of("flowery_log_files", ["service_name"])[("courier",)] > 2


def test_what_is_no_event_is_counted_as_such(logged, export):
    logging.getLogger("app").error("one")
    (path,) = logged.directory.glob("*.ndjson")
    lines = path.read_bytes()
    other = path.with_name(path.name.replace("shop", "other"))
    other.write_bytes(b'{"message":"foreign"}\nnot json\n' + lines[:200] + b"\n")
    found = export(logged.directory).scrape()
    kinds = found.of("flowery_log_foreign_lines_total", ["service_name", "kind"])
    assert kinds == {("other", "foreign"): 2, ("other", "torn"): 1}


def test_what_claims_to_be_an_access_event_breaks_nothing(logged, export):
    import flowery_logging.integrations.exchange  # noqa: F401 - its logger

    for fields in (
        {"event.duration": "long"},
        {"http.request.method": 7, "event.duration": 5, "http.response.status_code": 99_999},
        {"event.duration": -5, "event.reason": ["x"], "labels": {"http_route": 7}},
        {"task": 7, "event.action": "task-", "event.type": ["end"]},
    ):
        for name in ("access", "client", "task"):
            logging.getLogger(f"flowery_logging.{name}").info("x", extra=fields)
    found = export(logged.directory).scrape()
    assert found.of("flowery_log_events_total", LINES) == exposed.lines(logged.records())


class Answers(BaseHTTPRequestHandler):
    """Filebeat and Logstash, as their documentation shows their answers."""

    found: ClassVar[dict[str, Any]] = {
        "/stats": {
            "filebeat": {"harvester": {"open_files": 2}},
            "libbeat": {
                "output": {"events": {"acked": 70, "failed": 3, "dropped": 1, "active": 0}},
                "pipeline": {"events": {"active": 12}},
            },
        },
        "/_node/stats/pipelines": {
            "pipelines": {
                "flowery": {
                    "events": {"in": 9, "out": 8},
                    "queue": {
                        "type": "persisted", "events_count": 1, "queue_size_in_bytes": 300,
                        "max_queue_size_in_bytes": 1000,
                    },
                    "dead_letter_queue": {"queue_size_in_bytes": 1},
                },
                ".monitoring": {"events": None},
            }
        },
    }  # fmt: skip

    def do_GET(self):
        body = json.dumps(self.found[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def programs():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_numbers_of_filebeat_and_logstash(tmp_path, programs, export):
    exporter = export(tmp_path, filebeat=programs, logstash=programs)
    found = exporter.scrape()
    assert found.of("flowery_filebeat_up", []) == {(): 1}
    assert found.of("flowery_filebeat_acked_events_total", []) == {(): 70}
    assert found.of("flowery_filebeat_active_events", []) == {(): 12}
    assert found.of("flowery_logstash_up", []) == {(): 1}
    assert found.of("flowery_logstash_queue_limit_bytes", ["pipeline"]) == {("flowery",): 1000}
    assert found.of("flowery_logstash_out_events_total", ["pipeline"]) == {("flowery",): 8}


def test_a_program_that_does_not_answer_is_told_and_hides_nothing_else(logged, export):
    logging.getLogger("app").error("one")
    text = export(logged.directory, filebeat="http://127.0.0.1:9").text()
    assert "flowery_filebeat_up 0.0" in text
    assert Exposed(text).of("flowery_log_events_total", LINES) == exposed.lines(logged.records())
    names = {family.name for family in text_string_to_metric_families(text)}
    assert "flowery_filebeat_acked_events" not in names


def test_it_listens_on_loopback_unless_told_otherwise(tmp_path):
    shown = CliRunner().invoke(commands, ["exporter", "--help"]).output
    assert "127.0.0.1:9465" in shown


@pytest.mark.parametrize("address", ["9465", "localhost", "localhost:99999", ":9465", "a:b"])
def test_an_address_that_is_none_is_named(tmp_path, address):
    done = CliRunner().invoke(commands, ["exporter", str(tmp_path), "--listen", address])
    assert done.exit_code == 2
    assert repr(address) in done.output


def test_an_address_that_is_taken(tmp_path, programs):
    address = programs.removeprefix("http://")
    done = CliRunner().invoke(commands, ["exporter", str(tmp_path), "--listen", address])
    assert done.exit_code == 2
    assert f"cannot listen on {address}" in done.output


def test_a_url_that_is_none_is_named(tmp_path):
    done = CliRunner().invoke(commands, ["exporter", str(tmp_path), "--filebeat", "localhost"])
    assert done.exit_code == 2
    assert "--filebeat" in done.output


def test_files_that_cannot_be_read_make_no_empty_answer(logged, export, monkeypatch):
    exporter = export(logged.directory)
    logged.directory.rename(logged.directory.with_name("away"))
    assert exporter.scrape().of("flowery_log_files", ["service_name"]) == {}
    logged.directory.write_text("no directory")
    with pytest.raises(urllib.error.HTTPError, match="500") as refused:
        exporter.text()
    refused.value.close()
    logged.directory.unlink()
