"""Writes log files as the library does, for tests of the path behind them."""

from __future__ import annotations

import os
import secrets
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from pathlib import Path

# Filebeat's fingerprint covers so many bytes; each file's first record must fill them alone.
FINGERPRINT_BYTES = 1024


class Producer:
    """One process of a service: numbered events in files that are never renamed or reused."""

    def __init__(
        self, directory: Path, environment: str, *, service: str = "shop", lines_per_file: int = 500
    ) -> None:
        self.directory = directory
        self.files: list[Path] = []
        self.written = 0
        self._environment = environment
        self._service = service
        self._lines_per_file = lines_per_file
        self._entity = secrets.token_hex(12)
        self._start = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        directory.mkdir(parents=True, exist_ok=True)

    def write(self, message: str, **fields: Any) -> str:
        """Append one event, its bytes written when this returns; the event's ID."""
        first = self.written % self._lines_per_file == 0
        if first:
            self._open_next()
        self.written += 1
        document = self._document(message) | fields
        line = orjson.dumps(document)
        if first:
            line = line.ljust(FINGERPRINT_BYTES - 1)
        self._append(line + b"\n")
        return f"{self._entity}-{self.written}"

    def write_many(self, count: int, message: str = "order placed") -> None:
        """Append so many events with the message and their number."""
        for number in range(count):
            self.write(f"{message} {number}", numeric_labels={"order_id": number})

    def _open_next(self) -> None:
        name = f"{self._service}-{self._start}-{self._entity}-{len(self.files) + 1:04}.ndjson"
        self.files.append(self.directory / name)

    def _append(self, line: bytes) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        descriptor = os.open(self.files[-1], flags, 0o644)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def _document(self, message: str) -> dict[str, Any]:
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "@timestamp": now,
            "log.level": "info",
            "message": message,
            "ecs.version": "9.4.0",
            "log": {
                "logger": "shop.orders",
                "origin": {"file": {"name": "orders.py", "line": 7}, "function": "place"},
            },
            "service": {
                "name": self._service,
                "version": "1.0",
                "environment": self._environment,
                "node": {"name": "node-1"},
            },
            "event": {
                "id": f"{self._entity}-{self.written}",
                "sequence": self.written,
                "dataset": self._service,
            },
            "data_stream": {"type": "logs", "dataset": "flowery", "namespace": self._environment},
            "process": {
                "entity_id": self._entity,
                "pid": os.getpid(),
                "thread": {"id": 1, "name": "MainThread"},
            },
            "host": {"name": "host-1"},
            "trace": {"id": secrets.token_hex(16)},
            "labels": {"paid": "true"},
        }
