"""Elasticsearch 8.19, the oldest that the kit fits: its templates, and the shop through them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.shop import report, services, traffic

from . import templates
from .elasticsearch_client import ElasticsearchClient
from .pipeline import FOREIGN_STREAM
from .processes import Elasticsearch, KitFilebeat, wait_until
from .processes.filebeat import CONFIGURATION
from .programs import Cache, elasticsearch_home, filebeat_binary, find_jdk
from .programs.elasticsearch import OLDEST
from .receiver import Receiver
from .test_foreign_lines import LINES

REQUESTS = 60


@pytest.fixture(scope="module")
def server() -> Iterator[Elasticsearch]:
    home = elasticsearch_home(Cache.from_environment(), OLDEST)
    server = Elasticsearch(home, find_jdk())
    try:
        server.start()
        with ElasticsearchClient(server.url) as client:
            templates.install(client, home)
        yield server
    finally:
        server.close()


@pytest.fixture
def client(server: Elasticsearch) -> Iterator[ElasticsearchClient]:
    with ElasticsearchClient(server.url) as client:
        yield client


async def run_shop(directory: Path) -> None:
    async with services.shop(directory) as shop:
        outcome = await traffic.send(shop["gateway"].url, REQUESTS, lambda _: None)
        assert outcome.wrong == []


def test_the_shops_events_and_foreign_lines_are_documents_and_none_is_refused(
    server: Elasticsearch,
    client: ElasticsearchClient,
    log_dir: Path,
    tmp_path: Path,
    environment: str,
    streams: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FLOWERY_SERVICE_ENVIRONMENT", environment)
    asyncio.run(run_shop(log_dir))
    written = [event["event"]["id"] for event in report.read(log_dir)]
    (log_dir / "foreign.ndjson").write_text("".join(f"{line}\n" for line in LINES))
    receiver = Receiver(server.url)
    receiver.start()
    variables = {"FLOWERY_LOG_DIR": str(log_dir), "LOGSTASH_HOSTS": receiver.address}
    binary = filebeat_binary(Cache.from_environment())
    with KitFilebeat(binary, CONFIGURATION, tmp_path, variables | {"LOGSTASH_TLS": "false"}):
        all_of_them = len(written) + len(LINES)
        arrived = wait_until(lambda: receiver.counters.created >= all_of_them)
    receiver.stop()
    assert arrived, receiver.counters
    assert receiver.counters.rejected == []
    found = client.search(streams, size=10_000)
    assert sorted(hit["event"]["id"] for hit in found) == sorted(written)
    assert client.count(FOREIGN_STREAM) == len(LINES)


@pytest.mark.parametrize("stream", ["logs-flowery-production", "logs-flowery.orders-production"])
def test_its_streams_are_logsdb_and_typed_by_the_kit(
    client: ElasticsearchClient, stream: str
) -> None:
    answer = client.request("POST", f"/_index_template/_simulate_index/{stream}")
    template = answer["template"]
    assert template["settings"]["index"]["mode"] == "logsdb"
    event = template["mappings"]["properties"]["event"]["properties"]
    assert event["id"] == {"type": "keyword", "index": False, "ignore_above": 1024}


def test_what_is_kept_has_a_template_of_its_own(client: ElasticsearchClient) -> None:
    answer = client.request("POST", f"/_index_template/_simulate_index/{FOREIGN_STREAM}")
    template = answer["template"]
    assert template["mappings"]["dynamic"] == "false"
    assert "final_pipeline" not in template["settings"]["index"]
    assert "mode" not in template["settings"]["index"]
