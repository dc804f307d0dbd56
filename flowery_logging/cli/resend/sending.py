"""Creates documents in Elasticsearch, in batches; a document that is there stays as it is."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import orjson

from flowery_logging.cli.elasticsearch import Elasticsearch, ElasticsearchError
from flowery_logging.cli.resend.events import Document, Json

BATCH_DOCUMENTS: Final = 500
BATCH_BYTES: Final = 4 * 1024 * 1024
"""Documents of a batch, and their bytes as JSON, at most."""

TRIES: Final = 6
"""How often a batch is sent while the server is busy, each time after a longer pause."""

_THERE_ALREADY: Final = 409
_BUSY: Final = frozenset({429, 502, 503, 504})


@dataclass
class Sent:
    """What became of the documents."""

    created: int = 0
    there: int = 0  # were there already
    refused: list[str] = field(default_factory=list)  # "ID: reason"


def send(server: Elasticsearch, found: Iterable[Document]) -> Sent:
    """Create the documents and return what became of them. Raises ElasticsearchError."""
    sent = Sent()
    for batch in _batches(found):
        _send_batch(server, batch, sent)
    return sent


def _send_batch(server: Elasticsearch, batch: list[Document], sent: Sent) -> None:
    for pause in (*(0.5 * 2**number for number in range(TRIES - 1)), None):
        try:
            results = server.bulk([line for document in batch for line in _lines(document)])
        except ElasticsearchError as error:
            if error.status not in _BUSY or pause is None:
                raise
        else:
            pairs = zip(batch, results, strict=True)
            batch = [document for document, result in pairs if not _settle(document, result, sent)]
        if not batch:
            return
        if pause is not None:
            time.sleep(pause)
    sent.refused += [f"{document.id}: the server is busy" for document in batch]


def _settle(document: Document, result: Json, sent: Sent) -> bool:
    """Count what became of a document; False if it has to be sent again."""
    status = int(result["status"])
    if status in _BUSY:
        return False
    if status == _THERE_ALREADY:
        sent.there += 1
    elif "error" in result:
        reason = result["error"].get("reason") if isinstance(result["error"], dict) else ""
        sent.refused.append(f"{document.id}: {status} {reason}")
    elif str(result.get("failure_store", "")) == "used":
        sent.refused.append(f"{document.id}: in the failure store")
    else:
        sent.created += 1
    return True


def _lines(document: Document) -> tuple[Json, Json]:
    return {"create": {"_index": document.stream, "_id": document.id}}, document.body


def _batches(found: Iterable[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    size = 0
    for document in found:
        more = len(orjson.dumps(document.body))
        if batch and (len(batch) == BATCH_DOCUMENTS or size + more > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(document)
        size += more
    if batch:
        yield batch
