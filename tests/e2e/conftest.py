"""What the tests of the whole path share: the programs, started and stopped around them."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from . import templates
from .elasticsearch_client import ElasticsearchClient
from .processes import Elasticsearch, Filebeat, wait_until
from .programs import Cache, elasticsearch_home, filebeat_binary, find_jdk
from .receiver import Receiver

StartFilebeat = Callable[..., Filebeat]
WaitUntilDelivered = Callable[..., None]


@pytest.fixture(scope="session", autouse=True)
def _sigterm_ends_in_order() -> Iterator[None]:
    """SIGTERM stops the programs as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def elasticsearch_server() -> Iterator[Elasticsearch]:
    """The real Elasticsearch with the kit's templates; restart it to test an outage."""
    home = elasticsearch_home(Cache.from_environment())
    server = Elasticsearch(home, find_jdk())
    try:
        server.start()
        with ElasticsearchClient(server.url) as client:
            templates.install(client, home)
        yield server
    finally:
        server.close()


@pytest.fixture
def elasticsearch(elasticsearch_server: Elasticsearch) -> Iterator[ElasticsearchClient]:
    """A client of the one Elasticsearch of this test run: search within `streams` only."""
    with ElasticsearchClient(elasticsearch_server.url) as client:
        yield client


@pytest.fixture
def environment() -> str:
    """A `service.environment` of this test alone, so that its documents lie apart."""
    return f"test{secrets.token_hex(6)}"


@pytest.fixture
def streams(environment: str) -> str:
    """The pattern of the data streams that the events of this test's environment go to."""
    return f"logs-flowery*-{environment}"


@pytest.fixture
def log_dir(tmp_path: Path) -> Path:
    """An empty folder for the services' log files."""
    folder = tmp_path / "flowery"
    folder.mkdir()
    return folder


@pytest.fixture
def receiver(elasticsearch_server: Elasticsearch) -> Iterator[Receiver]:
    """What stands in for Logstash, listening; no error may be left when the test ends."""
    receiver = Receiver(elasticsearch_server.url)
    receiver.start()
    yield receiver
    receiver.stop()
    assert receiver.errors == []


@pytest.fixture
def filebeat(receiver: Receiver, tmp_path: Path) -> Iterator[StartFilebeat]:
    """Starts Filebeat on a folder of logs: `filebeat(log_dir)`; stopped when the test ends.

    `filebeat(log_dir, {"name": value})` puts settings over those of `filebeat.yml`.
    """
    binary = filebeat_binary(Cache.from_environment())
    started: list[Filebeat] = []

    def start(log_dir: Path, settings: Mapping[str, object] | None = None) -> Filebeat:
        folder = tmp_path / f"filebeat-{len(started)}"
        folder.mkdir()
        started.append(Filebeat(binary, log_dir, receiver.address, folder, settings))
        started[-1].start()
        return started[-1]

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def wait_until_delivered(
    elasticsearch: ElasticsearchClient, receiver: Receiver, streams: str
) -> WaitUntilDelivered:
    """Waits for `n` documents in this test's streams: `wait_until_delivered(n, seconds=60)`.

    Fails with what the receiver counted if they do not come, or if there are more.
    """

    def wait(n: int, seconds: float = 60) -> None:
        wait_until(lambda: elasticsearch.count(streams) >= n, seconds, interval=0.3)
        found = elasticsearch.count(streams)
        assert found == n, f"{found} documents of {n} after {seconds} s: {receiver.counters}"

    return wait
