"""What an ID that somebody has at hand may be, and which events it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from flowery_logging.cli.reading.fields import text_of
from flowery_logging.cli.reading.wanted import spellings

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*", re.DOTALL)
_TRACE = re.compile(r"[0-9a-f]{32}")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]+")
TRACE_ID: Final = "trace.id"
PATHS: Final = (
    TRACE_ID, "http.request.id", "transaction.id", "span.id", "parent.id", "labels.task_id",
    "labels.request_id",
)  # fmt: skip
"""The fields that an ID, or its beginning, is looked for in; the first one that has it counts."""

EVENT_ID: Final = "event.id"
"""This one names an event only as a whole: its beginning is the process's."""


class Found(NamedTuple):
    """How an event answers to an ID."""

    path: str
    exact: bool


class Asked(NamedTuple):
    """An ID as it was given, and how it may stand in events."""

    forms: tuple[str, ...]

    def texts(self) -> tuple[bytes, ...]:
        """Return texts of which each event that is meant holds one."""
        return tuple(b':"' + text for form in self.forms for text in spellings(form))

    def found_in(self, record: Mapping[str, Any]) -> Found | None:
        """Return how an event answers to the ID; None if it does not."""
        found = list(self._answers(record))
        return next((answer for answer in found if answer.exact), found[0] if found else None)

    def _answers(self, record: Mapping[str, Any]) -> Iterator[Found]:
        for path in PATHS:
            value = text_of(record, path)
            if value and value.startswith(self.forms):
                yield Found(path, value in self.forms)
        if text_of(record, EVENT_ID) in self.forms:
            yield Found(EVENT_ID, exact=True)


def parse_id(text: str) -> Asked:
    """Return the ID that a text is. Raises ValueError for one that is empty.

    Of a traceparent the trace ID counts. A trace ID may have capitals and the dashes of a UUID, and
    so may its beginning have capitals.
    """
    text = text.strip().strip("\"'")
    if not text:
        raise ValueError(
            "an ID is wanted: a trace ID, a request ID, a traceparent, or how it begins"
        )
    if match := _TRACEPARENT.fullmatch(text.lower()):
        return Asked((match[1],))
    plain = text.lower().replace("-", "")
    forms = [text]
    if _HEXADECIMAL.fullmatch(text):
        forms.append(text.lower())
    if _TRACE.fullmatch(plain):
        forms.append(plain)
    return Asked(tuple(dict.fromkeys(forms)))
