"""The receiver acknowledges what is safe and nothing else, whatever Elasticsearch answers."""

from __future__ import annotations

import json
import threading
from collections import deque
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from .receiver import Receiver
from .sender import Sender
from .test_pipeline import ours

if TYPE_CHECKING:
    from collections.abc import Iterator


class ScriptedElasticsearch(ThreadingHTTPServer):
    """Answers each bulk request with the next list of statuses, or a status for the whole."""

    def __init__(self) -> None:
        self.answers: deque[int | list[int]] = deque()
        self.bulks: list[list[str]] = []
        super().__init__(("127.0.0.1", 0), BulkHandler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class BulkHandler(BaseHTTPRequestHandler):
    server: ScriptedElasticsearch

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).splitlines()
        self.server.bulks.append([json.loads(line)["create"]["_id"] for line in body[::2]])
        answer = self.server.answers.popleft()
        status, items = (200, answer) if isinstance(answer, list) else (answer, [])
        content = json.dumps({"items": [{"create": result(item)} for item in items]}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Print nothing."""


def result(status: int) -> dict[str, Any]:
    failed = {"error": {"type": f"refused with {status}"}} if status >= 300 else {}
    return {"status": status, **failed}


@contextmanager
def running(server: ScriptedElasticsearch) -> Iterator[ScriptedElasticsearch]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def scripted() -> Iterator[ScriptedElasticsearch]:
    with running(ScriptedElasticsearch()) as server:
        yield server


@pytest.fixture
def receiver(scripted: ScriptedElasticsearch) -> Iterator[Receiver]:
    receiver = Receiver(scripted.url)
    receiver.start()
    yield receiver
    receiver.stop()


def event(number: int) -> dict[str, Any]:
    return ours(event={"id": f"e-{number}", "sequence": number})


def test_created_events_are_acknowledged(
    scripted: ScriptedElasticsearch, receiver: Receiver
) -> None:
    scripted.answers.append([201, 201])
    with Sender(receiver.address) as sender:
        sender.send_events([event(1), event(2)])
        assert sender.acknowledged() == 2
    assert (receiver.counters.received, receiver.counters.created) == (2, 2)


def test_what_is_there_already_counts_as_a_duplicate(
    scripted: ScriptedElasticsearch, receiver: Receiver
) -> None:
    scripted.answers.append([409, 201])
    with Sender(receiver.address) as sender:
        sender.send_events([event(1), event(2)])
        assert sender.acknowledged() == 2
    assert (receiver.counters.duplicates, receiver.counters.created) == (1, 1)


def test_what_is_refused_for_good_is_kept_with_its_reason(
    scripted: ScriptedElasticsearch, receiver: Receiver
) -> None:
    scripted.answers.append([201, 400])
    with Sender(receiver.address) as sender:
        sender.send_events([event(1), event(2)])
        assert sender.acknowledged() == 2
    (rejected,) = receiver.counters.rejected
    assert rejected["document"].id == "e-2"
    assert rejected["reason"] == {"type": "refused with 400"}


@pytest.mark.parametrize("busy", [429, 503, [429, 429]], ids=str)
def test_the_sender_is_kept_waiting_while_elasticsearch_is_busy(
    scripted: ScriptedElasticsearch, receiver: Receiver, busy: int | list[int]
) -> None:
    scripted.answers.extend([busy, [201, 201]])
    with Sender(receiver.address) as sender:
        sender.send_events([event(1), event(2)])
        assert [sender.acknowledged(), sender.acknowledged()] == [0, 2]
    assert receiver.counters.created == 2


def test_only_the_busy_ones_are_tried_again(
    scripted: ScriptedElasticsearch, receiver: Receiver
) -> None:
    scripted.answers.extend([[201, 429, 400], [201]])
    with Sender(receiver.address) as sender:
        sender.send_events([event(1), event(2), event(3)])
        assert [sender.acknowledged(), sender.acknowledged()] == [0, 3]
    assert scripted.bulks == [["e-1", "e-2", "e-3"], ["e-2"]]


def test_an_elasticsearch_that_is_not_there_is_waited_for() -> None:
    server = ScriptedElasticsearch()
    url = server.url
    server.server_close()
    receiver = Receiver(url)
    receiver.start()
    try:
        with Sender(receiver.address) as sender:
            sender.send_events([event(1)])
            assert sender.acknowledged() == 0
    finally:
        receiver.stop()
    assert receiver.counters.created == 0


def test_a_stalled_receiver_lives_but_acknowledges_nothing(
    scripted: ScriptedElasticsearch, receiver: Receiver
) -> None:
    receiver.stalled = True
    with Sender(receiver.address) as sender:
        sender.send_events([event(1)])
        assert [sender.acknowledged(), sender.acknowledged()] == [0, 0]
        assert scripted.bulks == []
        scripted.answers.append([201])
        receiver.stalled = False
        assert sender.acknowledged() == 1


def test_a_stopped_receiver_hangs_up_and_comes_back_on_its_port(
    scripted: ScriptedElasticsearch, receiver: Receiver
) -> None:
    receiver.stalled = True
    address = receiver.address
    with Sender(address) as sender:
        sender.send_events([event(1)])
        assert sender.acknowledged() == 0
        receiver.stop()
        with pytest.raises(ConnectionRefusedError):
            Sender(address)
        assert sender.acknowledged() is None
    receiver.stalled = False
    receiver.start()
    scripted.answers.append([201])
    with Sender(address) as sender:
        sender.send_events([event(1)])
        assert sender.acknowledged() == 1


def test_a_sender_of_another_protocol_is_reported(receiver: Receiver) -> None:
    with Sender(receiver.address) as sender:
        sender.send(b"GET / HTTP/1.1\r\n\r\n")
        assert sender.acknowledged() is None
    receiver.stop()
    (error,) = receiver.errors
    assert "2W" in str(error)
