"""Where the descriptors of our files lie: high, so that no file of the application gets one."""

from __future__ import annotations

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

HIGHEST: Final = 4096
"""Our descriptors lie below this: the kernel's table of a process, which it copies at each fork,
grows with the highest one (32 kB here; with the million that containers allow, 8 MB)."""

RESERVED: Final = 64
"""So many of the highest numbers are ours, if the process may have at least four times as many."""


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


def flags(descriptor: int) -> int:
    """Return the flags that a file was opened with; 0 where the system does not tell."""
    return 0 if fcntl is None else int(fcntl.fcntl(descriptor, fcntl.F_GETFL))
