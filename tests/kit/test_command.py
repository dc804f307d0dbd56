"""`flowery-logging kit`: what it writes, what it sends, and what it says of a refusal."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
KIT = ROOT / "filebeat"
ELASTICSEARCH_9 = {"version": {"number": "9.1.0"}}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flowery_logging", "kit", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


class FakeElasticsearch(ThreadingHTTPServer):
    """Takes every request, or refuses those whose path begins as `refuse` says."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, str, Any, str | None]] = []
        self.refuse: dict[str, tuple[int, str]] = {}
        self.about: dict[str, Any] = ELASTICSEARCH_9
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def put(self) -> list[str]:
        return [path for method, path, _, _ in self.requests if method == "PUT"]


class _Handler(BaseHTTPRequestHandler):
    server: FakeElasticsearch

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        asked = (self.command, self.path, body, self.headers.get("Authorization"))
        self.server.requests.append(asked)
        status, answer = 200, self.server.about if self.path == "/" else {"acknowledged": True}
        for path, (refused, reason) in self.server.refuse.items():
            if self.path.startswith(path):
                status, answer = refused, {"error": {"reason": reason}}
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = _answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[FakeElasticsearch]:
    server = FakeElasticsearch()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def fields(tmp_path: Path) -> Path:
    path = tmp_path / "fields.json"
    declared = {"flowery.order.id": "long", "flowery": {"shop": "keyword"}}
    path.write_text(json.dumps({**declared, "flowery.region": "constant_keyword"}))
    return path


def test_what_is_not_given_is_written_as_it_is(tmp_path: Path) -> None:
    written = run(str(tmp_path / "kit"))
    assert written.returncode == 0, written.stderr
    files = {path.relative_to(KIT) for path in KIT.rglob("*") if path.is_file()}
    assert files
    for path in files:
        assert (tmp_path / "kit" / path).read_bytes() == (KIT / path).read_bytes()


def test_the_teams_names_stand_in_every_file(tmp_path: Path, fields: Path) -> None:
    arguments = ("--logstash", "a:5044,b:5044", "--kafka", "k:9092", "--topic", "logs")
    more = ("--elasticsearch", "https://es:9200", "--retention-days", "7", "--fields", str(fields))
    written = run(str(tmp_path), *arguments, *more, "--log-dir", "/srv/logs")
    assert written.returncode == 0, written.stderr
    shipper = yaml.safe_load((tmp_path / "filebeat.yml").read_text())
    assert shipper["output.logstash"]["hosts"] == '${LOGSTASH_HOSTS:["a:5044","b:5044"]}'
    assert shipper["filebeat.inputs"][0]["paths"] == ["${FLOWERY_LOG_DIR:/srv/logs}/*.ndjson"]
    direct = yaml.safe_load((tmp_path / "filebeat.elasticsearch.yml").read_text())
    hosts = direct["output.elasticsearch"]["hosts"]
    assert hosts == '${ELASTICSEARCH_HOSTS:["https://es:9200"]}'
    kafka = (tmp_path / "logstash" / "flowery-kafka.conf").read_text()
    assert '"${KAFKA_HOSTS:k:9092}"' in kafka
    assert '"${KAFKA_TOPIC:logs}"' in kafka
    folder = tmp_path / "elasticsearch"
    settings = json.loads((folder / "component_templates" / "flowery@settings.json").read_text())
    assert settings["template"]["lifecycle"]["data_retention"] == "7d"
    policy = json.loads((folder / "ilm_policies" / "flowery.json").read_text())
    assert policy["policy"]["phases"]["delete"]["min_age"] == "7d"
    declared = json.loads((folder / "component_templates" / "flowery@fields.json").read_text())
    properties = declared["template"]["mappings"]["properties"]["flowery"]["properties"]
    assert properties["order"]["properties"]["id"] == {"type": "long"}
    assert properties["shop"] == {"type": "keyword", "ignore_above": 1024}
    assert properties["region"] == properties["shop"]  # a constant one refuses other values
    assert "7d" in (tmp_path / "opensearch" / "ism_policies" / "flowery.json").read_text()


def test_files_that_differ_are_not_replaced_unasked(tmp_path: Path) -> None:
    run(str(tmp_path))
    (tmp_path / "filebeat.yml").write_text("ours")
    assert run(str(tmp_path)).returncode == 2
    assert (tmp_path / "filebeat.yml").read_text() == "ours"
    assert run(str(tmp_path), "--force").returncode == 0
    assert (tmp_path / "filebeat.yml").read_text() != "ours"


def test_a_field_that_cannot_be_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fields.json"
    path.write_text('{"http.response.status_code": "keyword"}')
    refused = run(str(tmp_path / "kit"), "--fields", str(path))
    assert refused.returncode == 2
    assert "http.response.status_code is long in ECS" in refused.stderr


