"""Handlers that would print each event a second time to where we write it ourselves.

A plain `StreamHandler` (of `basicConfig`, or of a server) is taken away while the set-up stands if
its stream is the same file as one of ours; every other handler stays.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from typing import Any

from flowery_logging.capture.attachment import loggers


class Doubles:
    """The handlers that are taken away."""

    def __init__(self) -> None:
        self._taken: list[tuple[logging.Logger, logging.Handler]] = []

    def take_away(self, streams: Iterable[Any]) -> None:
        """Take away what writes to one of these streams."""
        ours = [stream for stream in streams if stream is not None]
        for logger in loggers() if ours else ():
            found = [one for one in logger.handlers if _writes_to(one, ours)]
            if found:
                # A new list: another thread may be going through the old one.
                logger.handlers = [one for one in logger.handlers if one not in found]
                self._taken += [(logger, one) for one in found]

    def put_back(self) -> None:
        """Give each logger what was taken from it."""
        taken, self._taken = self._taken, []
        for logger, handler in taken:
            logger.addHandler(handler)


def _writes_to(handler: logging.Handler, streams: list[Any]) -> bool:
    if type(handler) is not logging.StreamHandler:
        return False
    return any(_are_one_file(handler.stream, stream) for stream in streams)


def _are_one_file(one: Any, other: Any) -> bool:
    if one is other:
        return True
    try:
        return os.path.samestat(os.fstat(one.fileno()), os.fstat(other.fileno()))
    except (AttributeError, OSError, TypeError, ValueError):
        return False  # without a descriptor it is an object of its own
