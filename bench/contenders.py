"""Who is measured, in which group, and against what."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import asgi, ours, peers
from bench.event import Run


@dataclass(frozen=True)
class Contender:
    """One set-up to measure.

    `start` configures it in this process, writing below a directory, and returns what writes the
    events. It raises ImportError where the package is not installed. An event that takes long
    has a `weight`: it counts for so many when the events of a round are dealt out.
    """

    name: str
    start: Callable[[Path], Run]
    weight: int = 1

    @property
    def slug(self) -> str:
        """The name as that of its directory."""
        return re.sub(r"\W+", "-", self.name)


_PLAIN_TEXT: Final = Contender("stdlib FileHandler, plain text", peers.plain_text)
_APPLICATION: Final = Contender("the application alone (logs nothing)", asgi.application_alone, 10)

GROUPS: Final[dict[str, tuple[Contender, ...]]] = {
    "an event": (
        _PLAIN_TEXT,
        Contender("stdlib RotatingFileHandler, plain text", peers.rotating),
        Contender("stdlib FileHandler, plain text with IDs and extras", peers.plain_text_in_full),
        Contender("stdlib NullHandler (writes nothing)", peers.null),
        Contender("os.write of an equal line", ours.write_alone),
        Contender("orjson + os.write of an equal line", ours.equal_line),
        Contender("picologging, plain text", peers.picologging),
        Contender("structlog, its fastest", peers.structlog_fastest),
        Contender("ecs-logging, structlog", peers.ecs_structlog),
        Contender("python-json-logger with orjson", peers.python_json_logger),
        Contender("loguru serialize", peers.loguru),
        Contender("concurrent-log-handler, ecs-logging", peers.concurrent),
        Contender("ecs-logging, stdlib", peers.ecs_stdlib),
        Contender("flowery_logging, stdlib", ours.stdlib),
        Contender("flowery_logging, get_logger", ours.get_logger),
    ),
    "an event of ten after a bind": (
        _PLAIN_TEXT,
        Contender("structlog, its fastest, bind", peers.structlog_requests),
        Contender("flowery_logging, get_logger().bind", ours.requests),
    ),
    "an event with a message of 5 kB": (
        Contender("plain text, long", peers.plain_long, 2),
        Contender("structlog, its fastest, long", peers.structlog_long, 2),
        Contender("ecs-logging, long", peers.ecs_long, 4),
        Contender("flowery_logging, stdlib, long", ours.stdlib_long, 4),
        Contender("flowery_logging, get_logger, long", ours.long, 4),
    ),
    "an event with a date, a dict and a list": (
        _PLAIN_TEXT,
        Contender("structlog, its fastest, nested", peers.structlog_nested),
        Contender("ecs-logging, nested", peers.ecs_nested, 4),
        Contender("flowery_logging, stdlib, nested", ours.stdlib_nested, 4),
        Contender("flowery_logging, get_logger, nested", ours.nested, 4),
    ),
    "an event with an exception of 20 frames": (
        Contender("plain text, exception", peers.plain_exceptions, 20),
        Contender("ecs-logging, exception", peers.ecs_exceptions, 20),
        Contender("flowery_logging, stdlib, exception", ours.exceptions, 20),
        Contender("flowery_logging, get_logger, exception", ours.structlog_exceptions, 20),
    ),
    "a debug event below the level": (
        Contender("stdlib, debug", peers.plain_debug),
        Contender("flowery_logging, stdlib, debug", ours.debug),
        Contender("structlog, debug", peers.structlog_debug),
        Contender("flowery_logging, get_logger, debug", ours.structlog_debug),
    ),
    "an ASGI request with its access event": (
        Contender("correlation ID, uvicorn access log, ecs-logging", asgi.uvicorn_access, 10),
        Contender(
            "correlation ID, access fields by hand, ecs-logging", asgi.handwritten_access, 10
        ),
        Contender(
            "starlette-context, uvicorn access log, ecs-logging", asgi.starlette_context_access, 10
        ),
        Contender("OpenTelemetry, uvicorn access log, ecs-logging", asgi.opentelemetry_access, 10),
        _APPLICATION,
        Contender("flowery_logging, RequestMiddleware", asgi.flowery, 10),
    ),
    "an ASGI request without a line": (
        _APPLICATION,
        Contender("asgi-correlation-id alone", asgi.alone(asgi.correlation_id), 10),
        Contender("starlette-context alone", asgi.alone(asgi.starlette_context), 10),
        Contender("OpenTelemetry alone", asgi.alone(asgi.opentelemetry), 10),
        Contender("flowery_logging, RequestMiddleware, access_log=False", asgi.flowery_alone, 10),
    ),
}
"""The first of a group is what the ratios of the group stand to."""


def by_name(name: str) -> Contender:
    """Return the contender of this name. Raises KeyError if there is none."""
    return {one.name: one for group in GROUPS.values() for one in group}[name]
