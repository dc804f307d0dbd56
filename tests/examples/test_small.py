"""The small examples, run as their table says: one trace over the parts, and nothing lost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import nbformat
import pytest

from examples import running
from tests.examples.small import (
    ROOT,
    WITHIN,
    assert_nothing_is_lost,
    assert_orders_reach_the_courier,
    environment,
    run,
)

PAGES = [ROOT / "examples" / name for name in ("README.md", "README.ko.md")]
NAMES = re.findall(r"^\| `make example NAME=(\w+)`", PAGES[0].read_text(), re.MULTILINE)


def test_the_table_names_each_example_in_both_languages():
    there = {path.parent.name for path in (ROOT / "examples").glob("*/__main__.py")} | {"script"}
    assert set(NAMES) == there
    english, korean = (page.read_text() for page in PAGES)
    for pattern in (r"`[^`]+`", r"\]\(([^)]+)\)"):
        found = [Counter(re.findall(pattern, page)) for page in (english, korean)]
        differing = (found[0] - found[1]) + (found[1] - found[0])
        assert set(differing) <= {"README.md", "README.ko.md"}
    for path in re.findall(r"\]\(([^)]+)\)", english):
        assert (ROOT / "examples" / path).exists()


def make(*arguments):
    """Run make as a person does, also where the tests were started by make."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--dry-run", *arguments]
    return subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", NAMES)
def test_make_runs_it(name):
    said = make("example", f"NAME={name}")
    assert said.stdout.splitlines()[-1] == f".venv/bin/python -m examples.{name}"


def test_make_says_which_examples_there_are():
    said = make("example", "NAME=fastpi")
    assert said.returncode == 2
    assert f"NAME is 'fastpi'; allowed are: {' '.join(NAMES)}" in said.stderr


@pytest.mark.slow
def test_fastapi(tmp_path):
    found = run("fastapi", tmp_path)
    calls = found.of("flowery_logging.client")
    access = found.of("flowery_logging.access")
    assert [e["service"]["name"] for e in (*calls, *access)] == ["customer"] * 3 + ["orders"] * 3
    assert [e["parent"]["id"] for e in access] == [e["span"]["id"] for e in calls]
    assert [e["http"]["response"]["status_code"] for e in access] == [201, 200, 404]
    placed, receipt = found.one("주문 접수"), found.one("영수증 발송")
    assert placed["numeric_labels"] == {"order_id": 1}
    assert placed["transaction"] == receipt["transaction"] == access[0]["transaction"]
    assert receipt["numeric_labels"] == {"order_id": 1}
    assert found.one("no such order")["transaction"] == access[2]["transaction"]
    assert found.one("done")["service"]["name"] == "customer"


@pytest.mark.slow
def test_django(tmp_path):
    found = run("django", tmp_path)
    calls = found.of("flowery_logging.client")
    access = found.of("flowery_logging.access")
    assert [e["url"]["path"] for e in access] == [
        "/price/rose",
        "/price/oak",
        "/stock/rose",
        "/pay",
    ]
    assert [e["parent"]["id"] for e in access] == [e["span"]["id"] for e in calls[1:]]
    assert {e["service"]["name"] for e in access} == {"shop"}
    assert found.one("가격 조회")["labels"] == {"item": "rose"}
    assert found.one("재고 조회")["labels"] == {"item": "rose", "step": "warehouse"}
    (error,) = [e for e in found.trace if "error" in e]
    assert error["error"]["type"] == "ConnectionError"
    assert error["transaction"] == access[3]["transaction"]
    assert found.one("done")["service"]["name"] == "customer"


@pytest.mark.slow
def test_djangos_own_check_finds_nothing(tmp_path):
    settings = {"DJANGO_SETTINGS_MODULE": "examples.django.settings"}
    checked = subprocess.run(
        [sys.executable, "-m", "django", "check"],
        cwd=ROOT, env=environment(tmp_path) | settings, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "no issues" in checked.stdout


@pytest.mark.slow
def test_celery(tmp_path):
    found = run("celery", tmp_path)
    ends = found.of("flowery_logging.task")
    assert [end["message"].rpartition(".")[2] for end in ends] == [
        "pack: retry", "pack: success", "mail: success",
    ]  # fmt: skip
    assert {e["service"]["name"] for e in ends} == {"courier"}
    assert found.one("주문 접수")["service"]["name"] == "shop"
    packed, mailed = found.one("포장 완료"), found.one("배송 출발")
    assert packed["transaction"] == ends[1]["transaction"]
    assert mailed["transaction"] == ends[2]["transaction"]
    assert {e["numeric_labels"]["order_id"] for e in (packed, mailed)} == {7}


@pytest.mark.slow
def test_script(tmp_path):
    found = run("script", tmp_path)
    messages = Counter(event["message"] for event in found.trace)
    assert messages == {
        "job begins": 1, "매출 집계": 2, "매출 집계 실패": 1, "보고서 작성": 1, "job ends": 1,
    }  # fmt: skip
    shops = {e["labels"]["shop"]: e for e in found.trace if "shop" in e["labels"]}
    assert set(shops) == {"서울", "대구", "부산"}
    assert shops["부산"]["error"]["type"] == "ValueError"
    assert {e["labels"]["job"] for e in found.trace} == {"nightly"}
    begins, report = found.one("job begins"), found.one("보고서 작성")
    assert all(e["process"]["thread"] != begins["process"]["thread"] for e in shops.values())
    assert report["process"]["entity_id"] != begins["process"]["entity_id"]
    assert found.one("job ends")["numeric_labels"] == {"total": 211_500}


@pytest.mark.slow
def test_kafka_with_the_broker_of_its_client(tmp_path):
    assert_orders_reach_the_courier(run("kafka", tmp_path))


@pytest.mark.slow
def test_notebook(tmp_path):
    found = run("notebook", tmp_path)
    messages = Counter(event["message"] for event in found.trace)
    assert messages == {"매출 읽음": 1, "매출 집계": 2, "매출 집계 실패": 1, "매출 합계": 1}
    assert len({event["transaction"]["id"] for event in found.trace}) == 3  # a cell each
    assert found.one("매출 합계")["numeric_labels"] == {"total": 211_500}
    assert "'211,500원'" in found.shown
    others = {r["log"]["logger"] for r in found.records} - {"flowery_logging", "takings"}
    assert others == set()  # nothing that the kernel tells itself


def test_the_notebook_is_kept_without_outputs():
    for path in (ROOT / "examples").rglob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert cells
        assert not any(cell.outputs or cell.execution_count for cell in cells), path


@pytest.mark.slow
def test_a_program_that_does_not_start_is_shown_with_what_it_said(tmp_path):
    said = pytest.raises(running.ProgramError, match=r"no_such_module ended with(?s:.*)No module")
    with said, running.program(tmp_path, "no_such_module") as started:
        started.wait_until(lambda: False)


@pytest.mark.slow
def test_sigterm_leaves_no_program_running(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "examples.kafka"],
        cwd=ROOT,
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as example:
        deadline = time.monotonic() + WITHIN
        while not children(example.pid):
            assert example.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        (courier,) = children(example.pid)
        example.send_signal(signal.SIGTERM)
        assert example.wait(WITHIN) == -signal.SIGTERM
    assert not Path(f"/proc/{courier}").exists()
    assert_nothing_is_lost(tmp_path)


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and that still run."""
    text = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in text.read_text().split()] if text.exists() else []
