"""Every block of runbooks.md that is marked `sh` runs as it stands, and does what it says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from flowery_logging.cli.kit.opensearch import for_opensearch
from flowery_logging.cli.kit.requests import Choices, requests

from .elasticsearch_client import ElasticsearchClient
from .processes.opensearch import OpenSearch
from .producer import Producer
from .programs import Cache, find_jdk
from .programs.maven import jars
from .runbooks import KIT, run, sections
from .test_opensearch import JARS

DEAD_LETTERS = "logs-flowery.dead_letters-default"
RUN = sections("sh")


@pytest.fixture(scope="module")
def server() -> Iterator[OpenSearch]:
    server = OpenSearch(jars(Cache.from_environment(), JARS), find_jdk())
    try:
        server.start()
        with ElasticsearchClient(server.url) as client:
            for request in for_opensearch(requests(KIT, Choices())):
                if request.folder != "ism_policies":
                    client.request("PUT", request.path, request.body)
        yield server
    finally:
        server.close()


@pytest.fixture
def client(server: OpenSearch) -> Iterator[ElasticsearchClient]:
    with ElasticsearchClient(server.url) as client:
        yield client


def secret_of(environment: str) -> str:
    """What stands in an event of this test alone."""
    return f"hunter{environment}"


@pytest.fixture
def old_producer(log_dir: Path, environment: str) -> Producer:
    """A process that ended long ago, and of whose events none has arrived."""
    producer = Producer(log_dir, environment)
    producer.write_many(20)
    producer.write(f"the password is {secret_of(environment)}")
    for path in producer.files:
        lines = path.read_bytes().replace(b'{"@timestamp":"2026', b'{"@timestamp":"2025')
        path.write_bytes(lines)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return producer


def deliver(client: ElasticsearchClient, producer: Producer) -> None:
    lines = [
        orjson.loads(line) for path in producer.files for line in path.read_bytes().splitlines()
    ]
    bulk = []
    for line in lines:
        stream = f"logs-flowery-{line['data_stream']['namespace']}"
        bulk += [{"create": {"_index": stream, "_id": line["event"]["id"]}}, line]
    assert not [result for result in client.bulk(bulk) if "error" in result]
    client.refresh()


@pytest.fixture
def shell(server: OpenSearch, log_dir: Path, tmp_path: Path, environment: str) -> Shell:
    return Shell(server.url, log_dir, tmp_path, environment)


class Shell:
    """Runs a section's blocks one after the other, each in a shell of its own."""

    def __init__(self, url: str, logs: Path, folder: Path, environment: str) -> None:
        self._folder = folder
        self._variables = {
            "ELASTICSEARCH_URL": url,
            "LOGS": str(logs),
            "STREAM": f"logs-flowery-{environment}",
            "SECRET": secret_of(environment),
        }

    def run(self, title: str) -> list[str]:
        return [run(block, self._folder, self._variables) for block in RUN[title]]


def test_every_section_is_tested_here() -> None:
    source = Path(__file__).read_text()
    assert [title for title in RUN if f'"{title}"' not in source] == []


def test_what_did_not_arrive(
    shell: Shell, client: ElasticsearchClient, old_producer: Producer
) -> None:
    dry, *_ = shell.run("Something did not arrive")
    assert "21 events are missing." in dry
    assert "21 events created" in dry
    assert client.count(f"logs-flowery-{old_producer._environment}") == 21


def test_refused_events(shell: Shell, client: ElasticsearchClient, old_producer: Producer) -> None:
    deliver(client, old_producer)
    line = orjson.loads(old_producer.files[0].read_bytes().splitlines()[3])
    line["event"] |= {"id": "of-a-file-that-is-gone-1"}
    letter = {
        "@timestamp": line["@timestamp"],
        "message": "document_parsing_exception: no",
        "error": {"type": "document_parsing_exception"},
        "event": {"original": orjson.dumps(line).decode()},
    }
    (kept,) = client.bulk([{"create": {"_index": DEAD_LETTERS}}, letter])
    assert "error" not in kept
    client.refresh()
    causes, *_ = shell.run("Elasticsearch has refused events")
    assert "document_parsing_exception" in causes
    stream = f"logs-flowery-{old_producer._environment}"
    assert client.count(stream, {"ids": {"values": ["of-a-file-that-is-gone-1"]}}) == 1


@pytest.mark.parametrize(
    "title",
    [
        "One line stops a machine",
        "A disk is full",
        "The shard limit is reached",
        "A mapping conflict, or fields that cannot be searched",
        "A key or a certificate ends",
    ],
)
def test_the_commands_run(
    shell: Shell, client: ElasticsearchClient, old_producer: Producer, title: str
) -> None:
    deliver(client, old_producer)
    assert any(shell.run(title))


def test_the_oldest_part_of_a_stream_makes_room(
    shell: Shell, client: ElasticsearchClient, old_producer: Producer
) -> None:
    deliver(client, old_producer)
    stream = f"logs-flowery-{old_producer._environment}"
    shell.run("A disk is full")
    client.refresh()
    assert client.count(stream) == 21  # the last is never deleted
    client.request("POST", f"/{stream}/_rollover")
    shell.run("A disk is full")
    client.refresh()
    assert client.count(stream) == 0


def test_a_secret_goes(shell: Shell, client: ElasticsearchClient, old_producer: Producer) -> None:
    deliver(client, old_producer)
    counted, deleted, files = shell.run("A secret is in the index")
    assert '"count":1' in counted
    assert '"deleted":1' in deleted
    assert files.strip() == str(old_producer.files[0])
    assert client.count(f"logs-flowery-{old_producer._environment}") == 20


def test_a_snapshot_is_restored_beside_the_stream(
    shell: Shell, client: ElasticsearchClient, old_producer: Producer
) -> None:
    deliver(client, old_producer)
    shell.run("Snapshot and restore")
    restored = f"logs-flowery-restored_{old_producer._environment}"
    assert client.count(restored) == 21
