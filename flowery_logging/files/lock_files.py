"""Lock files of pipes and terminals, by whose names all who share one find the same.

Anybody may have put something in their place, and whoever holds one may have been stopped.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Final

from flowery_logging.files import locks, platform
from flowery_logging.files.faults import is_ours
from flowery_logging.system import System

_NAMES: Final = 4
_ATTEMPTS: Final = 16
"""So often a lock file is opened that others remove in the same moment."""

_LOCKS: Final = "/proc/locks"
_STOPPED: Final = b"Tt"  # by a signal, and by a debugger
_PID, _FILE = 4, 5  # `1: FLOCK ADVISORY WRITE 8543 fe:00:11929914 0 EOF`


def paths(status: os.stat_result) -> Iterator[str]:
    """Yield the names that the lock file of a pipe or terminal may have, the first one first."""
    name = f"flowery-logging-{os.geteuid()}-{status.st_dev}-{status.st_ino}"
    for number in range(_NAMES):
        yield os.path.join(_directory(), f"{name}-{number}.lock")


def _directory() -> str:
    """Return the directory for temporary files, without `tempfile`, which is slow to import."""
    return os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - `open_lock` checks what lies there


def open_lock(path: str) -> int:
    """Open a lock file, creating it if need be; -1 if it cannot be had or is not this user's.

    The name can be guessed, so anybody may have put a file, a link or a pipe there, or hold it.
    """
    for _ in range(_ATTEMPTS):
        try:
            lock = locks.open_lock_file(path)
        except OSError:
            return -1
        status = System.fstat(lock)
        if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and status.st_nlink == 1:
            return lock
        System.close(lock)
        if status.st_nlink:
            return -1
    return -1


def can_go_on(lock: int) -> bool | None:
    """Tell whether the holder of a lock runs, or has just let go; None where nobody knows."""
    inode = str(System.fstat(lock).st_ino).encode()
    try:
        rows = [row.split() for row in platform.read_whole(_LOCKS).splitlines()]
    except OSError as error:  # not Linux, or no /proc
        if not is_ours(error):
            raise
        return None
    holders = [row[_PID] for row in rows if row[_FILE:] and row[_FILE].split(b":")[-1] == inode]
    return not any(map(_is_stopped, holders))


def _is_stopped(pid: bytes) -> bool:
    try:
        status = platform.read_whole(f"/proc/{pid.decode()}/stat")
    except OSError as error:  # it has ended
        if not is_ours(error):
            raise
        return False
    return status.rpartition(b") ")[2][:1] in _STOPPED
