"""The careful way: any event as a document, and that as the first half of a line.

A ladder, of which no rung raises: the placed document; the same made smaller where the line would
be too long; a minimal line with the message and what failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final

from flowery_logging.counters import Counters
from flowery_logging.ecs import fields as ecs_fields
from flowery_logging.ecs.conversion import utf16_units
from flowery_logging.ecs.document import Placer
from flowery_logging.ecs.encode import dumps, text
from flowery_logging.ecs.error_group import error_group
from flowery_logging.ecs.event import Clock, Event, Static, merged, usable_time
from flowery_logging.ecs.exception import error_fields
from flowery_logging.ecs.layout import Layout
from flowery_logging.ecs.plain import describe
from flowery_logging.ecs.shrink import shrink
from flowery_logging.event_parts import Halves
from flowery_logging.redaction.left_out import shorten
from flowery_logging.signalled import let_through

SPLICE_BYTES: Final = 200
"""An upper bound of what the writer puts between the halves."""

_APART: Final = frozenset({"message", "event"})  # which stand first and last


class Composer:
    """Composes events for the processes of one configuration."""

    def __init__(self, static: Static, placer: Placer, counters: Counters) -> None:
        self._static = static
        self._placer = placer
        self._counters = counters
        self._clock = Clock()
        self._max_bytes = placer.limits.line_bytes - SPLICE_BYTES

    def compose(self, event: Event) -> Halves:
        """Return the halves of any event: in the worst case a minimal line.

        Raises only what ends a program, and what a signal handler raises meanwhile.
        """
        try:
            return self._fitting(event, self.document(event)), event.thread
        except Exception as error:
            let_through(error)
            self._counters.add("fallbacks")
            return self._half(event, self._minimal(event, error)), event.thread

    def document(self, event: Event) -> dict[str, Any]:
        """Return the nested document of an event, without what the writer adds."""
        placed = self._placer.place(event.fields, event.bound)
        self._add_error(event, placed)
        static = self._static
        ours = {
            "message": self._placer.clean_text(text(event.message, self._placer.redactor)),
            "service": static.service,
            "host": static.host,
            "data_stream": static.data_stream,
            "log": event.site.log,
            "event": {"dataset": static.dataset},
        }
        tree = {**merged(ours, placed.tree), "labels": placed.texts}
        return {**tree, "numeric_labels": placed.numbers}

    def _add_error(self, event: Event, placed: Layout) -> None:
        """Add what the library says of the exception; the caller's own values stand."""
        found = placed.tree.setdefault("error", {})
        if event.error is not None:
            for name, value in error_fields(event.error, event.trace, event.frames).items():
                found.setdefault(name, self._trace(value))
            if event.frames != 0 and "id" not in found:
                _identify(event.error, event.trace, found)
        if event.stack:
            if "stack_trace" in found:
                calls = self._placer.values(self._counters).text(event.stack)
                placed.add_text("stack_info", calls)
            else:
                found["stack_trace"] = self._trace(event.stack)

    def _trace(self, value: str) -> str:
        """Return a stack trace or message of an exception as long as the templates index it."""
        limit = self._placer.limits.trace_chars
        clean = self._placer.clean_text(value)
        if len(clean) > limit:
            self._counters.add("cut_traces")
            clean = shorten(clean, limit)
        return clean if utf16_units(clean) <= limit else shorten(clean, limit // 2)

    def _fitting(self, event: Event, tree: dict[str, Any]) -> bytes:
        room = self._max_bytes - len(event.thread)
        half = self._half(event, tree)
        if len(half) <= room:
            return half
        self._counters.add("cut_lines")
        return self._half(event, shrink(tree, lambda t: len(self._half(event, t)) <= room))

    def _half(self, event: Event, tree: Mapping[str, Any]) -> bytes:
        """Encode a document as the first half; `event` comes last, and stays open."""
        shown = {
            name: value
            for name, value in tree.items()
            if name not in _APART and (value or type(value) is not dict)
        }
        body = {"ecs.version": ecs_fields.VERSION, **shown, "event": tree["event"]}
        return b"%b%b%b,%b," % (
            self._clock.encode(usable_time(event.created)),
            event.site.prefix,
            dumps(tree["message"]),
            dumps(body)[1:-2],
        )

    def _minimal(self, event: Event, error: Exception) -> dict[str, Any]:
        """Return the last rung: the message, where it comes from, and what failed."""
        try:
            message = self._placer.clean_text(text(event.message, self._placer.redactor))
        except Exception as unreadable:
            let_through(unreadable)
            message = describe(event.message)
        failure = f"{type(error).__name__}: {text(error)}"
        return {
            "message": shorten(message, self._max_bytes // 8),
            "service": self._static.service,
            "data_stream": self._static.data_stream,
            "log": event.site.log,
            "labels": {"logging_error": shorten(failure, 1024)},
            "event": {"dataset": self._static.dataset},
        }


def _identify(error: BaseException, trace: TracebackType | None, found: dict[str, Any]) -> None:
    """Say which error it is: `error.id` is the same for each of its occurrences."""
    try:
        found["id"] = error_group(error, trace)
    except Exception as failure:  # its own attributes may raise; it has its type in any case
        let_through(failure)
