"""IDs of traces and spans whose digits happen to be a card's.

An ID of a span has 16 hexadecimal digits (W3C Trace Context), which are all decimal in one of 1 800
and then a card's in one of 30; Datadog's are decimal (ddtrace, log injection), and so are those
that OpenTelemetry's API gives as integers. Hidden, a request could not be followed any more.
"""

from __future__ import annotations

import re
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.names import squash

_NAMES: Final = ("traceid", "spanid")
_WHOLE_NAMES: Final = frozenset({"transaction.id", "parent.id", "dd.parent_id"})
_ENDS: Final = frozenset({"id", "Id", "ID", "iD"})
_DIGITS: Final = late("[0-9]{16,19}")  # a resident number has 13; no card has more
_NUMBERS: Final = range(10**15, 2**63)
_SAID: Final = late(
    r"""(?:(?:trace|span)[ ._-]?|\b(?:transaction|parent)\.)id"""
    r"""\\?["']?\s{0,2}[:=]\s{0,2}\\?["']?$""",
    re.IGNORECASE,
)
_BEFORE: Final = 32
"""Characters before an ID that say what it is."""


def is_name(path: str) -> bool:
    """Tell whether a name is that of the ID of a trace or span: `span.id`, `otelSpanID`."""
    return path[-2:] in _ENDS and (path in _WHOLE_NAMES or squash(path).endswith(_NAMES))


def is_id(path: str, value: object) -> bool:
    """Tell whether a value, a secret at most by its digits, is such an ID by its name."""
    if path[-2:] not in _ENDS:  # told at once of nearly all
        return False
    if type(value) is int:
        return value in _NUMBERS and is_name(path)
    return type(value) is str and _DIGITS.fullmatch(value) is not None and is_name(path)


def is_said(text: str, start: int) -> bool:
    """Tell whether what stands before a place in a text says that such an ID follows."""
    return _SAID.search(text[max(0, start - _BEFORE) : start]) is not None
