"""Asks Elasticsearch which numbers of each process have arrived, without asking for documents.

Numbers are counted in blocks of 1 000. `cardinality` estimates: it sees 25 bits of each hash and
corrects by n²/2²⁶ for those that fell together, which rounds to nothing below 5 792 values. So in
so small a block it is never above the truth: a block that seems complete is complete. A block that
does not seem so, because of a gap, a repeat or two equal hashes, is looked at number by number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeVar

from flowery_logging.cli.audit.ranges import Ranges
from flowery_logging.cli.elasticsearch import Elasticsearch, ElasticsearchError, Json

BLOCK: Final = 1000
PROCESSES_AT_ONCE: Final = 100
BLOCKS_AT_ONCE: Final = 50

_BY_PROCESS: Final[Json] = {"terms": {"field": "process.entity_id"}}
_COUNTS: Final[Json] = {
    "distinct": {"cardinality": {"field": "event.id", "precision_threshold": 2 * BLOCK}},
    "first": {"min": {"field": "event.sequence"}},
    "last": {"max": {"field": "event.sequence"}},
}
_TIMES: Final[Json] = {
    "earliest": {"min": {"field": "@timestamp"}},
    "latest": {"max": {"field": "@timestamp"}},
}

T = TypeVar("T")


@dataclass
class Arrived:
    """What of one process is in Elasticsearch."""

    numbers: Ranges = field(default_factory=Ranges)
    repeated: Ranges = field(default_factory=Ranges)
    repeats: int = 0  # documents too many
    clashing: Ranges = field(default_factory=Ranges)  # documents of one ID and different times
    refused: Ranges = field(default_factory=Ranges)  # in the failure store


def ask(server: Elasticsearch, index: str, written: Mapping[str, Ranges]) -> dict[str, Arrived]:
    """Return what has arrived of each process, by entity; `written` is what its files hold.

    Raises ElasticsearchError.
    """
    server.refresh(index)
    found = {entity: Arrived() for entity in written}
    for entities in _batches(list(written), PROCESSES_AT_ONCE):
        suspects = []
        for bucket in _blocks(server, index, entities):
            entity, block = bucket["key"]["process"], int(bucket["key"]["block"])
            first, last = int(bucket["first"]["value"]), int(bucket["last"]["value"])
            expected = written[entity] & Ranges([(block, block + BLOCK - 1)])
            counts = {bucket["doc_count"], bucket["distinct"]["value"], len(expected)}
            if expected == Ranges([(first, last)]) and len(counts) == 1:
                found[entity].numbers.add_range(first, last)
            else:
                suspects.append((entity, block))
        _look_closely(server, index, suspects, found)
    return found


def ask_failures(
    server: Elasticsearch, index: str, missing: Mapping[str, Ranges], found: dict[str, Arrived]
) -> bool:
    """Find missing events in the failure store; False if the server has none.

    There a document keeps its ID in `document.id`; its own fields are not indexed. Raises
    ElasticsearchError.
    """
    try:
        for entity, numbers in missing.items():
            refused = Ranges()
            sources = {"id": {"terms": {"field": "document.id"}}}
            query = {"prefix": {"document.id": f"{entity}-"}}
            for bucket in server.buckets(f"{index}::failures", query, sources):
                number = str(bucket["key"]["id"]).rpartition("-")[2]
                if number.isdecimal():
                    refused.add(int(number))
            found[entity].refused = refused & numbers
    except ElasticsearchError as error:
        if error.status in {400, 404}:
            return False
        raise
    return True


def _blocks(server: Elasticsearch, index: str, entities: Sequence[str]) -> Iterator[Json]:
    sources = {"process": _BY_PROCESS, "block": _histogram(BLOCK)}
    query = {"terms": {"process.entity_id": list(entities)}}
    return server.buckets(index, query, sources, _COUNTS)


def _look_closely(
    server: Elasticsearch,
    index: str,
    blocks: list[tuple[str, int]],
    found: dict[str, Arrived],
) -> None:
    """Add the numbers of blocks one by one."""
    sources = {"process": _BY_PROCESS, "number": _histogram(1)}
    for some in _batches(blocks, BLOCKS_AT_ONCE):
        query = {"bool": {"should": [_within(entity, block) for entity, block in some]}}
        for bucket in server.buckets(index, query, sources, _TIMES):
            arrived, number = found[bucket["key"]["process"]], int(bucket["key"]["number"])
            arrived.numbers.add(number)
            if bucket["doc_count"] > 1:
                arrived.repeated.add(number)
                arrived.repeats += bucket["doc_count"] - 1
                if bucket["earliest"]["value"] != bucket["latest"]["value"]:
                    arrived.clashing.add(number)


def _histogram(interval: int) -> Json:
    return {"histogram": {"field": "event.sequence", "interval": interval}}


def _within(entity: str, block: int) -> Json:
    limits = {"gte": block, "lt": block + BLOCK}
    terms = [{"term": {"process.entity_id": entity}}, {"range": {"event.sequence": limits}}]
    return {"bool": {"filter": terms}}


def _batches(items: list[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
