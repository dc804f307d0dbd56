"""Times as people give them: 10m, 2h30m, today, 14:05, 2026-11-27T14:05+09:00."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import Final

ALLOWED: Final = (
    "an age (90s, 10m, 2h30m, 3d, 1w), now, today, yesterday, a time of today (14:05), "
    "or a date, with a time if you like (2026-11-27, 2026-11-27T14:05:00+09:00)"
)

MOST_DAYS: Final = 36_500
"""A longer span, counted back from now, may be no time any more."""

_YEARS: Final = range(2, 9999)  # of the others no neighbouring day is a time, nor UTC's

_FIRST_SECOND: Final = int(datetime(_YEARS[0], 1, 1, tzinfo=timezone.utc).timestamp())
_LAST_SECOND: Final = int(datetime(_YEARS[-1], 12, 31, tzinfo=timezone.utc).timestamp())

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGE = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?")
_DATE = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?P<clock>\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)


def parse_time(text: str, now: datetime | None = None, zone: tzinfo | None = None) -> datetime:
    """Return the time that a text says, with its zone. Raises ValueError.

    Args:
        text: see `ALLOWED`.
        now: what an age is counted from; None: this moment.
        zone: of a time that names none; None: the machine's own.
    """
    now = (now or datetime.now(timezone.utc)).astimezone(zone)
    text = text.strip()
    try:
        found = _time_of(text, now, zone)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no time ({error}); allowed: {ALLOWED}") from None
    if found is None:
        raise ValueError(f"{text!r} is no time; allowed: {ALLOWED}")
    if found.year not in _YEARS:
        years = f"{_YEARS[0]} to {_YEARS[-1]}"
        raise ValueError(f"{text!r} is no time of the years {years}; allowed: {ALLOWED}")
    return found


def _time_of(text: str, now: datetime, zone: tzinfo | None) -> datetime | None:
    """Return the time that a text says; None if it has no form of one."""
    word = text.lower()
    if word == "now":
        return now
    if word in {"today", "yesterday"}:
        return _midnight(now, zone, days=-1 if word == "yesterday" else 0)
    if _AGE.fullmatch(word):
        return now - timedelta(seconds=_seconds(word))
    if _CLOCK.fullmatch(word):
        return _zoned(datetime.combine(now.date(), _clock(word)), zone)
    match = _DATE.fullmatch(text)
    return None if match is None else _dated(match, zone)


def parse_age(text: str) -> float:
    """Return the seconds that a text like 90s or 2h30m says. Raises ValueError."""
    word = text.strip().lower()
    if not _AGE.fullmatch(word):
        raise ValueError(f"{text!r} is no span of time; allowed: 90s, 10m, 2h30m, 3d, 1w")
    seconds = _seconds(word)
    if seconds > MOST_DAYS * _UNITS["d"]:
        raise ValueError(f"{text!r} is longer than {MOST_DAYS} days")
    return seconds


def timestamp(moment: datetime) -> str:
    """Return a time as `@timestamp` has it, so that both compare as texts."""
    utc = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return utc.isoformat(timespec="microseconds") + "Z"


def moment_of(text: str) -> datetime | None:
    """Return the time that an `@timestamp` says; None if it says none."""
    match = _DATE.fullmatch(text)
    try:
        found = None if match is None else _dated(match, timezone.utc)
    except ValueError:
        return None
    return found if found is not None and found.year in _YEARS else None


def moment_at(nanoseconds: int) -> datetime:
    """Return a time that is counted from 1970, in UTC; the nearest one where that is none."""
    seconds = min(max(nanoseconds // 10**9, _FIRST_SECOND), _LAST_SECOND)
    return datetime.fromtimestamp(seconds, timezone.utc)


def _seconds(age: str) -> float:
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(age))


def _midnight(now: datetime, zone: tzinfo | None, days: int) -> datetime:
    return _zoned(datetime.combine(now.date() + timedelta(days=days), time()), zone)


def _dated(match: re.Match[str], zone: tzinfo | None) -> datetime:
    clock = _clock(match["clock"] or "0:00")
    found = datetime.combine(date.fromisoformat(match["date"]), clock)
    if not match["zone"]:
        return _zoned(found, zone)
    return found.replace(tzinfo=_offset(match["zone"].upper()))


def _offset(text: str) -> timezone:
    if text == "Z":
        return timezone.utc
    digits = text[1:].replace(":", "")
    minutes = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-minutes if text[0] == "-" else minutes)


def _clock(text: str) -> time:
    clock, _, fraction = text.replace(",", ".").partition(".")
    hour, minute, second = (int(part) for part in f"{clock}:0".split(":")[:3])
    return time(hour, minute, second, int(f"{fraction:0<6.6}"))


def _zoned(local: datetime, zone: tzinfo | None) -> datetime:
    """Give a time its zone: the machine's own rules, summer time too, where `zone` is None."""
    return local.astimezone() if zone is None else local.replace(tzinfo=zone)
