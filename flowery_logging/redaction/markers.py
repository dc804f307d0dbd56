"""What stands for a secret: `[redacted]`, or `[redacted:card]` where its kind is known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.numbers import Span

BY_NAME: Final = "value"
"""The kind of a secret of which only the name is known."""

MARKER: Final = "[redacted]"
_IS_MARKER: Final = late(r"\[redacted(?::\w{1,32})?\]?")


@cache
def marker(kind: str) -> str:
    """Return what stands for a secret of a kind; by its name alone, no kind is known."""
    return f"[redacted:{kind}]" if kind != BY_NAME else MARKER


def kind_of_marker(marker: str) -> str:
    """Return the kind of the secret that a marker stands for."""
    return marker.strip("[]").partition(":")[2] or BY_NAME


def is_marker(value: object) -> bool:
    """Tell whether a value is what stands for a secret."""
    return type(value) is str and _IS_MARKER.fullmatch(value) is not None


def without_markers(text: str) -> str:
    """Return a text with stars in place of each marker in it: what is clean stays as it is."""
    return _IS_MARKER.sub(_stars, text)


def _stars(match: re.Match[str]) -> str:
    return "*" * len(match[0])


def replaced(text: str, spans: Iterable[Span]) -> str:
    """Return the text with a marker for each of the spans, which are in order."""
    kept: list[str] = []
    position = 0
    for start, end, kind in spans:
        kept += (text[position:start], marker(kind))
        position = end
    kept.append(text[position:])
    return "".join(kept)


def merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield one span for each group of overlapping ones, with the kind that is known best."""
    current: Span | None = None
    for span in sorted(spans):
        if current is None or span.start >= current.end:
            if current is not None:
                yield current
            current = span
        else:
            kind = current.kind if current.kind != BY_NAME else span.kind
            current = Span(current.start, max(current.end, span.end), kind)
    if current is not None:
        yield current
