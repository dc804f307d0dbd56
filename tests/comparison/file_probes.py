"""What becomes of lines where files rotate, processes die and disks are full."""

from __future__ import annotations

import logging
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.comparison.asking import DEADLINE, NO, answer, probe
from tests.comparison.libraries import Library, NoneOfThatError, leaves


class _Worker:
    """A process that has opened the log for itself, and logs when it is told to."""

    def __init__(self, library: Library, folder: Path, name: str) -> None:
        asked, self._ask = os.pipe()
        self._told, tell = os.pipe()
        self._process = os.fork()
        if self._process == 0:
            signal.alarm(DEADLINE)
            library.start(folder, rotate=True)
            number = 0
            while os.read(asked, 1):
                number += 1
                library.info(f"{name}-{number} {'x' * 3000}")
                os.write(tell, b".")
            os._exit(0)
        self.log()

    def log(self, times: int = 1) -> None:
        for _ in range(times):
            os.write(self._ask, b".")
            os.read(self._told, 1)

    def end(self) -> None:
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)


@probe
def rotation_with_two_processes(library: Library, folder: Path) -> str:
    """One rests while the other fills some files: what it logs then is the newest of all."""
    try:
        library.start(folder / "unused", rotate=True)
    except NoneOfThatError:
        return "no rotation"
    one, other = _Worker(library, folder, "one"), _Worker(library, folder, "other")
    one.log(15)
    other.log()
    one.log(60)
    other.log()
    one.end()
    other.end()
    return answer(b"other-3 " in b"".join(library.lines(folder)))


@probe
def kill_after_the_call(library: Library, folder: Path) -> str:
    child = os.fork()
    if child == 0:
        library.start(folder)
        library.info("the last one")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    return answer(b"the last one" in b"".join(library.lines(folder)))


@probe
def full_disk(library: Library, folder: Path) -> str:
    """The files may not grow for some events; then they may again."""
    library.start(folder)
    logging.raiseExceptions = False
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
    library.info("before")
    largest = max(path.stat().st_size for path in library.files(folder))
    unlimited = resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, unlimited))
    raised = False
    for number in range(20):
        try:
            library.info(f"meanwhile {number} {'x' * 1000}")
        except OSError:
            raised = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (unlimited, unlimited))
    whole = b""
    deadline = time.monotonic() + DEADLINE
    while b"after" not in whole and time.monotonic() < deadline:
        with suppress(Exception):
            library.info("after")
        whole = b"".join(path.read_bytes() for path in library.files(folder))
    kept = sum(f"meanwhile {number} ".encode() in whole for number in range(20))
    return "raises" if raised else answer(kept == 20)


@probe
def a_missing_line_is_seen(library: Library, folder: Path) -> str:
    """Among what is left some number has a gap."""
    library.start(folder)
    for name in ("a", "b", "c", "d"):
        library.info(name)
    events = library.events(folder)
    if len(events) != 4:
        return NO
    numbers = [dict(leaves(event)) for event in events]
    rows: dict[str, list[Any]] = {
        path: [found.get(path) for found in numbers] for path in numbers[0]
    }
    return answer(
        any(
            all(type(n) is int for n in row) and row == list(range(row[0], row[0] + 4))
            for row in rows.values()
        )
    )
