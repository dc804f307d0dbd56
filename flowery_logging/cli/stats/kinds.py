"""By what events are counted: the name of their group, from what stands in them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from flowery_logging.cli.reading.fields import route_of, text_of, value_at
from flowery_logging.library_code import ACCESS_LOGGER, is_library

Record = Mapping[str, Any]
Key = tuple[str, ...]

_FRAME: Final = re.compile(
    r'^\s*File "(?P<file>[^"]*)", line \d+, in (?P<function>.*)$', re.MULTILINE
)
_HASH_DIGITS: Final = 16


def service(record: Record) -> Key:
    """Group by service.name."""
    return (text_of(record, "service.name"),)


def level(record: Record) -> Key:
    """Group by log.level."""
    return (text_of(record, "log.level").lower(),)


def logger(record: Record) -> Key:
    """Group by log.logger."""
    return (text_of(record, "log.logger"),)


def route(record: Record) -> Key | None:
    """Group access events by service, method and route; by path where none was matched."""
    if text_of(record, "log.logger") != ACCESS_LOGGER or not isinstance(duration_of(record), int):
        return None
    where = route_of(record) or text_of(record, "url.path")
    return text_of(record, "service.name"), text_of(record, "http.request.method"), where


def error(record: Record) -> Key | None:
    """Group events with an exception by which error it is: see `group_of`."""
    kind = text_of(record, "error.type")
    return (kind, group_of(record)) if kind else None


def callsite(record: Record) -> Key | None:
    """Group by the place of the call: service, file, line, function."""
    file = text_of(record, "log.origin.file.name")
    if not file:
        return None
    line, function = (
        value_at(record, "log.origin.file.line"),
        text_of(record, "log.origin.function"),
    )
    return text_of(record, "service.name"), f"{file}:{line}", function


KINDS: Final[Mapping[str, Callable[[Record], Key | None]]] = {
    "service": service,
    "level": level,
    "logger": logger,
    "route": route,
    "error": error,
    "callsite": callsite,
}
"""What `--by` takes."""

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "service": ("service",),
    "level": ("level",),
    "logger": ("logger",),
    "route": ("service", "method", "route"),
    "error": ("error", "group"),
    "callsite": ("service", "callsite", "function"),
}
"""The names of the parts of a group's key."""


def group_of(record: Record) -> str:
    """Return which error an event is of: `error.id`, as the library writes it.

    Lines without one (of older versions, of others) get a hash of the type and of the functions of
    the application in the stack trace: message and line numbers do not count.
    """
    given = text_of(record, "error.id")
    if given:
        return given
    frames = _FRAME.findall(text_of(record, "error.stack_trace"))
    own = [name for file, name in frames if not is_library(file)] or [n for _, n in frames[-1:]]
    key = "\n".join([text_of(record, "error.type"), *dict.fromkeys(own)])
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:_HASH_DIGITS]


def duration_of(record: Record) -> int | None:
    """Return event.duration, in nanoseconds."""
    found = value_at(record, "event.duration")
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def status_of(record: Record) -> int:
    """Return http.response.status_code; 0 where there is none."""
    found = value_at(record, "http.response.status_code")
    return found if isinstance(found, int) else 0
