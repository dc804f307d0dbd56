"""One process: it notices that it is the child of a fork, whatever has made the fork.

Python's fork hooks run for `os.fork` alone. A fork in C (uWSGI's workers) runs none, and a hook of
the application may log before ours has run. So whoever uses what a child must have for itself (an
identity, a lock) looks at `mark` first.

`mark` is a page of memory that the kernel wipes in each child. To read it costs 20 to 50 ns, where
`os.getpid()` is a system call of 250 to 400 ns.
"""

from __future__ import annotations

import mmap
import os
import sys
import weakref
from _thread import RLock  # a real one also where gevent has patched `threading`
from collections.abc import Callable
from typing import Final, Protocol

from flowery_logging.system import System

_WIPE_ON_FORK: Final = 18  # MADV_WIPEONFORK of <linux/mman.h>, since Linux 4.14; `mmap` lacks it


class Mark(Protocol):
    """A byte that says whether this process has begun: 0 in a child that has not noticed yet."""

    def __getitem__(self, index: int, /) -> int: ...
    def __setitem__(self, index: int, value: int, /) -> None: ...


class _ProcessID:
    """The same by the process's number, where the kernel wipes no memory."""

    def __init__(self) -> None:
        self._pid = 0

    def __getitem__(self, index: int, /) -> int:
        return self._pid == System.getpid()

    def __setitem__(self, index: int, value: int, /) -> None:
        self._pid = System.getpid()


def _make_mark() -> Mark:
    if not hasattr(os, "fork"):
        return bytearray(1)
    if sys.platform != "linux":
        return _ProcessID()
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        page.madvise(_WIPE_ON_FORK)
    except OSError:  # an older kernel, or one that only acts as Linux
        return _ProcessID()
    return page


mark: Final = _make_mark()
mark[0] = 1


class Renewed(Protocol):
    """What has something of its own in each process, as a lock."""

    def start_child(self) -> None:
        """Begin anew in the child of a fork, maybe twice. It must neither log nor wait."""


_hooks: Final[list[Callable[[], None]]] = []
_renewed: Final[weakref.WeakSet[Renewed]] = weakref.WeakSet()
_beginnings: Final[dict[int, RLock]] = {}  # by process number: a lock of this child's own


def in_each_child(hook: Callable[[], None]) -> None:
    """Call `hook` in each child of a fork, before the child uses what `hook` renews.

    It may be called twice in a child. It must neither log nor wait.
    """
    _hooks.append(hook)


def renew_in_children(one: Renewed) -> None:
    """Let an object begin anew in each child, as long as it lives: before the child uses it."""
    _renewed.add(one)


def look() -> None:
    """Begin anew if this is the child of a fork: one read in all other cases."""
    if not mark[0]:
        begin()


def begin() -> None:
    """Give a child what is its own. The first thread to notice does it, others wait for it."""
    pid = System.getpid()
    with _beginnings.setdefault(pid, RLock()):
        _run_hooks()
    _beginnings.pop(pid, None)


def _run_hooks() -> None:
    for hook in [*_hooks, *(one.start_child for one in list(_renewed))]:
        if mark[0]:
            return  # done: by another thread, or by a signal handler in the middle of this loop
        hook()
    mark[0] = 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=look)
