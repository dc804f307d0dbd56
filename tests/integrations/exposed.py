"""What metrics say, and what the events of the files say of the same: to be compared."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

Numbers = dict[tuple[str, ...], float]

EXCHANGE = ("service_name", "http_request_method", "http_response_status_code", "error_type")
SERVER = ("http_route", *EXCHANGE)
CLIENT = ("server_address", *EXCHANGE)
TASK = ("service_name", "task", "state", "outcome")
LINES = ("service_name", "level")


class Exposed:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        families = text_string_to_metric_families(text)
        self._samples = [sample for family in families for sample in family.samples]

    def of(self, name: str, labels: Iterable[str]) -> Numbers:
        """The numbers of one name that are not 0, by these labels; added up over the others."""
        found: Numbers = defaultdict(float)
        for sample in self._samples:
            if sample.name == name and sample.value:
                found[tuple(sample.labels[label] for label in labels)] += sample.value
        return dict(found)


def lines(events: Iterable[Mapping[str, Any]]) -> Numbers:
    """How many events there are, by service and level."""
    return dict(Counter((e["service"]["name"], e["log.level"]) for e in events))


def requests(events: Iterable[Mapping[str, Any]]) -> tuple[Numbers, Numbers]:
    """How many access events there are, and their seconds, by the labels of `SERVER`."""
    return _exchanges(
        of_logger(events, "access"), lambda e: [e.get("labels", {}).get("http_route", "_unmatched")]
    )


def calls(events: Iterable[Mapping[str, Any]]) -> tuple[Numbers, Numbers]:
    """The same of calls, by the labels of `CLIENT`."""
    return _exchanges(of_logger(events, "client"), lambda e: [e["url"]["domain"]])


def tasks(events: Iterable[Mapping[str, Any]]) -> Numbers:
    """How many runs of tasks have ended, by the labels of `TASK`."""
    return dict(
        Counter(
            (
                e["service"]["name"],
                e["labels"]["task"],
                e["event"]["action"].removeprefix("task-"),
                e["event"]["outcome"],
            )
            for e in of_logger(events, "task")
            if e["event"]["type"] == ["end"]
        )
    )


def of_logger(events: Iterable[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    return [e for e in events if e["log"]["logger"] == f"flowery_logging.{name}"]


def _exchanges(events: Iterable[Mapping[str, Any]], first: Any) -> tuple[Numbers, Numbers]:
    counts: Numbers = defaultdict(int)
    seconds: Numbers = defaultdict(float)
    for event in events:
        status = str(event["http"].get("response", {}).get("status_code", ""))
        key = (
            *first(event),
            event["service"]["name"],
            event["http"]["request"]["method"],
            status,
            _error_type(event["event"], status),
        )
        counts[key] += 1
        seconds[key] += event["event"]["duration"] / 1e9
    return dict(counts), dict(seconds)


def _error_type(event: Mapping[str, Any], status: str) -> str:
    if event["outcome"] == "success":
        return ""
    return event.get("reason", "").replace(" ", "_") or status or "_OTHER"
