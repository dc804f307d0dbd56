"""All events of Elasticsearch or OpenSearch, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from flowery_logging.cli.elasticsearch import Elasticsearch, ElasticsearchError, Json
from flowery_logging.cli.reading.times import timestamp

PAGE: Final = 1000
_KEPT: Final = "2m"  # between two pages


def documents(server: Elasticsearch, index: str, query: Json) -> Iterator[Json]:
    """Yield the sources of all events that a query admits. Raises ElasticsearchError.

    By the scroll API, which both servers have and the role flowery_reader may use; the state of
    things when it began is what is read.
    """
    body: Json = {"size": PAGE, "sort": ["_doc"], "query": query}
    answer = server.search(index, body, scroll=_KEPT)
    try:
        while hits := _hits(answer):
            yield from (hit["_source"] for hit in hits if isinstance(hit.get("_source"), dict))
            again = {"scroll": _KEPT, "scroll_id": answer.get("_scroll_id")}
            answer = server.found("POST", "/_search/scroll", again)
    finally:
        _forget(server, answer.get("_scroll_id"))


def query(services: Sequence[str], since: datetime | None, until: datetime | None) -> Json:
    """Return the query for the events of services and times; none given: all."""
    filters: list[Json] = []
    if services:
        filters.append({"terms": {"service.name": list(services)}})
    times = {"gte": since, "lte": until}
    limits = {name: timestamp(time) for name, time in times.items() if time is not None}
    if limits:
        filters.append({"range": {"@timestamp": limits}})
    return {"bool": {"filter": filters}} if filters else {"match_all": {}}


def _hits(answer: Json) -> list[Any]:
    try:
        hits = answer["hits"]["hits"]
    except (KeyError, TypeError):
        hits = None
    if not isinstance(hits, list) or not all(isinstance(hit, dict) for hit in hits):
        raise ElasticsearchError("this is no answer to a search; is this Elasticsearch?")
    return hits


def _forget(server: Elasticsearch, scroll: object) -> None:
    if scroll is None:
        return
    with suppress(ElasticsearchError):  # it ends by itself
        server.request("DELETE", "/_search/scroll", {"scroll_id": scroll})
