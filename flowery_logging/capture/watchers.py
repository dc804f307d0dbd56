"""What watchers of files say of our own files: each line would cause the next one, without end.

A reloader (uvicorn's and granian's use watchfiles) that watches the folder in which the logs lie
logs "1 change detected" after each event. Such a record is not written to the files that it is
about; it is counted as `own_changes`. Other handlers get it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from typing import Any, Final

from flowery_logging.capture.stdlib import Handler
from flowery_logging.foreign import getframe
from flowery_logging.signalled import let_through

LOGGERS: Final = (
    "watchfiles.main",
    "watchdog.observers.inotify",
    "watchdog.observers.inotify_buffer",
    "watchdog.observers.inotify_move_event_grouper",
    "watchdog.observers.inotify_c",
    "fsevents",
)
"""The loggers of watchfiles and watchdog that report changes."""

_LEVEL: Final = logging.INFO
"""What they log above this level is no report of a change."""

_FRAMES: Final = 12
"""So many calls at most lie between a call of `logger.info` and a filter."""


class OwnChanges(logging.Filter):
    """A filter of these loggers, which lets everything pass and tells our handler what to leave.

    watchfiles does not put the changed paths on its record: they are a variable of its function
    that logs. Where that is not so any more, a report is left out if it comes right after another.
    """

    def __init__(self, handler: Handler) -> None:
        super().__init__()
        self._handler = handler
        self._directory: str | None = None
        self._last = -1  # how many events there were after the last report

    def install(self, directory: str | None) -> None:
        """Look at what is reported from now on, of changes in this directory; None: of nowhere."""
        self._directory = None if directory is None else os.path.join(directory, "")
        for name in LOGGERS:
            logging.getLogger(name).addFilter(self)

    def uninstall(self) -> None:
        """Look at nothing any more."""
        for name in LOGGERS:
            logging.getLogger(name).removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Let any record pass. Never raises."""
        directory = self._directory
        if directory is not None and record.levelno <= _LEVEL:
            try:
                if self._is_about(directory, record):
                    self._handler.leave_next_out(record)
            except Exception as error:  # a watcher's objects may raise as they are made texts
                let_through(error)
                self._handler.sink.counters.add("broken_records")
        return True

    def _is_about(self, directory: str, record: logging.LogRecord) -> bool:
        paths = _paths(record)
        if paths:
            return all(directory in path for path in paths)
        number = self._handler.sink.writer.number
        if number == self._last:
            return True
        self._last = number + 1
        return False


def _paths(record: logging.LogRecord) -> list[str]:
    """Return the texts with a path of what has changed, as far as they can be found."""
    changes: Iterable[Any] = _changes(record.name) or record.args or ()
    if not isinstance(changes, (set, frozenset, tuple, list)):
        changes = (changes,)
    return [text for text in map(str, changes) if os.sep in text]


def _changes(module: str) -> Any:
    """Return what the function of a watcher that logs just now has as its `changes`."""
    frame = getframe(1)
    for _ in range(_FRAMES):
        if frame.f_globals.get("__name__") == module:
            return frame.f_locals.get("changes")
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return None
