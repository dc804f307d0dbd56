"""What a person wants to see of the log files: one event, one failed request, the count."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Event = dict[str, Any]

# The files' own records (header, closing): nobody called a logger for them.
OWN_RECORDS = "flowery_logging"


@dataclass(frozen=True)
class Count:
    """The events of one service: counted at its calls, and found in its files."""

    service: str
    counted: int
    written: int
    missing: int
    duplicated: int

    @property
    def right(self) -> bool:
        return self.missing == 0 and self.duplicated == 0


def read(directory: Path) -> list[Event]:
    """Return every event of every file, in the order of the files."""
    return events(sorted(directory.glob("*.ndjson")))


def events(paths: Iterable[Path]) -> list[Event]:
    """Return every event of the files, in their order."""
    lines = (line for path in paths for line in path.read_bytes().splitlines())
    return [json.loads(line) for line in lines]


def count(service: str, events: Iterable[Event], counted: int) -> Count:
    """Compare one service's events with its own count, and their numbers with 1 to the last.

    Missing is what the service counted and the files have not, or a gap in the sequence of a
    process; duplicated is an ID seen twice, or an event that the service never counted.
    """
    events = [event for event in events if event["service"]["name"] == service]
    unique = {event["event"]["id"]: event for event in events}
    written = sum(not _is_own_record(event) for event in unique.values())
    return Count(
        service,
        counted,
        written,
        missing=max(counted - written, _gaps(unique.values())),
        duplicated=len(events) - len(unique) + max(written - counted, 0),
    )


def of_trace(events: Iterable[Event], trace_id: str) -> list[Event]:
    """Return the events of one trace over all services, by time."""
    found = (event for event in events if event.get("trace", {}).get("id") == trace_id)
    return sorted(found, key=lambda event: str(event["@timestamp"]))


def table(events: Iterable[Event]) -> str:
    """Return one line an event: time, service, level, message, and the exception's last line."""
    rows = [
        f"{event['@timestamp'][11:26]}  {event['service']['name']:8} {event['log.level']:8} "
        f"{event['message']}{_exception(event)}"
        for event in events
    ]
    return "\n".join(rows)


def _exception(event: Event) -> str:
    trace = event.get("error", {}).get("stack_trace", "")
    return f"\n{' ' * 35}{trace.strip().splitlines()[-1]}" if trace.strip() else ""


def _is_own_record(event: Event) -> bool:
    return bool(event.get("log", {}).get("logger") == OWN_RECORDS)


def _gaps(events: Iterable[Event]) -> int:
    """Return how many numbers are absent below the highest one, over all processes."""
    highest: dict[str, int] = {}
    present: Counter[str] = Counter()
    for event in events:
        process, number = event["process"]["entity_id"], event["event"]["sequence"]
        highest[process] = max(highest.get(process, 0), number)
        present[process] += 1
    return sum(highest.values()) - present.total()
