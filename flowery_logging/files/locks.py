"""Locks of files, by which one in use is told from one that is not (flock)."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import Any, Final

from flowery_logging.files.descriptors import close, lift
from flowery_logging.files.faults import is_ours
from flowery_logging.system import System

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

HAS_LOCKS: Final = fcntl is not None
"""Whether a file in use can be told from one that is not."""


def hold(descriptor: int) -> None:
    """Mark a file as in use, for as long as the descriptor is open (shared flock)."""
    if fcntl is not None:
        with suppress(OSError):  # network file systems without locks: retention then goes by age
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)


_NO_LOCKS: Final = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


def is_held(descriptor: int) -> bool | None:
    """Tell whether some process holds the file of this descriptor (`hold`).

    None where nobody can tell: the file system has no locks, as Lustre's by default, or it has none
    for this user. Raises OSError.
    """
    if fcntl is None:
        return False
    try:
        return not try_lock(descriptor)
    except OSError as error:
        if error.errno == errno.EBADF:
            return _is_held_for_writers(descriptor)
        if error.errno in _NO_LOCKS:
            return None
        raise


def _is_held_for_writers(descriptor: int) -> bool | None:
    """Tell the same of a file that is open for reading, on NFS 4: it lets only writers lock alone.

    None where this user may not write the file. Raises OSError.
    """
    try:
        # Not by its path: that may be another file's by now.
        writable = System.open(f"/proc/self/fd/{descriptor}", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        if not is_ours(error):
            raise
        return None
    try:
        return not try_lock(writable)
    finally:
        close(writable)


def open_lock_file(path: str) -> int:
    """Open a file that only serves `lock`, creating it if need be. Raises OSError."""
    flags = (
        os.O_RDWR
        | os.O_CREAT
        | getattr(os, "O_NOFOLLOW", 0)
        | getattr(os, "O_CLOEXEC", 0)
        | getattr(os, "O_NONBLOCK", 0)  # a planted pipe must not block us
    )
    return lift(System.open(path, flags, 0o600))


def try_lock(descriptor: int) -> bool:
    """Take the exclusive lock of a file, unless another process has it. Raises OSError."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unlock(descriptor: int) -> None:
    """Release what `try_lock` has taken. Raises OSError."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
