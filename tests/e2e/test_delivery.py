"""Every line that was written becomes one document, whatever breaks on the way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .processes import Elasticsearch, wait_until
from .producer import Producer

if TYPE_CHECKING:
    from .conftest import StartFilebeat, WaitUntilDelivered
    from .elasticsearch_client import ElasticsearchClient
    from .receiver import Receiver

# More than Filebeat's queue (4 096) holds, so that part of the lines is still in the files.
MORE_THAN_THE_QUEUE = 9000


def test_documents_equal_lines(
    elasticsearch: ElasticsearchClient,
    receiver: Receiver,
    filebeat: StartFilebeat,
    wait_until_delivered: WaitUntilDelivered,
    log_dir: Path,
    environment: str,
    streams: str,
) -> None:
    producers = [Producer(log_dir, environment, service=name) for name in ("gateway", "orders")]
    filebeat(log_dir)
    for producer in producers:
        producer.write_many(700)
    wait_until_delivered(1400)
    assert receiver.counters.rejected == []
    for producer in producers:
        found = elasticsearch.search(
            streams, {"match": {"service.name": producer._service}}, sort="event.sequence"
        )
        assert [hit["event"]["sequence"] for hit in found] == list(range(1, 701))


def test_lines_appended_to_a_file_already_read_arrive(
    filebeat: StartFilebeat,
    wait_until_delivered: WaitUntilDelivered,
    log_dir: Path,
    producer: Producer,
) -> None:
    filebeat(log_dir)
    producer.write_many(10)
    wait_until_delivered(10)
    producer.write_many(10)
    wait_until_delivered(20)
    assert len(producer.files) == 1


def test_files_deleted_while_the_output_is_down_lose_nothing(
    receiver: Receiver,
    filebeat: StartFilebeat,
    wait_until_delivered: WaitUntilDelivered,
    log_dir: Path,
    environment: str,
) -> None:
    producer = Producer(log_dir, environment, lines_per_file=MORE_THAN_THE_QUEUE)
    receiver.stop()
    running = filebeat(log_dir)
    producer.write_many(MORE_THAN_THE_QUEUE)
    assert wait_until(lambda: holds_open(running.pid, producer.files))
    for file in producer.files:
        file.unlink()
    # Two scans, in which Filebeat notices that they are gone.
    wait_until(lambda: False, 2.5)
    receiver.start()
    wait_until_delivered(MORE_THAN_THE_QUEUE)


def test_a_new_file_on_the_inode_of_a_deleted_one_is_read_from_its_start(
    filebeat: StartFilebeat,
    wait_until_delivered: WaitUntilDelivered,
    log_dir: Path,
    environment: str,
) -> None:
    first, second = Producer(log_dir, environment), Producer(log_dir / "elsewhere", environment)
    filebeat(log_dir)
    first.write_many(20)
    wait_until_delivered(20)
    second.write_many(50)
    # Deleting and creating would leave it to the file system whether the inode is reused.
    (deleted,), (created,) = first.files, second.files
    reused = deleted.rename(deleted.with_suffix(".hidden"))
    reused.write_bytes(created.read_bytes())
    reused.rename(log_dir / created.name)
    wait_until_delivered(70)


def test_a_stalled_output_loses_nothing(
    receiver: Receiver,
    filebeat: StartFilebeat,
    wait_until_delivered: WaitUntilDelivered,
    log_dir: Path,
    producer: Producer,
) -> None:
    receiver.stalled = True
    filebeat(log_dir)
    producer.write_many(3000)
    assert wait_until(lambda: receiver.counters.received > 0)
    receiver.stalled = False
    wait_until_delivered(3000)
    assert receiver.counters.rejected == []


def test_a_restart_of_elasticsearch_loses_nothing(
    elasticsearch_server: Elasticsearch,
    receiver: Receiver,
    filebeat: StartFilebeat,
    wait_until_delivered: WaitUntilDelivered,
    log_dir: Path,
    producer: Producer,
) -> None:
    filebeat(log_dir)
    producer.write_many(500)
    wait_until_delivered(500)
    elasticsearch_server.stop()
    producer.write_many(500)
    assert wait_until(lambda: receiver.counters.received > 500)
    elasticsearch_server.start()
    wait_until_delivered(1000)
    assert receiver.counters.rejected == []


def test_kill_of_filebeat_loses_nothing_and_repeats_are_dropped(
    receiver: Receiver,
    filebeat: StartFilebeat,
    wait_until_delivered: WaitUntilDelivered,
    log_dir: Path,
    producer: Producer,
) -> None:
    receiver.stalled = True
    running = filebeat(log_dir)
    producer.write_many(5000)
    assert wait_until(lambda: receiver.counters.received > 0)
    # Some windows are in Elasticsearch, but Filebeat never learns of the last ones.
    receiver.stalled = False
    assert wait_until(lambda: receiver.counters.created > 0, interval=0.01)
    running.kill()
    producer.write_many(1000)
    running.start()
    wait_until_delivered(6000)
    assert wait_until(lambda: receiver.counters.received >= 6000)


def test_repeats_after_a_lost_acknowledgement_are_counted_as_duplicates(
    receiver: Receiver,
    filebeat: StartFilebeat,
    wait_until_delivered: WaitUntilDelivered,
    log_dir: Path,
    producer: Producer,
) -> None:
    producer.write_many(500)
    filebeat(log_dir)
    wait_until_delivered(500)
    # Another registry: the same files are read and sent a second time.
    filebeat(log_dir)
    assert wait_until(lambda: receiver.counters.duplicates == 500)
    wait_until_delivered(500)
    assert receiver.counters.created == 500


def holds_open(pid: int | None, files: list[Path]) -> bool:
    """Whether the process has all of the files open."""
    opened = {link.resolve() for link in Path(f"/proc/{pid}/fd").iterdir()}
    return set(files) <= opened
