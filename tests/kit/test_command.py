"""`flowery-logging kit`: what it writes, what it sends, and what it says of a refusal."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import ssl
import subprocess
import sys
import zipfile
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest
import yaml

from flowery_logging.cli.commands import commands
from tests.kit.logstash_conf import plugins
from tests.kit.servers import FakeElasticsearch, FakeKibana, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
KIT = ROOT / "filebeat"


@dataclass(frozen=True)
class Ran:
    """What a command said, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str, **environment: str) -> Ran:
    """Run the command in this process, as `flowery-logging` does: a new one takes its time."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environment),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        commands(["kit", *arguments], prog_name="flowery-logging")
    code = ended.value.code
    return Ran(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())


@pytest.fixture
def server() -> Iterator[FakeElasticsearch]:
    server = FakeElasticsearch()
    with serving(server):
        yield server


@pytest.fixture
def kibana() -> Iterator[FakeKibana]:
    kibana = FakeKibana()
    with serving(kibana):
        yield kibana


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
    kept = json.loads((folder / "component_templates" / "flowery@retention.json").read_text())
    assert kept["template"]["lifecycle"]["data_retention"] == "7d"
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


@pytest.mark.parametrize("folder", ["filebeat.yml", "logstash/flowery.conf"])
def test_where_nothing_can_be_written_is_told(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "file").write_text("")
    for place, named in ((tmp_path, tmp_path / folder), (tmp_path / "file" / "kit",) * 2):
        refused = run(str(place))
        assert (refused.returncode, f"cannot write {named}: " in refused.stderr) == (2, True)


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
        "/_component_template/flowery@retention",
        "/_component_template/flowery@kept",
        "/_component_template/flowery@fields",
        "/_ilm/policy/flowery",
        "/_component_template/flowery@ilm",
        "/_index_template/flowery",
        "/_index_template/flowery.kept",
        "/_data_stream/logs-flowery.foreign-default",
        "/_data_stream/logs-flowery.dead_letters-default",
        "/_security/role/flowery_writer",
        "/_security/role/flowery_reader",
        "/_security/role/flowery_monitor",
    ]
    assert {key for _, _, _, key in server.requests} == {"ApiKey secret"}


def test_a_dry_run_needs_no_server(tmp_path: Path) -> None:
    nowhere = ("--elasticsearch", "http://127.0.0.1:9", "--kibana", "http://127.0.0.1:9")
    said = run("install", *nowhere, "--dry-run")
    assert said.returncode == 0, said.stderr
    assert "PUT /_index_template/flowery\n" in said.stdout
    assert "PUT /_data_stream/logs-flowery.foreign-default\n" in said.stdout
    assert "POST /api/saved_objects/_import?overwrite=true\n" in said.stdout
    assert "/_plugins/" not in said.stdout
    variant = run("install", *nowhere, "--dry-run", "--opensearch")
    assert "PUT /_plugins/_ism/policies/flowery\n" in variant.stdout


def test_a_second_run_says_what_is_there_and_changes_nothing(server: FakeElasticsearch) -> None:
    assert run("install", "--elasticsearch", server.url).returncode == 0
    before = dict(server.kept)
    again = run("install", "--elasticsearch", server.url)
    assert again.returncode == 0, again.stderr
    assert "/_data_stream/logs-flowery.dead_letters-default  is there" in again.stdout
    assert server.kept == before


def test_what_is_there_is_compared_with_what_was_put(server: FakeElasticsearch) -> None:
    server.alter["flowery"] = {"priority": 7}
    told = run("install", "--elasticsearch", server.url)
    assert told.returncode == 4
    assert "something else is there: priority is 7, not 501" in told.stderr


def test_what_was_accepted_and_is_not_there_is_noticed(server: FakeElasticsearch) -> None:
    server.forget = "flowery.kept"
    told = run("install", "--elasticsearch", server.url)
    assert told.returncode == 4
    assert "PUT /_index_template/flowery.kept was accepted, but nothing is there" in told.stderr


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_with_the_key(
    server: FakeElasticsearch, kibana: FakeKibana, status: int
) -> None:
    server.redirect_to, server.redirect_status = kibana.url, status
    for option in ("--elasticsearch", "--kibana"):
        told = run("install", option, server.url, "--api-key", "secret")
        assert told.returncode == 4
        assert f"redirects to {kibana.url}/" in told.stderr
    assert kibana.requests == []


@pytest.mark.parametrize("answer", [b"{}", b"[]", b"null", b'"ok"', b"<html>", b"", b"\xff"])
def test_who_answers_everything_alike_has_taken_nothing(
    server: FakeElasticsearch, answer: bytes
) -> None:
    server.anything = answer
    for option in ("--elasticsearch", "--kibana"):
        told = run("install", option, server.url)
        assert told.returncode == 4, told.stdout
        assert told.stderr
    assert run("watch", "--elasticsearch", server.url, "--logstash", server.url).returncode == 4


ODD_URLS = [
    "", "h:9200", "https://", "http:127.0.0.1", "http://[::1", "http://[v1.x]:1", "http://h:abc",
    "http://h:99999", "http://h:-1", "http://127.0.0.1:0", "http://..:1", "http://exa mple:1",
    "http://h/ path", "http://h\n:1", "http://h\0:1", "http://127.0.0.1:1/?a=b", "http://127.0.0.1:1#x",
    "http://127.0.0.1:1/é", "http://우리:1", "http://127.0.0.1:1/%0d%0aX:1", "http://u:hush/word@h:1",
    "http://u:hush@h:port", "http://u:hush @h:1", "http://u:hush\n@h:1", "http://u:hush\udc80@h:1",
    "ftp://u:hush@h", "http://u:hush%@127.0.0.1:1", f"http://{'x' * 300}:1",
]  # fmt: skip


@pytest.mark.parametrize("url", ODD_URLS)
def test_an_odd_url_is_an_error_that_shows_no_password(tmp_path: Path, url: str) -> None:
    for command in (
        ("install", "--elasticsearch"),
        ("install", "--kibana"),
        ("watch", "--elasticsearch"),
        ("watch", "--logstash"),
        ("write", str(tmp_path), "--elasticsearch"),
    ):
        told = run(*command, url)
        assert told.returncode in ({2, 4} if command[0] != "write" else {0, 2})
        assert "hush" not in told.stdout + told.stderr


@pytest.mark.parametrize(
    "secret", ["hush\nX: y", "hush\r", "hu sh", "hush비밀", "hush\udc80", "hush\0"]
)
def test_a_key_that_no_header_can_hold_is_refused_unseen(
    server: FakeElasticsearch, secret: str
) -> None:
    told = run("install", "--elasticsearch", server.url, "--api-key", secret)
    assert told.returncode == 2
    assert "hu" not in told.stderr
    assert run("install", "--elasticsearch", server.url, "--user", "a:b").returncode == 2
    assert server.requests == []


def test_a_file_with_a_password_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        written = run(str(tmp_path), "--elasticsearch", "https://kim:hush@es:9200")
    finally:
        os.umask(before)
    assert written.returncode == 0, written.stderr
    found = [
        path for path in tmp_path.rglob("*") if path.is_file() and b"hush" in path.read_bytes()
    ]
    assert found
    assert {path.stat().st_mode & 0o077 for path in found} == {0}
    assert "hush" not in written.stdout
    assert all(str(path.relative_to(tmp_path)) in written.stdout for path in found)


def test_a_partial_failure_says_what_stands_and_what_does_not(
    server: FakeElasticsearch, kibana: FakeKibana
) -> None:
    server.refuse["/_index_template/flowery.kept"] = (503, "no master")
    told = run("install", "--elasticsearch", server.url, "--kibana", kibana.url)
    assert told.returncode == 4
    stands, missing = told.stderr.split("Not installed: ")
    assert "/_index_template/flowery." in stands
    assert missing.startswith("/_index_template/flowery.kept, /_data_stream/")
    assert "/api/saved_objects/_import?overwrite=true" in missing


def test_kibana_gets_objects_connectors_and_rules_and_may_get_them_again(
    kibana: FakeKibana,
) -> None:
    install = ("install", "--kibana", kibana.url, "--api-key", "secret")
    assert run(*install).returncode == 0
    rules = {path for path in kibana.kept if "/rule/" in path}
    assert {f"/api/alerting/rule/{path.stem}" for path in KIT.glob("kibana/rules/*")} == rules
    assert len(kibana.objects) == len((KIT / "kibana" / "flowery.ndjson").read_text().splitlines())
    before = dict(kibana.kept)
    again = run(*install)
    assert again.returncode == 0, again.stderr
    assert kibana.kept == before
    assert {key for _, _, _, key in kibana.requests} == {"ApiKey secret"}


@pytest.mark.slow
def test_the_laptop_installs_what_kibana_gets(kibana: FakeKibana, tmp_path: Path) -> None:
    services = yaml.safe_load((KIT / "compose.yaml").read_text())["services"]
    assert "'.[cli]'" in services["dashboards"]["build"]["dockerfile_inline"]
    command = services["dashboards"]["command"]
    (tmp_path / "elastic.password").write_text("secret")
    program = command[-1].replace("$$", "$").replace("/secrets/elastic", f"{tmp_path}/elastic")
    program = program.replace("https://kibana:5601", kibana.url)
    program = program.replace("--ca-certs /secrets/ca/ca.crt", "")  # this one has no TLS
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run([*command[:-1], program], env={**os.environ, "PATH": path}, check=True)
    rules = {f"/api/alerting/rule/{path.stem}" for path in KIT.glob("kibana/rules/*")}
    assert rules <= kibana.kept.keys()
    assert {key for _, _, _, key in kibana.requests} == {"Basic ZWxhc3RpYzpzZWNyZXQ="}


def test_what_kibana_did_not_import_is_told(kibana: FakeKibana) -> None:
    kibana.import_errors = [{"type": "lens", "id": "x", "error": {"type": "missing_references"}}]
    told = run("install", "--kibana", kibana.url)
    assert told.returncode == 4
    assert "lens x: missing_references" in told.stderr


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--topic", 'x"] output{ stdout {} }'),
        ("--topic", "a\nb"),
        ("--logstash", "a:5044\nb: c"),
        ("--logstash", '"a:5044'),
        ("--kafka", "${HOME}:9092"),
        ("--kafka", 'k:9092" }'),
        ("--elasticsearch", "https://es:9200/$(id)"),
        ("--elasticsearch", 'https://es"; rm -rf /'),
        ("--elasticsearch", "ftp://es"),
        ("--log-dir", "/srv/${HOME}"),
        ("--log-dir", "/srv/a'b"),
        ("--log-dir", "/srv/a\n- b"),
        ("--log-dir", "/srv/a #b"),
    ],
)
def test_a_value_that_would_be_more_than_a_value_is_refused(
    tmp_path: Path, option: str, value: str
) -> None:
    refused = run(str(tmp_path / "kit"), option, value)
    assert refused.returncode == 2
    assert option in refused.stderr
    assert not (tmp_path / "kit").exists()


def test_values_with_every_sign_that_is_allowed_mean_themselves(tmp_path: Path) -> None:
    folder, url = "/srv/우리 logs+(1)@x=y~z", "https://user%40x@es-1.local:9200/a_b~c"
    arguments = ("--log-dir", folder, "--elasticsearch", url, "--kafka", "[::1]:9092")
    written = run(str(tmp_path), *arguments, "--topic", "a.b_c-D")
    assert written.returncode == 0, written.stderr
    shipper = yaml.safe_load((tmp_path / "filebeat.kafka.yml").read_text())
    assert shipper["filebeat.inputs"][0]["paths"] == [f"${{FLOWERY_LOG_DIR:{folder}}}/*.ndjson"]
    assert shipper["output.kafka"]["topic"] == "${KAFKA_TOPIC:a.b_c-D}"
    assert shipper["output.kafka"]["hosts"] == '${KAFKA_HOSTS:["[::1]:9092"]}'
    for path in (tmp_path / "logstash").glob("*.conf"):
        assert plugins(path.read_text())
    script = (tmp_path / "elasticsearch" / "install.sh").read_text()
    said = subprocess.run(
        ["sh", "-c", f"{script.partition('put() {')[0]} echo $url"],
        env={name: value for name, value in os.environ.items() if name != "ELASTICSEARCH_URL"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == f"{url}\n"


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_file_modes_do_not_come_from_the_umask(tmp_path: Path, umask: int) -> None:
    # Filebeat reads no configuration that others may write, and its user may not be ours.
    before = os.umask(umask)
    try:
        assert run(str(tmp_path / "kit")).returncode == 0
    finally:
        os.umask(before)
    modes = {path: path.stat().st_mode & 0o777 for path in (tmp_path / "kit").rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_dir() or path.suffix == ".sh"} == {
        0o755
    }
    assert {mode for path, mode in modes.items() if path.is_file() and path.suffix != ".sh"} == {
        0o644
    }


def test_the_policy_has_a_cold_phase_for_those_who_ask(tmp_path: Path) -> None:
    choices = ("--ilm", "--cold-days", "3", "--retention-days", "9", "--services", "20")
    assert run(str(tmp_path), *choices).returncode == 0
    folder = tmp_path / "elasticsearch"
    phases = json.loads((folder / "ilm_policies" / "flowery.json").read_text())["policy"]["phases"]
    assert [(name, phase.get("min_age")) for name, phase in phases.items()] == [
        ("hot", None),
        ("warm", "0d"),
        ("delete", "9d"),
        ("cold", "3d"),
    ]
    settings = json.loads((folder / "component_templates" / "flowery@settings.json").read_text())
    total = settings["template"]["settings"]["index"]["mapping"]["total_fields"]
    assert total["limit"] == 700 + 256 * 20
    assert run(str(tmp_path), "--cold-days", "3").returncode == 2
    assert run(str(tmp_path), "--ilm", "--cold-days", "30").returncode == 2


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


@pytest.fixture
def certificate(server: FakeElasticsearch, tmp_path: Path) -> Path:
    """The certificate of the server, which speaks TLS from now on."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    subprocess.run([*command, *files, *subject], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.url = server.url.replace("http:", "https:")
    return certificate


