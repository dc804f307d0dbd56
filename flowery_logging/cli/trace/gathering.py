"""The events of one trace, from log files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import count
from typing import Final

from flowery_logging.cli.reading.events import of_all, offset_since
from flowery_logging.cli.reading.fields import first_of, text_of
from flowery_logging.cli.reading.wanted import Wanted
from flowery_logging.cli.trace.hops import Record, time_of
from flowery_logging.cli.trace.ids import TRACE_ID, Asked, Found
from flowery_logging.files.reader import Kind, LogFile
from flowery_logging.files.search import search

MOST_EVENTS: Final = 20_000
"""More events of one trace are counted and not shown: memory stays flat."""


@dataclass
class Gathered:
    """The events that answer to an ID."""

    records: list[Record] = field(default_factory=list)
    left_out: int = 0  # events beyond MOST_EVENTS
    others: dict[str, Record] = field(default_factory=dict)  # first events of traces, if several


def gather(files: list[LogFile], asked: Asked, wanted: Wanted) -> Gathered:
    """Return the events of the trace that an ID names, by time; of several, their first events.

    Raises OSError if a file cannot be read.
    """
    answers = list(_answers(files, asked, wanted))
    records = best(answers)
    traces = traces_of(records)
    if len(traces) > 1:
        return Gathered(others=traces)
    (trace_id,) = traces or ("",)
    complete = not trace_id or all(found.path == TRACE_ID for found, _ in answers)
    if not complete:
        texts = (f':"{trace_id}"'.encode(),)
        found = (r for r in _records(files, texts, wanted) if text_of(r, TRACE_ID) == trace_id)
        return cut(found)
    return cut(records)


def best(answers: Iterable[tuple[Found, Record]]) -> list[Record]:
    """Return the events that answer to the whole ID, else those that answer to its beginning."""
    answers = list(answers)
    exact = [record for found, record in answers if found.exact]
    return exact or [record for _, record in answers]


def traces_of(records: Iterable[Record]) -> dict[str, Record]:
    """Return the first event of each trace, by trace ID."""
    found: dict[str, Record] = {}
    for record in by_time(records):
        trace_id = text_of(record, TRACE_ID)
        if trace_id:
            found.setdefault(trace_id, record)
    return found


def by_time(records: Iterable[Record]) -> list[Record]:
    """Return events by time; those of one process and one time by their numbers."""
    return sorted(records, key=_order)


def cut(records: Iterable[Record]) -> Gathered:
    """Return the first MOST_EVENTS events by time, and how many there are beyond."""
    number = count()
    counted = (record for record, _ in zip(records, number, strict=False))
    kept = nsmallest(MOST_EVENTS, counted, key=_order)
    return Gathered(kept, next(number) - len(kept))


def _order(record: Record) -> tuple[int, str, int]:
    """Elasticsearch may write a time with fewer digits than we do, so texts have no order."""
    sequence = first_of(record, "event.sequence")
    return (
        time_of(record),
        text_of(record, "process.entity_id"),
        sequence if isinstance(sequence, int) else 0,
    )


def _answers(files: list[LogFile], asked: Asked, wanted: Wanted) -> Iterator[tuple[Found, Record]]:
    for record in _records(files, asked.texts(), wanted):
        found = asked.found_in(record)
        if found is not None:
            yield found, record


def _records(files: list[LogFile], texts: tuple[bytes, ...], wanted: Wanted) -> Iterator[Record]:
    for raw in of_all(files, lambda file: search(file, texts, offset_since(file, wanted))):
        if wanted.may_admit(raw) and (line := raw.line()).kind is Kind.EVENT:
            yield line.record
