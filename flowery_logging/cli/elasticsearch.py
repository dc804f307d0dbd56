"""Questions to Elasticsearch or OpenSearch, by the standard library's HTTP client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

import orjson

from flowery_logging.cli.http import Access, HttpServer, RequestError

__all__ = ["Access", "Elasticsearch", "ElasticsearchError"]

PAGE_BUCKETS: Final = 1000
PAGE_DOCUMENTS: Final = 1000

Json = dict[str, Any]

_WHOLE: Final = {
    "ignore_unavailable": "true",
    "allow_no_indices": "true",
    "allow_partial_search_results": "false",
}

_AS_JSON = {"Content-Type": "application/json"}
_NO_SEARCH: Final = "this is no answer to a search; is this Elasticsearch? Look at the URL."


class ElasticsearchError(RequestError):
    """The server cannot be reached, or refuses; says the request and the server's reason."""


class Elasticsearch:
    """Sends requests; each raises ElasticsearchError if it gets no good answer."""

    def __init__(self, access: Access) -> None:
        self._server = HttpServer(access)

    def request(self, method: str, path: str, body: Json | None = None) -> Json:
        """Return the decoded answer, an object."""
        answer = self.ask(method, path, body)
        if not isinstance(answer, dict):
            raise ElasticsearchError(f"{method} {self._server.url}{path}: no object in the answer")
        return answer

    def ask(self, method: str, path: str, body: Json | None = None) -> Any:
        """Return the decoded answer, whatever it is."""
        answer = self._send(method, path, None if body is None else orjson.dumps(body), _AS_JSON)
        return _decoded(answer, f"{method} {self._server.url}{path}")

    def bulk(self, lines: list[Json]) -> list[Json]:
        """Return the results of a bulk request's items, in order."""
        content = b"".join(orjson.dumps(line) + b"\n" for line in lines)
        headers = {"Content-Type": "application/x-ndjson"}
        answer = _decoded(self._send("POST", "/_bulk", content, headers), "POST /_bulk")
        try:
            return [next(iter(item.values())) for item in answer["items"]]
        except (KeyError, TypeError, AttributeError, StopIteration):
            raise ElasticsearchError("POST /_bulk: the answer has no results of items") from None

    def _send(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str]
    ) -> bytes:
        try:
            return self._server.send(method, path, content, headers)
        except RequestError as error:
            message = str(error)
            if error.status and not 300 <= error.status < 400:
                message = f"{method} {path}: {error.status} {_reason(error.body)}"
            raise ElasticsearchError(message, error.status, error.body) from error.__cause__

    def search(self, index: str, body: Json, **options: str) -> Json:
        """Return the answer to a search; never a part of the truth.

        `options` are more parameters of the request.
        """
        parameters = {**_WHOLE, **options}
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return self.found("POST", f"/{_path(index)}/_search?{query}", body)

    def found(self, method: str, path: str, body: Json) -> Json:
        """Return what a search, or its next page, has found."""
        answer = self.request(method, path, body)
        if "hits" not in answer and "aggregations" not in answer:
            raise ElasticsearchError(f"{method} {path}: {_NO_SEARCH}")
        shards = answer.get("_shards")
        if isinstance(shards, dict) and shards.get("failed"):
            raise ElasticsearchError(f"{shards['failed']} shards gave no answer: not all was read")
        return answer

    def refresh(self, index: str) -> None:
        """Make what has arrived visible to searches; nothing where that is not allowed."""
        try:
            self.request("POST", f"/{_path(index)}/_refresh?ignore_unavailable=true")
        except ElasticsearchError as error:
            if error.status not in {401, 403, 404}:
                raise

    def buckets(
        self, index: str, query: Json, sources: Json, aggregations: Json | None = None
    ) -> Iterator[Json]:
        """Yield the buckets of a composite aggregation, page by page; never a part of the truth.

        `sources`: name → one source of the composite aggregation.
        """
        composite: Json = {
            "size": PAGE_BUCKETS,
            "sources": [{name: source} for name, source in sources.items()],
        }
        body: Json = {
            "size": 0,
            "track_total_hits": False,
            "query": query,
            "aggs": {"page": {"composite": composite, "aggs": aggregations or {}}},
        }
        while True:
            answer = self.search(index, body)
            page = answer.get("aggregations", {}).get("page", {})
            yield from page.get("buckets", ())
            if len(page.get("buckets", ())) < PAGE_BUCKETS or "after_key" not in page:
                return
            composite["after"] = page["after_key"]

    def documents(self, index: str, query: Json) -> Iterator[Json]:
        """Yield the sources of the documents that a query finds, the oldest first, page by page.

        An event that was delivered twice comes once. Never a part of the truth: a shard that does
        not answer is an error.
        """
        body: Json = {
            "size": PAGE_DOCUMENTS,
            "track_total_hits": False,
            "query": query,
            "sort": [
                {"@timestamp": {"order": "asc", "unmapped_type": "date"}},
                {"event.id": {"order": "asc", "unmapped_type": "keyword", "missing": "_first"}},
            ],
        }
        last = None  # of the event before
        while True:
            hits = self.search(index, body).get("hits", {}).get("hits", ())
            for hit in hits:
                identity = hit["sort"][1:] if hit["sort"][1:] != [None] else None
                if identity is None or identity != last:
                    yield hit["_source"]
                last = identity
            if len(hits) < PAGE_DOCUMENTS:
                return
            body["search_after"] = hits[-1]["sort"]


def _decoded(answer: bytes, request: str) -> Any:
    try:
        return orjson.loads(answer)
    except ValueError as error:
        raise ElasticsearchError(f"{request}: {error}") from error


def _path(index: str) -> str:
    return quote(index, safe="*,:-_.")


def _reason(body: bytes) -> str:
    """Return what Elasticsearch gives as its reason, or the beginning of whatever answered."""
    try:
        error = orjson.loads(body)["error"]
        return str(error["reason"])
    except (ValueError, KeyError, TypeError):
        return body[:200].decode(errors="replace")
