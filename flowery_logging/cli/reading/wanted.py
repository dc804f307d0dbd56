"""Which events were asked for: asked of a file's name, a line's first bytes, then its event."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from flowery_logging.cli.reading.conditions import Condition
from flowery_logging.cli.reading.fields import leaves, text_of
from flowery_logging.cli.reading.times import timestamp
from flowery_logging.ecs.encode import dumps
from flowery_logging.files import names
from flowery_logging.files.reader import Kind, Line, LogFile, Selection
from flowery_logging.files.search import Raw

LEVELS: Final[Mapping[str, int]] = {
    "trace": 5, "debug": 10, "info": 20, "notice": 25, "warning": 30, "warn": 30, "error": 40,
    "critical": 50, "fatal": 50,
}  # fmt: skip
"""Levels by the names that events have; one of another name is never held back."""

_HEAD = re.compile(rb'\{"@timestamp":"([^"\\]{20,32})","log\.level":"([^"\\]*)"')
_SPECIAL = re.compile(r"[.^$*+?{}\[\]\\|()]")


@dataclass(frozen=True)
class Wanted:
    """What a command was asked for; None and empty ones ask for nothing."""

    services: tuple[str, ...] = ()
    level: int | None = None  # this one and higher
    since: datetime | None = None
    until: datetime | None = None
    grep: re.Pattern[str] | None = None
    conditions: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "_since", timestamp(self.since) if self.since else "")
        object.__setattr__(self, "_until", timestamp(self.until) if self.until else "~")

    @property
    def selection(self) -> Selection:
        """The files in which such events can lie, as far as times tell."""
        return Selection(since=self.since, until=self.until)

    def admits_file(self, file: LogFile) -> bool:
        """Tell whether a file is one of the services that were asked for."""
        parts = {names.service_part(service) for service in self.services}
        return not parts or file.name.service in parts

    def texts(self) -> tuple[bytes, ...]:
        """Return texts of which each wanted line holds one; none if that cannot be said."""
        if self.grep is not None and not _SPECIAL.search(self.grep.pattern):
            text = self.grep.pattern
            if text and not self.grep.flags & re.IGNORECASE:
                return tuple(dict.fromkeys((text.encode(), *spellings(text))))
        for condition in self.conditions:
            found = [text for form in condition.spellings() for text in spellings(form)]
            if found:
                return tuple(dict.fromkeys(found))
        asked = (condition for condition in self.conditions if condition.sign != "!=")
        return next((_key_texts(condition.name) for condition in asked), ())

    def may_admit(self, raw: Raw) -> bool:
        """Tell from the first bytes of a line whether it is worth decoding."""
        head = _HEAD.match(raw.data)
        if head is None:
            return True
        time, level = head[1].decode("ascii", "replace"), head[2].decode("utf-8", "replace")
        return self._in_time(time) and self._is_level(level)

    def admits(self, line: Line, time: str | None = None) -> bool:
        """Tell whether a line was asked for.

        `time`: the `@timestamp` at which a line counts that has none: that of the event before.
        A line of somebody else's is asked for its fields if it is a JSON object; where a level is
        asked for, one that tells none is not wanted.
        """
        if not self._in_time(line.timestamp or time or ""):
            return False
        if line.kind is Kind.TORN or line.kind is Kind.FOREIGN:
            return self._admits_foreign(line)
        if self.services and text_of(line.record, "service.name") not in self.services:
            return False
        return self.admits_record(line.record) and self._finds(line.record, line.data)

    def admits_record(self, record: Mapping[str, Any]) -> bool:
        """Tell whether an event has the level and the fields that were asked for."""
        return self._is_level(text_of(record, "log.level")) and all(
            condition.admits(record) for condition in self.conditions
        )

    def _in_time(self, time: str) -> bool:
        since: str = self.__dict__["_since"]
        until: str = self.__dict__["_until"]
        return not time or since <= time <= until

    def _is_level(self, level: str) -> bool:
        return self.level is None or LEVELS.get(level.lower(), self.level) >= self.level

    def _admits_foreign(self, line: Line) -> bool:
        record = foreign_record(line.data)
        if self.level is not None and not text_of(record, "log.level"):
            return False
        return self.admits_record(record) and self._finds(record, line.data)

    def _finds(self, record: Mapping[str, Any], data: bytes) -> bool:
        """Look in the line as it lies there, then in its texts, which JSON may have escaped."""
        if self.grep is None:
            return True
        search = self.grep.search
        if search(data.decode("utf-8", "replace").rstrip("\n")):
            return True
        return any(isinstance(value, str) and search(value) for _, value in leaves(record))


def foreign_record(data: bytes) -> dict[str, Any]:
    """Return the object that a line of somebody else's is, if it is one."""
    try:
        found = orjson.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def spellings(text: str) -> tuple[bytes, ...]:
    """Return how a text can stand within a JSON string: our own way, and in ASCII alone."""
    ours = dumps(text)[1:-1]
    return tuple(dict.fromkeys((ours, json.dumps(text)[1:-1].encode())))


def _key_texts(name: str) -> tuple[bytes, ...]:
    """Return how the last part of a name can stand in a line as the end of a key."""
    labels, last = name.replace(".", "_"), name.rpartition(".")[2]
    found = (text + b'"' for part in (last, labels) for text in spellings(part))
    return tuple(dict.fromkeys(found))
