"""The requests in which a value occurs: found in one pass, told about in a second one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from flowery_logging.cli.find.value import Place, Value
from flowery_logging.cli.reading.events import of_all, offset_since, wanted_lines
from flowery_logging.cli.reading.fields import text_of
from flowery_logging.cli.reading.times import moment_of
from flowery_logging.cli.reading.wanted import Wanted
from flowery_logging.cli.trace.gathering import MOST_EVENTS, by_time
from flowery_logging.cli.trace.tree import Trace, build
from flowery_logging.files.reader import Kind, LogFile
from flowery_logging.files.search import Raw, search, search_values

Record = dict[str, Any]

_TRACE: Final = b'"trace":{"id":"'
_TRACE_CHARS: Final = 32
_FEW: Final = 6
_ROOM: Final = 1000  # requests that are remembered beyond those that are shown
_LONGEST: Final = timedelta(hours=1)
"""So long before the first event that holds the value its request can have begun."""


@dataclass
class Match:
    """A request in which the value occurs, or what a process logged outside of requests."""

    trace_id: str  # "" outside of requests
    latest: str  # @timestamp of the last event that holds the value
    first: Record  # the first event that holds it
    place: Place  # where in that event
    count: int = 0  # events that hold it
    trace: Trace | None = None  # all of the request

    @property
    def request_id(self) -> str:
        """The ID of the request; "" if there is none."""
        return text_of(self.first, "http.request.id")


@dataclass
class Matches:
    """The newest requests that were found."""

    newest: list[Match] = field(default_factory=list)
    more: int = 0  # older ones


def find_requests(files: list[LogFile], value: Value, wanted: Wanted, most: int) -> Matches:
    """Return the requests in which a value occurs, the newest first. Raises OSError.

    Of each request all files tell, not only those of the time that was asked for.
    """
    collected = _Collected(most)
    chosen = filter(wanted.selection.admits, files)
    for record, place in _holding(chosen, value, wanted):
        collected.add(record, place)
    found = Matches(collected.newest(), collected.older())
    _complete(found.newest, files)
    return found


class _Collected:
    """The requests that were found; of all but the newest ones only that there are such."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._matches: dict[str, Match] = {}
        self._let_go: set[str] = set()

    def add(self, record: Record, place: Place) -> None:
        """Take note of an event that holds the value."""
        key, time = _key(record), text_of(record, "@timestamp")
        match = self._matches.get(key)
        if match is None:
            match = Match(text_of(record, "trace.id"), time, record, place)
            self._matches[key] = match
        match.count += 1
        match.latest = max(match.latest, time)
        if time < text_of(match.first, "@timestamp"):
            match.first, match.place = record, place
        if len(self._matches) > self._most + _ROOM:
            self._let_go_of_old_ones()

    def newest(self) -> list[Match]:
        """Return the newest requests, the newest first."""
        ordered = sorted(self._matches.values(), key=lambda match: match.latest, reverse=True)
        return ordered[: self._most]

    def older(self) -> int:
        """Return how many requests there are beyond those."""
        return len(self._matches.keys() | self._let_go) - len(self.newest())

    def _let_go_of_old_ones(self) -> None:
        ordered = sorted(self._matches, key=lambda key: self._matches[key].latest)
        for key in ordered[:_ROOM]:
            del self._matches[key]
            self._let_go.add(key)


def _holding(
    files: Iterable[LogFile], value: Value, wanted: Wanted
) -> Iterator[tuple[Record, Place]]:
    for line in of_all(files, lambda file: wanted_lines(file, wanted, texts=value.texts())):
        if line.kind is Kind.EVENT:
            place = next(value.places_in(line.record), None)
            if place is not None:
                yield line.record, place


def _key(record: Record) -> str:
    """Return what the events of one request have in common."""
    trace_id = text_of(record, "trace.id")
    process = text_of(record, "process.entity_id")
    return trace_id or text_of(record, "http.request.id") or f"process {process}"


def _of_traces(file: LogFile, wanted: set[bytes], start: int) -> Iterator[Raw]:
    """Yield the lines of some traces: of a few by a search for each, of many by one of all."""
    if len(wanted) > _FEW:
        return search_values(file, _TRACE, wanted, start)
    return search(file, [_TRACE + trace_id for trace_id in wanted], start) if wanted else iter(())


def _complete(matches: list[Match], files: list[LogFile]) -> None:
    """Read all events of the requests that are shown."""
    wanted = {match.trace_id.encode() for match in matches if len(match.trace_id) == _TRACE_CHARS}
    records: dict[str, list[Record]] = defaultdict(list)
    times = [moment_of(text_of(match.first, "@timestamp")) for match in matches]
    first = min((time for time in times if time is not None), default=None)
    since = Wanted(since=first - _LONGEST if first is not None else None)
    chosen = filter(since.selection.admits, files)
    for raw in of_all(chosen, lambda file: _of_traces(file, wanted, offset_since(file, since))):
        record = raw.line().record
        found = records[text_of(record, "trace.id")]
        if len(found) < MOST_EVENTS:
            found.append(record)
    for match in matches:
        match.trace = build(by_time(records.get(match.trace_id) or [match.first]))
