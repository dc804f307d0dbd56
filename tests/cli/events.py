"""Log files with the events that a test wants, as the writer leaves them."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import orjson

from flowery_logging.files.names import LogName, service_part

START = datetime(2026, 11, 27, 3, 0, 0, tzinfo=timezone.utc)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def stamp(seconds: float) -> str:
    """The `@timestamp` of so many seconds after START."""
    moment = START + timedelta(microseconds=round(seconds * 1e6))
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Service:
    """One process of a service; its events are written to one file after the other."""

    def __init__(self, directory: Path, name: str, number: int = 1) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.name = name
        self.entity = f"{abs(hash((name, number))) % 16**24:024x}"
        self.sequence = 0
        self.file = 1

    @property
    def path(self) -> Path:
        name = LogName(service_part(self.name), START, self.entity, self.file)
        return self.directory / str(name)

    def rotate(self) -> None:
        self.file += 1

    def raw(self, data: bytes) -> None:
        with self.path.open("ab") as stream:
            stream.write(data)

    def log(
        self, seconds: float, message: str, level: str = "info", /, **fields: Any
    ) -> dict[str, Any]:
        """Write one event; `fields` are dotted ECS names with `__`, others are labels."""
        self.sequence += 1
        record: dict[str, Any] = {
            "@timestamp": stamp(seconds), "log.level": level, "message": message,
            "ecs.version": "9.4.0", "service": {"name": self.name}, "host": {"name": "web-1"},
            "log": {"logger": fields.pop("logger", "shop")},
        }  # fmt: skip
        tree: dict[str, Any] = defaultdict(dict)
        for name, value in fields.items():
            place(tree, name, value)
        tree["event"] |= {"id": f"{self.entity}-{self.sequence}", "sequence": self.sequence}
        record |= tree
        record["process"] = {
            "entity_id": self.entity,
            "pid": 7,
            "thread": {"id": 1395, "name": "M"},
        }
        self.raw(orjson.dumps(record) + b"\n")
        return record

    def access(
        self, seconds: float, method: str, path: str, status: int, milliseconds: float,
        **fields: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """Write the access event of a request that ended then."""
        level = "error" if status >= 500 else "info"
        given = {
            "logger": "flowery_logging.access", "event__action": "http-request",
            "event__duration": round(milliseconds * 1e6), "http__request__method": method,
            "event__outcome": "failure" if status >= 500 else "success",
            "http__response__status_code": status, "url__path": path,
        }  # fmt: skip
        return self.log(seconds, f"{method} {path} {status}", level, **given, **fields)


def place(tree: dict[str, Any], name: str, value: Any) -> None:
    if "__" not in name:
        box = "numeric_labels" if isinstance(value, (int, float)) else "labels"
        tree.setdefault(box, {})[name] = value
        return
    *path, leaf = name.split("__")
    for part in path:
        tree = tree.setdefault(part, {})
    tree[leaf] = value


def checkout(directory: Path, trace: str = TRACE, at: float = 0.0) -> dict[str, Service]:
    """One request over three services, with parents, a call, an error and a task."""
    gateway, orders, courier = (Service(directory, n) for n in ("gateway", "orders", "courier"))
    ids: dict[str, Any] = {"trace__id": trace, "http__request__id": "req-가-1"}
    g = ids | {"transaction__id": "a" * 16}
    gateway.log(at + 0.001, "tulip 주문 요청", order_id=7, user__id="customer-5", **g)
    o = ids | {"transaction__id": "b" * 16}
    orders.log(at + 0.032, "주문 접수", order_id=7, item="tulip", **o)
    orders.log(
        at + 0.080, "charge failed", "error", order_id=7, error__type="shop.PaymentError",
        error__message="결제 실패 <7>", error__stack_trace=STACK, **o,
    )  # fmt: skip
    orders.access(at + 0.090, "POST", "/orders", 500, 60, parent__id="c" * 16, **o)
    gateway.log(
        at + 0.095, "POST orders.internal/orders 500", "debug", span__id="c" * 16,
        logger="flowery_logging.client", event__action="http-call", event__duration=70_000_000,
        http__response__status_code=500, parent__id="a" * 16, **g,
    )  # fmt: skip
    gateway.access(at + 0.100, "POST", "/checkout", 502, 100, **g)
    t = ids | {"transaction__id": "d" * 16, "task": "deliver", "task_id": "4d636a86-505e"}
    courier.log(at + 0.150, "배송 출발", order_id=7, **t)
    courier.log(
        at + 0.160, "task deliver: success", logger="flowery_logging.task", parent__id="a" * 16,
        event__action="task-success", event__outcome="success", event__duration=12_000_000, **t,
    )  # fmt: skip
    return {"gateway": gateway, "orders": orders, "courier": courier}


STACK = """\
Traceback (most recent call last):
  File "/srv/shop/orders.py", line 41, in create
    charge(card)
shop.PaymentError: 결제 실패 <7>
"""
