"""What was seen at one look, from files or from Elasticsearch alike."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

MEMORY_SECONDS: Final = 86_400.0
"""A look goes back so far: what is usual, and which services there are."""


@dataclass
class ServiceSeen:
    """One service."""

    last: float = 0.0  # when its last event was, seconds since the epoch
    has_ended: bool = False  # of itself: a job that is done, not a service that was stopped
    events: int = 0  # in the memory
    errors: Counter[int] = field(default_factory=Counter)  # by minute since the epoch


@dataclass
class ErrorSeen:
    """One group of equal errors."""

    kind: str  # error.type
    message: str = ""  # of the first one
    first: float = 0.0
    last: float = 0.0
    services: set[str] = field(default_factory=set)


@dataclass
class Observation:
    """Everything of one look."""

    services: dict[str, ServiceSeen] = field(default_factory=dict)
    errors: dict[str, ErrorSeen] = field(default_factory=dict)  # by group
    dropped: dict[str, str] = field(default_factory=dict)  # by event.id: what the record says
    lost: dict[str, str] = field(default_factory=dict)  # by process and numbers: what is missing
    dead_letters: int = 0  # within the window

    def service(self, name: str) -> ServiceSeen:
        """Return a service, a new one if it was not seen yet."""
        return self.services.setdefault(name, ServiceSeen())

    def note_error(self, group: str, kind: str, message: str, service: str, moment: float) -> None:
        """Take note of one event with an exception."""
        seen = self.errors.setdefault(group, ErrorSeen(kind, message, moment, moment))
        if moment < seen.first:
            seen.message = message
        seen.first, seen.last = min(seen.first, moment), max(seen.last, moment)
        seen.services.add(service)
