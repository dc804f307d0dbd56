"""The audit against what has arrived: the same files, and a server that holds less or more."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import audit, flowery
from tests.cli.fake_elasticsearch import FakeElasticsearch
from tests.files.conftest import Logs

pytestmark = pytest.mark.slow

MANY = "for n in range(2500): log.info('event %d', n)"
ROTATING = "max_bytes=200_000"


def ok(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr


def settle(logs: Logs) -> None:
    """Let the files be as old as those of a process that ended long ago."""
    for path in logs.files():
        content = path.read_bytes().replace(b'{"@timestamp":"20', b'{"@timestamp":"19')
        path.write_bytes(content)
        os.utime(path, (1_000_000_000, 1_000_000_000))


def delivery(result: dict[str, Any]) -> dict[str, Any]:
    (process,) = result["processes"]
    found = process["delivery"]
    assert isinstance(found, dict)
    return found


def ship(logs: Logs, server: FakeElasticsearch, *, without: frozenset[int] = frozenset()) -> None:
    for record in logs.records():
        if record["event"]["sequence"] not in without:
            server.add(record)


def file_of(logs: Logs, number: int) -> Path:
    for path in logs.files():
        if f'"sequence":{number}}}'.encode() in path.read_bytes():
            return path
    raise AssertionError(number)


def test_everything_has_arrived(logs: Logs, elasticsearch: FakeElasticsearch) -> None:
    ok(logs.run(MANY, setup=ROTATING))
    ship(logs, elasticsearch)
    result = audit(logs.directory, "--elasticsearch", elasticsearch.url, code=0)
    assert delivery(result)["arrived_events"] == len(logs.records())
    assert elasticsearch.buckets == 3, "blocks of a thousand, nothing asked number by number"
    paths = [path for path, _ in elasticsearch.requests]
    assert all(path.startswith("/logs-flowery*/_") for path in paths)


def test_what_is_missing_is_named_with_its_file(
    logs: Logs, elasticsearch: FakeElasticsearch
) -> None:
    ok(logs.run(MANY, setup=ROTATING))
    settle(logs)
    ship(logs, elasticsearch, without=frozenset({7, 1500, 1501, 2400}))
    result = audit(logs.directory, "--elasticsearch", elasticsearch.url, code=1)
    assert delivery(result)["missing"] == [
        {"file": str(file_of(logs, 7)), "sequences": "7"},
        {"file": str(file_of(logs, 1500)), "sequences": "1500-1501"},
        {"file": str(file_of(logs, 2400)), "sequences": "2400"},
    ]
    assert delivery(result)["missing_events"] == 4
    assert result["failure_store"] is True


def test_a_whole_block_and_a_whole_process_can_be_missing(
    logs: Logs, elasticsearch: FakeElasticsearch
) -> None:
    ok(logs.run(MANY, setup="max_bytes=20_000_000"))
    settle(logs)
    ship(logs, elasticsearch, without=frozenset(range(1000, 2000)))
    result = audit(logs.directory, "--elasticsearch", elasticsearch.url, code=1)
    assert [part["sequences"] for part in delivery(result)["missing"]] == ["1000-1999"]
    elasticsearch.documents.clear()
    result = audit(logs.directory, "--elasticsearch", elasticsearch.url, code=1)
    assert delivery(result)["missing_events"] == len(logs.records())


def test_a_missing_and_a_repeated_event_do_not_cancel_out(
    logs: Logs, elasticsearch: FakeElasticsearch
) -> None:
    ok(logs.run(MANY))
    settle(logs)
    ship(logs, elasticsearch, without=frozenset({50}))
    for record in logs.records()[100:102]:
        elasticsearch.add(record)
    result = delivery(audit(logs.directory, "--elasticsearch", elasticsearch.url, code=1))
    assert [part["sequences"] for part in result["missing"]] == ["50"]
    assert (result["repeated"], result["repeated_documents"]) == ("101-102", 2)


def test_different_events_under_one_id_over_a_rollover_are_a_loss(
    logs: Logs, elasticsearch: FakeElasticsearch
) -> None:
    ok(logs.run(MANY))
    ship(logs, elasticsearch)
    elasticsearch.add({**logs.records()[10], "@timestamp": "2020-01-01T00:00:00.000000Z"})
    result = audit(logs.directory, "--elasticsearch", elasticsearch.url, code=1)
    (process,) = result["processes"]
    assert (process["clashing"], process["lost_events"]) == ("11", 1)


def test_repeats_over_a_rollover_are_counted_and_lose_nothing(
    logs: Logs, elasticsearch: FakeElasticsearch
) -> None:
    ok(logs.run(MANY))
    ship(logs, elasticsearch)
    for record in logs.records()[10:20]:
        elasticsearch.add(record)
    result = delivery(audit(logs.directory, "--elasticsearch", elasticsearch.url, code=0))
    assert (result["repeated"], result["repeated_documents"]) == ("11-20", 10)


def test_young_events_and_the_newest_part_are_on_their_way(
    logs: Logs, elasticsearch: FakeElasticsearch
) -> None:
    ok(logs.run(MANY))
    last = len(logs.records())
    ship(logs, elasticsearch, without=frozenset(range(2000, last + 1)))
    at = ("--elasticsearch", elasticsearch.url)
    result = delivery(audit(logs.directory, *at, code=3))
    assert (result["on_its_way"], result["missing"]) == (f"2000-{last}", [])
    result = delivery(audit(logs.directory, *at, "--grace", "0", code=1))
    assert (result["on_its_way"], result["missing_events"]) == ("", last - 1999)
    settle(logs)
    os.utime(logs.files()[0])  # written a moment ago, but its events are old
    result = delivery(audit(logs.directory, *at, code=3))
    assert result["on_its_way"] == f"2000-{last}"
    elasticsearch.documents = [d for d in elasticsearch.documents if d["event.sequence"] != 77]
    result = delivery(audit(logs.directory, *at, code=1))
    assert [part["sequences"] for part in result["missing"]] == ["77"]


def test_refused_events_are_found_in_the_failure_store(
    logs: Logs, elasticsearch: FakeElasticsearch
) -> None:
    ok(logs.run(MANY))
    settle(logs)
    ship(logs, elasticsearch, without=frozenset({300, 301, 302}))
    assert elasticsearch.failures is not None
    entity = logs.records()[0]["process"]["entity_id"]
    elasticsearch.failures += [{"document.id": f"{entity}-{n}"} for n in (300, 301, 5)]
    elasticsearch.failures.append({"document.id": "ffff-302"})
    result = delivery(audit(logs.directory, "--elasticsearch", elasticsearch.url, code=1))
    assert result["refused"] == "300-301"
    assert [part["sequences"] for part in result["missing"]] == ["302"]
    elasticsearch.failures = None
    at = ("--elasticsearch", elasticsearch.url)
    without = audit(logs.directory, *at, code=1)
    assert without["failure_store"] is False
    assert delivery(without)["missing_events"] == 3


def test_many_processes_of_many_pages(logs: Logs, elasticsearch: FakeElasticsearch) -> None:
    program = """
        for _ in range(120):
            if os.fork() == 0:
                log.info("child")
                os._exit(0)
        for _ in range(120): os.wait()
    """
    ok(logs.run(program))
    ok(logs.run("for n in range(3000): log.info('event')"))
    settle(logs)
    ship(logs, elasticsearch, without=frozenset(range(1, 10_000, 2)))
    result = audit(logs.directory, "--elasticsearch", elasticsearch.url, code=1)
    missing = {p["process"]: p["delivery"]["missing_events"] for p in result["processes"]}
    expected = {entity: (len(records) + 1) // 2 for entity, records in logs.by_process().items()}
    assert len(missing) >= 121
    assert missing == expected


def test_what_the_files_have_lost_but_has_arrived_is_not_lost(
    logs: Logs, elasticsearch: FakeElasticsearch
) -> None:
    ok(logs.run(MANY, setup=ROTATING))
    ship(logs, elasticsearch)
    os.unlink(logs.files()[1])
    audit(logs.directory, code=1)
    audit(logs.directory, "--elasticsearch", elasticsearch.url, code=0)


def test_what_retention_removed_before_it_had_arrived_is_told(
    logs: Logs, elasticsearch: FakeElasticsearch
) -> None:
    ok(logs.run(MANY, setup=ROTATING))
    first = logs.files()[0]
    last = first.read_bytes().count(b"\n")
    ship(logs, elasticsearch, without=frozenset({9, 10}))
    os.utime(first, (1_000_000_000, 1_000_000_000))
    ok(logs.run("log.info('x')", setup="keep_days=1"))
    result = audit(logs.directory, "--elasticsearch", elasticsearch.url, code=3)
    process = max(result["processes"], key=lambda process: process["events"])
    assert process["removed"] == f"1-{last}"
    assert process["delivery"]["removed_unshipped"] == "9-10"


def test_credentials_and_index(logs: Logs, elasticsearch: FakeElasticsearch) -> None:
    ok(logs.run("log.info('x')"))
    ship(logs, elasticsearch)
    at = ("--elasticsearch", elasticsearch.url)
    audit(logs.directory, *at, "--api-key", "a2V5", "--index", "logs-flowery.svc-*", code=0)
    assert elasticsearch.requests[-1][0].startswith("/logs-flowery.svc-*/_search")
    assert elasticsearch.requests[-1][1] == "ApiKey a2V5"
    variables = {"ELASTICSEARCH_USER": "me", "ELASTICSEARCH_PASSWORD": "pw"}
    audit(logs.directory, *at, code=0, **variables)
    assert elasticsearch.requests[-1][1] == "Basic bWU6cHc="
    url = elasticsearch.url.replace("//", "//me:p%77@")
    audit(logs.directory, "--elasticsearch", url, code=0)
    assert elasticsearch.requests[-1][1] == "Basic bWU6cHc="


def test_a_server_that_refuses_or_is_not_there(
    logs: Logs, elasticsearch: FakeElasticsearch
) -> None:
    ok(logs.run("log.info('x')"))
    elasticsearch.status = 403
    done = flowery("audit", logs.directory, "--elasticsearch", elasticsearch.url)
    assert done.returncode == 4
    assert "403 not today" in done.stderr
    done = flowery("audit", logs.directory, "--elasticsearch", "http://127.0.0.1:1")
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert "Connection refused" in done.stderr


@pytest.mark.parametrize("answer", [{}, [], None, "ok", {"acknowledged": True}])
def test_who_answers_everything_alike_is_no_elasticsearch(
    logs: Logs, elasticsearch: FakeElasticsearch, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    ok(logs.run("log.info('one')"))
    monkeypatch.setattr(elasticsearch, "answer", lambda *_: (200, answer))
    for command in ("audit", "resend"):
        done = flowery(command, logs.directory, "--elasticsearch", elasticsearch.url)
        assert done.returncode == 4, done.stdout
        assert "Elasticsearch" in done.stderr
        assert "Traceback" not in done.stderr
