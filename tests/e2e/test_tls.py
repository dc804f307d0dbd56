"""The certificates of certificates.sh between the real Filebeat and the receiver."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Arrive, StartKitFilebeat
from .elasticsearch_client import ElasticsearchClient
from .processes import Elasticsearch, wait_until
from .processes.filebeat import CONFIGURATION
from .producer import Producer
from .receiver import Receiver

SCRIPT = CONFIGURATION.with_name("certificates.sh")


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    folder = tmp_path / "certificates"
    subprocess.run(["sh", str(SCRIPT), str(folder), "logstash", "filebeat"], check=True)
    return folder


@pytest.fixture
def receiver(elasticsearch_server: Elasticsearch, certificates: Path) -> Iterator[Receiver]:
    """A receiver as flowery.conf has the input: it wants a certificate of each Filebeat."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates / "logstash.crt", certificates / "logstash.key")
    tls.load_verify_locations(certificates / "ca.crt")
    tls.verify_mode = ssl.CERT_REQUIRED
    receiver = Receiver(elasticsearch_server.url, tls=tls)
    receiver.start()
    yield receiver
    receiver.stop()


def own(certificates: Path) -> dict[str, str]:
    return {
        "LOGSTASH_CA": str(certificates / "ca.crt"),
        "FILEBEAT_CERTIFICATE": str(certificates / "filebeat.crt"),
        "FILEBEAT_KEY": str(certificates / "filebeat.key"),
    }


def test_a_filebeat_that_the_authority_knows_delivers(
    elasticsearch: ElasticsearchClient,
    receiver: Receiver,
    certificates: Path,
    producer: Producer,
    kit_filebeat: StartKitFilebeat,
    arrive: Arrive,
) -> None:
    producer.write_many(50)
    shipper = kit_filebeat(CONFIGURATION, LOGSTASH_HOSTS=receiver.address, **own(certificates))
    arrive(elasticsearch, 50, shipper)


def test_a_stranger_does_not(
    receiver: Receiver,
    certificates: Path,
    producer: Producer,
    kit_filebeat: StartKitFilebeat,
    tmp_path: Path,
) -> None:
    other = tmp_path / "other"
    subprocess.run(["sh", str(SCRIPT), str(other), "filebeat"], check=True)
    strangers = own(other) | {"LOGSTASH_CA": str(certificates / "ca.crt")}
    producer.write_many(5)
    shipper = kit_filebeat(CONFIGURATION, LOGSTASH_HOSTS=receiver.address, **strangers)
    refused = b"Failed to publish events"
    assert wait_until(lambda: refused in shipper.log.read_bytes()), shipper.log_tail()
    assert receiver.counters.received == 0


def test_a_filebeat_delivers_to_no_logstash_that_the_authority_does_not_know(
    receiver: Receiver, producer: Producer, kit_filebeat: StartKitFilebeat, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    subprocess.run(["sh", str(SCRIPT), str(other), "filebeat"], check=True)
    producer.write_many(5)
    shipper = kit_filebeat(CONFIGURATION, LOGSTASH_HOSTS=receiver.address, **own(other))
    unknown = b"certificate signed by unknown authority"
    assert wait_until(lambda: unknown in shipper.log.read_bytes()), shipper.log_tail()
    assert receiver.counters.received == 0
