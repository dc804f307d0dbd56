"""Events as nasty as callers can make them: hypothesis strategies, and a plain generator.

`hostile_events` needs no hypothesis, so that the end-to-end tests can send tens of thousands.
"""

from __future__ import annotations

import builtins
import datetime as dt
import math
import random
import sys
import uuid
from collections import OrderedDict, UserDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from ipaddress import ip_address, ip_network
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple

from hypothesis import strategies as st

from flowery_logging.ecs import fields as ecs_fields

KINDS = ("stdlib", "structlog")
LEVELS = ("debug", "info", "warning", "error", "critical")


class HostileEvent(NamedTuple):
    """One call: `kind` names the logger, `bound` are fields bound around it."""

    kind: str
    level: str
    message: Any
    args: tuple[Any, ...]
    extras: dict[Any, Any]
    bound: dict[str, Any]
    exception: BaseException | None


class Colour(Enum):
    RED = "red"
    NUMBER = 7
    NESTED = (1, 2)


@dataclass
class Order:
    id: int = 7
    items: list[Any] = field(default_factory=lambda: ["tea", {"price": 1.5}])
    password: str = "hunter2"


class Point(NamedTuple):
    x: int
    y: int


class Raising:
    """Raises whatever it is asked."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    __str__ = __repr__

    def __bool__(self) -> bool:
        raise RuntimeError("no truth")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no equality")

    __hash__ = object.__hash__


class RaisingMapping(Mapping[str, Any]):
    """A mapping that gives nothing away without raising."""

    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        yield "a"
        raise RuntimeError("no second key")

    def __len__(self) -> int:
        raise RuntimeError("no length")


class EndlessMapping(Mapping[str, Any]):
    """A mapping that never ends."""

    def __getitem__(self, key: str) -> Any:
        return key

    def __iter__(self) -> Iterator[str]:
        number = 0
        while True:
            number += 1
            yield f"key{number}"

    def __len__(self) -> int:
        return 3


class BrokenError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no message")


class FalsyError(Exception):
    def __bool__(self) -> bool:
        return False

    def __len__(self) -> int:
        return 0


class LyingText(str):  # noqa: SLOT000 - as callers write them
    """A string whose methods lie or raise."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __len__(self) -> int:
        return 10**9


def cyclic() -> dict[str, Any]:
    inside: dict[str, Any] = {"name": "cycle", "list": []}
    inside["self"] = inside
    inside["list"].append(inside)
    return inside


def deep(levels: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"leaf": 1}
    for number in range(levels):
        tree = {f"l{number % 3}": tree}
    return tree


def raised(error: BaseException) -> BaseException:
    """Return the exception with a traceback."""
    try:
        raise error
    except BaseException as caught:
        return caught


def chained(length: int = 3) -> BaseException:
    """Return an exception with so many causes and contexts."""
    error: BaseException = raised(ValueError("first"))
    for number in range(length):
        following = raised(RuntimeError(f"number {number}"))
        if number % 2:
            following.__cause__ = error
        else:
            following.__context__ = error
        error = following
    return error


def recursing() -> BaseException:
    def call() -> None:
        call()

    try:
        call()
    except RecursionError as error:
        return error
    raise AssertionError


