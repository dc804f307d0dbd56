"""Log files made by hand: events at given times, as the library would have written them."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import orjson

from flowery_logging.files.names import LogName, service_part

Record = dict[str, Any]


def stamp(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


def ago(**span: float) -> datetime:
    return datetime.now(timezone.utc) - timedelta(**span)


class Written:
    """One process's file; each `add` is an event."""

    def __init__(
        self, directory: Path, service: str = "svc", start: datetime | None = None
    ) -> None:
        self.service = service
        self.entity = os.urandom(12).hex()
        self.start = (start or datetime.now(timezone.utc)).replace(microsecond=0)
        self.number = 0
        directory.mkdir(exist_ok=True)
        self.path = directory / str(LogName(service_part(service), self.start, self.entity, 1))
        self.add(
            self.start,
            "log file opened",
            log={"logger": "flowery_logging"},
            action="log-file-opened",
        )

    def add(
        self, moment: datetime, message: str = "event", level: str = "info", *, action: str = "",
        dataset: str = "flowery", **fields: Any,
    ) -> Record:  # fmt: skip
        self.number += 1
        record: Record = {
            "@timestamp": stamp(moment),
            "log.level": level,
            "message": message,
            "ecs.version": "9.4.0",
            "service": {"name": self.service},
            "host": {"name": "web-1"},
            "data_stream": {"type": "logs", "dataset": dataset, "namespace": "default"},
            "event": {"id": f"{self.entity}-{self.number}", "sequence": self.number},
            "process": {"entity_id": self.entity, "pid": 7},
        }
        for name, value in fields.items():
            record[name] = {**record.get(name, {}), **value} if isinstance(value, dict) else value
        if action:
            record["event"]["action"] = action
        with self.path.open("ab") as file:
            file.write(orjson.dumps(record) + b"\n")
        return record

    def request(
        self, moment: datetime, route: str, status: int = 200, ms: float = 10, **fields: Any
    ) -> Record:
        """An access event."""
        level = "error" if status >= 500 else "warning" if status >= 400 else "info"
        return self.add(
            moment, f"GET {route} {status}", level,
            log={"logger": "flowery_logging.access"},
            http={"request": {"method": "GET"}, "response": {"status_code": status}},
            url={"path": route.replace("{id}", "7")},
            labels={"http_route": route},
            event={"duration": int(ms * 1e6), "category": ["web"], "outcome": "failure" if status >= 500 else "success"},
            **fields,
        )  # fmt: skip

    def error(
        self, moment: datetime, kind: str = "ValueError", trace: str = "", message: str = "boom"
    ) -> Record:
        return self.add(
            moment, message, "error", error={"type": kind, "message": message, "stack_trace": trace}
        )

    def close(self) -> None:
        self.add(
            datetime.now(timezone.utc), "log closed", log={"logger": "flowery_logging"}, action="log-closed",
            numeric_labels={"events": self.number + 1},
        )  # fmt: skip
