"""The installer and the roles in the real Elasticsearch with its security on.

The test's distribution lacks processors, policies, the API that makes a stream and that of roles,
and some types (substitutions.py); all else is sent as `flowery-logging kit install` sends it.
"""

from __future__ import annotations

import hashlib
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flowery_logging.cli.elasticsearch import Access, Elasticsearch, ElasticsearchError
from flowery_logging.cli.kit.install import InstallError, install
from flowery_logging.cli.kit.requests import Choices, Request, requests

from .processes.filebeat import CONFIGURATION
from .processes.secured_elasticsearch import PASSWORD, SecuredElasticsearch
from .producer import Producer
from .programs import Cache, elasticsearch_home, find_jdk
from .substitutions import SUBSTITUTIONS, substitute
from .templates import stock_templates

KIT = CONFIGURATION.parent
USERS = {
    "writer": ["flowery_writer"],
    "reader": ["flowery_reader"],
    "monitor": ["flowery_monitor"],
    "sender": ["flowery_reader", "flowery_writer"],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredElasticsearch]:
    folder = tmp_path_factory.mktemp("certificates")
    subprocess.run(["sh", str(KIT / "certificates.sh"), str(folder), "elasticsearch"], check=True)
    home = elasticsearch_home(Cache.from_environment())
    server = SecuredElasticsearch(home, find_jdk(), folder, USERS)
    try:
        server.start()
        for path, body in stock_templates(home).items():
            administrator(server).request("PUT", path, adapted(path, body))
        yield server
    finally:
        server.close()


def administrator(server: SecuredElasticsearch, **more: Any) -> Elasticsearch:
    trust: dict[str, Any] = {"ca_certs": str(server.ca)} | more
    return Elasticsearch(Access(server.url, user="elastic", password=PASSWORD, **trust))


def adapted(path: str, body: Any) -> Any:
    """A template without what this distribution lacks; most need only a part of the table."""
    templates = {path: json.loads(json.dumps(body))}
    for entry in SUBSTITUTIONS:
        try:
            substitute(templates, [entry])
        except LookupError:
            pass
    return templates[path]


def kit() -> list[Request]:
    found = requests(KIT, Choices())
    return [
        Request(one.folder, one.name, None if one.body is None else adapted(one.path, one.body))
        for one in found
        if one.folder not in {"ingest_pipelines", "roles"}
    ]


@pytest.fixture(scope="module")
def installed(server: SecuredElasticsearch) -> dict[str, str]:
    outcomes = install(administrator(server), kit())
    return {outcome.request.path: outcome.state for outcome in outcomes}


def test_everything_is_put_and_found_as_it_was_put(installed: dict[str, str]) -> None:
    streams = {path for path in installed if path.startswith("/_data_stream/")}
    assert {installed[path] for path in streams} == {
        "left out: this server makes a stream with its first event alone"
    }
    assert {state for path, state in installed.items() if path not in streams} == {"installed"}
    assert "/_index_template/flowery.kept" in installed


def test_a_second_time_it_finds_the_same(
    server: SecuredElasticsearch, installed: dict[str, str]
) -> None:
    again = install(administrator(server), kit())
    assert {outcome.request.path: outcome.state for outcome in again} == installed


def test_something_else_in_its_place_is_noticed(
    server: SecuredElasticsearch, installed: dict[str, str]
) -> None:
    class Forgetful(Elasticsearch):
        def request(self, method: str, path: str, body: Any = None) -> Any:
            if method == "PUT":
                return {"acknowledged": True}
            return super().request(method, path, body)

    other = Forgetful(
        Access(server.url, user="elastic", password=PASSWORD, ca_certs=str(server.ca))
    )
    (template,) = [one for one in kit() if one.path == "/_index_template/flowery"]
    changed = Request(template.folder, template.name, {**(template.body or {}), "priority": 7})
    with pytest.raises(InstallError, match="something else is there: priority is 501, not 7"):
        list(install(other, [changed]))


def test_the_authority_may_be_known_by_its_fingerprint(server: SecuredElasticsearch) -> None:
    leaf = server.ca.with_name("elasticsearch.crt").read_text()
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(leaf)).hexdigest()
    known = administrator(server, ca_certs=None, fingerprint=digest)
    assert known.request("GET", "/_cluster/health")["number_of_nodes"] == 1
    with pytest.raises(ElasticsearchError, match="has the fingerprint"):
        administrator(server, ca_certs=None, fingerprint="0" * 64).request("GET", "/_license")


def as_user(server: SecuredElasticsearch, name: str) -> Elasticsearch:
    return Elasticsearch(Access(server.url, user=name, password=PASSWORD, ca_certs=str(server.ca)))


DOCUMENT = {"@timestamp": "2026-07-01T12:00:00.000000Z", "message": "m"}


def status(server: Elasticsearch, stream: str) -> int:
    try:
        return int(server.bulk([{"create": {"_index": stream}}, DOCUMENT])[0]["status"])
    except ElasticsearchError as error:
        return error.status


def test_roles_may_do_what_is_theirs_and_no_more(
    server: SecuredElasticsearch, installed: dict[str, str]
) -> None:
    writer, reader, monitor = (as_user(server, name) for name in ("writer", "reader", "monitor"))
    assert status(writer, "logs-flowery-keys") == 201
    assert status(writer, "logs-flowery.foreign-default") == 201
    assert status(writer, "logs-payments-default") == 403
    assert status(reader, "logs-flowery-keys") == 403
    assert status(monitor, "logs-flowery-keys") == 403
    reader.request("POST", "/logs-flowery-keys/_search", {"size": 1})
    monitor.request("GET", "/_cluster/health")
    monitor.request("GET", "/_security/api_key?active_only=true")
    monitor.request("GET", "/logs-flowery-keys/_stats")
    with pytest.raises(ElasticsearchError, match="403"):
        writer.request("POST", "/logs-flowery-keys/_search", {"size": 1})


def flowery(server: SecuredElasticsearch, user: str, *arguments: str) -> str:
    where = ("--elasticsearch", server.url, "--ca-certs", str(server.ca))
    ran = subprocess.run(
        [sys.executable, "-m", "flowery_logging", *arguments, *where],
        env=os.environ | {"ELASTICSEARCH_USER": user, "ELASTICSEARCH_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_watch_has_its_figures_from_the_real_server(
    server: SecuredElasticsearch, installed: dict[str, str]
) -> None:
    figures = flowery(server, "monitor", "kit", "watch")
    named = dict(line.split()[:2] for line in figures.splitlines())
    assert set(named) == {"shards_percent", "disk_percent", "days_to_expiry"}
    assert 360 < float(named["days_to_expiry"]) <= 365


def test_what_did_not_arrive_is_sent_again_under_its_own_id(
    server: SecuredElasticsearch, installed: dict[str, str], log_dir: Path, environment: str
) -> None:
    producer = Producer(log_dir, environment, lines_per_file=40)
    identities = [producer.write(f"order {number}") for number in range(100)]
    for file in producer.files:
        os.utime(file, (1_000_000_000, 1_000_000_000))
    again = ("resend", str(log_dir), "--grace", "0")
    assert "100 events created, 0 were there already." in flowery(server, "sender", *again)
    assert "0 events created" in flowery(server, "sender", *again)
    stream = f"logs-flowery-{environment}"
    administrator(server).request("POST", f"/{stream}/_refresh")  # the sender may not
    flowery(server, "sender", "audit", str(log_dir))
    found = administrator(server).request("POST", f"/{stream}/_search", {"size": 200})
    assert sorted(hit["_id"] for hit in found["hits"]["hits"]) == sorted(identities)
