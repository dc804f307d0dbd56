"""Celery's own lines, as our handler writes them: without the arguments and results of tasks.

They may hold anything that the application has put into a queue. Celery writes them into messages
and into `extra={"data": …}`; other handlers get its records as they are. Nothing of Celery is
imported here: its loggers are looked at once the program has imported it.
"""

from __future__ import annotations

import copy
import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from flowery_logging.capture.stdlib import Handler

Record = logging.LogRecord

_LEFT_OUT: Final = "[left out]"
_CONFIDENTIAL: Final = frozenset({"args", "kwargs", "return_value"})

# How a message begins → the positions of those arguments that hold nothing of a task's.
_POSITIONAL: Final[Mapping[str, Mapping[str, frozenset[int]]]] = {
    "celery.worker.consumer.consumer": {
        "Received unregistered task": frozenset({0, 3}),
        "Received invalid task": frozenset({0}),
        "Received and deleted unknown message": frozenset(),
        "Can't decode message body": frozenset({0, 1, 2}),
    },
    "celery.pool": {"TaskPool: Apply": frozenset({0})},
}
_NAMED: Final = ("celery.app.trace", "celery.worker.strategy")


def look(handler: Handler) -> None:
    """Let `handler` write Celery's lines so, if the program has imported Celery."""
    if "celery" not in sys.modules:
        return
    for logger, shown_as in _SHOWN_AS.items():
        handler.show_as(logger, shown_as)


def shown(record: Record) -> Record:
    """Return a record as it is written: itself or, if it is such a line, a changed copy."""
    name = record.__dict__.get("name")
    shown_as = _SHOWN_AS.get(name) if type(name) is str else None
    return record if shown_as is None else shown_as(record)


def _without_named(record: Record) -> Record:
    """Return a record whose message takes its parts from one mapping, without those of a task."""
    changed = copy.copy(record)
    vars(changed).pop("data", None)
    if isinstance(record.args, Mapping):
        changed.args = {
            name: _LEFT_OUT if name in _CONFIDENTIAL else value
            for name, value in record.args.items()
        }
    return changed


def _without_positional(templates: Mapping[str, frozenset[int]]) -> Callable[[Record], Record]:
    def without(record: Record) -> Record:
        kept = next((templates[key] for key in templates if str(record.msg).startswith(key)), None)
        if kept is None or not record.args:
            return record
        given: Any = record.args if isinstance(record.args, tuple) else (record.args,)
        changed = copy.copy(record)
        changed.args = tuple(
            value if position in kept else _LEFT_OUT for position, value in enumerate(given)
        )
        return changed

    return without


_SHOWN_AS: Final[Mapping[str, Callable[[Record], Record]]] = {
    **dict.fromkeys(_NAMED, _without_named),
    **{logger: _without_positional(templates) for logger, templates in _POSITIONAL.items()},
}
