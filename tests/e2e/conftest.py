"""What the tests of the whole path share: the programs, started and stopped around them."""

from __future__ import annotations

import secrets
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from . import templates
from .elasticsearch_client import ElasticsearchClient
from .processes import Elasticsearch, Filebeat, KitFilebeat, wait_until
from .producer import Producer
from .programs import Cache, elasticsearch_home, filebeat_binary, find_jdk
from .receiver import Receiver

StartFilebeat = Callable[..., Filebeat]
StartKitFilebeat = Callable[..., KitFilebeat]
Arrive = Callable[[ElasticsearchClient, int, KitFilebeat], None]
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
def producer(log_dir: Path, environment: str) -> Producer:
    """A process of a service that logs to this test's folder."""
    return Producer(log_dir, environment)


@pytest.fixture
def receiver(elasticsearch_server: Elasticsearch) -> Iterator[Receiver]:
    """What stands in for Logstash, listening; no error may be left when the test ends."""
    receiver = Receiver(elasticsearch_server.url)
    receiver.start()
    yield receiver
    receiver.stop()
    assert receiver.errors == []


@pytest.fixture(scope="session")
def binary() -> Path:
    """The program Filebeat; the first run on a machine builds it, which takes minutes."""
    return filebeat_binary(Cache.from_environment())


@pytest.fixture
def filebeat(binary: Path, receiver: Receiver, tmp_path: Path) -> Iterator[StartFilebeat]:
    """Starts Filebeat on a folder of logs: `filebeat(log_dir)`; stopped when the test ends.

    `filebeat(log_dir, {"name": value})` puts settings over those of `filebeat.yml`.
    """
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
def kit_filebeat(binary: Path, log_dir: Path, tmp_path: Path) -> Iterator[StartKitFilebeat]:
    """Starts Filebeat with a configuration of the kit: `kit_filebeat(path, HOSTS="…")`.

    It reads this test's folder of logs, with a registry of its own; stopped when the test ends.
    """
    with ExitStack() as running:

        def start(configuration: Path, **environment: str) -> KitFilebeat:
            folder = Path(tempfile.mkdtemp(dir=tmp_path))
            variables = {"FLOWERY_LOG_DIR": str(log_dir), **environment}
            return running.enter_context(KitFilebeat(binary, configuration, folder, variables))

        yield start


@pytest.fixture
def arrive(streams: str) -> Arrive:
    """Waits until so many documents, and no more, are in this test's streams."""

    def wait(client: ElasticsearchClient, count: int, shipper: KitFilebeat) -> None:
        there = wait_until(lambda: client.count(streams) >= count, interval=0.3)
        assert there, shipper.log_tail()
        assert client.count(streams) == count

    return wait


@pytest.fixture
def wait_until_delivered(
    elasticsearch: ElasticsearchClient, receiver: Receiver, streams: str
) -> WaitUntilDelivered:
    """Waits for `n` documents in this test's streams: `wait_until_delivered(n)`.

    Fails with what the receiver counted if they do not come, or if there are more.
    """

    def wait(n: int) -> None:
        wait_until(lambda: elasticsearch.count(streams) >= n, interval=0.3)
        found = elasticsearch.count(streams)
        assert found == n, f"{found} documents of {n}: {receiver.counters}"

    return wait
