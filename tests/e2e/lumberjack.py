"""The receiving side of the Lumberjack protocol, version 2, that Beats speak to Logstash.

A window is `2W` and a count of events. Each event is `2J`, its sequence number, its length and
its JSON; `2C` holds such frames compressed. `2A` and a sequence number acknowledges all events
up to that one; with 0 it says that the receiver still lives. Numbers are big-endian, 32 bits.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator

KEEP_ALIVE = struct.pack(">2sI", b"2A", 0)

# Above what any Beat sends; a length beyond it means that the stream is not Lumberjack.
MAX_EVENTS = 1 << 16
MAX_BYTES = 1 << 28


class ProtocolError(Exception):
    """The sender does not speak Lumberjack 2."""


@dataclass(frozen=True)
class Window:
    """The events that one acknowledgement answers, and the sequence number of the last."""

    events: list[dict[str, Any]]
    last: int

    def acknowledgement(self) -> bytes:
        """The frame that says all of these events are safe."""
        return struct.pack(">2sI", b"2A", self.last)


def read_windows(stream: BinaryIO) -> Iterator[Window]:
    """The windows of a connection until the sender closes it between two of them.

    Raises `ProtocolError` for what is not Lumberjack 2, `EOFError` if it ends inside a window.
    """
    while header := stream.read(2):
        if header != b"2W":
            raise ProtocolError(f"a window should begin with 2W, not {header!r}")
        count = _number(stream, MAX_EVENTS)
        yield _read_window(stream, count)


def _read_window(stream: BinaryIO, count: int) -> Window:
    events: list[dict[str, Any]] = []
    last = 0
    while len(events) < count:
        for last, payload in _frames(stream):
            events.append(orjson.loads(payload))
    return Window(events, last)


def _frames(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The next event's frame, or all events of the next compressed frame."""
    kind = _exactly(stream, 2)
    if kind == b"2J":
        sequence = _number(stream)
        yield sequence, _exactly(stream, _number(stream, MAX_BYTES))
    elif kind == b"2C":
        frames = io.BytesIO(zlib.decompress(_exactly(stream, _number(stream, MAX_BYTES))))
        while frames.tell() < len(frames.getbuffer()):
            yield from _frames(frames)
    else:
        raise ProtocolError(f"a frame should begin with 2J or 2C, not {kind!r}")


def _number(stream: BinaryIO, limit: int = 0xFFFFFFFF) -> int:
    (number,) = struct.unpack(">I", _exactly(stream, 4))
    if number > limit:
        raise ProtocolError(f"{number} is more than any sender's {limit}")
    return int(number)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError("the connection ended inside a window")
    return data
