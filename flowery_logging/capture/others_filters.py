"""Whether a handler of somebody's has filters that keep a kind of record from it.

Django's own handler for the terminal has one that lets nothing pass unless `DEBUG` is on.
"""

from __future__ import annotations

import logging
from typing import Any, Final
from weakref import WeakKeyDictionary

from flowery_logging.signalled import let_through

_Kinds = dict[tuple[str, int], bool]

_known: Final[WeakKeyDictionary[logging.Handler, tuple[list[Any], _Kinds]]] = WeakKeyDictionary()
_MOST: Final = 1000
"""So many kinds of records are known of a handler."""


def lets_pass(handler: logging.Handler, logger: str, level: int) -> bool:
    """Tell whether a handler's filters let records of a logger and level pass.

    They are asked once of each kind, with a record that says nothing: they may count.
    """
    if not handler.filters:
        return True
    try:
        filters, kinds = _known.get(handler, ([], {}))
        if filters != handler.filters or len(kinds) > _MOST:
            kinds = {}
            _known[handler] = list(handler.filters), kinds
        if (logger, level) not in kinds:
            record = logging.LogRecord(logger, level, "", 0, "event", (), None)
            kinds[logger, level] = bool(handler.filter(record))
        return kinds[logger, level]
    except Exception as error:
        let_through(error)
        return True  # a filter that reads what this record has not
