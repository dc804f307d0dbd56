"""What a test may change in its process, and must not leave to the tests that come after it.

The order of tests is random, so what one leaves behind fails another one, seldom and elsewhere.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any, Final

import structlog

from flowery_logging import context

_ATTRIBUTES: Final = (
    ("starlette.background", "BackgroundTask", "__call__"),
    ("httpx", "Client", "send"),
    ("httpx", "AsyncClient", "send"),
    ("requests", "Session", "send"),
    ("aiohttp", "ClientSession", "_request"),
    ("asyncio", "BaseEventLoop", "default_exception_handler"),
    ("multiprocessing.process", "BaseProcess", "_bootstrap"),
    ("celery", "Task", "apply_async"),
)
"""What integrations, ours and others', put their own functions in place of."""

_LEVELS_OF_OTHERS: Final = {5, 25}  # uvicorn and billiard name them, once


def state() -> dict[str, Any]:
    """Return what stands now, by what it is called in an error."""
    return dict(_state())


def _state() -> Iterator[tuple[str, Any]]:
    root = logging.getLogger()
    yield "root handlers", [*map(id, root.handlers)]
    yield "root level", root.level
    yield "root filters", [*root.filters]
    yield "logging.disable", root.manager.disable
    yield "logger class", logging.getLoggerClass()
    yield "record factory", logging.getLogRecordFactory()
    yield "lastResort", logging.lastResort
    yield "raiseExceptions", logging.raiseExceptions
    for number in {*range(101)} - _LEVELS_OF_OTHERS:
        yield f"the name of level {number}", logging.getLevelName(number)
    for name in ("_log", "handle", "callHandlers", "isEnabledFor", "makeRecord", "findCaller"):
        yield f"Logger.{name}", vars(logging.Logger).get(name)
    for name in ("basicConfig", "captureWarnings", "shutdown"):
        yield f"logging.{name}", getattr(logging, name)
    yield "sys.excepthook", sys.excepthook
    yield "sys.unraisablehook", sys.unraisablehook
    yield "threading.excepthook", threading.excepthook
    yield "warnings.showwarning", warnings.showwarning
    yield "signal.signal", signal.signal
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGALRM):
        yield number.name, signal.getsignal(number)
    yield "structlog is configured", structlog.is_configured()
    yield "what is bound", context.here()
    yield "working directory", os.getcwd()
    yield "environment", {n: v for n, v in os.environ.items() if not n.startswith("PYTEST_")}
    opentelemetry: Any = sys.modules.get("opentelemetry.trace")
    yield "tracer provider", getattr(opentelemetry, "_TRACER_PROVIDER", None)
    for module, owner, name in _ATTRIBUTES:
        holder = getattr(sys.modules.get(module), owner, None)
        yield f"{module}.{owner}.{name}", None if holder is None else vars(holder).get(name)


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return what is another one than before; what has been imported meanwhile is none."""
    return [
        f"{name}: {before[name]!r} -> {value!r}"
        for name, value in after.items()
        if value != before[name] and not ("." in name and before[name] is None)
    ]
