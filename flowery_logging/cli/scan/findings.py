"""What was found, counted by where it comes from. No value is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from flowery_logging.cli.reading.fields import first_of, text_of
from flowery_logging.cli.reading.wanted import foreign_record
from flowery_logging.cli.scan.rules import Rules
from flowery_logging.files.reader import Kind, Line

NOT_AN_EVENT: Final = "(not an event)"
"""The field of what stands in a line of somebody else's."""

MOST_PLACES: Final = 10_000
"""Places that are told apart; what comes from further ones is counted together."""


class Place(NamedTuple):
    """A field and the call that fills it."""

    field: str
    kind: str
    file: str = ""  # log.origin.file.name; "" where the event tells none
    line: int = 0
    logger: str = ""
    service: str = ""


_FURTHER: Final = Place("(further places)", "")


@dataclass
class Findings:
    """Counts of what was found."""

    rules: Rules
    shown: Callable[[str], str]  # makes of a name one that shows no value
    events: int = 0
    foreign: int = 0
    places: Counter[Place] = field(default_factory=Counter)

    def add_line(self, line: Line) -> None:
        """Look into a line of a log file."""
        if line.kind is Kind.EVENT:
            self.events += 1
            if self.rules.may_hold(line.data):
                self._add(line.record)
            return
        self.foreign += 1
        if not self.rules.may_hold(line.data):
            return
        record = foreign_record(line.data)
        if record:
            self._add(record)
        else:
            service = line.file.name.service
            for kind in self.rules.find_in_text(line.data.decode("utf-8", "replace")):
                self._count(Place(NOT_AN_EVENT, kind, service=service))

    def add_document(self, document: Mapping[str, Any]) -> None:
        """Look into an event of Elasticsearch."""
        self.events += 1
        self._add(document)

    def _add(self, record: Mapping[str, Any]) -> None:
        found = list(self.rules.find(record))
        if not found:
            return
        number = first_of(record, "log.origin.file.line")
        site = (
            self.shown(text_of(record, "log.origin.file.name")),
            number if type(number) is int else 0,
            self.shown(text_of(record, "log.logger")),
            self.shown(text_of(record, "service.name")),
        )
        for name, kind in found:
            self._count(Place(self.shown(name), kind, *site))

    def _count(self, place: Place) -> None:
        known = place in self.places or len(self.places) < MOST_PLACES
        self.places[place if known else _FURTHER._replace(kind=place.kind)] += 1

    @property
    def total(self) -> int:
        """How much was found."""
        return sum(self.places.values())

    def kinds(self) -> Mapping[str, int]:
        """Return how much was found of each kind, the most first."""
        counts: Counter[str] = Counter()
        for place, count in self.places.items():
            counts[place.kind] += count
        return dict(counts.most_common())

    def ordered(self) -> Iterator[tuple[Place, int]]:
        """Yield the places, those with the most first."""
        yield from sorted(self.places.items(), key=lambda item: (-item[1], item[0]))
