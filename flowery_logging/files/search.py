"""Lines of a file that hold one of some texts, found in its bytes before anything is decoded."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from flowery_logging.files import platform
from flowery_logging.files.names import MAX_LINE_BYTES
from flowery_logging.files.occurrence import Buffer
from flowery_logging.files.reader import CHUNK_BYTES, Line, LogFile, line_of


class Raw(NamedTuple):
    """A line as it lies in its file, not yet decoded."""

    file: LogFile
    offset: int  # of its first byte in the file
    data: bytes  # with its line end if it has one
    cut: bool = False  # it is the rest of a line that is longer than MAX_LINE_BYTES

    def line(self) -> Line:
        """Return it decoded."""
        return line_of(self.file, self.offset, self.data, cut=self.cut)


class _Block(NamedTuple):
    """Whole lines, one behind the other; the buffer is used again for the next block."""

    offset: int
    buffer: Buffer
    length: int
    cut: bool  # it begins within a line


def search(
    file: LogFile, texts: Sequence[bytes] = (), start: int = 0, end: int | None = None
) -> Iterator[Raw]:
    """Yield the lines in which one of the texts occurs, in order; without texts, all lines.

    `start` and `end` are offsets at which a line begins. Memory does not depend on the size of the
    file. Raises OSError if the file cannot be opened or read (FileNotFoundError: retention has
    removed it).
    """
    with open(file.path, "rb", buffering=0, opener=_opener) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            return
        stream.seek(start)
        for block in _blocks(stream, start, end):
            found = [text for text in texts if block.buffer.holds(text, block.length)]
            if found or not texts:
                yield from _hits(file, block, found)


def _opener(path: str, _: int) -> int:
    return os.open(path, platform.READ_FLAGS)


def _blocks(stream: io.FileIO, offset: int, end: int | None) -> Iterator[_Block]:
    """Yield the lines of a file in blocks; the last line may lack its end."""
    buffer, filled, cut = Buffer(CHUNK_BYTES), 0, False
    while True:
        room = len(buffer) if end is None else min(len(buffer), end - offset)
        count = stream.readinto(memoryview(buffer.data)[filled:room])
        if not count:
            break
        filled += count
        length = buffer.data.rfind(b"\n", 0, filled) + 1
        if not length and filled < len(buffer):
            continue
        if not length and filled < MAX_LINE_BYTES:
            buffer = _twice_as_large(buffer)
            continue
        whole = length > 0
        length = length or filled
        yield _Block(offset, buffer, length, cut)
        buffer.data[: filled - length] = buffer.data[length:filled]
        offset, filled, cut = offset + length, filled - length, not whole
    if filled:
        yield _Block(offset, buffer, filled, cut)


def _twice_as_large(buffer: Buffer) -> Buffer:
    larger = Buffer(2 * len(buffer))
    larger.data[: len(buffer)] = buffer.data
    return larger


def _hits(file: LogFile, block: _Block, texts: Sequence[bytes]) -> Iterator[Raw]:
    offset, buffer, length, cut = block.offset, block.buffer.data, block.length, block.cut
    places = dict.fromkeys(texts or (b"",), -1)
    start = 0
    while start < length:
        for text, place in places.items():
            if place < start:
                found = buffer.find(text, start, length)
                places[text] = length if found < 0 else found
        hit = min(places.values())
        if hit >= length:
            return
        first = buffer.rfind(b"\n", start, hit) + 1 or start
        start = buffer.find(b"\n", hit, length) + 1 or length
        yield Raw(file, offset + first, bytes(buffer[first:start]), cut and first == 0)


def search_values(
    file: LogFile, before: bytes, values: Collection[bytes], start: int = 0
) -> Iterator[Raw]:
    """Yield the lines in which one of many values, all of one length, stands behind a text.

    One pass, however many values there are. Raises OSError, as `search` does.
    """
    with open(file.path, "rb", buffering=0, opener=_opener) as stream:
        if not values or not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            return
        stream.seek(start)
        for block in _blocks(stream, start, None):
            yield from _value_hits(file, block, before, frozenset(values))


def _value_hits(
    file: LogFile, block: _Block, before: bytes, values: frozenset[bytes]
) -> Iterator[Raw]:
    offset, buffer, length, cut = block.offset, block.buffer.data, block.length, block.cut
    skipped, size = len(before), len(next(iter(values)))
    place = buffer.find(before, 0, length)
    while place >= 0:
        value = place + skipped
        place = value
        if bytes(buffer[value : value + size]) in values:
            first = buffer.rfind(b"\n", 0, value) + 1
            place = buffer.find(b"\n", value, length) + 1 or length
            yield Raw(file, offset + first, bytes(buffer[first:place]), cut and first == 0)
        place = buffer.find(before, place, length)
