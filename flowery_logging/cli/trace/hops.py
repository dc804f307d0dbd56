"""What a service does for a request: a request, task or call, with the lines that it has logged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from flowery_logging.cli.reading.fields import first_of, text_of
from flowery_logging.cli.reading.times import moment_of
from flowery_logging.library_code import ACCESS_LOGGER, CLIENT_LOGGER, TASK_LOGGER

Record = dict[str, Any]
Key = tuple[str, ...]

_KINDS: Final = {ACCESS_LOGGER: "request", TASK_LOGGER: "task", CLIENT_LOGGER: "call"}
_FAILING: Final = frozenset({"error", "critical", "fatal"})


@dataclass
class Hop:
    """One request, task or call; `begin` and `end` are nanoseconds since the epoch."""

    kind: str  # request, task, call, or work: events whose end nobody tells
    service: str
    host: str
    span: str  # transaction.id, or of a call span.id; "" if unknown
    parent: str  # parent.id
    closing: Record | None  # the event that tells its end
    lines: list[Record] = field(default_factory=list)
    begin: int = 0
    end: int = 0
    children: list[Hop] = field(default_factory=list)

    @property
    def duration(self) -> int:
        """Its duration in nanoseconds."""
        return self.end - self.begin

    @property
    def failed(self) -> bool:
        """Whether it ended in a failure, or one of its own lines is an error."""
        if self.closing is not None:
            if first_of(self.closing, "event.outcome") == "failure" and self.kind != "call":
                return True
            status = first_of(self.closing, "http.response.status_code")
            if isinstance(status, int) and status >= 500:
                return True
        own = [*self.lines, *([self.closing] if self.closing else ())]
        return any(is_error(record) for record in own)

    @property
    def title(self) -> str:
        """What it was, as its last event says it."""
        if self.closing is None:
            return "…" if self.span else "outside of requests"
        return text_of(self.closing, "message")

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Hop]]:
        """Yield it and all below it, each with its depth."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


def time_of(record: Record) -> int:
    """Return an event's `@timestamp` in nanoseconds since the epoch; 0 if it has none."""
    found = moment_of(text_of(record, "@timestamp"))
    if found is None:
        return 0
    return int(found.replace(microsecond=0).timestamp()) * 10**9 + found.microsecond * 1000


def is_error(record: Record) -> bool:
    """Tell whether an event is an error."""
    return text_of(record, "log.level").lower() in _FAILING


def key(record: Record) -> Key:
    """Return what the events of one hop have in common."""
    transaction = text_of(record, "transaction.id")
    if transaction:
        return (transaction,)
    return ("", text_of(record, "service.name"), text_of(record, "process.entity_id"))


def _kind(record: Record) -> str:
    logger = text_of(record, "log.logger")
    if first_of(record, "event.duration") is None:
        return ""
    return _KINDS.get(logger, "")


def hop_of(group: list[Record]) -> Hop:
    """Return a hop of its events, without those of its calls."""
    closing = next((r for r in reversed(group) if _kind(r) in {"request", "task"}), None)
    lines = [r for r in group if r is not closing and not _is_call(r)]
    first = group[0]
    kind = "work" if closing is None else _kind(closing)
    parents = (text_of(r, "parent.id") for r in ([closing] if closing else lines))
    hop = Hop(
        kind, text_of(first, "service.name"), text_of(first, "host.name"),
        text_of(first, "transaction.id"), next(filter(None, parents), ""), closing, lines,
    )  # fmt: skip
    hop.begin, hop.end = time_of(group[0]), time_of(group[-1])
    if closing is not None:
        _take_times(hop, closing)
    return hop


def calls_of(group: list[Record]) -> Iterator[Hop]:
    """Yield the calls among the events of a hop."""
    for record in filter(_is_call, group):
        call = Hop(
            "call", text_of(record, "service.name"), text_of(record, "host.name"),
            text_of(record, "span.id"), text_of(record, "transaction.id"), record,
        )  # fmt: skip
        _take_times(call, record)
        yield call


def _is_call(record: Record) -> bool:
    return _kind(record) == "call" and bool(text_of(record, "span.id"))


def _take_times(hop: Hop, closing: Record) -> None:
    duration = first_of(closing, "event.duration")
    hop.end = time_of(closing)
    hop.begin = hop.end - (duration if isinstance(duration, int) else 0)
