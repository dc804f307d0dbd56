"""What Jupyter's applications log below the level that they show: it is not written.

traitlets sets the logger of a kernel or a server to DEBUG, lets none of its records through to
other loggers, and leaves the choice to the level of its own handler. A kernel logs the code of each
cell so. Nothing of Jupyter is imported here.
"""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import Any

from flowery_logging.capture.stdlib import Handler
from flowery_logging.signalled import sheltered


def look(handler: Handler) -> None:
    """Let `handler` leave such records out, if this program is one of these applications."""
    kind: Any = getattr(sys.modules.get("traitlets.config.application"), "Application", None)
    with sheltered:  # other people's code
        if kind is not None and kind.initialized():
            application = kind.instance()
            logger = application.log
            logger = getattr(logger, "logger", logger)  # of an adapter
            handler.leave_out(logger.name, partial(_is_hidden, application, logger))


def _is_hidden(application: Any, logger: logging.Logger, record: logging.LogRecord) -> bool:
    return not logger.propagate and record.levelno < int(application.log_level)
