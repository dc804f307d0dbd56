"""A trace for programs."""

from __future__ import annotations

from typing import Any

from flowery_logging.cli.reading.fields import first_of
from flowery_logging.cli.reading.times import moment_at, timestamp
from flowery_logging.cli.trace.hops import Hop
from flowery_logging.cli.trace.timeline import Gap, timeline
from flowery_logging.cli.trace.tree import Trace


def as_json(trace: Trace) -> dict[str, Any]:
    """Return a trace as JSON values: its hops as a tree, each with its events as they were logged.

    Times of hops are milliseconds; `offset_ms` counts from the beginning of the trace.
    """
    return {
        "trace_id": trace.trace_id,
        "request_id": trace.request_id,
        "begin": _timestamp(trace.begin),
        "duration_ms": _milliseconds(trace.end - trace.begin),
        "services": trace.services,
        "events": len(trace.records),
        "errors": len(trace.errors),
        "hops": [_hop(root, trace) for root in trace.roots],
    }


def _hop(hop: Hop, trace: Trace) -> dict[str, Any]:
    closing = hop.closing or {}
    gaps = (item for item in timeline(hop, trace) if isinstance(item, Gap))
    return {
        "kind": hop.kind,
        "service": hop.service,
        "host": hop.host,
        "title": hop.title,
        "span_id": hop.span,
        "parent_id": hop.parent,
        "offset_ms": _milliseconds(hop.begin - trace.begin),
        "duration_ms": _milliseconds(hop.duration) if hop.closing is not None else None,
        "status": first_of(closing, "http.response.status_code"),
        "outcome": first_of(closing, "event.outcome"),
        "failed": hop.failed,
        "gaps": [
            {
                "offset_ms": _milliseconds(gap.begin - trace.begin),
                "duration_ms": _milliseconds(gap.duration),
            }
            for gap in gaps
        ],
        "events": [*hop.lines, *([hop.closing] if hop.closing is not None else ())],
        "hops": [_hop(child, trace) for child in hop.children],
    }


def _timestamp(nanoseconds: int) -> str:
    return timestamp(moment_at(nanoseconds).replace(microsecond=nanoseconds // 1000 % 1_000_000))


def _milliseconds(nanoseconds: int) -> float:
    return nanoseconds / 1_000_000
