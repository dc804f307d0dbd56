"""The receiver hangs up on what a real beats input hangs up on, and on nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from .beats_input import TOO_DEEP, poison
from .receiver import Receiver
from .sender import Sender


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


POISON = [
    {"message": True},
    {"message": False},
    *(
        {"message": "m", "tags": tags}
        for tags in (None, 7, True, {"env": "prod"}, ["a", 7], [None])
    ),
    *({"message": "m", name: 1} for name in ("a[b]", "[]", "[", "[tags]", "[@timestamp]", "]")),
    *({"message": "m", "beat": beat} for beat in ("filebeat", 1, None, ["a"])),
    {"message": "m", "deep": nested(TOO_DEEP - 1)},
    {"deep": nested(TOO_DEEP)},
]
HARMLESS = [
    {"message": "m", "tags": ["a", "b"]},
    {"message": "m", "tags": []},
    {"message": "m", "beat": {"name": "x"}},
    {"message": {"an": "object"}},
    {"message": "m", "event": "x", "log": "x", "host": "x"},
    {"tags": {"env": "prod"}, "a[b]": 1},
    {"message": "m", "deep": nested(400)},
]


@pytest.mark.parametrize("event", POISON, ids=lambda event: repr(event)[:40])
def test_poison(event: dict[str, Any]) -> None:
    assert poison(event) != ""


@pytest.mark.parametrize("event", HARMLESS, ids=lambda event: repr(event)[:40])
def test_what_the_input_takes(event: dict[str, Any]) -> None:
    assert poison(event) == ""


def test_the_receiver_closes_the_connection_before_it_keeps_anything() -> None:
    receiver = Receiver("http://127.0.0.1:9")
    receiver.start()
    try:
        with Sender(receiver.address) as sender:
            sender.send_events([{"message": "m"}, {"message": "started", "tags": {"env": "prod"}}])
            assert sender.acknowledged() is None
    finally:
        receiver.stop()
    assert receiver.counters.received == 0
    assert receiver.counters.hung_up == ["tags is no list of texts"]
    assert receiver.errors == []
