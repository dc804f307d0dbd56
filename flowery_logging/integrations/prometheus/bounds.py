"""Values of labels, bounded: each value is a series for ever, and a caller may choose it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

OTHER: Final = "_OTHER"
"""OpenTelemetry's word for a value that is not kept apart."""

UNMATCHED: Final = "_unmatched"
"""The route of a request that no route of the application has taken."""

METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
)
"""RFC 9110 §9, RFC 5789 and QUERY, as OpenTelemetry's HTTP conventions have them."""

VALUE_CHARS: Final = 200


def method(name: str) -> str:
    """Return a known method, else `_OTHER`."""
    return name if name in METHODS else OTHER


def status(code: int | None) -> str:
    """Return a status code (RFC 9110 §15); "", which is no label, where there is none."""
    if code is None:
        return ""
    return str(code) if 100 <= code <= 599 else OTHER


def most(limit: int) -> Callable[[str], str]:
    """Return what lets the first `limit` values of a label through; others are `_OTHER`."""
    known: dict[str, str] = {}

    def bounded(value: str) -> str:
        kept = known.get(value)
        if kept is None:
            if len(known) >= limit:
                return OTHER
            kept = known[value] = value[:VALUE_CHARS]
        return kept

    return bounded
