"""Traces that come in other headers than W3C's: Zipkin's B3 and AWS's X-Amzn-Trace-Id.

Only read, and only where no traceparent is there. Sources: https://github.com/openzipkin/
b3-propagation and https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html
(tracing header).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from flowery_logging.late import late

Found = tuple[str, str | None, bool | None]
"""A trace ID of 32 digits, the caller's span ID or None, and whether the trace is sampled."""

Values = Mapping[str, list[str]]

_B3: Final = late(
    r"(?!0{16,32}-)([0-9a-f]{32}|[0-9a-f]{16})-(?!0{16})([0-9a-f]{16})(?:-([01d]))?(?:-[0-9a-f]{16})?"
)
_B3_TRACE: Final = late(r"(?!0+$)(?:[0-9a-f]{32}|[0-9a-f]{16})")
_SPAN: Final = late(r"(?!0{16})[0-9a-f]{16}")
_AMAZON_ROOT: Final = late(r"1-([0-9a-f]{8})-([0-9a-f]{24})")
_SAMPLED: Final = {"1": True, "d": True, "true": True, "0": False, "false": False}


def _b3(values: Values) -> Found | None:
    """Read the one header `b3`, or the several `x-b3-…`."""
    single = _B3.fullmatch(_only(values, "b3").lower())
    if single is not None:
        return single[1].zfill(32), single[2], _SAMPLED.get(single[3] or "")
    trace_id = _B3_TRACE.fullmatch(_only(values, "x-b3-traceid").lower())
    span_id = _SPAN.fullmatch(_only(values, "x-b3-spanid").lower())
    if trace_id is None or span_id is None:
        return None
    sampled = _SAMPLED.get(_only(values, "x-b3-sampled").lower())
    if _only(values, "x-b3-flags") == "1":  # "debug", which implies sampling
        sampled = True
    return trace_id[0].zfill(32), span_id[0], sampled


def _amazon(values: Values) -> Found | None:
    """Read `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`."""
    text = _only(values, "x-amzn-trace-id")
    parts = {key.strip(): value for key, _, value in (p.partition("=") for p in text.split(";"))}
    root = _AMAZON_ROOT.fullmatch(parts.get("Root", ""))
    parent = _SPAN.fullmatch(parts.get("Parent", ""))
    if root is None or set(root[1] + root[2]) == {"0"}:
        return None
    return root[1] + root[2], parent and parent[0], _SAMPLED.get(parts.get("Sampled", ""))


def _only(values: Values, name: str) -> str:
    found = values.get(name, [])
    return found[0] if len(found) == 1 else ""


FORMATS: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Values], Found | None]]]] = {
    "b3": (("b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags"), _b3),
    "x-amzn-trace-id": (("x-amzn-trace-id",), _amazon),
}
"""The formats by name, as options give them: the headers of each, and its reader."""


def check(formats: tuple[str, ...]) -> None:
    """Raise `ValueError` for a format that is not known."""
    for name in formats:
        if name not in FORMATS:
            raise ValueError(f"unknown trace format {name!r}; known are {', '.join(FORMATS)}")
