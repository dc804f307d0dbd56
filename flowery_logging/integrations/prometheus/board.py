"""What the processes of one server share: each writes its numbers to a file of its own.

prometheus-client's multiprocess mode does the same for its metrics, with a lock that a log call
must not take: a signal handler may log while it is held. A board has one writer, who is called
under the log writer's lock, and numbers of eight bytes, each written with one instruction.

The file is a row of slots: a number, then its key. Its room is taken from the disk when it is
made, so that a full disk cannot kill the process (SIGBUS).
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Final

SLOT_BYTES: Final = 256
SLOTS: Final = 512
SUFFIX: Final = ".flowery"

Key = tuple[str, ...]
"""What a number is: the name of its metric, then the values of its labels."""

_NUMBER: Final = struct.Struct("<d")
_KEY_BYTES: Final = SLOT_BYTES - _NUMBER.size
_SEPARATOR: Final = "\x1f"


class Board:
    """The numbers of this process, in a file `<name>-<process ID>.flowery`. Raises OSError."""

    def __init__(self, directory: str, name: str) -> None:
        self._path = path = os.path.join(directory, f"{name}-{os.getpid()}{SUFFIX}")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        try:
            _allocate(descriptor, SLOT_BYTES * SLOTS)
            self._memory = mmap.mmap(descriptor, SLOT_BYTES * SLOTS)
        except OSError:
            os.unlink(path)
            raise
        finally:
            os.close(descriptor)
        self._places: dict[Key, int] = {}
        self._slots = count()

    def put(self, key: Key, value: float) -> None:
        """Show a number. Those that find no room any more are left out."""
        place = self._places.get(key)
        if place is None:
            # Threads and signal handlers take different slots; one may stay empty.
            place = self._places.setdefault(key, next(self._slots) * SLOT_BYTES)
            if place < len(self._memory):
                text = _SEPARATOR.join(key).encode("utf-8", "replace")[:_KEY_BYTES]
                _NUMBER.pack_into(self._memory, place, value)
                self._memory[place + _NUMBER.size : place + _NUMBER.size + len(text)] = text
        elif place < len(self._memory):
            _NUMBER.pack_into(self._memory, place, value)

    def remove(self) -> None:
        """Take it away: another process reads it no more."""
        with suppress(FileNotFoundError):
            os.unlink(self._path)


def _allocate(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:  # macOS
        os.ftruncate(descriptor, size)


def boards(directory: str) -> Iterator[tuple[int, dict[Key, float]]]:
    """Yield the process ID and the numbers of each process that has had a board. Raises OSError."""
    with os.scandir(directory) as entries:
        found = [entry.path for entry in entries if entry.name.endswith(SUFFIX)]
    for path in sorted(found):
        pid = path.removesuffix(SUFFIX).rpartition("-")[2]
        with suppress(FileNotFoundError):
            yield (int(pid) if pid.isdigit() else 0), _read(path)


def _read(path: str) -> dict[Key, float]:
    with open(path, "rb") as stream:
        data = stream.read()
    numbers: dict[Key, float] = {}
    for place in range(0, len(data) - SLOT_BYTES + 1, SLOT_BYTES):
        text = data[place + _NUMBER.size : place + SLOT_BYTES].rstrip(b"\0")
        if text:
            key = tuple(text.decode("utf-8", "replace").split(_SEPARATOR))
            numbers[key] = _NUMBER.unpack_from(data, place)[0]
    return numbers


def is_alive(pid: int) -> bool:
    """Tell whether a process of this number runs on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # somebody else's
    return pid > 0
