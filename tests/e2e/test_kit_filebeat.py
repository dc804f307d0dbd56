"""The real Filebeat takes each of the kit's configurations, and uses what the environment says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .processes.filebeat import CONFIGURATION
from .programs import Cache, filebeat_binary

FILES = sorted(CONFIGURATION.parent.glob("filebeat*.yml"))
AUTHORITIES = {
    "filebeat.yml": {"LOGSTASH_TLS": "true", "LOGSTASH_CA": "/no/such/authority.pem"},
    "filebeat.elasticsearch.yml": {"ELASTICSEARCH_CA": "/no/such/authority.pem"},
    "filebeat.kafka.yml": {"KAFKA_TLS": "true", "KAFKA_CA": "/no/such/authority.pem"},
    "filebeat.kubernetes.yml": {"LOGSTASH_TLS": "true", "LOGSTASH_CA": "/no/such/authority.pem"},
}


def check(
    what: str, path: Path, home: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    binary = filebeat_binary(Cache.from_environment())
    command = [str(binary), "test", what, "--strict.perms=false", "-c", str(path)]
    return subprocess.run(
        [*command, "--path.home", str(home)],
        env=os.environ | {"NODE_NAME": "node-1"} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_there_is_one_for_each_way() -> None:
    assert {path.name for path in FILES} == set(AUTHORITIES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_loads(path: Path, tmp_path: Path) -> None:
    # With TLS it looks for the certificates: test_tls.py has them.
    checked = check("config", path, tmp_path, LOGSTASH_TLS="false")
    assert checked.returncode == 0, checked.stderr
    assert "Config OK" in checked.stdout


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_certificate_authority_is_taken_from_the_environment(path: Path, tmp_path: Path) -> None:
    checked = check("output", path, tmp_path, **AUTHORITIES[path.name])
    assert checked.returncode != 0
    assert "/no/such/authority.pem" in checked.stderr + checked.stdout


def test_a_wrong_option_does_not_load(tmp_path: Path) -> None:
    broken = tmp_path / "filebeat.yml"
    broken.write_text(
        CONFIGURATION.read_text().replace("replace_fields: false", "replace_fields: 7x")
    )
    assert check("config", broken, tmp_path).returncode != 0
