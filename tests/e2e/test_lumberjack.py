"""Windows are read as Beats send them; what is not Lumberjack is refused."""

from __future__ import annotations

import io
import struct

import pytest

from .lumberjack import MAX_EVENTS, ProtocolError, read_windows
from .sender import compressed, frames, window

EVENTS = [{"n": 1}, {"n": 2}, {"n": 3}]


@pytest.mark.parametrize(
    "data",
    [
        frames(EVENTS),
        compressed(frames(EVENTS)),
        compressed(frames(EVENTS[:2])) + frames(EVENTS[2:], 3),
        compressed(compressed(frames(EVENTS))),
    ],
    ids=["plain", "compressed", "mixed", "nested"],
)
def test_a_window_is_read_whole(data: bytes) -> None:
    (read,) = read_windows(io.BytesIO(window(3, data)))
    assert read.events == EVENTS
    assert read.acknowledgement() == struct.pack(">2sI", b"2A", 3)


def test_windows_follow_one_another() -> None:
    stream = io.BytesIO(window(1, frames(EVENTS[:1])) + window(2, frames(EVENTS[1:], 2)))
    assert [(read.events, read.last) for read in read_windows(stream)] == [
        (EVENTS[:1], 1),
        (EVENTS[1:], 3),
    ]


def test_no_window_at_all_is_no_error() -> None:
    assert list(read_windows(io.BytesIO(b""))) == []


@pytest.mark.parametrize("cut", [3, 6, 8, 14, -1])
def test_a_connection_that_ends_inside_a_window_gives_no_window(cut: int) -> None:
    stream = io.BytesIO(window(3, frames(EVENTS))[:cut])
    with pytest.raises(EOFError):
        list(read_windows(stream))


@pytest.mark.parametrize(
    "data",
    [b"GET / HTTP/1.1\r\n", window(1, b"1D" + b"\0" * 8), window(MAX_EVENTS + 1, b"")],
    ids=["http", "version 1", "too many"],
)
def test_what_is_not_lumberjack_2_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        list(read_windows(io.BytesIO(data)))
