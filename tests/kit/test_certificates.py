"""certificates.sh: one authority for a team, and certificates that it has signed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "filebeat" / "certificates.sh"


def make(folder: Path, *names: str, code: int = 0) -> str:
    ran = subprocess.run(
        ["sh", str(SCRIPT), str(folder), *names], capture_output=True, text=True, check=False
    )
    assert ran.returncode == code, ran.stderr
    return ran.stdout + ran.stderr


def shown(certificate: Path, *what: str) -> str:
    command = ["openssl", "x509", "-in", str(certificate), "-noout", *what]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_certificates_are_signed_for_their_names_and_uses(tmp_path: Path) -> None:
    make(tmp_path, "logstash=10.0.0.7,log.flowery.kr,fd00::1", "filebeat")
    for name, use in (("logstash", "sslserver"), ("filebeat", "sslclient")):
        verify = ["openssl", "verify", "-x509_strict", "-purpose", use]
        authority = ["-CAfile", str(tmp_path / "ca.crt"), str(tmp_path / f"{name}.crt")]
        subprocess.run([*verify, *authority], check=True, capture_output=True)
    names = shown(tmp_path / "logstash.crt", "-ext", "subjectAltName")
    for name in ("DNS:logstash", "IP Address:10.0.0.7", "DNS:log.flowery.kr", "IP Address:FD00:"):
        assert name in names
    # Logstash takes keys of this form alone.
    assert (tmp_path / "logstash.key").read_text().startswith("-----BEGIN PRIVATE KEY-----")


def test_keys_are_their_owners_alone(tmp_path: Path) -> None:
    make(tmp_path, "logstash")
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert (modes["ca.key"], modes["logstash.key"], modes["logstash.crt"]) == (0o600, 0o600, 0o644)


@pytest.mark.slow
def test_what_is_there_is_kept_and_one_is_renewed_by_its_deletion(tmp_path: Path) -> None:
    make(tmp_path, "logstash")
    before = {
        path.name: path.read_bytes() for path in tmp_path.glob("*.*") if path.suffix != ".srl"
    }
    assert "logstash.crt is there" in make(tmp_path, "logstash", "filebeat")
    assert before.items() <= {path.name: path.read_bytes() for path in tmp_path.iterdir()}.items()
    (tmp_path / "logstash.crt").unlink()
    make(tmp_path, "logstash")
    assert (tmp_path / "logstash.crt").read_bytes() != before["logstash.crt"]
    assert (tmp_path / "ca.crt").read_bytes() == before["ca.crt"]
    assert (tmp_path / "logstash.key").read_bytes() == before["logstash.key"]


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "no name for a certificate" in make(tmp_path, "a/b", code=2)
    assert "no name for a certificate" in make(tmp_path, "ca", code=2)
