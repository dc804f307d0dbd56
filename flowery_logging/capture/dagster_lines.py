"""What Dagster logs, once: its handler logs each record again, on the loggers of the run.

Such a copy tells what the record told that the handler has got, which a logger of the program or
of Dagster has given to us too. Other handlers, as that of Dagster's console, get both. Nothing of
Dagster is imported here.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Final

from flowery_logging.capture.stdlib import Handler
from flowery_logging.foreign import DAGSTER_LOGGERS

MODULE: Final = "dagster._core.log_manager"
_LOGGER: Final = "dagster"
"""How the loggers of a run are named, unless the run's configuration names them."""


def look(handler: Handler) -> None:
    """Let `handler` leave the copies out, if the program has imported Dagster."""
    kind: Any = getattr(sys.modules.get(MODULE), "DagsterLogHandler", None)
    with suppress(AttributeError):  # another version
        code = kind.emit.__code__
        place = code.co_filename, code.co_name
        handler.leave_out(_LOGGER, partial(_is_copy, place))


def behind(handler: object, level: int) -> Iterator[logging.Handler]:
    """Yield the handlers that get the copies of a level, if `handler` is Dagster's."""
    if type(handler).__module__ == MODULE:
        for logger in getattr(handler, DAGSTER_LOGGERS, ()):
            if logger.isEnabledFor(level):
                yield from (one for one in logger.handlers if level >= one.level)


def _is_copy(place: tuple[str, str], record: logging.LogRecord) -> bool:
    return (record.pathname, record.funcName) == place
