"""A look at what has arrived in Elasticsearch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, Final

from flowery_logging.cli.audit.arrivals import ask
from flowery_logging.cli.audit.ranges import Ranges, parse
from flowery_logging.cli.elasticsearch import Elasticsearch, Json
from flowery_logging.cli.reading.fields import text_of, values_of
from flowery_logging.cli.reading.times import timestamp
from flowery_logging.cli.watch.files import note_dropped
from flowery_logging.cli.watch.observation import MEMORY_SECONDS, Observation

DEAD_LETTERS: Final = "logs-flowery.dead_letters-*"
SETTLED_SECONDS: Final = 300.0
"""What is younger may still be on its way."""

MAX_SERVICES: Final = 500
MAX_GROUPS: Final = 1_000
_LEVELS: Final = ["error", "critical", "fatal"]


def look(server: Elasticsearch, index: str, window: float, now: float) -> Observation:
    """Return what the last day's events tell. Raises ElasticsearchError."""
    seen = Observation()
    answer = server.search(index, _body(now))
    for bucket in _buckets(answer, "services"):
        _note_service(seen, bucket)
    for bucket in _buckets(answer, "errors"):
        _note_error(seen, bucket)
    announced = _note_announced(server, index, seen, now)
    _note_lost(server, index, seen, announced, now)
    letters = {"size": 0, "track_total_hits": True, "query": _since(now - window)}
    seen.dead_letters = int(server.search(DEAD_LETTERS, letters)["hits"]["total"]["value"])
    return seen


def _buckets(answer: Json, name: str) -> Iterator[Any]:
    yield from answer.get("aggregations", {}).get(name, {}).get("buckets", ())


def _since(moment: float, until: float | None = None) -> Json:
    limits = {"gte": _time(moment)} | ({} if until is None else {"lt": _time(until)})
    return {"range": {"@timestamp": limits}}


def _time(moment: float) -> str:
    return timestamp(datetime.fromtimestamp(moment, timezone.utc))


def _body(now: float) -> Json:
    """Return the question for services, with their errors by minute, and for error groups."""
    newest = {"top_hits": {
        "size": 1, "sort": [{"@timestamp": "desc"}], "_source": ["event.action", "event.reason"],
    }}  # fmt: skip
    minutes = {
        "date_histogram": {"field": "@timestamp", "fixed_interval": "1m", "min_doc_count": 1}
    }
    sample = {"top_hits": {"size": 1, "sort": [{"@timestamp": "asc"}],
                           "_source": ["error.type", "error.message"]}}  # fmt: skip
    errors = {"bool": {"filter": [{"terms": {"log.level": _LEVELS}}, _since(now - 2 * 3600)]}}
    times = {
        "first": {"min": {"field": "@timestamp"}},
        "last": {"max": {"field": "@timestamp"}},
    }
    services: Json = {
        "terms": {"field": "service.name", "size": MAX_SERVICES},
        "aggs": {**times, "newest": newest,
                 "errors": {"filter": errors, "aggs": {"minutes": minutes}}},
    }  # fmt: skip
    groups: Json = {
        "terms": {"field": "error.id", "size": MAX_GROUPS},
        "aggs": {**times, "sample": sample, "services": {"terms": {"field": "service.name"}}},
    }
    query = _since(now - MEMORY_SECONDS)
    return {"size": 0, "query": query, "aggs": {"services": services, "errors": groups}}


def _note_service(seen: Observation, bucket: Any) -> None:
    service = seen.service(str(bucket["key"]))
    service.last = float(bucket["last"]["value"]) / 1000
    service.events = int(bucket["doc_count"])
    for minute in bucket["errors"]["minutes"]["buckets"]:
        service.errors[int(minute["key"]) // 60_000] = int(minute["doc_count"])
    newest = _source(bucket["newest"])
    closed = text_of(newest, "event.action") == "log-closed"
    service.has_ended = closed and not text_of(newest, "event.reason")


def _note_error(seen: Observation, bucket: Any) -> None:
    record, group = _source(bucket["sample"]), str(bucket["key"])
    kind, message = text_of(record, "error.type"), text_of(record, "error.message")
    first, last = (float(bucket[name]["value"]) / 1000 for name in ("first", "last"))
    for service in bucket["services"]["buckets"] or [{"key": ""}]:
        for moment in (first, last):
            seen.note_error(group, kind, message, str(service["key"]), moment)


def _source(hits: Any) -> Json:
    found = hits["hits"]["hits"]
    source: Json = found[0].get("_source", {}) if found else {}
    return source


def _note_announced(
    server: Elasticsearch, index: str, seen: Observation, now: float
) -> dict[str, Ranges]:
    """Note what was dropped, and return all numbers that are announced, by process."""
    actions = ["log-recovered", "log-files-removed"]
    wanted = [{"terms": {"event.action": actions}}, _since(now - MEMORY_SECONDS)]
    announced: dict[str, Ranges] = defaultdict(Ranges)
    for record in server.documents(index, {"bool": {"filter": wanted}}):
        note_dropped(seen, record)
        entity = text_of(record, "process.entity_id")
        for numbers in values_of(record, "dropped_sequences"):
            announced[entity].update(parse(str(numbers)))
        for numbers in values_of(record, "removed_sequences"):
            removed, _, ranges = str(numbers).partition(":")
            announced[removed].update(parse(ranges))
    return announced


def _note_lost(
    server: Elasticsearch, index: str, seen: Observation, announced: dict[str, Ranges], now: float
) -> None:
    """Note the numbers that have not arrived, between the first and the last one of each process.

    Where there are as many events as numbers, all have. An event keeps its own time and may have
    its number later, so the others are asked for by their numbers alone.
    """
    sources = {
        "service": {"terms": {"field": "service.name"}},
        "process": {"terms": {"field": "process.entity_id"}},
    }
    counts: Json = {
        "first": {"min": {"field": "event.sequence"}},
        "last": {"max": {"field": "event.sequence"}},
    }
    settled = _since(now - MEMORY_SECONDS, now - SETTLED_SECONDS)
    suspects: dict[str, tuple[str, Ranges]] = {}
    for bucket in server.buckets(index, settled, sources, counts):
        service, entity = (str(bucket["key"][name]) for name in ("service", "process"))
        numbers = Ranges([(int(bucket["first"]["value"]), int(bucket["last"]["value"]))])
        if len(numbers) > int(bucket["doc_count"]):
            suspects[entity] = service, numbers
    arrived = ask(server, index, {entity: numbers for entity, (_, numbers) in suspects.items()})
    for entity, (service, numbers) in suspects.items():
        missing = len(numbers - arrived[entity].numbers - announced.get(entity, Ranges()))
        if missing:
            seen.lost[f"{entity}:{missing}"] = (
                f"{missing} events of {service} have not arrived: process {entity} "
                "(flowery-logging audit --elasticsearch tells which)"
            )
