"""The sending side of Lumberjack 2, as Beats speak it, for tests of the receiver."""

from __future__ import annotations

import socket
import struct
import zlib
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self


def frames(events: Sequence[Any], first: int = 1) -> bytes:
    """The events as data frames, numbered from `first`."""
    packed = b""
    for number, event in enumerate(events, first):
        payload = orjson.dumps(event)
        packed += struct.pack(">2sII", b"2J", number, len(payload)) + payload
    return packed


def compressed(data: bytes) -> bytes:
    """A frame that holds other frames compressed."""
    packed = zlib.compress(data)
    return struct.pack(">2sI", b"2C", len(packed)) + packed


def window(count: int, data: bytes) -> bytes:
    """The head of a window before its frames."""
    return struct.pack(">2sI", b"2W", count) + data


class Sender:
    """A connection that sends windows and reads acknowledgements."""

    def __init__(self, address: str, seconds: float = 300) -> None:
        host, port = address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=seconds)
        self._answers = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._answers.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def send_events(self, events: Sequence[Any]) -> None:
        """Send one compressed window."""
        self.send(window(len(events), compressed(frames(events))))

    def acknowledged(self) -> int | None:
        """The next number that the receiver answers, 0 for a keep-alive; None if it hung up."""
        try:
            answer = self._answers.read(6)
        except ConnectionResetError:
            return None
        if len(answer) < 6:
            return None
        kind, number = struct.unpack(">2sI", answer)
        assert kind == b"2A"
        return int(number)
