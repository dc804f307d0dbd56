"""What depends on the operating system: how files and directories are made and read, fork hooks."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from typing import Final

from flowery_logging.files.descriptors import close, lift
from flowery_logging.files.faults import is_ours
from flowery_logging.files.locks import hold
from flowery_logging.system import System

_FLAGS: Final = (
    os.O_RDWR  # to read back what was written to a file that somebody removed
    | os.O_APPEND
    | os.O_CREAT
    | os.O_EXCL  # a name is never reused, and a planted link is never followed
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)  # Windows would translate line ends
)

FILE_MODE: Final = 0o640
DIRECTORY_MODE: Final = 0o750
"""The owner writes, the group reads: a shipper of another user needs no more."""

READ_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a planted pipe must not block us
)
"""For looking into a file of somebody else's making."""


_PIECE_BYTES: Final = 65_536


def create(path: str) -> tuple[int, os.stat_result]:
    """Create a new file for appending, in use; return its descriptor, a high one, and its status.

    Raises FileExistsError if anything stands at the path, and OSError for other reasons. Its
    mode is `FILE_MODE`, whatever the umask.
    """
    descriptor = lift(System.open(path, _FLAGS, FILE_MODE))
    try:
        _give_mode(descriptor, FILE_MODE)
        _give_to_owner(descriptor, _parent(path))
        hold(descriptor)
        return descriptor, System.fstat(descriptor)
    except BaseException:  # the next attempt makes another one
        _discard(descriptor, path)
        raise


def _discard(descriptor: int, path: str) -> None:
    """Close and remove a file that was made in vain, as far as it can be."""
    close(descriptor)
    try:
        System.unlink(path)
    except OSError as error:
        if not is_ours(error):
            raise


def _give_mode(descriptor: int, mode: int) -> None:
    if _fchmod is None:
        return
    try:
        _fchmod(descriptor, mode)
    except OSError as error:
        if error.errno not in _NO_PERMISSIONS:
            raise


_NO_PERMISSIONS: Final = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EROFS}
"""What file systems without permissions answer."""

_fchmod: Final = getattr(os, "fchmod", None)
_fchown: Final = getattr(os, "fchown", None)


def make_directory(path: str) -> None:
    """Make a directory and those above it, unless they are there. Raises OSError.

    Its mode is `DIRECTORY_MODE`, whatever the umask. What root makes belongs to the owner of the
    directory that it lies in: that user may be who runs the program the next time.
    """
    below: list[str] = []
    while not _is_made(path, 0o777 if below else DIRECTORY_MODE):
        below.append(path)
        path = _parent(path)
    while below:
        path = below.pop()
        # It raises again where nothing can be made: below a link to nothing.
        _make_one(path, 0o777 if below else DIRECTORY_MODE)


def _is_made(path: str, mode: int) -> bool:
    """Make one directory; False where that above it is missing. Raises OSError."""
    try:
        _make_one(path, mode)
    except FileNotFoundError:
        if not _parent(path):
            raise
        return False
    return True


def _make_one(path: str, mode: int) -> None:
    try:
        System.mkdir(path, mode)
    except FileExistsError:
        return
    except OSError as error:
        # NFS, for one, may refuse it before it looks whether the directory is there.
        if not is_ours(error) or not _is_directory(path):
            raise
        return
    if _fchmod is None or not (mode == DIRECTORY_MODE or _is_root()):  # Windows opens no directory
        return
    descriptor = System.open(path, READ_FLAGS)
    try:
        if mode == DIRECTORY_MODE:
            _give_back(descriptor, mode)
        _give_to_owner(descriptor, _parent(path))
    finally:
        close(descriptor)


def _give_back(descriptor: int, mode: int) -> None:
    """Give a directory the rights that the umask has taken from it; it keeps others (setgid)."""
    now = stat.S_IMODE(System.fstat(descriptor).st_mode)
    if now & mode != mode:
        _give_mode(descriptor, now | mode)


def _is_directory(path: str) -> bool:
    try:
        return stat.S_ISDIR(System.stat(path).st_mode)
    except OSError as error:
        if not is_ours(error):
            raise
        return False


def _parent(path: str) -> str:
    return path.rstrip(_SEPARATOR).rpartition(_SEPARATOR)[0]


_SEPARATOR: Final = os.sep


def _give_to_owner(descriptor: int, directory: str) -> None:
    """Give what root has made to the owner of the directory that it lies in."""
    if not _is_root():
        return
    try:
        status = System.stat(directory or _SEPARATOR)
        if status.st_uid != 0 and _fchown is not None:
            _fchown(descriptor, status.st_uid, status.st_gid)
    except OSError as error:  # root without that right, or a file system without owners
        if not is_ours(error):
            raise


def _is_root() -> bool:
    return _geteuid() == 0


_geteuid: Final[Callable[[], int]] = getattr(os, "geteuid", lambda: -1)


def read_at(descriptor: int, length: int, offset: int) -> bytes:
    """Return bytes of a file from an offset on. Raises OSError."""
    if _pread is not None:
        data: bytes = _pread(descriptor, length, offset)
        return data
    os.lseek(descriptor, offset, os.SEEK_SET)  # appending does not go by this position
    return System.read(descriptor, length)


_pread: Final = getattr(os, "pread", None)


def read_whole(path: str) -> bytes:
    """Return all of a file that the kernel makes up, as those of /proc. Raises OSError."""
    descriptor = System.open(path, READ_FLAGS)
    try:
        return b"".join(iter(lambda: System.read(descriptor, _PIECE_BYTES), b""))
    finally:
        System.close(descriptor)


def after_fork_in_child(hook: Callable[[], None]) -> None:
    """Call `hook` in each child right after a fork; nothing where processes cannot fork."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=hook)


def has_run_out(error: OSError) -> bool:
    """Tell whether the disk takes no more for now, so that another file would not help."""
    return error.errno in _RUN_OUT


_RUN_OUT: Final = frozenset(
    number
    for number in (errno.ENOSPC, errno.EAGAIN, getattr(errno, "EDQUOT", None))
    if number is not None
)


def touch(descriptor: int) -> bool:
    """Set a file's time of change to now; tell whether the platform and the file system can."""
    try:
        System.utime(descriptor)
    except (TypeError, NotImplementedError):
        return False
    except OSError as error:
        if not is_ours(error):
            raise
        return False
    return True
