"""The answers of Elasticsearch that the audit asks for, from documents in memory.

Bucket by bucket in pages, as the real one gives them; only the queries and aggregations that the
audit uses. The real Elasticsearch is asked in tests/e2e.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

Document = dict[str, Any]


class FakeElasticsearch:
    """Documents as `{"process.entity_id": …, "event.sequence": …, "event.id": …}`."""

    def __init__(self) -> None:
        self.documents: list[Document] = []
        self.failures: list[Document] | None = []  # None: a server without failure store
        self.status = 200
        self.bulk_statuses: list[int] = []  # of the next items, in order; then 201
        self.created: dict[str, tuple[str, Document]] = {}  # ID → stream and body
        self.requests: list[tuple[str, str | None]] = []  # path, Authorization
        self.buckets = 0
        self.largest = 0  # bytes of a request's body
        self.sources: list[Document] = []  # whole events, for those who read them all
        self.page = 2  # events of a page of these
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                status, answer = fake.answer(self.path, self.headers["Authorization"], body)
                content = orjson.dumps(answer)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_DELETE = do_POST

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _scrolled(self, request: dict[str, Any]) -> Any:
        """A page of all events; the ID of the scroll says where the next one begins."""
        start = int(request.get("scroll_id", 0))
        found = self.sources[start : start + self.page]
        hits = [{"_id": str(number), "_source": one} for number, one in enumerate(found, start)]
        return {"_scroll_id": str(start + len(found)), "hits": {"hits": hits}}

    def add(self, record: dict[str, Any]) -> None:
        """Index an event of a log file."""
        event, process = record["event"], record["process"]
        self.documents.append({
            "process.entity_id": process["entity_id"],
            "event.sequence": event["sequence"],
            "event.id": event["id"],
            "@timestamp": record["@timestamp"],
        })  # fmt: skip

    def answer(self, path: str, authorization: str | None, body: bytes) -> tuple[int, Any]:
        self.requests.append((path, authorization))
        self.largest = max(self.largest, len(body))
        if self.status != 200:
            return self.status, {"error": {"reason": "not today"}, "status": self.status}
        if path == "/_bulk":
            return 200, self._bulk([orjson.loads(line) for line in body.splitlines()])
        if path.startswith("/_search/scroll") or "scroll=" in path:
            return 200, self._scrolled(orjson.loads(body))
        index, verb = unquote(urlsplit(path).path).lstrip("/").split("/")
        if verb == "_refresh":
            return 200, {}
        documents = self.failures if index.endswith("::failures") else self.documents
        if documents is None:
            return 404, {"error": {"reason": "no such index"}}
        request = orjson.loads(body)
        if "aggs" not in request:
            return 200, {"hits": {"hits": hits(self.sources, request)}}
        found = [document for document in documents if matches(request["query"], document)]
        page = request["aggs"]["page"]
        answer = composite(found, page["composite"], page["aggs"])
        self.buckets += len(answer["buckets"])
        return 200, {"aggregations": {"page": answer}}

    def _bulk(self, lines: list[Document]) -> dict[str, Any]:
        pairs = zip(lines[::2], lines[1::2], strict=True)
        return {"items": [{"create": self._create(one["create"], body)} for one, body in pairs]}

    def _create(self, target: Document, body: Document) -> Document:
        status = self.bulk_statuses.pop(0) if self.bulk_statuses else 201
        there = {document["event.id"] for document in self.documents}
        if status == 201 and target["_id"] in there:
            status = 409
        if status != 201:
            return {"status": status, "error": {"reason": "not this one"}}
        self.created[target["_id"]] = (target["_index"], body)
        self.add(body)
        return {"status": 201}


def hits(sources: list[Document], request: Any) -> list[Document]:
    """One page of what a query finds, in the order of time and of IDs."""
    request["query"]["bool"].pop("minimum_should_match")
    found = sorted(
        (
            ([source["@timestamp"], source["event"]["id"]], source)
            for source in sources
            if matches(request["query"], flat(source))
        ),
        key=lambda hit: hit[0],
    )
    behind = [hit for hit in found if hit[0] > request.get("search_after", [])]
    return [{"sort": sort, "_source": source} for sort, source in behind[: request["size"]]]


def flat(tree: Document, prefix: str = "") -> Document:
    found: Document = defaultdict(str)
    for key, value in tree.items():
        inner = flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
        found.update(inner)
    return found


def matches(query: dict[str, Any], document: Document) -> bool:
    ((kind, value),) = query.items()
    if kind == "bool":
        should, required = value.get("should"), value.get("filter", [])
        return all(matches(part, document) for part in required) and (
            should is None or any(matches(part, document) for part in should)
        )
    ((field, wanted),) = value.items()
    if kind == "range":
        return bool(wanted["gte"] <= document[field] < wanted["lt"])
    if kind == "prefix":
        return bool(document[field].startswith(wanted))
    return document[field] in (wanted if kind == "terms" else [wanted])


def composite(documents: list[Document], request: Any, metrics: Any) -> dict[str, Any]:
    buckets: dict[tuple[Any, ...], list[Document]] = defaultdict(list)
    for document in documents:
        buckets[tuple(key(source, document) for source in request["sources"])].append(document)
    names = [name for source in request["sources"] for name in source]
    after = tuple(request["after"][name] for name in names) if "after" in request else ()
    some = [item for item in sorted(buckets.items()) if item[0] > after][: request["size"]]
    pages = [
        {"key": dict(zip(names, values, strict=True)), "doc_count": len(found)}
        | {name: {"value": measure(metric, found)} for name, metric in metrics.items()}
        for values, found in some
    ]
    return {"buckets": pages, **({"after_key": pages[-1]["key"]} if pages else {})}


def key(source: dict[str, Any], document: Document) -> Any:
    ((kind, options),) = next(iter(source.values())).items()
    value = document[options["field"]]
    return (
        float(value // options["interval"] * options["interval"]) if kind == "histogram" else value
    )


def measure(metric: dict[str, Any], documents: list[Document]) -> Any:
    ((kind, options),) = metric.items()
    values = [document[options["field"]] for document in documents]
    if options["field"] == "@timestamp":
        values = [datetime.fromisoformat(value.removesuffix("Z")).timestamp() for value in values]
    return {"cardinality": lambda: len(set(values)), "min": lambda: float(min(values)), "max": lambda: float(max(values))}[kind]()  # fmt: skip
