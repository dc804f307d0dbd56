"""Metrics are what the files say: lines by level, bytes, faults, and what bounds their labels."""

import logging
import shutil
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

import flowery_logging
from flowery_logging.integrations import observers, prometheus, tasks
from flowery_logging.integrations.observers import Ended

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def registry(logged):
    """A registry in which the metrics of this process are."""
    found = CollectorRegistry()
    prometheus.instrument(found)
    yield found
    prometheus.uninstrument()


def values(registry, name, *labels):
    """The numbers of one sample name that are not 0, by these labels."""
    body, _ = prometheus.exposition("", registry)
    return {
        tuple(sample.labels[label] for label in labels): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
        if sample.name == name and sample.value
    }


def value(registry, name, **labels):
    return registry.get_sample_value(name, {"service_name": "shop", **labels})


def by_level(logged):
    """Lines and bytes in the files, by service and level."""
    lines: Counter[tuple[str, str]] = Counter()
    sizes: Counter[tuple[str, str]] = Counter()
    for data, record in zip(logged.lines(), logged.records(), strict=True):
        kind = record["service"]["name"], record["log.level"]
        lines[kind] += 1
        sizes[kind] += len(data) + 1
    return lines, sizes


def ended(**facts):
    told: dict[str, Any] = {
        "method": "GET", "host": "shop.test", "route": "/orders/{id}", "status": 200,
        "duration": 12_000_000, "outcome": "success", "reason": None, "trace_id": TRACE,
    }  # fmt: skip
    return Ended(**(told | facts))


def tell(**facts):
    observer = observers.observers[-1]
    observer.request_began(facts.get("method", "GET"))
    observer.request_ended(ended(**facts))


def test_lines_and_bytes_are_those_of_the_files(logged, registry):
    log = logging.getLogger("app")
    for number in range(20):
        log.info("n %d", number, extra={"order_id": number})
        flowery_logging.get_logger().warning("꽃", order_id=number)
    log.debug("quiet")
    log.log(35, "odd")
    log.exception("x" * 50_000)
    flowery_logging.setup("courier")
    log.info("of another service")
    flowery_logging.shutdown()
    lines, sizes = by_level(logged)
    wanted = ("service_name", "level")
    assert values(registry, "flowery_log_events_total", *wanted) == lines
    assert values(registry, "flowery_log_bytes_total", *wanted) == sizes
    assert ("shop", "level 35") in lines


def test_lines_that_were_written_before_are_counted_too(logged):
    logging.getLogger("app").error("early")
    registry = CollectorRegistry()
    prometheus.instrument(registry)
    try:
        logging.getLogger("app").error("late")
        assert value(registry, "flowery_log_events_total", level="error") == 2
        assert value(registry, "flowery_log_events_total", level="info") == 1  # the header
    finally:
        prometheus.uninstrument()


@pytest.mark.parametrize("harm", ["torn", "foreign", "gone"])
def test_what_others_did_to_the_files_before_breaks_nothing(logged, harm):
    log = logging.getLogger("app")
    log.error("early")
    (path,) = logged.directory.glob("*.ndjson")
    if harm == "gone":
        shutil.rmtree(logged.directory)
    else:
        with path.open("ab") as file:
            file.write(b'{"@timestamp":"2026' if harm == "torn" else b'{"@timestamp":"x"}\n{}\n')
    registry = CollectorRegistry()
    prometheus.instrument(registry)
    try:
        errors = value(registry, "flowery_log_events_total", level="error") or 0
        assert errors == (0 if harm == "gone" else 1)
        log.error("late")
        assert value(registry, "flowery_log_events_total", level="error") == errors + 1
    finally:
        prometheus.uninstrument()


def test_nothing_is_counted_before_and_after(logged):
    registry = CollectorRegistry()
    before = observers.observers, tasks.observers
    prometheus.instrument(registry)
    prometheus.uninstrument()
    assert list(registry.collect()) == []
    assert (observers.observers, tasks.observers) == before
    prometheus.instrument(registry)
    prometheus.instrument(registry)
    logging.getLogger("app").error("x")
    assert value(registry, "flowery_log_events_total", level="error") == 1
    prometheus.uninstrument()