@pytest.mark.slow
def test_tls_needs_the_authority_that_signed(server: FakeElasticsearch, certificate: Path) -> None:
    install = ("install", "--elasticsearch", server.url)
    refused = run(*install)
    assert refused.returncode == 4
    assert "certificate" in refused.stderr.lower()
    assert server.requests == []
    assert run(*install, "--ca-certs", str(certificate)).returncode == 0
    assert run(*install, "--insecure").returncode == 0


@pytest.mark.slow
def test_a_certificate_may_be_known_by_its_fingerprint(
    server: FakeElasticsearch, certificate: Path
) -> None:
    install = ("install", "--elasticsearch", server.url, "--fingerprint")
    bytes_of_it = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    digest = hashlib.sha256(bytes_of_it).hexdigest()
    assert run(*install, digest).returncode == 0
    assert run(*install, ":".join(re.findall("..", digest.upper()))).returncode == 0
    server.requests.clear()
    other = run(*install, digest[::-1])
    assert other.returncode == 4
    assert digest in other.stderr
    assert server.requests == []
    assert run(*install, "no fingerprint").returncode == 2


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
    by_curl = [asked for asked in server.requests if asked[0] == "PUT"]
    server.requests.clear()
    server.kept.clear()
    run("install", "--elasticsearch", server.url, "--api-key", "secret")
    assert by_curl == [asked for asked in server.requests if asked[0] == "PUT"]


@pytest.mark.parametrize("who", ["logstash", "filebeat", "reader", "monitor"])
def test_an_api_key_may_do_what_its_role_may_and_no_more(who: str) -> None:
    key = json.loads((KIT / "elasticsearch" / "api_keys" / f"{who}.json").read_text())
    ((role, allowed),) = key["role_descriptors"].items()
    granted = json.loads((KIT / "elasticsearch" / "roles" / f"{role}.json").read_text())
    assert allowed == {"cluster": granted["cluster"], "indices": granted["indices"]}
    template = json.loads((KIT / "elasticsearch" / "index_templates" / "flowery.json").read_text())
    (indices,) = granted["indices"]
    assert indices["names"] == template["index_patterns"]
    writes = {"create_doc", "auto_configure", "index", "write", "delete", "manage", "all"}
    expected = {"create_doc", "auto_configure"} if who in {"logstash", "filebeat"} else set()
    assert key["expiration"] == "90d"
    assert set(indices["privileges"]) & writes == expected


@pytest.mark.slow
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
    assert "pytest_flowery_logging.py" in packed
