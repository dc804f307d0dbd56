"""The clocks and system calls that a log call needs, as they were when this module was imported.

Tests of an application replace `time.time`, `os.write` or all of `os`, and freezegun replaces the
clocks in every module that has imported them. That must change neither where lines go, nor what
retention removes, nor how long a request took. So these are kept in a class, where nobody looks for
them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager


class System:
    """The operating system, out of reach of mocks. Each name is that of `os` or `time`."""

    monotonic = staticmethod(time.monotonic)
    monotonic_ns = staticmethod(time.monotonic_ns)
    perf_counter_ns = staticmethod(time.perf_counter_ns)
    sleep = staticmethod(time.sleep)
    thread_time_ns = staticmethod(time.thread_time_ns)
    time_ns = staticmethod(time.time_ns)
    time = staticmethod(time.time)  # the last one: here the module has this name no more

    close = staticmethod(os.close)
    fstat = staticmethod(os.fstat)
    getpid = staticmethod(os.getpid)
    mkdir = staticmethod(os.mkdir)
    open = staticmethod(os.open)
    read = staticmethod(os.read)
    scandir: Callable[[str], AbstractContextManager[Iterator[os.DirEntry[str]]]] = os.scandir
    set_inheritable = staticmethod(os.set_inheritable)
    stat = staticmethod(os.stat)
    unlink = staticmethod(os.unlink)
    urandom = staticmethod(os.urandom)
    utime = staticmethod(os.utime)
    write = staticmethod(os.write)
