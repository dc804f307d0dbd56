"""`stats` counts what lies in the files: groups, rates, bytes, percentiles, error groups."""

from __future__ import annotations

import fcntl
import json
import math
import os
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import flowery, here
from tests.cli.crafted import Written, ago, stamp
from tests.cli.test_audit_table import Page, width_of

TRACE = (
    "Traceback (most recent call last):\n"
    '  File "/srv/%s/shop/pay.py", line %d, in pay\n    charge()\n'
    '  File "/usr/lib/python3.11/json/decoder.py", line %d, in decode\nValueError: order %d'
)
BEGIN = ago(hours=2).replace(microsecond=0)


def stats(*arguments: str | Path, code: int = 0, **variables: str) -> dict[str, Any]:
    done = here("stats", "--json", *arguments, **variables)
    assert done.exit_code == code, done.output
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """100 requests a minute of two services, 1 ms to 100 ms, and errors of two kinds."""
    orders, gateway = (
        Written(tmp_path, "주문", start=BEGIN),
        Written(tmp_path, "gateway", start=BEGIN),
    )
    for number in range(1, 101):
        status = 500 if number > 98 else 404 if number > 90 else 200
        orders.request(BEGIN + timedelta(seconds=number), "/orders/{id}", status, ms=number)
    gateway.request(BEGIN + timedelta(seconds=5), "/", ms=7)
    for number in range(3):
        trace = TRACE % (f"web-{number}", number, number, number)
        orders.error(BEGIN + timedelta(minutes=number), trace=trace, message=f"order {number}")
    orders.error(BEGIN, trace=TRACE.replace("pay", "refund") % ("a", 1, 1, 1))
    origin = {"origin": {"file": {"name": "db.py", "line": 7}, "function": "query"}, "logger": "db"}
    gateway.add(BEGIN, "x" * 5000, "debug", log=origin)
    return tmp_path


def test_all_tables_at_once(shop: Path) -> None:
    result = stats(shop)
    lines = [line for path in shop.glob("*.ndjson") for line in path.read_bytes().splitlines(True)]
    assert result["events"] == len(lines) == 108
    assert result["bytes"] == sum(map(len, lines))
    assert result["errors"] == 6
    assert (result["first"], result["last"]) == (stamp(BEGIN), stamp(BEGIN + timedelta(minutes=2)))
    assert result["events_per_second"] == pytest.approx(108 / 120)
    assert set(result["by"]) == {"service", "level", "route", "error", "callsite"}
    services = {one["service"]: one["events"] for one in result["by"]["service"]}
    assert services == {"주문": 105, "gateway": 3}
    assert sum(one["bytes"] for one in result["by"]["service"]) == result["bytes"]
    levels = {one["level"]: one["events"] for one in result["by"]["level"]}
    assert levels == {"info": 93, "warning": 8, "error": 6, "debug": 1}


def test_percentiles_and_failures_of_routes(shop: Path) -> None:
    orders, gateway = stats(shop, "--by", "route")["by"]["route"]
    assert (orders["service"], orders["method"], orders["route"]) == ("주문", "GET", "/orders/{id}")
    assert (orders["p50_ms"], orders["p95_ms"], orders["p99_ms"]) == (50, 95, 99)
    assert (orders["events"], orders["client_errors"], orders["failed"]) == (100, 8, 2)
    assert (gateway["route"], gateway["p50_ms"], gateway["p99_ms"]) == ("/", 7, 7)


@pytest.mark.parametrize("count", [1, 2, 3, 19, 100, 101])
def test_a_percentile_is_the_nearest_rank(count: int, tmp_path: Path) -> None:
    file = Written(tmp_path)
    values = [(number * 37) % 1009 + 1 for number in range(count)]
    for value in values:
        file.request(BEGIN, "/", ms=value)
    (route,) = stats(tmp_path, "--by", "route")["by"]["route"]
    for share in (50, 95, 99):
        expected = next(
            v
            for v in sorted(values)
            if sum(w <= v for w in values) >= math.ceil(share * count / 100)
        )
        assert route[f"p{share}_ms"] == expected


def test_errors_are_one_whatever_message_line_and_machine(shop: Path) -> None:
    pay, refund = stats(shop, "--by", "error")["by"]["error"]
    assert (pay["error"], pay["events"], refund["events"]) == ("ValueError", 3, 1)
    assert pay["group"] != refund["group"]
    assert (pay["first"], pay["last"]) == (stamp(BEGIN), stamp(BEGIN + timedelta(minutes=2)))
    assert (pay["message"], pay["services"]) == ("order 0", ["주문"])


def test_the_group_that_stands_in_the_event_counts(tmp_path: Path) -> None:
    file = Written(tmp_path)
    for number in range(4):
        error = {"type": f"Kind{number % 2}", "message": "x", "id": f"group-{number % 2}"}
        file.add(BEGIN, "boom", "error", error=error)
    groups = stats(tmp_path, "--by", "error")["by"]["error"]
    assert [(one["group"], one["events"]) for one in groups] == [("group-0", 2), ("group-1", 2)]


