"""`flowery-logging trace` asks the real Elasticsearch, and shows what the files show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import flowery
from tests.cli.events import TRACE, Service, checkout

if TYPE_CHECKING:
    from pathlib import Path

    from .elasticsearch_client import ElasticsearchClient
    from .processes import Elasticsearch


def trace(*arguments: str | Path) -> dict[str, Any]:
    done = flowery("trace", "--json", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    _make_alike(found)
    return found


def _make_alike(hop: dict[str, Any]) -> None:
    """Elasticsearch may write events anew: fewer digits of a time, other orders of keys."""
    if isinstance(hop["events"], list):
        hop["events"] = [[event["event"]["id"], event["message"]] for event in hop["events"]]
    for child in hop["hops"]:
        _make_alike(child)


def index(client: ElasticsearchClient, stream: str, directory: Path) -> None:
    lines = [json.loads(e) for p in directory.iterdir() for e in p.read_bytes().splitlines()]
    actions = [part for line in lines for part in ({"create": {"_index": stream}}, line)]
    assert {result["status"] for result in client.bulk(actions)} == {201}
    client.refresh()


@pytest.mark.parametrize("asked", [TRACE, TRACE[:9], "only-mine", "4d63-only", "9" * 16])
def test_the_same_request_from_files_and_from_elasticsearch(
    asked: str,
    tmp_path: Path,
    environment: str,
    elasticsearch: ElasticsearchClient,
    elasticsearch_server: Elasticsearch,
) -> None:
    logs = tmp_path / "logs"
    checkout(logs)
    checkout(logs, "f" * 32, at=60)
    service = Service(logs, "stock")
    for number in range(2500):  # more than one page
        service.log(
            number / 1e4, f"line {number}", trace__id=TRACE, http__request__id="only-mine",
            task_id="4d63-only", transaction__id="9" * 16,
        )  # fmt: skip
    stream = f"logs-flowery-{environment}"
    index(elasticsearch, stream, logs)
    url = ["--elasticsearch", elasticsearch_server.url, "--index", stream]
    assert trace(asked, *url) == trace(asked, logs)
    index(elasticsearch, stream, logs)
    assert trace(asked, *url) == trace(asked, logs), "delivered twice, shown once"
    done = flowery("trace", "req-가-1", *url)
    assert (done.returncode, "2 traces have the ID" in done.stderr) == (1, True)
    assert flowery("trace", "nothing", *url).returncode == 1
    foreign = {"@timestamp": "2026-11-27T03:00:00Z", "message": f"says {TRACE}"}
    create = {"create": {"_index": f"logs-flowery.foreign-{environment}"}}
    assert elasticsearch.bulk([create, foreign])[0]["status"] == 201
    elasticsearch.refresh()
    assert trace(asked, *url[:3], f"logs-flowery*-{environment}") == trace(asked, logs)
