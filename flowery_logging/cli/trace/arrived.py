"""The events of one trace, from Elasticsearch or OpenSearch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from flowery_logging.cli.elasticsearch import Elasticsearch, Json
from flowery_logging.cli.reading.fields import text_of
from flowery_logging.cli.reading.times import timestamp
from flowery_logging.cli.trace.gathering import Gathered, best, cut, traces_of
from flowery_logging.cli.trace.hops import Record
from flowery_logging.cli.trace.ids import EVENT_ID, PATHS, TRACE_ID, Asked

MOST_ANSWERS: Final = 1000
"""So many events are asked for to learn which trace an ID names."""


def gather_arrived(
    server: Elasticsearch,
    index: str,
    asked: Asked,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Gathered:
    """Return the events of the trace that an ID names, by time; of several, their first events.

    Raises ElasticsearchError.
    """
    times = _times(since, until)
    named = islice(server.documents(index, _query(_answering(asked), times)), MOST_ANSWERS)
    answers = [(found, r) for r in named if (found := asked.found_in(r)) is not None]
    records = best(answers)
    traces = traces_of(records)
    if len(traces) > 1:
        return Gathered(others=traces)
    (trace_id,) = traces or ("",)
    if trace_id:
        whole = _query([{"term": {TRACE_ID: trace_id}}], times)
        return cut(_of_trace(server, index, whole, trace_id))
    return cut(records)


def _of_trace(server: Elasticsearch, index: str, query: Json, trace_id: str) -> Iterator[Record]:
    for record in server.documents(index, query):
        if text_of(record, TRACE_ID) == trace_id:
            yield record


def _answering(asked: Asked) -> list[Json]:
    """Return the queries of which one must fit: whole IDs of all fields, beginnings too."""
    forms = list(asked.forms)
    whole: list[Json] = [{"terms": {path: forms}} for path in (*PATHS, EVENT_ID)]
    return [*whole, *({"prefix": {path: form}} for path in PATHS for form in forms)]


def _query(should: list[Json], times: list[Json]) -> Json:
    return {"bool": {"filter": times, "should": should, "minimum_should_match": 1}}


def _times(since: datetime | None, until: datetime | None) -> list[Json]:
    limits = {"gte": since and timestamp(since), "lte": until and timestamp(until)}
    given = {name: limit for name, limit in limits.items() if limit}
    return [{"range": {"@timestamp": given}}] if given else []
