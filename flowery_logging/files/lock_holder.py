"""Whether who holds a lock file can go on: Linux tells which process it is, and its state."""

from __future__ import annotations

import os
from typing import Final

from flowery_logging.system import System

_LOCKS: Final = "/proc/locks"
_STOPPED: Final = b"Tt"  # by a signal, and by a debugger
_PID, _FILE = 4, 5  # `1: FLOCK ADVISORY WRITE 8543 fe:00:11929914 0 EOF`


def can_go_on(lock: int) -> bool | None:
    """Tell whether the holder of a lock runs, or has just let go; None where nobody knows."""
    inode = str(os.fstat(lock).st_ino).encode()
    try:
        rows = [row.split() for row in _read(_LOCKS).splitlines()]
    except OSError:  # not Linux, or no /proc
        return None
    holders = [row[_PID] for row in rows if row[_FILE:] and row[_FILE].split(b":")[-1] == inode]
    return not any(map(_is_stopped, holders))


def _is_stopped(pid: bytes) -> bool:
    try:
        status = _read(f"/proc/{pid.decode()}/stat")
    except OSError:  # it has ended
        return False
    return status.rpartition(b") ")[2][:1] in _STOPPED


def _read(path: str) -> bytes:
    descriptor = System.open(path, os.O_RDONLY)
    try:
        return b"".join(iter(lambda: System.read(descriptor, 65_536), b""))
    finally:
        System.close(descriptor)
