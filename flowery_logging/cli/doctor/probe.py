"""Run in a process of its own: imports a module and writes down what `logging` then looks like.

`python -m flowery_logging.cli.doctor.probe module[:name] RESULT`
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import orjson

import flowery_logging
from flowery_logging import runtime
from flowery_logging.capture.stdlib import Handler
from flowery_logging.config.place import working_directory
from flowery_logging.installation import own_warnings
from flowery_logging.library_code import OWN_LOGGER, is_own


class _Heard(logging.Handler):
    """Keeps what the library itself warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.warnings: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning, with what `doctor` knows it by."""
        if record.name == OWN_LOGGER:
            facts = {name: value for name, value in vars(record).items() if name in _FACTS}
            self.warnings.append({"message": record.getMessage(), **facts})


_FACTS = ("event.action", own_warnings.DETACHED, own_warnings.DISABLED)


def probe(target: str) -> dict[str, Any]:
    """Import the target and describe the loggers. Never raises what the import raises."""
    module, _, name = target.partition(":")
    sys.path.insert(0, str(working_directory()))
    error = ""
    try:
        found: Any = importlib.import_module(module)
        for part in filter(None, name.split(".")):
            found = getattr(found, part)
    except BaseException as raised:  # it is somebody's code
        error = f"{type(raised).__name__}: {raised}"
    loggers = list(_loggers())
    return {
        "error": error,
        "set_up": runtime.current_sink().ready,
        "disabled": sorted(one.name for one in loggers if one.disabled),
        "detached": sorted(one.name for one in loggers if not one.propagate and one.parent),
        "exporting": [
            [one.name, f"{type(handler).__module__}.{type(handler).__qualname__}"]
            for one in loggers
            for handler in one.handlers
            if _exports(handler)
        ],
        "doubled": [item for one in loggers for item in _doubled(one)],
    }


def _loggers() -> Iterator[logging.Logger]:
    yield logging.getLogger()
    for name, logger in sorted(logging.Logger.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger) and not is_own(name):
            yield logger


def _exports(handler: logging.Handler) -> bool:
    """Tell whether a handler sends events to a collector: OpenTelemetry's, EDOT's."""
    module = type(handler).__module__
    return module.startswith(("opentelemetry.", "elasticotel.")) and not isinstance(
        handler, logging.NullHandler
    )


def _doubled(logger: logging.Logger) -> Iterator[list[Any]]:
    """Yield the streams to which an event of this logger is printed more than once.

    Only for a logger with a handler of its own: those below it repeat what it does.
    """
    if not logger.handlers:
        return
    printed: dict[str, list[str]] = defaultdict(list)
    if runtime.shows_console():
        printed["stderr"].append("the console of flowery_logging")
    one: logging.Logger | None = logger
    while one is not None:
        for handler in one.handlers:
            stream = _stream(handler)
            if stream:
                printed[stream].append(f"{type(handler).__name__} of {one.name}")
        one = one.parent if one.propagate else None
    for stream, handlers in printed.items():
        if len(handlers) > 1:
            yield [logger.name, stream, handlers]


def _stream(handler: logging.Handler) -> str:
    """Return to which standard stream a handler prints; "" if to none."""
    stream = getattr(handler, "stream", None)
    stream = stream or getattr(getattr(handler, "console", None), "file", None)  # rich's
    if stream is None or isinstance(handler, Handler):
        return ""
    try:
        return {1: "stdout", 2: "stderr"}.get(stream.fileno(), "")
    except Exception:  # a stream may be anything
        return ""


def main() -> None:
    """Write the description to the file that is named, and end without waiting for threads."""
    target, result = sys.argv[1:]
    heard = _Heard()
    logging.getLogger(OWN_LOGGER).addHandler(heard)
    found = probe(target)
    runtime.reattach()  # which says what the next event would
    flowery_logging.shutdown()
    content = orjson.dumps({**found, "warnings": heard.warnings}, default=str)
    with open(result, "wb") as file:
        file.write(content)
    os._exit(0)


if __name__ == "__main__":
    main()