def test_call_sites_by_what_they_cost(shop: Path) -> None:
    (site,) = stats(shop, "--by", "callsite")["by"]["callsite"]
    assert (site["service"], site["callsite"], site["function"]) == ("gateway", "db.py:7", "query")
    assert site["bytes"] > 5000
    assert site["bytes_share"] == pytest.approx(site["bytes"] / stats(shop)["bytes"])
    loggers = {one["logger"] for one in stats(shop, "--by", "logger")["by"]["logger"]}
    assert loggers == {"flowery_logging", "flowery_logging.access", "db", ""}


def test_only_what_was_asked_for(shop: Path) -> None:
    assert stats(shop, "--service", "gateway")["events"] == 3
    assert stats(shop, "--level", "error")["events"] == 6
    assert stats(shop, "--where", "http.response.status_code>=500")["events"] == 2
    assert (
        stats(shop, "--since", stamp(BEGIN + timedelta(seconds=95)))["by"]["route"][0]["events"]
        == 6
    )
    assert stats(shop, "--since", "1m")["events"] == 0


def test_foreign_lines_are_told(shop: Path) -> None:
    with next(shop.glob("gateway*")).open("ab") as file:
        file.write(b"print()ed\n{}\n")
    assert stats(shop)["foreign_lines"] == 2
    assert "2 lines are no events of ours" in here("stats", shop).stdout


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_tables_fit(shop: Path, width: int) -> None:
    done = here("stats", shop, COLUMNS=str(width))
    assert done.exit_code == 0
    assert max(map(width_of, done.stdout.splitlines())) <= width
    for word in ("주문", "/orders/{id}", "p95", "95.0 ms", "db.py:7", "ValueError"):
        assert word in done.stdout
    assert "\x1b" not in done.stdout


def test_a_long_table_says_what_is_left_out(tmp_path: Path) -> None:
    file = Written(tmp_path)
    for number in range(40):
        file.request(BEGIN, f"/{number}")
    lines = here("stats", tmp_path, "--by", "route").stdout.splitlines()
    assert lines[-1] == "… and 10 more (-n 40)"
    assert (
        len(here("stats", tmp_path, "--by", "route", "-n", "40").stdout.splitlines())
        == len(lines) + 9
    )


def test_a_page_with_plots(shop: Path, tmp_path: Path) -> None:
    Written(shop, "<svg onload=x>").request(BEGIN, "</text><script>")
    target = tmp_path / "stats.html"
    assert here("stats", shop, "--html", target).exit_code == 0
    text = target.read_text(encoding="utf-8")
    page = Page(text)
    assert "content=\"default-src 'none'; style-src 'sha256-" in text
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert not [
        name for name in page.attributes if ".on" in name or name.endswith((".style", ".href"))
    ]
    assert page.tags.count("svg") >= 3
    assert page.tags.count("rect") > 5
    for word in ("주문", "p95 95.0 ms", "</text><script>", "<svg onload=x>", "db.py:7"):
        assert word in page.text


def test_wrong_arguments(tmp_path: Path) -> None:
    assert here("stats", tmp_path).exit_code == 2
    assert here("stats", tmp_path / "none").exit_code == 2
    assert here("stats", "--by", "colour").exit_code == 2
    Written(tmp_path)
    assert here("stats", tmp_path, "--html", tmp_path / "none" / "x.html").exit_code == 2


def test_the_installed_command_and_the_default_directory(shop: Path) -> None:
    done = flowery("stats", "--by", "service", FLOWERY_LOG_DIR=str(shop))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("108 events, ")


SERVICE = """
import flowery_logging
flowery_logging.setup("orders", directory="logs", output="file")
from fastapi import FastAPI
from fastapi.testclient import TestClient
from flowery_logging.integrations import fastapi
app = FastAPI()
fastapi.instrument(app)
@app.get("/orders/{order_id}")
def read(order_id: int): return order_id
client = TestClient(app)
assert [client.get(f"/orders/{n}").status_code for n in range(3)] == [200] * 3
"""


@pytest.mark.slow
def test_the_routes_of_a_real_service(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", SERVICE], cwd=tmp_path, check=True)
    (route,) = stats(tmp_path / "logs", "--by", "route")["by"]["route"]
    assert (route["route"], route["events"]) == ("/orders/{order_id}", 3)


@pytest.mark.parametrize("command", ["stats", "audit"])
def test_a_page_for_what_is_no_file_is_written_to_it(shop: Path, command: str) -> None:
    device = shop / "pipe"
    os.mkfifo(device)
    reader = os.open(device, os.O_RDWR)  # both ends, so that neither waits for the other
    try:
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 1_000_000)
        here(command, shop, "--html", device)
        assert os.read(reader, 1_000_000).startswith(b"<!DOCTYPE html>")
        assert stat.S_ISFIFO(device.stat().st_mode)
    finally:
        os.close(reader)


def test_a_page_for_a_link_is_written_where_it_leads(shop: Path, tmp_path: Path) -> None:
    link = tmp_path / "latest.html"
    link.symlink_to(tmp_path / "page.html")
    here("stats", shop, "--html", link)
    assert link.is_symlink()
    assert (tmp_path / "page.html").read_text().endswith("</html>\n")