def exceptions() -> list[Callable[[], BaseException]]:
    """Return makers of exceptions of every shape."""
    makers: list[Callable[[], BaseException]] = [
        lambda: raised(ValueError("plain")),
        lambda: ValueError("never raised"),
        lambda: raised(BrokenError()),
        lambda: raised(FalsyError("falsy")),
        lambda: raised(KeyError(("a", 1))),
        lambda: raised(ValueError("x" * 50_000)),
        lambda: raised(ValueError("한글 😀 \ud800 \x00 \x1b[31m")),
        lambda: raised(SyntaxError("bad", ("file.py", 3, 5, "x = = 1\n"))),
        lambda: raised(SyntaxError("odd", (b"\xff", "x", None, 7))),  # type: ignore[arg-type]
        lambda: raised(OSError(2, "No such file", "/a/b")),
        lambda: raised(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad byte")),
        lambda: chained(),
        lambda: chained(200),
        recursing,
        lambda: raised(KeyboardInterrupt()),
    ]
    if sys.version_info >= (3, 11):
        makers.append(_group)
    return makers


def _group() -> BaseException:
    inner: Any = raised(ValueError("inner"))
    inner.add_note("a note")
    inner.__notes__.append(7)
    kind: Any = vars(builtins)["ExceptionGroup"]
    return raised(kind("several", [inner, kind("more", [TypeError("deep")])]))


TEXTS = (
    "", " ", "plain", "7", "7.5", "true", "null", "NaN", "2026-01-01", "2026-02-30",
    "2026-01-01T00:00:00+18:30", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
    "10.0.0.1", "10.0.0.1/8", "::1", "fe80::1%eth0", "999.1.1.1", "52.5,13.4", "POINT (1 2)",
    "주문이 접수되었습니다", "😀" * 3, "\ud800", "\x00", "a\x00b", "line\nbreak\r\n", "\x1b[31mred\x1b[0m",
    "\u202eevil\u2066", "\u2028\u2029\x85", '"},"event":{"id":"forged"}}\n{"@timestamp":', "\\u0000",
    "x" * 1024, "x" * 1025, "x" * 8192, "x" * 8193, "x" * 40_000, "가" * 9000, "😀" * 8192, "😀" * 600,
    "https://u:secret@h/p?token=abc&a=b", "4111 1111 1111 1111", "eyJhbGciOi.eyJzdWIiOi.c2ln",
    "%s %d", "{}", "[1,2]", '{"a":1}', "undefined", "None", "-", "0", "-0", "1e400", "00", "+1",
)  # fmt: skip

NUMBERS = (
    0, 1, -1, 7, 2**31, -(2**31) - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), -(2**64),
    10**400, 10**5000, True, False, 0.0, -0.0, 0.1, 7.0, 1e-320, 1e308, 3.5e38, 1e300, math.nan,
    math.inf, -math.inf, Decimal("0.1"), Decimal("NaN"), Decimal("1E+400"), Fraction(1, 3), 1j,
)  # fmt: skip

NAMES = (
    "a", "b", "order_id", "value", "", " ", "  ", ".", "..", "a.", ".a", "a..b", "a.b", "a.b.c", "a b",
    "a\tb", "*", "a*b", "a[0]", "[a]", "a\\b", 'a"b', "\x00", "\n", "_", "_id", "_source", "_index",
    "_routing", "@timestamp", "@metadata", "@metadata.index", "@version", "message", "event", "event.id",
    "event.sequence", "event.ingested", "event.dataset", "event.created", "event.duration", "log",
    "log.level", "log.logger", "process", "process.pid", "service", "service.name", "service.node.role",
    "service.environment", "data_stream", "data_stream.dataset", "ecs", "ecs.version", "agent",
    "agent.version", "input", "type", "host", "host.name", "host.ip", "tags", "labels", "labels.a",
    "labels.a.b", "numeric_labels", "numeric_labels.a", "error", "error.type", "error.message",
    "error.stack_trace", "trace", "trace.id", "span.id", "http", "http.request.method",
    "http.request.bytes", "http.response.status_code", "url", "url.full", "url.path", "url.query", "user",
    "user.id", "user.name", "user.roles", "client.ip", "client.geo.location", "source.geo.location",
    "client.geo.location.lat", "container.labels", "container.labels.app", "container.labels.a.b.ip",
    "container.labels.created", "container.labels.my_score", "container.labels.", "container.labels..",
    "container.cpu.usage", "dns.answers", "dns.answers.ttl", "dns.resolved_ip", "dns.question.name",
    "network.inner", "network.inner.vlan.id", "observer.egress", "file.elf.imports", "file.elf.exports",
    "file.elf.go_imports", "file.elf.sections", "dll.pe.sections", "email.attachments",
    "email.attachments.file.size", "email.to.address", "threat.enrichments", "entity.metrics",
    "entity.raw", "entity.behavior", "gen_ai.request.stop_sequences", "gen_ai.request.temperature",
    "gen_ai.usage.input_tokens", "event.risk_score", "vulnerability.score.base", "faas.coldstart",
    "process.thread.id", "log.syslog.structured_data", "x509.not_after", "tls.server.x509.not_after",
    "client_ip", "my_ip", "created", "ip", "location", "geo.location", "start", "end", "usage", "timestamp",
    "my_timestamp", "score", "risk_score", "password", "token", "Authorization", "card_number", "주문번호",
    "주민등록번호", "😀", "\ud800", "\u200b", "\u3000", "\x85", "x" * 128, "x" * 129, "x" * 5000, "a" * 127 + ".b",
    "name", "args", "msg", "exc_info", "stack_info", "exception", "stack", "levelname", "filename", "extra",
    "self", "level", "logger", "more_fields", "stack_trace", "color_message", "taskName", "asctime",
    ".".join("abcdefghijklmnopqrstuvwxyz"), "properties", "type.type", "fields", "dynamic", "constructor",
)  # fmt: skip

