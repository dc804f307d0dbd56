"""What depends on the operating system: descriptors, file locks, flags of `open`, fork hooks."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from flowery_logging.files.faults import is_ours
from flowery_logging.system import System

fcntl: Any
resource: Any
try:
    import fcntl
    import resource
except ImportError:  # Windows
    fcntl = resource = None

HAS_LOCKS: Final = fcntl is not None
"""Whether a file in use can be told from one that is not."""

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


HIGHEST: Final = 4096
"""Our descriptors lie below this: the kernel's table of a process, which it copies at each fork,
grows with the highest one (32 kB here; with the million that containers allow, 8 MB)."""

_PIECE_BYTES: Final = 65_536
RESERVED: Final = 64
"""So many of the highest numbers are ours, if the process may have at least four times as many."""


def create(path: str) -> tuple[int, os.stat_result]:
    """Create a new file for appending, in use; return its descriptor, a high one, and its status.

    Raises FileExistsError if anything stands at the path, and OSError for other reasons. Its
    mode is `FILE_MODE`, whatever the umask.
    """
    descriptor = lift(System.open(path, _FLAGS, FILE_MODE))
    try:
        _give_mode(descriptor)
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


def _give_mode(descriptor: int) -> None:
    if _fchmod is None:
        return
    try:
        _fchmod(descriptor, FILE_MODE)
    except OSError as error:
        if error.errno not in _NO_PERMISSIONS:
            raise


_NO_PERMISSIONS: Final = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EROFS}
"""What file systems without permissions answer."""

_fchmod: Final = getattr(os, "fchmod", None)
_fchown: Final = getattr(os, "fchown", None)


def close(descriptor: int) -> None:
    """Close a descriptor, which the system frees whatever it answers."""
    try:
        System.close(descriptor)
    except OSError as error:
        if not is_ours(error):
            raise


def lift(descriptor: int) -> int:
    """Move a descriptor to a high number and return that; the same one where it cannot be.

    A new file gets the lowest number that is free. So if somebody closes all descriptors (to make a
    daemon) and opens a file of their own, that does not get the number we write to: our next
    write fails, and the next file is opened.
    """
    lowest = _lowest_of_ours()
    if descriptor >= lowest:
        return descriptor
    try:
        high: int = fcntl.fcntl(descriptor, _DUPLICATE, lowest)
    except OSError as error:  # none is free
        if not is_ours(error):
            close(descriptor)
            raise
        return descriptor
    try:
        System.set_inheritable(high, False)  # F_DUPFD leaves it open for other programs
    except BaseException:
        close(high)
        raise
    finally:
        close(descriptor)
    return high


_DUPLICATE: Final = getattr(fcntl, "F_DUPFD_CLOEXEC", None) or getattr(fcntl, "F_DUPFD", None)


def _lowest_of_ours() -> int:
    """Return where our numbers begin, under the limit that stands now; 0 where all will do."""
    if _DUPLICATE is None:
        return 0
    limit = _most_descriptors()
    end = HIGHEST if limit == resource.RLIM_INFINITY else min(limit, HIGHEST)
    return int(end - min(RESERVED, end // 4))


def _most_descriptors() -> int:
    """Return the limit that stands now; our own one where a seccomp filter hides that."""
    try:
        return int(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    except OSError as error:
        if not is_ours(error):
            raise
        return HIGHEST


def make_directory(path: str) -> None:
    """Make a directory and those above it, unless they are there. Raises OSError.

    What root makes belongs to the owner of the directory that it lies in: that user may be who
    runs the program the next time.
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
    if _is_root():
        descriptor = System.open(path, READ_FLAGS)
        _give_to_owner(descriptor, _parent(path))
        close(descriptor)


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


def flags(descriptor: int) -> int:
    """Return the flags that a file was opened with; 0 where the system does not tell."""
    return 0 if fcntl is None else int(fcntl.fcntl(descriptor, fcntl.F_GETFL))


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
