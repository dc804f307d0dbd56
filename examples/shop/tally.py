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


class Tally(logging.Handler):
    """Count the records of the root logger, of `get_logger()` too, and those of the library.

    Lines that only repeat the library's events are not counted, as they are not written: the
    server's of a request, httpx's of a call, Celery's of a task that has come or has succeeded.
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
        if not _is_repeat(record):
            self.add()

    def _write(self) -> None:
        text = json.dumps({"pid": os.getpid(), "events": self._events})
        os.pwrite(self._file, text.encode(), 0)  # it never gets shorter


def _is_repeat(record: logging.LogRecord) -> bool:
    if record.name == "celery.app.trace":
        return " succeeded in " in record.getMessage()
    return record.name in {"uvicorn.access", "httpx", "celery.worker.strategy"}


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
