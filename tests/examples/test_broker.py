"""A message that is just being written is no message yet: kombu's own folder gives an empty one."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from kombu.connection import Connection
from kombu.transport import filesystem

from examples.shop import broker, ports


@pytest.fixture
def channel(tmp_path):
    folders = dict.fromkeys(("data_folder_in", "data_folder_out"), str(tmp_path))
    options = {**folders, "control_folder": str(tmp_path / "control")}
    with Connection(broker.URL, transport_options=options) as connection:
        yield connection.default_channel


def test_a_message_is_taken_when_it_is_whole(channel, tmp_path, monkeypatch):
    begun, allowed, dumps = threading.Event(), threading.Event(), vars(filesystem)["dumps"]

    def slow(payload):
        begun.set()
        assert allowed.wait(300)
        return dumps(payload)

    monkeypatch.setattr(filesystem, "dumps", slow)
    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(channel._put, "celery", {"order_id": 7})
        assert begun.wait(300)
        assert len(list(tmp_path.glob("*.msg"))) == 1
        reading = pool.submit(channel._get, "celery")
        time.sleep(0.1)  # for a reader that does not wait
        allowed.set()
        assert reading.result(300) == {"order_id": 7}
        writing.result(300)


def test_a_port_is_given_once_and_never_one_for_clients():
    found = {ports.free_port() for _ in range(50)}
    assert len(found) == 50
    assert max(found) < max(ports._first_of_clients(), ports.LOWEST + 1_000)
