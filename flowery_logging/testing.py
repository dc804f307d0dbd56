"""What a test wants of logging: its events as ECS documents, in memory, and no trace afterwards.

For pytest the fixture `flowery_logs` gives the same (see pytest_flowery_logging.py).
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, overload

import orjson

from flowery_logging import runtime
from flowery_logging.counters import Counters
from flowery_logging.ecs import Limits, Placer, Redactor
from flowery_logging.ecs.names import label_name
from flowery_logging.event_parts import LABELS
from flowery_logging.files.event_line import EventLine
from flowery_logging.files.shown import at
from flowery_logging.levels import number_of
from flowery_logging.library_code import OWN_LOGGER

__all__ = ["CapturedLogs", "Events", "captured"]

Document = dict[str, Any]

_SHORT: Final = {"level": "log.level", "logger": "log.logger"}
"""Bare names that mean an ECS field, where no label has the name."""

_MOST_SHOWN: Final = 200


@contextmanager
def captured(**options: Any) -> Iterator[CapturedLogs]:
    """Capture the events of a block: of both loggers, all threads and tasks; no file is written.

    A set-up that stands goes on, without its output, and is as before when the block ends. Where
    there is none, there is one for the block. What the block sets up, binds or shuts down itself is
    undone; its `setup()` writes no files, unless it is given `output=`.

    Args:
        options: arguments of `setup()`, e.g. `level="DEBUG"`.

    Raises:
        ConfigError: an option cannot be used.
    """
    logs = CapturedLogs()
    before = runtime.standing()
    try:
        runtime.observe(logs.observer, {"output": "none"})
        runtime.setup(**{"output": "none", **options})
        yield logs
    finally:
        runtime.return_to(before)


class Events(Sequence[Document]):
    """Events as ECS documents, in the order in which they were logged.

    A document is what a line holds: `event["message"]`, `event["log.level"]`, and nested
    `event["trace"]["id"]`, `event["numeric_labels"]["order_id"]`.
    """

    def __init__(self, documents: Iterable[Document] = ()) -> None:
        self._documents = list(documents)

    def _found(self) -> list[Document]:
        return self._documents

    def __len__(self) -> int:
        return len(self._found())

    @overload
    def __getitem__(self, index: int) -> Document: ...
    @overload
    def __getitem__(self, index: slice) -> Events: ...
    def __getitem__(self, index: int | slice) -> Document | Events:
        """Return an event, or some of them."""
        found = self._found()[index]
        return Events(found) if isinstance(found, list) else found

    def __eq__(self, other: object) -> bool:
        """Compare with a list of documents: `logs.errors() == []`."""
        return isinstance(other, (Events, list)) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show the events as lines."""
        return f"<{len(self)} events>\n{self.text()}" if len(self) else "<no events>"

    @property
    def messages(self) -> list[str]:
        """The messages of all events."""
        return [event["message"] for event in self._found()]

    def has(self, message: object = ..., /, **fields: object) -> bool:
        """Tell whether an event has all of these: `has(message="order placed", order_id=7)`.

        A bare name is looked for in `labels`, in `numeric_labels` and among the ECS fields; a
        dotted one (`**{"http.response.status_code": 500}`) is an ECS field. `level` and `logger`
        are short for `log.level` and `log.logger`. A value is compared as the line shows it. It
        may also be a compiled expression, which is searched; a function, which is called with the
        value; `...` for any value; or None where there is no such field.
        """
        return any(True for _ in self._matching(message, fields))

    def where(self, message: object = ..., /, **fields: object) -> Events:
        """Return the events of which `has` would be true."""
        return Events(self._matching(message, fields))

    def one(self, message: object = ..., /, **fields: object) -> Document:
        """Return the only event of which `has` is true. Raises AssertionError for none or many."""
        found = list(self._matching(message, fields))
        if len(found) != 1:
            raise AssertionError(f"{len(found)} events match, not one, of:\n{self.text()}")
        return found[0]

    def errors(self) -> Events:
        """Return the events of level ERROR and above."""
        return Events(
            event
            for event in self._found()
            if number_of(str(at(event, "log.level")), logging.NOTSET) >= logging.ERROR
        )

    def trace(self, trace_id: str | None = None) -> Events:
        """Return the events of one trace: of this ID (or its beginning), else of the only one.

        Raises AssertionError if there is not exactly one.
        """
        traces = list(dict.fromkeys(at(event, "trace.id") for event in self._found()))
        wanted = [one for one in traces if one and one.startswith(trace_id or "")]
        if len(wanted) != 1:
            raise AssertionError(f"{len(wanted)} traces, not one: {wanted} of:\n{self.text()}")
        return Events(event for event in self._found() if at(event, "trace.id") == wanted[0])

    def text(self) -> str:
        """Return the events as lines for people; of very many the last ones."""
        found = self._found()
        line = EventLine(colours=False, columns=None)
        lines = [line.text(event) for event in found[-_MOST_SHOWN:]]
        left_out = (
            [f"… {len(found) - _MOST_SHOWN} events before"] if len(found) > len(lines) else []
        )
        return "\n".join(left_out + lines)

    def _matching(self, message: object, fields: Mapping[str, Any]) -> Iterator[Document]:
        wanted = dict(fields) if message is ... else {"message": message, **fields}
        for event in self._found():
            if all(_is(event, name, value) for name, value in wanted.items()):
                yield event


