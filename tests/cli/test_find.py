"""`find`: the requests in which a value occurs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from flowery_logging.cli.find.value import Value
from flowery_logging.files.columns import width
from tests.cli.conftest import flowery
from tests.cli.events import START, TRACE, Service, checkout, stamp


def found(*arguments: str | Path, code: int = 0) -> list[dict[str, Any]]:
    done = flowery("find", "--json", *arguments)
    assert (done.returncode, done.stderr) == (code, "")
    content: list[dict[str, Any]] = json.loads(done.stdout)["requests"]
    return content


def traces(*arguments: str | Path) -> list[str]:
    return [request["trace_id"][0] for request in found(*arguments)]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for number, letter in enumerate("abcdefgh"):
        checkout(tmp_path, letter * 32, at=60.0 * number)
    return tmp_path


@pytest.mark.slow
def test_requests_the_newest_first(directory: Path) -> None:
    assert traces("7", directory) == list("hgfedcba")
    assert traces("customer-5", directory, "-n", "2") == ["h", "g"]
    assert traces("결제 실패", directory, "--since", stamp(200)) == ["h", "g", "f", "e"]
    assert traces("tulip", directory, "--until", stamp(30)) == ["a"]
    assert traces("배송", directory, "--service", "courier", "-n", "1") == ["h"]
    assert found("tulip", directory, "--service", "courier", code=1) == []
    first = found("주문 접수", directory)[0]
    del first["first_event"]
    assert first == {
        "trace_id": "h" * 32, "request_id": "req-가-1", "time": stamp(420.032),
        "title": "POST /checkout 502", "status": 502, "duration_ms": 100.0,
        "services": ["gateway", "orders", "courier"], "errors": 3, "matching_events": 1,
        "field": "message",
    }  # fmt: skip


@pytest.mark.slow
def test_how_it_is_shown(directory: Path) -> None:
    done = flowery("find", "customer-5", directory, "-n", "3", COLUMNS="60", TZ="UTC")
    lines = done.stdout.splitlines()
    assert len(lines) == 6
    assert "POST /checkout 502" in lines[0]
    assert lines[1].startswith(f"    trace {'h' * 32}")
    assert max(map(width, lines)) <= 60
    assert "5 older requests are not shown" in done.stderr
    done = flowery("find", "customer-5", directory, "-n", "1")
    assert "gateway, orders, courier" in done.stdout
    assert "user.id=customer-5" in done.stdout


@pytest.mark.slow
def test_what_is_not_there(directory: Path) -> None:
    assert found("nothing", directory, code=1) == []
    done = flowery("find", "nothing", directory)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "nothing occurs in no request\n")
    assert flowery("find", "", directory).returncode == 2


def test_of_a_request_older_files_tell_too(tmp_path: Path) -> None:
    checkout(tmp_path, at=0)["gateway"].log(100, "late 7", order_id=70, trace__id=TRACE)
    orders = Service(tmp_path, "orders").path
    os.utime(orders, (START.timestamp() + 1, START.timestamp() + 1))
    (one,) = found("70", tmp_path, "--since", stamp(50))
    assert one["services"] == ["gateway", "orders", "courier"]


def test_outside_of_requests(tmp_path: Path) -> None:
    service = Service(tmp_path, "nightly")
    service.log(1, "cleaned", order_id=7)
    service.log(2, "cleaned", order_id=7)
    (one,) = found("7", tmp_path)
    assert (one["trace_id"], one["matching_events"], one["services"]) == ("", 2, ["nightly"])


@pytest.mark.slow
def test_many_requests_are_remembered_only_by_their_number(tmp_path: Path) -> None:
    service = Service(tmp_path, "orders")
    for number in range(3000):
        service.log(number, "주문", trace__id=f"{number % 2500:032x}")
    done = flowery("find", "주문", tmp_path, "-n", "2", "--json")
    content = json.loads(done.stdout)
    assert [int(r["trace_id"], 16) for r in content["requests"]] == [499, 498]
    assert content["more"] == 2498


def occurs(value: str, **fields: Any) -> bool:
    return any(True for _ in Value(value).places_in(fields))


def test_a_number_is_found_as_a_whole() -> None:
    for text in ("order 7 placed", "7", "#7", "주문 7번", "a=7,b", "7. Juli", "/orders/7?x"):
        assert occurs("7", message=text), text
    for text in ("17", "70", "7.5 ms", "1,7", "0x7f", "7a", "a7"):
        assert not occurs("7", message=text), text
    assert occurs("7", numeric_labels={"n": 7.0})
    assert occurs("7.5", numeric_labels={"n": 7.5})
    assert not occurs("7", numeric_labels={"n": 70})
    assert not occurs("1", labels={"ok": True})
    assert occurs("R-7", message="receipt R-7")
    assert not occurs("R-7", message="receipt R-70")
    assert occurs("010-1234-5678", message="tel:010-1234-5678")


def test_a_text_is_found_anywhere_but_not_in_what_machines_say() -> None:
    assert occurs("주문", message="주문을 접수")
    assert occurs("실패", error={"message": "결제 실패"})
    assert occurs("b", tags=["a", "b"])
    assert occurs("/orders", url={"path": "/orders/7"})
    assert not occurs("7", process={"pid": 7}, event={"sequence": 7, "duration": 7})
    assert not occurs("200", http={"response": {"status_code": 200}})
    costs = ("database_queries", "database_queries_sum_ms", "outgoing_calls", "outgoing_calls_sum_ms",
             "request_wait_ms", "task_wait_ms", "thread_cpu_ms", "validation_errors")  # fmt: skip
    assert not occurs("7", numeric_labels=dict.fromkeys(costs, 7))


def test_a_text_that_json_escapes(tmp_path: Path) -> None:
    Service(tmp_path, "orders").log(1, 'he said "7" \\ and left', trace__id=TRACE)
    assert traces('said "7" \\', tmp_path) == ["4"]
