"""Records of events that reach our file in another way: our handler must not write them again.

An event of structlog's may have a `LogRecord` for the other handlers of its logger's chain. The
event is written with its fields; the record holds what the others are to show, e.g. a text.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from flowery_logging.ecs import Event


class Written(str):
    """The logger's name on a record whose event is in our file.

    As a kind of `str` it shows in no other handler, unlike an attribute of its own, and a copy of
    the record (`QueueHandler`) has it too.
    """

    __slots__ = ()


class Pending:
    """An event that is written as our handler gets to see the record with this message."""

    __slots__ = ("event", "merged", "message", "taken")

    def __init__(self, event: Event, *, merged: bool) -> None:
        self.event = event
        self.message: Any = None
        self.merged = merged
        self.taken = False


_pending: Final[ContextVar[Pending | None]] = ContextVar("flowery_pending", default=None)


@contextmanager
def pending(given: Pending) -> Iterator[None]:
    """Let our handler write `given` for the record that is made inside."""
    token = _pending.set(given)
    try:
        yield
    finally:
        _pending.reset(token)


def pending_for(record: logging.LogRecord) -> Pending | None:
    """Return the event that a record stands for; None for a record of its own."""
    found = _pending.get()
    # Another handler may log while it handles the record: such a message is another one.
    return found if found is not None and record.msg is found.message else None
