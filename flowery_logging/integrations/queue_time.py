"""How long a request has waited between a proxy and us, by the header that the proxy has set.

    proxy_set_header X-Request-Start "t=${msec}";          # nginx: seconds, with milliseconds
    RequestHeader set X-Request-Start "%t"                 # Apache: t=, microseconds
    X-Request-Start: 1700000000123                         # Heroku: milliseconds

The unit is told by the number of digits: all these are times since 1970.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

HEADERS: Final = ("x-request-start", "x-queue-start")
"""The headers that are read, the first one that is there."""

_START: Final = re.compile(r"(?:t=)?([0-9]{9,19})(?:\.([0-9]{1,9}))?")
_SECOND: Final = 1_000_000_000
_UNITS: Final = ((11, _SECOND), (14, 1_000_000), (17, 1_000), (19, 1))
"""Digits before the point, at most → nanoseconds of one."""

_LONGEST: Final = 3600 * _SECOND
"""No proxy waits longer: such a number is something else."""

_SKEW: Final = _SECOND
"""So much may the proxy's clock be ahead of ours; beyond it the two say nothing together."""


def waited(headers: Mapping[str, str], began: int) -> int | None:
    """Return how many nanoseconds a request had waited when it `began` (since 1970, nanoseconds).

    None where no header tells, or what it tells cannot be. Never less than 0.
    """
    for name in HEADERS:
        if name in headers:
            started = _started(headers[name])
            if started is None or not -_SKEW <= began - started <= _LONGEST:
                return None
            return max(0, began - started)
    return None


def _started(value: str) -> int | None:
    """Return the time in a header, of several the last, in nanoseconds since 1970."""
    found = _START.fullmatch(value.rpartition(",")[2].strip())
    if found is None:
        return None
    whole, fraction = found[1], found[2] or ""
    unit = next(unit for digits, unit in _UNITS if len(whole) <= digits)
    return int(whole) * unit + int(fraction.ljust(9, "0")) * unit // _SECOND
