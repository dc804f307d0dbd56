"""`doctor` and `watch` ask the real Elasticsearch, with the kit's templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
from click.testing import CliRunner

from flowery_logging.cli.commands import commands
from tests.cli.crafted import Written, ago

from .elasticsearch_client import ElasticsearchClient
from .processes.elasticsearch import Elasticsearch


def run(code: int, *arguments: str | Path) -> dict[str, Any]:
    done = CliRunner().invoke(commands, [*map(str, arguments), "--json"])
    assert done.exit_code == code, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def deliver(client: ElasticsearchClient, file: Written, environment: str, *left_out: int) -> None:
    bulk: list[Any] = []
    for line in file.path.read_bytes().splitlines():
        record = orjson.loads(line)
        record["data_stream"]["namespace"] = environment
        if record["event"]["sequence"] not in left_out:
            stream = f"logs-flowery-{environment}"
            bulk += [{"create": {"_index": stream, "_id": record["event"]["id"]}}, record]
    results = client.bulk(bulk)
    assert not [one for one in results if "error" in one], results
    client.refresh()


def test_ignored_fields(
    elasticsearch_server: Elasticsearch, elasticsearch: ElasticsearchClient, tmp_path: Path, environment: str,
    streams: str,
) -> None:  # fmt: skip
    file = Written(tmp_path, "orders")
    for number in range(10):  # few events: each new name is a change of the mapping
        names = {f"user_{number}_{n}": "x" for n in range(400)}
        file.add(ago(minutes=1), labels=names)
    deliver(elasticsearch, file, environment)
    result = run(
        1, "doctor", tmp_path, "--elasticsearch", elasticsearch_server.url, "--index", streams
    )
    texts = [one["what"] for one in result["findings"] if one["check"] == "ignored"]
    assert any("no room for more fields (the limit of names)" in text for text in texts)
    # This server lacks a module, so its template was installed with another type.
    (template,) = [one["what"] for one in result["findings"] if one["check"] == "templates"]
    assert "message.type is text, not match_only_text" in template


def test_malformed_and_long_values(
    elasticsearch_server: Elasticsearch, elasticsearch: ElasticsearchClient, tmp_path: Path, environment: str,
    streams: str,
) -> None:  # fmt: skip
    file = Written(tmp_path, "orders")
    for _ in range(3):
        file.add(ago(minutes=1), client={"ip": "no address"})
    file.add(ago(minutes=1), labels={"note": "x" * 9000})
    deliver(elasticsearch, file, environment)
    result = run(
        1, "doctor", tmp_path, "--elasticsearch", elasticsearch_server.url, "--index", streams
    )
    texts = [one["what"] for one in result["findings"] if one["check"] == "ignored"]
    assert len(texts) == 2
    assert texts[0].startswith(
        "client.ip cannot be searched in 3 documents (orders): the value is no ip"
    )
    assert texts[1].startswith(
        "labels.note cannot be searched in 1 documents (orders): the text is longer"
    )


def test_a_watch(
    elasticsearch_server: Elasticsearch, elasticsearch: ElasticsearchClient, tmp_path: Path, environment: str,
    streams: str,
) -> None:  # fmt: skip
    where = ("--elasticsearch", elasticsearch_server.url, "--index", streams)
    orders = Written(tmp_path, "orders", start=ago(hours=1))
    gateway = Written(tmp_path, "gateway", start=ago(hours=1))
    gateway.add(ago(minutes=30))
    for _ in range(5):
        orders.add(ago(minutes=20))
    orders.add(
        ago(minutes=19), "log can be written again", "warning", log={"logger": "flowery_logging"},
        action="log-recovered", labels={"dropped_sequences": "8-9"},
    )  # fmt: skip
    orders.number = 9
    orders.add(ago(minutes=18))
    for _ in range(12):
        orders.add(
            ago(seconds=20),
            "boom",
            "error",
            error={"type": "ValueError", "message": "boom", "id": "abc"},
        )
    deliver(elasticsearch, orders, environment, 3, 4)
    deliver(elasticsearch, gateway, environment)
    told = run(1, "watch", *where, "--state", tmp_path / "state.json")["told"]
    texts = {one["kind"]: one["text"] for one in told}
    assert set(texts) - {"dead-letters"} == {"silent", "errors", "new-error", "dropped", "lost"}
    assert texts["silent"].startswith("gateway has been silent")
    assert texts["errors"].startswith("orders: 12 errors within 5 min")
    assert texts["new-error"] == "new error in orders: ValueError: boom (abc)"
    assert texts["dropped"] == "orders dropped events 8-9 while the disk took none"
    assert texts["lost"].startswith("2 events of orders have not arrived")
    assert not run(1, "watch", *where, "--state", tmp_path / "state.json")["told"]
