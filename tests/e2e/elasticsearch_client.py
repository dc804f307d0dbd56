"""The few requests to Elasticsearch that the tests need."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from typing_extensions import Self

BUSY = 503
BUSY_SECONDS = 300


class ElasticsearchClient:
    """A client that raises `httpx.HTTPStatusError` with the server's reason in its message."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=300)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer; raises `httpx.HTTPError`.

        While Elasticsearch says 503, as for a stream whose first shard is just being made, it is
        asked again for `BUSY_SECONDS`.
        """
        limit = time.monotonic() + BUSY_SECONDS
        while True:
            answer = self._http.request(method, path, json=body)
            if answer.status_code != BUSY or time.monotonic() > limit:
                break
            time.sleep(0.2)
        if answer.is_error:
            raise httpx.HTTPStatusError(
                f"{method} {path}: {answer.status_code} {answer.text}",
                request=answer.request,
                response=answer,
            )
        return answer.json()

    def bulk(self, lines: Iterable[Any]) -> list[dict[str, Any]]:
        """The results of a bulk request's items, in order; raises `httpx.HTTPError`."""
        body = b"".join(orjson.dumps(line) + b"\n" for line in lines)
        headers = {"Content-Type": "application/x-ndjson"}
        answer = self._http.post("/_bulk", content=body, headers=headers).raise_for_status()
        return [next(iter(item.values())) for item in answer.json()["items"]]

    def refresh(self) -> None:
        """Make everything that was indexed until now visible to searches."""
        self.request("POST", "/_refresh")

    def count(self, streams: str, query: Any = None) -> int:
        """How many documents of the streams (a pattern) match, as of now."""
        self.refresh()
        body = {"query": query} if query else None
        return int(
            self.request("POST", f"/{streams}/_count?ignore_unavailable=true", body)["count"]
        )

    def search(
        self, streams: str, query: Any = None, *, sort: Any = None, size: int = 1000
    ) -> list[dict[str, Any]]:
        """The documents (`_source`) that match, as of now."""
        self.refresh()
        body: dict[str, Any] = {"query": query or {"match_all": {}}, "size": size}
        if sort is not None:
            body["sort"] = sort
        hits = self.request("POST", f"/{streams}/_search?ignore_unavailable=true", body)["hits"]
        return [hit["_source"] for hit in hits["hits"]]

    def scroll(
        self, streams: str, fields: Sequence[str], query: Any = None, size: int = 5_000
    ) -> Iterator[Any]:
        """Every hit (`_index`, `_id`, `_source` with only these fields), as of now, unordered."""
        self.refresh()
        body: dict[str, Any] = {"_source": list(fields), "sort": ["_doc"], "size": size}
        body["query"] = query or {"match_all": {}}
        page = self.request("POST", f"/{streams}/_search?scroll=1m", body)
        while page["hits"]["hits"]:
            yield from page["hits"]["hits"]
            following = {"scroll": "1m", "scroll_id": page["_scroll_id"]}
            page = self.request("POST", "/_search/scroll", following)
        self.request("DELETE", "/_search/scroll", {"scroll_id": page["_scroll_id"]})

    def mapping(self, streams: str) -> dict[str, str]:
        """Every field of the streams, by its dotted name, with its type; sub-fields left out."""
        fields: dict[str, str] = {}
        for index in self.request("GET", f"/{streams}/_mapping").values():
            _collect(index["mappings"].get("properties", {}), "", fields)
        return fields


def _collect(properties: dict[str, Any], prefix: str, fields: dict[str, str]) -> None:
    for name, mapping in properties.items():
        if "properties" in mapping:
            _collect(mapping["properties"], f"{prefix}{name}.", fields)
        else:
            fields[prefix + name] = mapping["type"]
