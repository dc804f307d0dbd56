"""Handlers that would print each event a second time to where we write it ourselves.

A plain `StreamHandler` (of `basicConfig`, or of a server) is taken away while the set-up stands if
its stream is the same file as one of ours; every other handler stays. Servers add theirs late, as
hypercorn for each of its workers: so the way of each record is looked at, and each handler on it is
judged once. The one of `logging_redirect_tqdm` goes too: our lines keep clear of tqdm's bars
themselves, and it was put there for the length of a block only.
"""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Callable, Iterable
from typing import Any, Final

from flowery_logging.capture.logger_tree import loggers
from flowery_logging.foreign import MODULE_LOCK

_OF_TQDM: Final = "tqdm.contrib.logging"


class Doubles:
    """The handlers that are taken away."""

    def __init__(self) -> None:
        self._taken: list[tuple[logging.Logger, logging.Handler]] = []
        self._ours: list[Any] = []
        self._judged: weakref.WeakSet[logging.Handler] = weakref.WeakSet()  # those that stay

    def take_away(self, streams: Iterable[Any]) -> Callable[[logging.Logger], None] | None:
        """Take away what writes to one of these streams.

        Return what is to be called with the logger of each later record; None without streams.
        """
        self._ours = [stream for stream in streams if stream is not None]
        self._judged.clear()
        for logger in loggers() if self._ours else ():
            self._take_from(logger)
        return self._look if self._ours else None

    def put_back(self) -> None:
        """Give each logger what was taken from it."""
        taken, self._taken, self._ours = self._taken, [], []
        for logger, handler in taken:
            logger.addHandler(handler)

    def _look(self, logger: logging.Logger) -> None:
        """Take away what was added to the handlers that get a logger's records."""
        here: logging.Logger | None = logger
        while here is not None:
            for one in here.handlers:
                if _may_be_double(one) and one not in self._judged:
                    self._take_late(here)
                    break
            here = here.parent if here.propagate else None

    def _take_late(self, logger: logging.Logger) -> None:
        if MODULE_LOCK is None or not MODULE_LOCK.acquire(blocking=False):
            return  # somebody is just configuring: the next event looks again
        try:
            self._take_from(logger)
        finally:
            MODULE_LOCK.release()

    def _take_from(self, logger: logging.Logger) -> None:
        found = [one for one in logger.handlers if self._is_double(one)]
        if found:
            # A new list: another thread may be going through the old one.
            logger.handlers = [one for one in logger.handlers if one not in found]
            self._taken += [(logger, one) for one in found if not _is_of_tqdm(one)]

    def _is_double(self, handler: Any) -> bool:
        if not _may_be_double(handler):
            return False
        if any(_are_one_file(handler.stream, stream) for stream in self._ours):
            return True
        self._judged.add(handler)
        return False


def _may_be_double(handler: logging.Handler) -> bool:
    return type(handler) is logging.StreamHandler or _is_of_tqdm(handler)


def _is_of_tqdm(handler: logging.Handler) -> bool:
    return type(handler).__module__ == _OF_TQDM


def _are_one_file(one: Any, other: Any) -> bool:
    if one is other:
        return True
    try:
        return os.path.samestat(os.fstat(one.fileno()), os.fstat(other.fileno()))
    except (AttributeError, OSError, TypeError, ValueError):
        return False  # without a descriptor it is an object of its own