ODD_KEYS = (None, 7, 7.5, True, (1, "a"), b"bytes", Colour.RED, frozenset({1}), uuid.UUID(int=7))


def _objects() -> list[Callable[[], Any]]:
    """Return makers of values that are neither text nor number."""
    zone = dt.timezone(dt.timedelta(hours=9))
    return [
        lambda: None,
        list,
        dict,
        lambda: [None],
        lambda: [[]],
        lambda: [{}],
        lambda: ["a", "b"],
        lambda: ["a", 1, None, True, 1.5],
        lambda: [1, [2, [3]]],
        lambda: [{"a": 1}, {"a": "x"}],
        lambda: list(range(300)),
        lambda: ["y" * 400] * 130,
        lambda: {"a": 1, "b": "x"},
        lambda: {"a": {"b": {"c": {"d": 1}}}, "a.b": 2},
        lambda: {"": "", " ": " ", ".": 1},
        lambda: {1: "a", None: "b", ("t",): "c", False: "d"},
        lambda: {"lat": 52.5, "lon": 13.4},
        lambda: {"lat": 95, "lon": 200},
        lambda: {"lat": "52", "lon": "13"},
        lambda: [13.4, 52.5],
        lambda: [{"name": "a", "ttl": 5, "data": "10.0.0.1"}, {"name": "b", "ttl": "x"}],
        lambda: [{"name": "a", "ttl": 5, "type": "A", "class": "IN"}],
        lambda: {"name": "a", "ttl": 5, "unknown": {"x": 1}},
        lambda: [{"file": {"name": "a.txt", "size": 7, "hash": {"md5": "x"}}}],
        lambda: [{"file": "a.txt"}],
        lambda: {"vlan": {"id": "7", "name": "x"}},
        lambda: {"app": "shop", "tier.x": 1, "created": "yesterday", "my_ip": "nowhere"},
        lambda: {"ip": "nowhere", "app": {"nested": 1}},
        lambda: {"a": "x" * 40_000},
        lambda: {f"k{number}": number for number in range(200)},
        lambda: {"password": "hunter2", "inner": {"token": "t", "ok": 1}},
        lambda: deep(30),
        lambda: deep(2000),
        cyclic,
        lambda: dt.datetime(2026, 1, 2, 3, 4, 5, 678901),
        lambda: dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=zone),
        lambda: dt.datetime.min,
        lambda: dt.datetime.max.replace(tzinfo=dt.timezone(-dt.timedelta(hours=23, minutes=59))),
        lambda: dt.datetime(1066, 1, 1, tzinfo=dt.timezone.utc),
        lambda: dt.date(2026, 1, 2),
        lambda: dt.time(3, 4, 5),
        lambda: dt.timedelta(seconds=5),
        lambda: uuid.UUID(int=1),
        lambda: Colour.RED,
        lambda: Colour.NESTED,
        Order,
        lambda: Point(1, 2),
        lambda: ip_address("10.0.0.1"),
        lambda: ip_address("fe80::1%eth0"),
        lambda: ip_network("10.0.0.0/8"),
        lambda: PurePosixPath("/a/b"),
        lambda: b"bytes",
        lambda: b"\xff\xfe",
        lambda: bytearray(b"x"),
        lambda: memoryview(b"x"),
        lambda: {"a", "b"},
        lambda: frozenset({1, 2}),
        lambda: (1, "b"),
        lambda: OrderedDict(a=1),
        lambda: UserDict({"a": 1}),
        lambda: MappingProxyType({"a": {"b": 1}}),
        lambda: range(5),
        lambda: iter([1]),
        object,
        lambda: object,
        lambda: print,
        Raising,
        RaisingMapping,
        EndlessMapping,
        lambda: LyingText("lying"),
        lambda: [Raising(), {"x": Raising()}],
        lambda: {Raising(): 1},
        lambda: ValueError("as a value"),
        lambda: BrokenError(),
        lambda: math,
    ]


