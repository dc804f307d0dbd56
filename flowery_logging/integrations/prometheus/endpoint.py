"""What Prometheus scrapes: the metrics as text, for ASGI, for WSGI and on a port of its own."""

from __future__ import annotations

import glob
import os
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from flowery_logging.integrations.asgi_types import Receive, Scope, Send
from flowery_logging.integrations.prometheus import registration
from flowery_logging.integrations.prometheus.board import is_alive
from flowery_logging.integrations.prometheus.log_metrics import multiprocess_directory

_NO_CACHE: Final = "no-store"


def exposition(accept: str = "", registry: CollectorRegistry | None = None) -> tuple[bytes, str]:
    """Return the metrics and their content type, as the header `Accept` asks.

    OpenMetrics, which alone has exemplars, or Prometheus' text. With PROMETHEUS_MULTIPROC_DIR the
    metrics are those of all processes that share the directory.
    """
    encode, content_type = choose_encoder(accept)
    return encode(_shown(registry)), content_type


def _shown(registry: CollectorRegistry | None) -> CollectorRegistry:
    directory = multiprocess_directory()
    if directory is None:
        return registry or registration.registry() or REGISTRY
    _forget_dead_processes(directory)
    shared = CollectorRegistry(auto_describe=False)
    MultiProcessCollector(shared, directory)  # type: ignore[no-untyped-call]
    registration.add_log_metrics(shared)
    return shared


def _forget_dead_processes(directory: str) -> None:
    """Take away the gauges of processes that have ended; their counts stay."""
    for path in glob.glob(os.path.join(glob.escape(directory), "gauge_live*_*.db")):
        pid = path.removesuffix(".db").rpartition("_")[2]
        if pid.isdigit() and not is_alive(int(pid)):
            mark_process_dead(int(pid), directory)  # type: ignore[no-untyped-call]


class Endpoint:
    """An ASGI application that answers with the metrics."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self._registry = registry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _take_lifespan(receive, send)
            return
        accept = b",".join(v for n, v in scope.get("headers") or () if n.lower() == b"accept")
        body, content_type = exposition(accept.decode("latin-1"), self._registry)
        headers = [
            (b"content-type", content_type.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", _NO_CACHE.encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def asgi_app(registry: CollectorRegistry | None = None) -> Callable[..., Any]:
    """Return an ASGI application that answers with the metrics, as a route or a mount takes it."""
    return Endpoint(registry)


async def _take_lifespan(receive: Receive, send: Send) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


def wsgi_app(
    registry: CollectorRegistry | None = None,
) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """Return a WSGI application that answers with the metrics."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body, content_type = exposition(environ.get("HTTP_ACCEPT", ""), registry)
        headers = [
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("Cache-Control", _NO_CACHE),
        ]
        start_response("200 OK", headers)
        return [body]

    return answer


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def shutdown(self) -> None:
        """End the loop, and let the port go."""
        super().shutdown()
        self.server_close()


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: a scrape is no event."""


def listen(host: str, port: int, registry: CollectorRegistry | None = None) -> WSGIServer:
    """Return a server that answers each path with the metrics. Raises OSError."""
    return make_server(host, port, wsgi_app(registry), _Server, _Quiet)


def serve(
    port: int, host: str = "127.0.0.1", registry: CollectorRegistry | None = None
) -> WSGIServer:
    """Serve the metrics on a port of its own, in a thread that ends with the process.

    For a worker, which has no HTTP. Returns the server, of which `shutdown()` ends it; port 0 takes
    a free one (`server_port`). Raises OSError.
    """
    server = listen(host, port, registry)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