def test_requests_come_in_an_order_in_which_each_finds_what_it_names(
    server: FakeElasticsearch, fields: Path
) -> None:
    installed = run(
        *("install", "--elasticsearch", server.url, "--fields", str(fields), "--ilm"),
        ELASTICSEARCH_API_KEY="secret",
    )
    assert installed.returncode == 0, installed.stderr
    assert server.put() == [
        "/_ingest/pipeline/flowery@arrival",
        "/_component_template/flowery@mappings",
        "/_component_template/flowery@settings",
        "/_component_template/flowery@fields",
        "/_ilm/policy/flowery",
        "/_component_template/flowery@ilm",
        "/_index_template/flowery",
        "/_security/role/flowery_writer",
        "/_security/role/flowery_reader",
    ]
    assert {key for _, _, _, key in server.requests} == {"ApiKey secret"}


def test_a_dry_run_changes_nothing(server: FakeElasticsearch) -> None:
    said = run("install", "--elasticsearch", server.url, "--dry-run")
    assert said.returncode == 0
    assert server.put() == []
    assert "PUT /_index_template/flowery\n" in said.stdout


def test_switched_off_security_needs_no_roles(server: FakeElasticsearch) -> None:
    server.refuse["/_security/"] = (400, "no handler found for uri [/_security/role/x]")
    installed = run("install", "--elasticsearch", server.url)
    assert installed.returncode == 0
    assert "flowery_writer  left out: security is switched off" in installed.stdout


@pytest.mark.parametrize(
    ("path", "status", "advice"),
    [
        ("/", 401, "is not accepted; give --api-key or --user"),
        ("/_ingest/", 403, "needs the cluster privilege manage_ingest_pipelines"),
        ("/_index_template/", 403, "needs the cluster privilege manage_index_templates"),
        ("/_security/", 403, "needs the cluster privilege manage_security"),
        ("/_component_template/flowery@settings", 400, "the reason of the server"),
    ],
)
def test_a_refusal_says_what_to_do(
    server: FakeElasticsearch, path: str, status: int, advice: str
) -> None:
    server.refuse[path] = (status, "the reason of the server")
    refused = run("install", "--elasticsearch", server.url)
    assert refused.returncode == 4
    assert advice in refused.stderr
    assert "the reason of the server" in refused.stderr


def test_an_old_elasticsearch_is_told_from_the_start(server: FakeElasticsearch) -> None:
    server.about = {"version": {"number": "8.12.2"}}
    refused = run("install", "--elasticsearch", server.url)
    assert refused.returncode == 4
    assert "Elasticsearch 8.12.2; the templates need 8.19 or newer" in refused.stderr
    assert server.put() == []


def test_tls_needs_the_authority_that_signed(server: FakeElasticsearch, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    subprocess.run([*command, *files, *subject], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    install = ("install", "--elasticsearch", server.url.replace("http:", "https:"), "--dry-run")
    refused = run(*install)
    assert refused.returncode == 4
    assert "certificate" in refused.stderr.lower()
    assert run(*install, "--ca-certs", str(certificate)).returncode == 0
    assert run(*install, "--insecure").returncode == 0


def test_a_server_that_is_not_there_is_said() -> None:
    refused = run("install", "--elasticsearch", "http://127.0.0.1:9")
    assert refused.returncode == 4
    assert "no answer" in refused.stderr


def test_the_curl_lines_send_the_same(server: FakeElasticsearch) -> None:
    ran = subprocess.run(
        ["sh", "install.sh"],
        cwd=KIT / "elasticsearch",
        env=os.environ | {"ELASTICSEARCH_URL": server.url, "ELASTICSEARCH_API_KEY": "secret"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    by_curl, server.requests = server.requests, []
    run("install", "--elasticsearch", server.url, "--api-key", "secret")
    assert by_curl == [asked for asked in server.requests if asked[0] == "PUT"]


@pytest.mark.parametrize("who", ["logstash", "filebeat", "reader"])
def test_an_api_key_may_do_what_its_role_may_and_no_more(who: str) -> None:
    key = json.loads((KIT / "elasticsearch" / "api_keys" / f"{who}.json").read_text())
    ((role, allowed),) = key["role_descriptors"].items()
    granted = json.loads((KIT / "elasticsearch" / "roles" / f"{role}.json").read_text())
    assert allowed == {"cluster": granted["cluster"], "indices": granted["indices"]}
    template = json.loads((KIT / "elasticsearch" / "index_templates" / "flowery.json").read_text())
    (indices,) = granted["indices"]
    assert indices["names"] == template["index_patterns"]
    writes = {"create_doc", "auto_configure", "index", "write", "delete", "manage", "all"}
    expected = set() if who == "reader" else {"create_doc", "auto_configure"}
    assert set(indices["privileges"]) & writes == expected


def test_the_wheel_takes_the_kit_along(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path)]
    offline = ["--no-build-isolation", "--disable-pip-version-check", str(ROOT)]
    built = subprocess.run([*command, *offline], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    for path in KIT.rglob("*"):
        if path.is_file():
            assert f"flowery_logging/filebeat/{path.relative_to(KIT)}" in packed
