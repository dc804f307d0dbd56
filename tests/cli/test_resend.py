"""`flowery-logging resend`: what has not arrived is created again, under its own ID."""

from __future__ import annotations

import subprocess
from pathlib import Path

import orjson
import pytest

from tests.cli.conftest import flowery
from tests.cli.fake_elasticsearch import FakeElasticsearch
from tests.cli.test_audit_elasticsearch import ok, settle, ship
from tests.files.conftest import Logs

MANY = "for n in range(1200): log.info('event %d', n, extra={'n': n})"
ROTATING = "max_bytes=100_000, environment='prod'"


def resend(logs: Logs, server: FakeElasticsearch, *more: str) -> subprocess.CompletedProcess[str]:
    return flowery("resend", str(logs.directory), "--elasticsearch", server.url, *more)


@pytest.fixture
def written(logs: Logs) -> Logs:
    """Files of a process that ended long ago."""
    ok(logs.run(MANY, setup=ROTATING))
    settle(logs)
    return logs


@pytest.mark.slow
def test_what_is_missing_is_created_from_its_file(
    written: Logs, elasticsearch: FakeElasticsearch
) -> None:
    lost = frozenset({3, *range(500, 900), 1100})
    ship(written, elasticsearch, without=lost)
    told = resend(written, elasticsearch)
    ok(told)
    assert f"{len(lost)} events created, 0 were there already." in told.stdout
    by_number = {record["event"]["sequence"]: record for record in written.records()}
    assert {body["event"]["sequence"] for _, body in elasticsearch.created.values()} == lost
    for identity, (stream, body) in elasticsearch.created.items():
        record = by_number[body["event"]["sequence"]]
        assert (identity, stream) == (record["event"]["id"], "logs-flowery-prod")
        assert body["log"]["level"] == record["log.level"]
        assert body["message"] == record["message"]
        assert Path(body["log"]["file"]["path"]).parent == written.directory
        assert not [name for name in body if "." in name]
    assert "0 events created" in resend(written, elasticsearch).stdout


@pytest.mark.slow
def test_a_dry_run_creates_nothing(written: Logs, elasticsearch: FakeElasticsearch) -> None:
    ship(written, elasticsearch, without=frozenset({3, 4}))
    told = resend(written, elasticsearch, "--dry-run")
    ok(told)
    assert "3-4 of " in told.stdout
    assert "2 events are missing." in told.stdout
    assert elasticsearch.created == {}


@pytest.mark.slow
def test_a_busy_server_gets_them_again_and_what_is_refused_is_told(
    written: Logs, elasticsearch: FakeElasticsearch
) -> None:
    ship(written, elasticsearch, without=frozenset({3, 4, 5, 6}))
    elasticsearch.bulk_statuses = [429, 400, 409, 503]
    told = resend(written, elasticsearch)
    assert told.returncode == 1
    assert "2 events created, 1 were there already." in told.stdout
    assert "1 were refused:" in told.stderr
    assert "-4: 400 not this one" in told.stderr


@pytest.mark.slow
def test_a_request_holds_4_mib_at_most(logs: Logs, elasticsearch: FakeElasticsearch) -> None:
    ok(logs.run("for n in range(180): log.info('%d ' + '가' * 9000, n)"))
    settle(logs)
    ship(logs, elasticsearch, without=frozenset(range(2, 182)))
    told = resend(logs, elasticsearch)
    ok(told)
    assert "180 events created" in told.stdout
    assert 3 * 1024**2 < elasticsearch.largest < 4 * 1024**2 + 180 * 200  # each has a line above it


@pytest.mark.slow
def test_a_stream_that_the_kit_does_not_serve_is_left_alone(
    written: Logs, elasticsearch: FakeElasticsearch
) -> None:
    for path in written.files():
        lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
        for line in lines:
            if line["event"]["sequence"] == 7:
                line["data_stream"]["dataset"] = "payments"
        path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    settle(written)
    ship(written, elasticsearch, without=frozenset({7, 8}))
    told = resend(written, elasticsearch)
    assert told.returncode == 1
    assert "1 events created" in told.stdout
    assert "-7: its stream is not served by the kit" in told.stderr


@pytest.mark.slow
def test_what_may_still_be_on_its_way_is_left_alone(
    logs: Logs, elasticsearch: FakeElasticsearch
) -> None:
    ok(logs.run("log.info('now')"))
    told = resend(logs, elasticsearch)
    ok(told)
    assert elasticsearch.created == {}
    ok(resend(logs, elasticsearch, "--grace", "0"))
    assert len(elasticsearch.created) == len(logs.records())


@pytest.mark.slow
def test_a_server_that_refuses_is_said(written: Logs, elasticsearch: FakeElasticsearch) -> None:
    elasticsearch.status = 403
    refused = resend(written, elasticsearch)
    assert refused.returncode == 4
    assert "not today" in refused.stderr
