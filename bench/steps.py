"""An event of ours cut off after each of its steps, so that the steps can be told apart.

A run goes one step further than the run before it; the difference is the step. Cut is where one
room of the package calls the next: `Sink.encode` makes the two halves of a line, `Writer.write`
numbers and writes it.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Final

from bench import event, ours
from bench.event import Run

CALL: Final = "the call: its arguments and extra fields"
RECORD: Final = "logging: level, caller, record, handlers"
CAPTURE: Final = "in: safe record, call site, thread, extra fields"
CAPTURE_STRUCTLOG: Final = "in: message, call site, thread, fields"
DOCUMENT: Final = "document: context, fields to JSON, redaction, limits"
WRITE: Final = "out: lock, number, file, write()"

NAMES: Final = {
    "flowery_logging, stdlib": (CALL, RECORD, CAPTURE, DOCUMENT, WRITE),
    "flowery_logging, get_logger": (CALL, CAPTURE_STRUCTLOG, DOCUMENT, WRITE),
}
"""The steps of each way, in their order."""


class _Nobody:
    """A logger that takes an event and does nothing."""

    def info(self, *message: Any, **fields: Any) -> None:
        """Ignore it."""


def runs(way: str, directory: Path) -> list[Run]:
    """Return what goes as far as the first step, the second …; each is to be run in its turn.

    Sets up this process for good. Raises KeyError if there is no such way.
    """
    make_record = logging.Logger.makeRecord  # before it is ours
    if RECORD in NAMES[way]:
        run = ours.stdlib(directory)
        first = [event.stdlib_events(_Nobody()), _by_logging_alone(run, make_record)]
    else:
        run = ours.get_logger(directory)
        first = [event.structlog_events(_Nobody())]
    return [*first, _without("encode", run), _without("write", run), run]


def _by_logging_alone(run: Run, make_record: Any) -> Run:
    """Return what runs with a handler that does nothing, and `makeRecord` as it was."""

    def alone(count: int) -> None:
        root, ours = logging.getLogger(), logging.Logger.makeRecord
        handlers, root.handlers = root.handlers, [logging.NullHandler()]
        logging.Logger.makeRecord = make_record  # type: ignore[method-assign]
        try:
            run(count)
        finally:
            logging.Logger.makeRecord = ours  # type: ignore[method-assign]
            root.handlers = handlers

    return alone


def _without(step: str, run: Run) -> Run:
    """Return what runs with a step (`encode`, `write`) that does nothing."""
    from flowery_logging.capture.sink import Sink
    from flowery_logging.files import Writer

    room: Any = {"encode": Sink, "write": Writer}[step]

    def nothing(self: Any, *given: Any) -> None:
        """Drop the event."""

    def shortened(count: int) -> None:
        original = getattr(room, step)
        setattr(room, step, nothing)
        try:
            run(count)
        finally:
            setattr(room, step, original)

    return shortened
