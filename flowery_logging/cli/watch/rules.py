"""What of an observation is worth telling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from flowery_logging.cli.watch.observation import MEMORY_SECONDS, Observation, ServiceSeen

TEXT_CHARS: Final = 200
HOUR: Final = 60  # minutes


@dataclass(frozen=True)
class Limits:
    """When something is worth telling."""

    silent: float = 900.0  # seconds without an event
    window: float = 300.0  # seconds over which errors are counted
    factor: float = 3.0  # so many times as many errors as usual
    errors: int = 10  # and so many at least


class Alert(NamedTuple):
    """One thing to tell. What lasts is told again when it is over; the rest happens once."""

    kind: str  # silent, errors, new-error, dropped, lost or dead-letters
    key: str  # the same at each look while it lasts
    text: str
    lasts: bool


class Known(NamedTuple):
    """What earlier looks have left."""

    is_first: bool  # there was none
    groups: frozenset[str]  # of errors
    services: Mapping[str, float]  # when each one's last event was


def alerts(seen: Observation, known: Known, limits: Limits, now: float) -> Iterator[Alert]:
    """Yield what is worth telling now, whether it was told before or not."""
    yield from _silent(seen, known, limits, now)
    for name, service in seen.services.items():
        yield from _spike(name, service, limits, now)
    yield from _new_errors(seen, known, limits, now)
    for identity, text in seen.dropped.items():
        yield Alert("dropped", f"dropped:{identity}", text, lasts=False)
    for what, text in seen.lost.items():
        yield Alert("lost", f"lost:{what}", text, lasts=False)
    if seen.dead_letters:
        text = f"{seen.dead_letters} dead letters within {span(limits.window)}"
        yield Alert("dead-letters", "dead-letters", text, lasts=True)


def _silent(seen: Observation, known: Known, limits: Limits, now: float) -> Iterator[Alert]:
    """Tell which services logged within the day and do not now; a job that ended is not silent."""
    last = {**known.services, **{name: one.last for name, one in seen.services.items()}}
    ended = {name for name, one in seen.services.items() if one.has_ended}
    for name, moment in last.items():
        if name not in ended and limits.silent <= now - moment < MEMORY_SECONDS:
            text = f"{name} has been silent for {span(limits.silent)} or longer"
            yield Alert("silent", f"silent:{name}", text, lasts=True)


def _spike(name: str, service: ServiceSeen, limits: Limits, now: float) -> Iterator[Alert]:
    """Compare the errors of the window with those of equal windows in the hour before it."""
    begin = int((now - limits.window) // 60)
    recent = sum(count for minute, count in service.errors.items() if minute >= begin)
    before = sum(n for minute, n in service.errors.items() if begin - HOUR <= minute < begin)
    usual = before * limits.window / 60 / HOUR
    if recent >= limits.errors and recent >= limits.factor * usual:
        text = f"{name}: {recent} errors within {span(limits.window)}, where {usual:.1f} are usual"
        yield Alert("errors", f"errors:{name}", text, lasts=True)


def _new_errors(seen: Observation, known: Known, limits: Limits, now: float) -> Iterator[Alert]:
    """At the first look what began before the window is not new."""
    for group, error in seen.errors.items():
        is_old = known.is_first and error.first < now - limits.window
        if group in known.groups or is_old:
            continue
        where = ", ".join(sorted(error.services))
        message = error.message.partition("\n")[0][:TEXT_CHARS]
        text = f"new error in {where}: {error.kind}: {message} ({group})"
        yield Alert("new-error", f"new-error:{group}", text, lasts=False)


def span(seconds: float) -> str:
    """Return a span of time as people say it."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:g} s"
