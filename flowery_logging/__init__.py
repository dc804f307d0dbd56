"""ECS JSON logs with trace IDs for Python services.

`import flowery_logging; flowery_logging.setup()`, then log with `logging` or `get_logger()`.
"""

import sys
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any


def _is_command() -> bool:
    """Tell whether this process is `flowery-logging`, which reads logs and writes none.

    It starts in a third of the time without what a service needs. If it comes to run a service's
    code after all, the names are there: see `__getattr__`.
    """
    script = sys.argv[0].replace("\\", "/").rpartition("/")[2] if getattr(sys, "argv", None) else ""
    is_module = ("-m", "flowery_logging") in pairwise(getattr(sys, "orig_argv", ()))
    return is_module or script.partition(".")[0] == "flowery-logging"


if TYPE_CHECKING or not _is_command():
    from flowery_logging.config.setting import ConfigError
    from flowery_logging.context import bind, bound, carried, unbind
    from flowery_logging.runtime import get_logger, set_level, setup, shutdown, stats
    from flowery_logging.trace import (
        TraceContext,
        continue_trace,
        current_trace,
        outgoing_headers,
    )

if TYPE_CHECKING:
    from flowery_logging.formatters import ECSFormatter, ECSStructlogFormatter

__version__ = "0.1.0"

__all__ = [
    "ConfigError",
    "ECSFormatter",
    "ECSStructlogFormatter",
    "TraceContext",
    "bind",
    "bound",
    "carried",
    "continue_trace",
    "current_trace",
    "get_logger",
    "outgoing_headers",
    "set_level",
    "setup",
    "shutdown",
    "stats",
    "unbind",
]


_PLACES = {
    "context": ("bind", "bound", "carried", "unbind"),
    "formatters": ("ECSFormatter", "ECSStructlogFormatter"),
    "runtime": ("get_logger", "set_level", "setup", "shutdown", "stats"),
    "config.setting": ("ConfigError",),
    "trace": ("TraceContext", "continue_trace", "current_trace", "outgoing_headers"),
}


def __getattr__(name: str) -> Any:
    """Import what is asked for late: the formatters need ecs-logging, which others do not."""
    for module, names in _PLACES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