@pytest.mark.slow
def test_lines_of_a_signal_handler_and_of_threads_are_counted_once(logged, registry):
    import signal
    import threading

    log = logging.getLogger("app")

    def many():
        for number in range(2_000):
            log.info("n %d", number)

    before = signal.signal(signal.SIGALRM, lambda *_: log.warning("from the handler"))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        threads = [threading.Thread(target=many) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    lines, sizes = by_level(logged)
    assert values(registry, "flowery_log_events_total", "service_name", "level") == lines
    assert values(registry, "flowery_log_bytes_total", "service_name", "level") == sizes


def test_each_count_of_stats_is_a_metric(logged, registry):
    log = logging.getLogger("app")
    before = flowery_logging.stats()["dropped_by_processors"]
    log.info("x", extra={"@timestamp": 1})
    log.info("x", extra={"long": "x" * 9_000})
    log.info("x", extra={"many": list(range(1_000))})
    flowery_logging.setup(processors=[lambda event: None if event["message"] == "no" else event])
    log.info("no")
    flowery_logging.setup(processors=[])
    stats = flowery_logging.stats()
    for name, labels, count in (
        ("flowery_log_repaired_events_total", {"reason": "reserved_name"}, "reserved_names"),
        ("flowery_log_truncated_events_total", {"part": "value"}, "cut_values"),
        ("flowery_log_truncated_events_total", {"part": "list"}, "cut_lists"),
        ("flowery_log_dropped_events_total", {"reason": "processor"}, "dropped_by_processors"),
        ("flowery_log_files_opened_total", {}, "files"),
        ("flowery_log_faults_total", {"kind": "write_errors"}, "write_errors"),
        ("flowery_log_waiting_events", {}, "waiting"),
    ):
        assert value(registry, name, **labels) == stats[count], name
    dropped = value(registry, "flowery_log_dropped_events_total", reason="processor")
    assert dropped == before + 1


def test_every_count_of_stats_has_its_place(registry):
    body, _ = prometheus.exposition("", registry)
    shown = sum(
        sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
        if sample.name.startswith("flowery_log_")
        and family.type == "counter"
        and not {"level"} & sample.labels.keys()
    )
    stats = dict(flowery_logging.stats())
    in_other_ways = stats["events"] + stats["waiting"] + stats["redacted"]  # the last by kind
    assert shown == sum(stats.values()) - in_other_ways


def test_what_is_no_fault_is_not_shown_as_one(logged, registry):
    flowery_logging.setup(flood="1/60s", sample="1%")
    log = logging.getLogger("app")
    for _ in range(3):
        log.warning("card 4111 1111 1111 1111", extra={"password": "x"})
    for _ in range(50):
        with flowery_logging.continue_trace({}):
            log.info("sampled")
    flowery_logging.setup(flood="OFF", sample="OFF")
    faults = {kind for (kind,) in values(registry, "flowery_log_faults_total", "kind")}
    assert faults <= {"write_errors", "interrupted", "rewritten", "processor_errors",
                      "handler_errors", "undone", "mirror_errors", "own_changes"}  # fmt: skip
    stats = flowery_logging.stats()
    left_out = values(registry, "flowery_log_left_out_events_total", "reason")
    assert left_out["flood",] == stats["left_out_by_flood"]
    assert left_out["sampling",] == stats["left_out_by_sampling"]
    redacted = values(registry, "flowery_log_redacted_values_total", "kind")
    assert redacted["card",] == stats["redacted_card"]
    assert sum(redacted.values()) == stats["redacted"]


def test_the_files_that_lie_there_and_what_retention_leaves(logged, registry):
    logging.getLogger("app").info("x")
    assert value(registry, "flowery_log_files") == 1
    assert value(registry, "flowery_log_open_files") == 1
    assert value(registry, "flowery_log_files_bytes") == sum(len(x) + 1 for x in logged.lines())
    assert value(registry, "flowery_log_keep_bytes") == 1024**3
    assert value(registry, "flowery_log_keep_seconds") == 7 * 86_400
    assert value(registry, "flowery_log_last_write_timestamp_seconds") > 0
    assert value(registry, "flowery_log_label_names_limit") == 256
    flowery_logging.shutdown()
    assert values(registry, "flowery_log_open_files") == {}


def test_a_level_is_there_before_its_first_event(registry):
    for level in ("debug", "info", "warning", "error", "critical"):
        assert value(registry, "flowery_log_events_total", level=level) == 0


def test_each_write_has_its_time(logged, registry):
    for _ in range(10):
        logging.getLogger("app").info("x")
    lines = len(logged.lines())
    assert value(registry, "flowery_log_write_duration_seconds_count") == lines
    assert value(registry, "flowery_log_write_duration_seconds_bucket", le="+Inf") == lines
    assert value(registry, "flowery_log_write_duration_seconds_sum") > 0


def test_a_child_of_a_fork_begins_at_zero(logged, registry, tmp_path):
    import os

    logging.getLogger("app").info("of the parent")
    child = os.fork()
    if child == 0:
        logging.getLogger("app").error("of the child")
        found = values(registry, "flowery_log_events_total", "level")
        (tmp_path / "found").write_text(repr(found))
        os._exit(0)
    os.waitpid(child, 0)
    assert eval((tmp_path / "found").read_text()) == {("error",): 1.0, ("info",): 1.0}


@pytest.mark.slow
def test_labels_are_bounded_whatever_callers_send(registry):
    for number in range(600):
        tell(method=f"M{number}", route=f"/{number}", status=900 + number)
    tell(route=None, status=404)
    name = "http_server_request_duration_seconds_count"
    labels = ("http_request_method", "http_response_status_code", "http_route")
    found = values(registry, name, *labels)
    assert {key[:2] for key in found} == {("_OTHER", "_OTHER"), ("GET", "404")}
    assert len({key[2] for key in found}) == 501
    assert found["_OTHER", "_OTHER", "_OTHER"] == 100


def test_a_request_that_no_route_has_taken(registry):
    tell(route=None, status=404)
    labels = {
        "http_request_method": "GET", "http_response_status_code": "404",
        "http_route": "_unmatched", "error_type": "",
    }  # fmt: skip
    assert value(registry, "http_server_request_duration_seconds_count", **labels) == 1


@pytest.mark.parametrize(
    ("facts", "error_type"),
    [
        ({"status": 404}, ""),
        ({"status": 500, "outcome": "failure"}, "500"),
        ({"status": None, "outcome": "failure"}, "_OTHER"),
        (
            {"status": None, "outcome": "unknown", "reason": "client disconnected"},
            "client_disconnected",
        ),
    ],
)
def test_the_error_type_tells_why_it_is_no_success(registry, facts, error_type):
    tell(**facts)
    name = "http_server_request_duration_seconds_count"
    assert values(registry, name, "error_type") == {(error_type,): 1}


def test_requests_in_progress(registry):
    observer = observers.observers[-1]
    observer.request_began("GET")
    observer.request_began("GET")
    observer.request_ended(ended())
    name = "http_server_active_requests"
    assert value(registry, name, http_request_method="GET") == 1


def test_tasks_by_name_and_outcome_with_duration_and_wait(registry):
    observe = tasks.observers[-1]
    observe(tasks.Ended("pack", "1", "success", "success", 2_000_000_000, 500_000_000, TRACE))
    observe(tasks.Ended("pack", "2", "revoked", "unknown", None, None, TRACE))
    states = {"task": "pack", "state": "revoked", "outcome": "unknown"}
    assert value(registry, "flowery_tasks_total", **states) == 1
    whole = {"task": "pack", "outcome": "success"}
    assert value(registry, "flowery_task_duration_seconds_sum", **whole) == 2
    assert value(registry, "flowery_task_queue_wait_seconds_sum", task="pack") == 0.5
    assert value(registry, "flowery_task_queue_wait_seconds_count", task="pack") == 1


def test_calls_by_host(registry):
    observer = observers.observers[-1]
    observer.call_ended(ended(host="Orders.Internal", route=None, status=503, outcome="failure"))
    labels = {
        "server_address": "orders.internal", "http_request_method": "GET",
        "http_response_status_code": "503", "error_type": "503",
    }  # fmt: skip
    assert value(registry, "http_client_request_duration_seconds_sum", **labels) == 0.012


def test_the_official_parsers_read_the_text_and_exemplars_lead_to_the_trace(logged, registry):
    tell()
    logging.getLogger("app").info("x")
    text, content_type = prometheus.exposition(OPENMETRICS, registry)
    assert content_type.startswith("application/openmetrics-text")
    samples = [
        sample
        for family in openmetrics.text_string_to_metric_families(text.decode())
        for sample in family.samples
        if sample.exemplar
    ]
    assert {sample.exemplar.labels["trace_id"] for sample in samples} == {TRACE}
    assert {sample.name for sample in samples} == {"http_server_request_duration_seconds_bucket"}
    plain, content_type = prometheus.exposition("text/plain", registry)
    assert content_type.startswith("text/plain")
    names = {family.name for family in text_string_to_metric_families(plain.decode())}
    assert {"flowery_log_events", "http_server_request_duration_seconds"} <= names


@pytest.mark.slow
def test_the_endpoint_of_wsgi_and_of_a_port(logged, registry):
    import urllib.request

    server = prometheus.serve(0, registry=registry)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics") as answer:
            assert b"flowery_log_events_total" in answer.read()
            assert answer.headers["Content-Type"].startswith("text/plain")
            assert answer.headers["Cache-Control"] == "no-store"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.slow
def test_nothing_is_imported_where_it_is_not_asked_for():
    code = (
        "import sys, flowery_logging; flowery_logging.setup(output='none')\n"
        "import flowery_logging.integrations.asgi, flowery_logging.integrations.wsgi\n"
        "sys.exit('prometheus_client' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_registry_that_has_such_metrics_already_is_refused(logged, registry):
    prometheus.uninstrument()
    other = CollectorRegistry()
    from prometheus_client import Counter as Metric

    Metric("http_server_active_requests", "", registry=other)
    with pytest.raises(ValueError, match="http_server_active_requests"):
        prometheus.instrument(other)
    prometheus.instrument(CollectorRegistry())


def test_a_conflict_leaves_nothing_behind(logged):
    from prometheus_client import Counter as Metric

    other = CollectorRegistry()
    Metric("flowery_tasks", "", registry=other)
    with pytest.raises(ValueError, match="flowery_tasks"):
        prometheus.instrument(other)
    assert [family.name for family in other.collect()] == ["flowery_tasks"]


def run(tmp_path, code, **environment):
    import os

    return subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip


INSTRUMENT = """
import flowery_logging
flowery_logging.setup("shop", directory="logs", output="file")
from flowery_logging.integrations import observers, prometheus
prometheus.instrument()
"""


@pytest.mark.slow
def test_a_shared_directory_that_is_none_is_named(tmp_path):
    done = run(tmp_path, INSTRUMENT, PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "none"))
    assert "PROMETHEUS_MULTIPROC_DIR" in done.stderr
    assert "is no directory" in done.stderr


@pytest.mark.slow
def test_a_shared_directory_that_is_set_too_late_is_told(tmp_path):
    code = "import os, prometheus_client; os.environ['PROMETHEUS_MULTIPROC_DIR'] = '.'"
    done = run(tmp_path, f"{code}\n{INSTRUMENT}")
    assert "was set after prometheus_client was imported" in done.stderr


FORK = """
import os
observer = observers.observers[-1]
for _ in range(2):
    child = os.fork()
    if child == 0:
        for _ in range(3):
            observer.request_began("GET")
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.slow
@pytest.mark.parametrize("shared", [False, True])
def test_a_child_whose_numbers_nobody_shows_says_so_once(tmp_path, shared):
    (tmp_path / "shared").mkdir()
    directory = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "shared")} if shared else {}
    done = run(tmp_path, INSTRUMENT + FORK, **directory)
    assert done.returncode == 0, done.stderr
    text = "".join(path.read_text() for path in (tmp_path / "logs").glob("*.ndjson"))
    assert text.count("forked from one that counts metrics") == (0 if shared else 2)


def test_lines_on_standard_output_are_counted_too(logged, registry):
    logged.setup(output="stdout")
    logging.getLogger("app").error("x")
    found = values(registry, "flowery_log_events_total", "level")
    assert found[("error",)] == 1


def test_after_a_shutdown_the_numbers_keep_their_service(logged, registry):
    tell()
    logging.getLogger("app").error("x")
    flowery_logging.shutdown()
    tell()
    body, _ = prometheus.exposition("", registry)
    assert b'service_name=""' not in body
    assert values(registry, "http_server_request_duration_seconds_count", "service_name") == {
        ("shop",): 2
    }


AGAIN = """
import logging, sys
logging.error("x")
prometheus.uninstrument()
prometheus.instrument()
logging.error("y")
sys.stdout.write(prometheus.exposition()[0].decode())
"""


@pytest.mark.slow
def test_what_is_instrumented_again_is_counted_once(tmp_path):
    (tmp_path / "shared").mkdir()
    done = run(tmp_path, INSTRUMENT + AGAIN, PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "shared"))
    assert 'flowery_log_events_total{level="error",service_name="shop"} 2.0' in done.stdout