class CapturedLogs(Events):
    """The events that have been captured so far; it grows."""

    def __init__(self) -> None:
        super().__init__()
        self.observer = _Observer()

    def _found(self) -> list[Document]:
        """Return all events up to now, without the records of the library about itself."""
        runtime.show()
        lines = self.observer.lines
        while lines:
            event = orjson.loads(lines.popleft())
            if event.get("log", {}).get("logger") != OWN_LOGGER:
                self._documents.append(event)
        return self._documents

    def clear(self) -> None:
        """Forget what was captured up to now."""
        self._found()
        self._documents.clear()

    def unexpected_errors(self, expected: Iterable[str] | None) -> Events:
        """Return the errors whose messages none of the expressions finds; None expects all."""
        if expected is None:
            return Events()
        patterns = [re.compile(one) for one in expected]
        return Events(
            event
            for event in self.errors()
            if not any(pattern.search(event["message"]) for pattern in patterns)
        )


class _Observer:
    """Takes all lines."""

    threshold = 0

    def __init__(self) -> None:
        self.lines: deque[bytes] = deque()

    def __call__(self, line: bytes) -> None:
        self.lines.append(line)


def _is(event: Document, name: str, wanted: object) -> bool:
    """Tell whether an event has a field with this value."""
    found = _values(event, name)
    if wanted is None:
        return not found
    if wanted is ...:
        return bool(found)
    if isinstance(wanted, re.Pattern):
        return any(wanted.search(str(value)) for value in found)
    if callable(wanted) and not isinstance(wanted, type):
        return any(wanted(value) for value in found)
    return any(_same(value, wanted) for value in found) or _is_shown(found, name, wanted)


def _values(event: Document, name: str) -> list[Any]:
    """Return what an event has under a name, in each place where it may stand."""
    label = label_name(name)
    boxes = [event.get(box, {}) for box in LABELS]
    found = [box[label] for box in boxes if label in box]
    value = at(event, name if found else _SHORT.get(name, name))
    return found if value is None else [*found, value]


def _same(value: object, wanted: object) -> bool:
    try:
        return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)
    except Exception:  # an array has no truth
        return False


def _is_shown(found: list[Any], name: str, wanted: object) -> bool:
    """Tell whether one of the values is what the line shows of `wanted`, e.g. of a date."""
    if not found or isinstance(wanted, str):
        return False
    placed = Placer({}, Redactor(), Limits(), Counters()).unredacted().place({name: wanted})
    document = {**placed.tree, "labels": placed.texts, "numeric_labels": placed.numbers}
    return any(_same(value, shown) for value in found for shown in _values(document, name))
