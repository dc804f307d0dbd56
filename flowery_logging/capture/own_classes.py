"""Records of somebody's own class that have no `__dict__`: a record factory may return anything.

stdlib asks a record for its attributes alone. All of ours, and what adds fields to a record, asks
for its dictionary: so it gets an ordinary record with the same attributes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Final

from flowery_logging.signalled import sheltered


def _empty() -> logging.LogRecord:
    return logging.LogRecord("", 0, "", 0, "", (), None)


_STANDARD: Final = tuple(_empty().__dict__)


def ordinary(record: Any) -> logging.LogRecord:
    """Return a `LogRecord` with the attributes of a record, and those of its slots as fields."""
    made = _empty()  # not `makeLogRecord`, which asks the factory
    for name in _names(record):
        if hasattr(record, name):
            made.__dict__[name] = getattr(record, name)
    with sheltered:  # arguments that do not fit: both are shown
        made.msg, made.args = record.getMessage(), ()
    return made


def _names(record: Any) -> Iterator[str]:
    yield from _STANDARD
    for kind in type(record).__mro__:
        slots = vars(kind).get("__slots__", ())
        yield from (slots,) if isinstance(slots, str) else slots
