"""A stand-in for Logstash: takes events from Beats and creates documents in Elasticsearch."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import httpx
import orjson

from .beats_input import poison
from .elasticsearch_client import ElasticsearchClient
from .lumberjack import KEEP_ALIVE, ProtocolError, Window, read_windows
from .pipeline import Document, process
from .processes.process import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# Seconds between two tries, each of which tells the sender that we live; it waits up to 30.
RETRY_INTERVAL = 0.5

TRY_AGAIN = {429, *range(500, 600)}
ALREADY_THERE = 409


class _PoisonError(Exception):
    """An event came on which a real beats input throws."""


class _StoppedError(Exception):
    """The receiver was stopped before these events were safe."""


@dataclass
class Counters:
    """What became of the events; read them while no event is under way."""

    received: int = 0
    created: int = 0
    duplicates: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)
    hung_up: list[str] = field(default_factory=list)
    """Why connections were closed, as a real beats input closes them."""


class Receiver:
    """Acknowledges an event only when Elasticsearch has it, or has refused it for good.

    `stalled` makes it take events without passing them on or acknowledging them. `stop` closes
    all connections, `start` listens again on the same port.
    """

    def __init__(
        self,
        url: str,
        now: Callable[[], datetime] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`url` is Elasticsearch's; `now` the clock of `event.ingested`."""
        self.counters = Counters()
        self.stalled = False
        self.errors: list[Exception] = []
        self._url = url
        self._tls = tls
        self._now = now or (lambda: datetime.now(timezone.utc))
        self._port = 0
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None

    @property
    def address(self) -> str:
        """host:port, the same over a restart."""
        return f"{LOOPBACK}:{self._port}"

    def start(self) -> None:
        """Listen; raises `OSError` if another program took the port meanwhile."""
        self._stopped.clear()
        self._listener = socket.create_server((LOOPBACK, self._port))
        self._port = self._listener.getsockname()[1]
        self._spawn(self._accept, self._listener)

    def stop(self) -> None:
        """Close the port and all connections; what is not acknowledged will be sent again."""
        self._stopped.set()
        with self._lock:
            sockets = [*self._connections, *([self._listener] if self._listener else [])]
        for connection in sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._listener = None

    def _spawn(self, target: Callable[[socket.socket], None], argument: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(argument,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with self._lock:
                    self._connections.add(connection)
                self._spawn(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection = self._secured(connection)
            with (
                ElasticsearchClient(self._url) as client,
                connection,
                connection.makefile("rb") as stream,
            ):
                for window in read_windows(stream):
                    self._take_no_poison(window)
                    self._deliver(window, connection, client)
        except (OSError, EOFError, _StoppedError, _PoisonError):
            pass  # The sender goes on from its last acknowledgement.
        except orjson.JSONDecodeError as error:  # deeper than any parser goes, or no JSON
            self.counters.hung_up.append(str(error))
        except (ProtocolError, httpx.HTTPError, ValueError) as error:
            self.errors.append(error)
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _secured(self, connection: socket.socket) -> socket.socket:
        """The connection under TLS, where that is on; raises `OSError` for a stranger."""
        if self._tls is None:
            return connection
        secured = self._tls.wrap_socket(connection, server_side=True)
        with self._lock:
            self._connections.add(secured)
        return secured

    def _take_no_poison(self, window: Window) -> None:
        for why in filter(None, map(poison, window.events)):
            with self._lock:
                self.counters.hung_up.append(why)
            raise _PoisonError

    def _deliver(
        self, window: Window, connection: socket.socket, client: ElasticsearchClient
    ) -> None:
        waiting = self._documents(window.events)
        while waiting := self._create(waiting, client):
            connection.sendall(KEEP_ALIVE)
            if self._stopped.wait(RETRY_INTERVAL):
                raise _StoppedError
        connection.sendall(window.acknowledgement())

    def _documents(self, events: Iterable[dict[str, Any]]) -> list[Document]:
        """What is to be created of events that have just come."""
        documents = [process(event, self._now()) for event in events]
        with self._lock:
            self.counters.received += len(documents)
        return documents

    def _create(self, documents: list[Document], client: ElasticsearchClient) -> list[Document]:
        """Those that have to be tried again."""
        if self.stalled:
            return documents
        try:
            results = client.bulk(line for document in documents for line in _bulk(document))
        except httpx.TransportError:
            return documents
        except httpx.HTTPStatusError as error:
            if error.response.status_code in TRY_AGAIN:
                return documents
            raise
        return [
            document
            for document, result in zip(documents, results, strict=True)
            if not self._settle(document, result)
        ]

    def _settle(self, document: Document, result: dict[str, Any]) -> bool:
        """Count what became of a document; False if it has to be tried again."""
        status = result["status"]
        if status in TRY_AGAIN:
            return False
        with self._lock:
            if status == ALREADY_THERE:
                self.counters.duplicates += 1
            elif "error" in result:
                self.counters.rejected.append({"document": document, "reason": result["error"]})
            else:
                self.counters.created += 1
        return True


def _bulk(document: Document) -> tuple[dict[str, Any], dict[str, Any]]:
    target = {"_index": document.stream}
    if document.id is not None:
        target["_id"] = document.id
    return {"create": target}, document.body
