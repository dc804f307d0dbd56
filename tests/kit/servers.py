"""Stand-ins for Elasticsearch and Kibana, as strict as those where it matters to an installer.

Elasticsearch gives back what was put in its own form: component and index templates in a list,
settings under `index` with every value a text, and defaults beside them (its API documentation;
seen with 9.5.0). Kibana's rules are those of its API documentation for 8.19 and 9.x: every request
that changes something needs `kbn-xsrf`; `_import` takes a multipart form; a rule or connector that
is there answers 409 to POST; what cannot be changed or is unknown in a body answers 400.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
Answer = tuple[int, Any]

_LISTS = {
    "_component_template": ("component_templates", "component_template"),
    "_index_template": ("index_templates", "index_template"),
}
_CREATED_RULE = {"name", "tags", "rule_type_id", "consumer", "schedule", "params", "actions"} | {
    *("enabled", "notify_when", "throttle", "alert_delay", "flapping")
}
_CHANGED_RULE = _CREATED_RULE - {"rule_type_id", "consumer", "enabled"}
_CREATED_CONNECTOR = {"name", "connector_type_id", "config", "secrets"}
_CHANGED_CONNECTOR = _CREATED_CONNECTOR - {"connector_type_id"}


class FakeServer(ThreadingHTTPServer):
    """Notes every request, and refuses those whose path begins as `refuse` says."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, str, Any, str | None]] = []
        self.refuse: dict[str, tuple[int, str]] = {}
        self.redirect_to = ""
        self.redirect_status = 307
        self.anything: bytes | None = None  # the answer to everything, as a captive portal has it
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def put(self) -> list[str]:
        return [path for method, path, _, _ in self.requests if method == "PUT"]

    def answer(self, method: str, path: str, body: Any, headers: Any) -> Answer:
        raise NotImplementedError


class FakeElasticsearch(FakeServer):
    """Keeps what is put; `alter` changes it behind the installer's back."""

    def __init__(self) -> None:
        super().__init__()
        self.about: Json = {"version": {"number": "9.1.0"}}
        self.kept: dict[str, Any] = {}
        self.alter: dict[str, Json] = {}
        self.forget = ""

    def answer(self, method: str, path: str, body: Any, headers: Any) -> Answer:
        if path == "/":
            return 200, self.about
        _, api, *_, name = path.split("/")
        if method == "PUT" and api == "_data_stream" and path in self.kept:
            return 400, {"error": {"reason": f"data_stream [{name}] already exists"}}
        if method == "PUT":
            self.kept[path] = {**(body or {}), **self.alter.get(name, {})}
            return 200, {"acknowledged": True}
        if path not in self.kept or name == self.forget:
            return 404, {"error": {"reason": f"{name} is missing"}}
        body = _as_elasticsearch_shows(self.kept[path])
        if api in _LISTS:
            outer, inner = _LISTS[api]
            return 200, {outer: [{"name": name, inner: body}]}
        return 200, {name: body}


class FakeKibana(FakeServer):
    """Keeps objects, rules and connectors under the IDs that they are given."""

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[tuple[str, str], Json] = {}
        self.kept: dict[str, Json] = {}
        self.import_errors: list[Json] = []

    def answer(self, method: str, path: str, body: Any, headers: Any) -> Answer:
        if method != "GET" and "kbn-xsrf" not in headers:
            return 400, {"message": "Request must contain a kbn-xsrf header."}
        if path.startswith("/api/saved_objects/_import"):
            return self._import(body, headers)
        if path == "/api/saved_objects/_export":
            wanted = [(one["type"], one["id"]) for one in body["objects"]]
            return 200, b"\n".join(json.dumps(self.objects[key]).encode() for key in wanted)
        return self._keep(method, path, body)

    def _import(self, body: bytes, headers: Any) -> Answer:
        head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
        parts: Any = BytesParser().parsebytes(head + body).get_payload()
        (part,) = parts
        assert part.get_filename().endswith(".ndjson")
        lines = part.get_payload(decode=True).splitlines()
        for one in map(json.loads, lines):
            self.objects[one["type"], one["id"]] = one
        success = not self.import_errors
        return 200, {"success": success, "successCount": len(lines), "errors": self.import_errors}

    def _keep(self, method: str, path: str, body: Any) -> Answer:
        is_rule = path.startswith("/api/alerting/rule/")
        created, changed = (
            (_CREATED_RULE, _CHANGED_RULE) if is_rule else (_CREATED_CONNECTOR, _CHANGED_CONNECTOR)
        )
        if method == "GET":
            return (200, self.kept[path]) if path in self.kept else (404, {"message": "Not Found"})
        if method == "POST" and path in self.kept:
            return 409, {"message": "Saved object conflict"}
        surplus = set(body) - (created if method == "POST" else changed)
        if surplus:
            return 400, {
                "message": f"[request body.{surplus.pop()}]: definition for this key is missing"
            }
        for action in body.get("actions", ()):
            if f"/api/actions/connector/{action['id']}" not in self.kept:
                return 400, {"message": f"Saved object [action/{action['id']}] not found"}
        self.kept[path] = {**self.kept.get(path, {}), **body, "id": path.rpartition("/")[2]}
        return 200, self.kept[path]


class _Handler(BaseHTTPRequestHandler):
    server: FakeServer

    def _answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_json = "json" in self.headers.get("Content-Type", "")
        body = json.loads(content) if content and is_json else content or None
        self.server.requests.append(
            (self.command, self.path, body, self.headers.get("Authorization"))
        )
        if self.server.redirect_to:
            to = {"Location": self.server.redirect_to + self.path}
            self._send(self.server.redirect_status, b"{}", to)
            return
        if self.server.anything is not None:
            self._send(200, self.server.anything)
            return
        status, answer = self._refusal() or self.server.answer(
            self.command, self.path, body, self.headers
        )
        self._send(status, answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def _refusal(self) -> Answer | None:
        for path, (status, reason) in self.server.refuse.items():
            if self.path.startswith(path):
                return status, {"error": {"reason": reason}, "message": reason}
        return None

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = _answer

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(server: FakeServer) -> Iterator[None]:
    """Answer requests until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _as_elasticsearch_shows(body: Any) -> Any:
    """Return a body with its settings nested and each of their values a text."""
    if not isinstance(body, dict):
        return body
    shown = {name: _as_elasticsearch_shows(value) for name, value in body.items()}
    if isinstance(body.get("settings"), dict):
        shown["settings"] = _texts(body["settings"])
    return shown


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _texts(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_texts(inner) for inner in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
