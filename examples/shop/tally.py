"""The demonstration's own count of events, taken at the calls: no service of yours needs this.

To show that nothing is lost, somebody other than the library must know how much was logged. If
`SHOP_TALLY` names a file, it always holds `{"pid": 4711, "events": 123}`: it is written at each
event, so the count stands however the process ends.
"""

import json
import logging
import os
import threading
from functools import cache
from typing import Any

EVENT_METHODS = {"info", "warning", "error", "exception", "critical"}


class Tally(logging.Handler):
    """Count the records of the root logger and of the library, and calls of `counted` loggers.

    The server's line for a request is none of the library's lines: its access event stands there.
    """

    def __init__(self, path: str) -> None:
        super().__init__(logging.INFO)
        self._events = 0
        self._counting = threading.RLock()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self._write()

    def add(self) -> None:
        with self._counting:
            self._events += 1
            self._write()

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != "uvicorn.access":
            self.add()

    def _write(self) -> None:
        text = json.dumps({"pid": os.getpid(), "events": self._events})
        os.pwrite(self._file, text.encode(), 0)  # it never gets shorter


class Counted:
    """A structlog logger whose events are counted when they are asked for."""

    def __init__(self, log: Any, tally: Tally) -> None:
        self._log = log
        self._tally = tally

    def __getattr__(self, name: str) -> Any:
        if name in EVENT_METHODS:
            self._tally.add()
        return getattr(self._log, name)


@cache
def start() -> Tally | None:
    """Count this process's events, if the demonstration asks for it."""
    path = os.environ.get("SHOP_TALLY")
    if path is None:
        return None
    tally = Tally(path)
    for name in (None, "flowery_logging"):  # what the library logs itself goes no further up
        logging.getLogger(name).addHandler(tally)
    return tally


def counted(log: Any) -> Any:
    """Return `log`, counting its events if the demonstration asks for it."""
    tally = start()
    return log if tally is None else Counted(log, tally)
