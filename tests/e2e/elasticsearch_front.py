"""Stands before a server and answers the two questions by which Filebeat knows Elasticsearch.

The test's Elasticsearch has no `GET /`, and OpenSearch no `GET /_license`; all else passes.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx
import orjson

from .processes.process import LOOPBACK

if TYPE_CHECKING:
    from typing_extensions import Self

ANSWERS = {
    "/": {"name": "front", "version": {"number": "9.1.0"}, "tagline": "You Know, for Search"},
    "/_license?human=false": {"license": {"uid": "front", "type": "basic", "status": "active"}},
}
PASSED_ON = ("Content-Type", "Content-Encoding")
PASSED_BACK = {"content-type", "x-elastic-product"}


class ElasticsearchFront:
    """Listens while the block runs; `url` is what Filebeat is given."""

    def __init__(self, behind: str) -> None:
        """`behind` is the URL of the server that takes the rest."""
        client = httpx.Client(base_url=behind, timeout=300)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path in ANSWERS:
                    self._answer(200, {}, orjson.dumps(ANSWERS[self.path]))
                else:
                    self._pass_on()

            def do_POST(self) -> None:
                self._pass_on()

            do_PUT = do_HEAD = do_POST

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name: self.headers[name] for name in PASSED_ON if self.headers.get(name)}
                answer = client.request(self.command, self.path, content=body, headers=headers)
                kept = {name: answer.headers[name] for name in PASSED_BACK & set(answer.headers)}
                self._answer(answer.status_code, kept, answer.content)

            def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
                self.send_response(status)
                for name, value in {"X-Elastic-Product": "Elasticsearch", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._client = client
        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._client.close()
