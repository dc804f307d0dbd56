"""What an event is made of, before it becomes a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from time import time as _now
from types import TracebackType
from typing import Any, Final

from flowery_logging.colours import without_colours
from flowery_logging.ecs import fields as ecs_fields
from flowery_logging.ecs.conversion import KEYWORD_UNITS
from flowery_logging.ecs.encode import dumps
from flowery_logging.ecs.plain import is_number, plain, scalar_text
from flowery_logging.event_parts import Fields

EARLIEST: Final = 1.0
LATEST: Final = 9_214_646_400.0
"""Seconds since the epoch, end of 2261: what `date_nanos`, the type of `@timestamp`, holds."""

_LEVEL_CHARS: Final = 64
_KEYWORD_CHARS: Final = KEYWORD_UNITS // 2  # whatever the characters


def identity(entity: str, pid: int) -> tuple[bytes, bytes, bytes]:
    """Return what stands between the halves, around the sequence number, which comes twice."""
    rest = f'}},"process":{{"entity_id":"{entity}","pid":{pid},'
    return f'"id":"{entity}-'.encode(), b'","sequence":', rest.encode()


@dataclass(frozen=True)
class Static:
    """The fields that all events of this process share."""

    service: Fields
    host: Fields
    data_stream: Mapping[str, str]
    dataset: str  # event.dataset

    def encoded(self) -> bytes:
        """Return these fields as they stand in a line, each after a comma."""
        parts = {"service": self.service, "host": self.host, "data_stream": self.data_stream}
        return b"".join(b',"%b":%b' % (name.encode(), dumps(part)) for name, part in parts.items())


class Site:
    """A call site: its fields, and the fragments they become.

    `suspects` is what its texts are asked about, where it is known that they come from one call.
    """

    __slots__ = ("code", "level", "log", "origin", "prefix", "suffix", "suspects")

    def __init__(self, level: object, log: dict[str, Any], static: bytes) -> None:
        self.suspects: Callable[[bytes], int] | None = None
        self.code: object = None  # kept alive where its `id` is the key of the site
        # Programs name levels in colour: logging.addLevelName(ERROR, "\x1b[31mERROR\x1b[0m").
        self.level = without_colours(keyword(level, _LEVEL_CHARS)).strip().lower() or "notset"
        self.log = log
        self.prefix = b'Z","log.level":%b,"message":' % dumps(self.level)
        self.origin = b',"log":%b' % dumps(log) if log else b""
        version = ecs_fields.VERSION.encode()
        self.suffix = b',"ecs.version":"%b"%b%b' % (version, static, self.origin)


def merged(ours: Mapping[str, Any], placed: Mapping[str, Any]) -> dict[str, Any]:
    """Return both trees as one; where they have the same field, the placed value stands."""
    tree = {**ours, **placed}
    for name in ours.keys() & placed.keys():
        if isinstance(ours[name], Mapping):
            tree[name] = merged(ours[name], placed[name])
    return tree


def log_fields(logger: object, file: object, line: object, function: object) -> dict[str, Any]:
    """Return ECS's `log` object; what a record made by others lacks or has wrong is left out."""
    log: dict[str, Any] = {"logger": keyword(logger)} if logger else {}
    origin: dict[str, Any] = {}
    if file:
        origin["file"] = {"name": keyword(file)}
        if type(line) is int and is_number(line):
            origin["file"]["line"] = line
        if function:
            origin["function"] = keyword(function)
    return {**log, "origin": origin} if origin else log


def thread_fields(ident: object, name: object) -> dict[str, Any]:
    """Return ECS's `process.thread` object."""
    fields: dict[str, Any] = {"id": ident} if type(ident) is int and is_number(ident >> 11) else {}
    return {**fields, "name": keyword(name)} if name else fields


def keyword(value: object, limit: int = _KEYWORD_CHARS) -> str:
    """Return any value as a text that fits a keyword."""
    return scalar_text(plain(value))[:limit]


@dataclass(slots=True)
class Event:
    """Everything about one event."""

    created: float  # seconds since the epoch
    site: Site
    message: Any
    thread: bytes  # as `LineEncoder.thread` gives it
    fields: Fields = field(default_factory=dict)
    bound: Fields = field(default_factory=dict)
    scope: Any = None  # where `bound` is what a context shows: that context, which has it encoded
    error: BaseException | None = None
    trace: TracebackType | None = None
    stack: str | None = None  # stack_info, or the text of an exception that is gone
    frames: int | None = None  # how many frames of each traceback; None: all
    template: Any = None  # the message before its arguments were put in; None: the message


class Unfinished:
    """A message behind which something is left to do: its event takes the general way."""


class Clock:
    """Encodes times; the part up to the second is kept, as it serves many events."""

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: tuple[int, bytes] = (-1, b"")  # the last second, and its beginning

    def encode(self, created: float) -> bytes:
        """Return the beginning of a line up to the microseconds, e.g. `{"@timestamp":"…12.345678`.

        Raises ValueError for a time that Elasticsearch refuses.
        """
        second = int(created)
        return b"%b%06d" % (self.beginning(second), (created - second) * 1_000_000)

    def beginning(self, second: int) -> bytes:
        """Return the beginning of a line up to the second. Raises ValueError as `encode`."""
        known, beginning = self.known
        if known != second:
            if not EARLIEST <= second < LATEST:
                raise ValueError("a time that @timestamp cannot hold")
            beginning = b'{"@timestamp":"%b.' % rfc3339(second)[:19].encode()
            self.known = (second, beginning)
        return beginning


def rfc3339(created: float) -> str:
    """Return a time in UTC with microseconds, e.g. `2026-01-02T03:04:05.678901Z`."""
    # Not strftime(), which imports a module: at the interpreter's end that fails.
    moment = datetime.fromtimestamp(created, timezone.utc)
    return moment.isoformat(timespec="microseconds")[:26] + "Z"


def usable_time(created: object) -> float:
    """Return the time of an event; now, where a record made by others has none that can be used."""
    if isinstance(created, (int, float)) and EARLIEST <= created < LATEST:
        return float(created)
    return min(max(_now(), EARLIEST), LATEST - 1)
