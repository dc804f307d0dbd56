"""`make demo` as a person runs it: real services, real requests, real files."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SERVICES = ("gateway", "orders", "courier")


started: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def ended():
    """Let no demonstration outlive a test that has failed while it ran."""
    yield
    while started:
        process = started.pop()
        if process.poll() is None:
            process.terminate()  # it stops its services, which have sessions of their own
            process.communicate(timeout=300)


def start(directory, *options, **environment):
    process = subprocess.Popen(
        [sys.executable, "-m", "examples.shop.demo", "--directory", str(directory), *options],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    started.append(process)
    return process


def finish(process, within=300):
    try:
        out, err = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, out, err


def service_pid(directory, name):
    return int(json.loads((directory / f"{name}.tally.json").read_text())["pid"])


def wait_until(true, within=300):
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def runs(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def traffic_has_begun(directory):
    """Whether all services have logged what only requests can make them log."""
    with contextlib.suppress(OSError, ValueError):
        return all(
            json.loads((directory / f"{name}.tally.json").read_text())["events"] > 30
            for name in SERVICES
        )
    return False


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demonstration, run once: its directory, exit code and output."""
    directory = tmp_path_factory.mktemp("demo")
    return directory, *finish(start(directory, "--requests", "60"))


@pytest.fixture(scope="module")
def events(demo):
    directory = demo[0]
    return [
        json.loads(line)
        for path in directory.glob("*.ndjson")
        for line in path.read_text().splitlines()
    ]


def test_it_succeeds_and_shows_what_a_person_wants_to_see(demo):
    directory, code, out, err = demo
    assert (code, [line for line in err.splitlines() if not line.endswith("%")]) == (0, [])
    for path in directory.glob("*.ndjson"):
        assert str(path) in out
    assert '"message": "주문 완료"' in out
    assert "PaymentError: 결제 실패: 1 x rose" in out
    assert "Every event is there, exactly once." in out


def test_its_progress_is_plain_lines_where_no_terminal_is(demo):
    assert demo[3].splitlines() == [f"{percent}%" for percent in range(10, 101, 10)]


def test_its_counts_are_those_of_the_services_and_nothing_is_missing(demo, events):
    directory, _, out, _ = demo
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line}
    for name in SERVICES:
        counted = json.loads((directory / f"{name}.tally.json").read_text())["events"]
        assert rows[name] == [str(counted), str(counted), "0", "0"]
        sequence = [e["event"]["sequence"] for e in events if e["service"]["name"] == name]
        assert sequence == list(range(1, len(sequence) + 1))
        assert 0 < counted <= len(sequence)


def test_no_service_is_left_running(demo):
    assert not any(runs(service_pid(demo[0], name)) for name in SERVICES)


def test_every_line_of_a_request_carries_its_trace_and_its_request_id(events):
    of_requests = (
        "shop.gateway", "shop.orders", "shop.courier",
        "flowery_logging.access", "flowery_logging.task", "flowery_logging.task.start",
    )  # fmt: skip
    lines = [event for event in events if event["log"]["logger"] in of_requests]
    assert len(lines) > 400
    for line in lines:
        assert len(line["trace"]["id"]) == 32
        assert len(line["transaction"]["id"]) == 16
        assert line["http"]["request"]["id"]
    by_trace: dict[str, list[Any]] = {}
    for line in lines:
        by_trace.setdefault(line["trace"]["id"], []).append(line)
    assert len(by_trace) == 60
    for of_one in by_trace.values():
        hops = {(line["service"]["name"], line["transaction"]["id"]) for line in of_one}
        ordered = any(line["message"] == "주문 완료" for line in of_one)
        names = ["courier", "gateway", "orders"] if ordered else ["gateway", "orders"]
        assert sorted(name for name, _ in hops) == names
        assert len({line["http"]["request"]["id"] for line in of_one}) == 1


def test_each_request_has_one_access_event_in_each_service_and_each_order_one_of_its_task(events):
    of_ends = ("flowery_logging.access", "flowery_logging.task")
    ends = [e for e in events if e["log"]["logger"] in of_ends]
    by_service = {name: [e for e in ends if e["service"]["name"] == name] for name in SERVICES}
    assert {name: len(found) for name, found in by_service.items()} == {
        "gateway": 60,
        "orders": 60,
        "courier": 30,
    }
    assert {e["labels"]["http_route"] for e in by_service["gateway"]} == {
        "/checkout",
        "/flowers/{item}",
    }
    assert {e["labels"]["http_route"] for e in by_service["orders"]} == {
        "/orders",
        "/stock/<str:item>",
    }


def test_tasks_and_threads_carry_the_trace(events):
    for message, many in {"영수증 발송": 30, "재고 조회": 18}.items():
        found = [event for event in events if event["message"] == message]
        assert len(found) == many
        assert all(len(event["trace"]["id"]) == 32 for event in found)


def test_an_unhandled_exception_stands_once_with_its_cause(events):
    found = [event for event in events if "error" in event]
    assert len(found) == 6
    for event in found:
        assert event["service"]["name"] == "orders"
        assert event["message"] == "Internal Server Error: /orders"
        assert event["error"]["message"] == "결제 실패: 1 x rose"
        assert "ConnectionResetError: bank.example" in event["error"]["stack_trace"]


def test_each_call_names_its_span_to_both_sides_and_httpx_repeats_it_in_no_line(events):
    assert not [event for event in events if event["log"]["logger"] == "httpx"]
    access = [e for e in events if e["log"]["logger"] == "flowery_logging.access"]
    called = [e["labels"]["call_span_ids"] for e in access if e["service"]["name"] == "gateway"]
    spans = [span for one in called for span in ([one] if isinstance(one, str) else one)]
    assert len(set(spans)) == len(spans) == 60
    parents = {e["parent"]["id"] for e in access if e["service"]["name"] == "orders"}
    assert parents == set(spans)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_process_behind(tmp_path, signum):
    process = start(tmp_path, "--requests", "100000")
    wait_until(lambda: traffic_has_begun(tmp_path))
    pids = [service_pid(tmp_path, name) for name in SERVICES]
    assert all(map(runs, pids))
    os.killpg(process.pid, signum)  # as a terminal's Ctrl-C does: the whole group
    code, _, err = finish(process)
    assert code == 128 + signum
    assert "no service is left running" in err
    assert not any(map(runs, pids))


def test_a_signal_before_the_services_are_ready_leaves_no_process_behind(tmp_path):
    process = start(tmp_path, "--requests", "100000")
    wait_until((tmp_path / "orders.output").exists)
    process.send_signal(signal.SIGINT)
    code, _, _ = finish(process)
    assert code == 128 + signal.SIGINT
    tallies = [path for path in tmp_path.glob("*.tally.json") if path.stat().st_size]
    for tally in tallies:
        assert not runs(service_pid(tmp_path, tally.name.split(".")[0]))


def test_a_service_that_cannot_start_is_named_with_what_it_said(tmp_path):
    code, _, err = finish(start(tmp_path, FLOWERY_LOG_LEVEL="LOUD"))
    assert code == 1
    assert "courier ended with exit code 1" in err
    assert "LOUD" in err


def test_a_service_that_dies_is_named(tmp_path):
    process = start(tmp_path, "--requests", "100000")
    wait_until(lambda: traffic_has_begun(tmp_path))
    os.kill(service_pid(tmp_path, "orders"), signal.SIGKILL)
    code, _, err = finish(process)
    assert code == 1
    assert "orders ended with exit code -9" in err
    assert not runs(service_pid(tmp_path, "gateway"))