class _Hostility:
    """One stream of hostile events."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._objects = _objects()
        self._exceptions = exceptions()
        self._ecs_names = sorted(ecs_fields.types())

    def event(self) -> HostileEvent:
        choose = self._random
        message: Any = choose.choice(TEXTS) if choose.random() < 0.8 else self.value(1)
        args = tuple(self.value(1) for _ in range(choose.choice((0, 0, 0, 1, 2))))
        exception = choose.choice(self._exceptions)() if choose.random() < 0.15 else None
        return HostileEvent(
            choose.choice(KINDS),
            choose.choice(LEVELS),
            message,
            args,
            self.mapping(choose.choice((0, 1, 2, 4, 8, 40))),
            {self.name(): self.value(1) for _ in range(choose.choice((0, 0, 1, 3)))},
            exception,
        )

    def mapping(self, size: int, depth: int = 0) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for _ in range(size):
            odd = self._random.random() < 0.03
            key = self._random.choice(ODD_KEYS) if odd else self.name()
            found[key] = self.value(depth)
        return found

    def name(self) -> str:
        kind = self._random.random()
        if kind < 0.35:
            return self._random.choice(self._ecs_names)
        if kind < 0.4:  # one of its parts: an object where others have a scalar
            parts = self._random.choice(self._ecs_names).split(".")
            return ".".join(parts[: self._random.randint(1, len(parts))])
        if kind < 0.43:  # something below a scalar
            return f"{self._random.choice(self._ecs_names)}.{self._random.choice(NAMES)}"
        return self._random.choice(NAMES)

    def value(self, depth: int) -> Any:
        kind = self._random.random()
        if kind < 0.35:
            return self._random.choice(TEXTS)
        if kind < 0.6:
            return self._random.choice(NUMBERS)
        if kind < 0.75 and depth < 4:
            return self.mapping(self._random.choice((1, 2, 3)), depth + 1)
        if kind < 0.82 and depth < 4:
            return [self.value(depth + 1) for _ in range(self._random.choice((1, 2, 5)))]
        return self._random.choice(self._objects)()


def hostile_events(seed: int, count: int) -> Iterator[HostileEvent]:
    """Yield so many events, the same ones for a seed: odd names, values, messages, exceptions.

    Names and types meet at random, so that one name has every type within one run.
    """
    hostility = _Hostility(seed)
    for _ in range(count):
        yield hostility.event()


def _one_of(choices: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """Like `sampled_from`, for values that are too long to be shown."""
    return st.integers(0, len(choices) - 1).map(choices.__getitem__)


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.text(st.characters(categories=["Cs", "Cc", "Zs", "Zl", "So"]), max_size=10)
    | _one_of(TEXTS)
    | _one_of(NUMBERS)
    | st.binary(max_size=8)
    | st.datetimes()
    | st.dates()
    | st.uuids()
    | st.decimals()
)

names = _one_of(NAMES) | st.sampled_from(sorted(ecs_fields.types())) | st.text(max_size=12)

values = st.recursive(
    scalars | st.sampled_from(_objects()).map(lambda make: make()),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(names | st.sampled_from(ODD_KEYS), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)

extras = st.dictionaries(names, values, max_size=6)

messages = _one_of(TEXTS) | st.text(max_size=60) | values

errors = st.none() | st.sampled_from(exceptions()).map(lambda make: make())
