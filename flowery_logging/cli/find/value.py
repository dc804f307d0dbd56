"""What is looked for, and in which fields of an event it counts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from flowery_logging.cli.reading.conditions import as_number, as_text
from flowery_logging.cli.reading.fields import leaves
from flowery_logging.cli.reading.wanted import spellings

_OF_MACHINES: Final = (
    "@timestamp", "@version", "agent.", "data_stream.", "ecs.", "event.", "host.", "input.",
    "log.", "process.", "service.", "http.version", "http.response.", "http.request.bytes",
    "http.request.body.bytes", "numeric_labels.database_queries", "numeric_labels.outgoing_calls",
    "numeric_labels.request_wait_ms", "numeric_labels.task_wait_ms", "numeric_labels.thread_cpu_ms",
    "numeric_labels.time_to_first_byte", "numeric_labels.validation_errors",
)  # fmt: skip
"""Fields, by their beginnings, that say how an event came about and not what it is of."""


class Value:
    """A value to look for.

    A text is found wherever it occurs; a number, or a text that begins or ends with a digit, only
    where no other digit touches it: 7 is neither found in 17 nor in 7.5, and R-7 not in R-70.
    `pseudonyms` are texts that stand for the value in fields of `setup(pseudonyms=…)`.
    """

    def __init__(self, text: str, pseudonyms: Iterable[str] = ()) -> None:
        self.text = unicodedata.normalize("NFC", text.strip())
        self._number = as_number(self.text)
        self._form = _form(self.text)
        self._pseudonyms = tuple(pseudonyms)

    def texts(self) -> tuple[bytes, ...]:
        """Return texts of which each line that holds the value has one."""
        return (*spellings(self.text), *(one.encode() for one in self._pseudonyms))

    def places_in(self, record: Mapping[str, Any]) -> Iterator[Place]:
        """Yield where in an event the value occurs."""
        for name, value in leaves(record):
            if not name.startswith(_OF_MACHINES) and self._is_in(value):
                yield Place(name.removeprefix("numeric_").removeprefix("labels."), value)

    def _is_in(self, value: object) -> bool:
        if isinstance(value, str):
            is_meant = any(one in value for one in self._pseudonyms)
            return is_meant or self._form.search(value) is not None
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return self._number is not None and value == self._number
        return as_text(value) == self.text


class Place(NamedTuple):
    """A field in which the value occurs, and all of it that stands there."""

    name: str
    value: Any


def _form(text: str) -> re.Pattern[str]:
    before = r"(?<!\d)(?<!\d[.,])" if text[:1].isdecimal() else ""
    behind = r"(?!\d)(?![.,]\d)" if text[-1:].isdecimal() else ""
    if text.isdecimal():  # not a part of a hexadecimal ID either
        before, behind = before + r"(?<![0-9A-Za-z])", behind + r"(?![0-9A-Za-z])"
    return re.compile(f"{before}{re.escape(text)}{behind}")
