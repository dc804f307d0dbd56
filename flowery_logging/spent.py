"""What a request has spent its time on: the calls that it made, and its database queries.

Its event tells of both. They are counted where the work is done, in whichever thread or task of the
request, so whoever changes an instance holds the lock of all requests (see request.py).
"""

from __future__ import annotations

from typing import Any, Final

_KEPT_SPANS: Final = 64


class Spent:
    """Numbers of calls and queries, and their times in nanoseconds.

    The times are sums: of three calls at once that take a second each they say three seconds.
    """

    __slots__ = ("call_spans", "calls", "calls_time", "queries", "queries_time")

    def __init__(self) -> None:
        self.calls = 0
        self.calls_time = 0  # of those that have ended
        self.call_spans: tuple[str, ...] = ()  # the span IDs of the first of them
        self.queries = 0
        self.queries_time = 0

    def called(self, span_id: str | None) -> None:
        """Count a call that goes out under this span ID, or without one."""
        self.calls += 1
        if span_id is not None and len(self.call_spans) < _KEPT_SPANS:
            self.call_spans = (*self.call_spans, span_id)

    def queried(self, nanoseconds: int) -> None:
        """Count a database query."""
        self.queries += 1
        self.queries_time += nanoseconds

    def fields(self) -> dict[str, Any]:
        """Return what the event of the request tells of it; what there was none of is left out.

        The next service's events have the span IDs of the first 64 as their `parent.id`, and
        the calls' own are at DEBUG: so the tree can be drawn from what is logged at INFO.
        """
        fields: dict[str, Any] = {}
        if self.calls:
            fields["outgoing_calls"] = self.calls
        if self.call_spans:
            fields["call_span_ids"] = list(dict.fromkeys(self.call_spans))
        if self.calls_time:
            fields["outgoing_calls_sum_ms"] = milliseconds(self.calls_time)
        if self.queries:
            fields["database_queries"] = self.queries
            fields["database_queries_sum_ms"] = milliseconds(self.queries_time)
        return fields


def milliseconds(nanoseconds: int) -> float:
    """Return a time for a field whose name ends in `_ms`; more digits than of 1 µs are noise."""
    return round(nanoseconds / 1e6, 3)
