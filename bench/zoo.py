"""`python -m bench.zoo`: events of every kind that services log, beside plain text and the peers.

`bench.event` measures one event; this finds the worst one. Each contender is a process of its own
that writes all shapes; a round asks every contender for a batch of every shape, in a random order.
Shown is the CPU time of a call as a ratio to a plain-text line of the same message: the median over
the rounds of the ratio within one round, which a load that comes and goes does not move.

Each event has values of its own (see varied.py), the same for all contenders.
A trace ID and a request ID in the form of a UUID are bound (with `--bound 8` six more fields). With
`--burst` each contender of ours first writes so many events with names that come once, from threads
with names that come once: what is kept must not make the later ones slower.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from random import Random
from statistics import geometric_mean, median
from tempfile import TemporaryDirectory
from time import process_time_ns
from types import FunctionType
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

from bench import event, ours, peers
from bench.measure import one_cpu
from bench.places import PLACES
from bench.varied import other
from bench.words import Say

ROOT: Final = Path(__file__).parents[1]

REQUEST_ID: Final = "7d3f1c52-9b0e-4e64-a165-70867728950e"
"""Its end looks like a long number."""

WARM_UP: Final = 100
"""Events of a shape before the first that counts."""


class Shape(NamedTuple):
    """What is logged: a message, its arguments, and fields."""

    message: str
    args: tuple[Any, ...]
    fields: dict[str, Any]


def _placed(**fields: Any) -> Shape:
    return Shape("order %s placed", (event.ORDER,), fields)


_ADDRESS: Final = {"city": "Seoul", "street": "12, Sejong-daero", "verified": True, "floor": 3}
_FIRST: Final = UUID("7d3f1c52-9b0e-4e64-a165-70867728950e")

SHAPES: Final[dict[str, Shape]] = {
    "benchmark's: integer, text, float, boolean": _placed(
        order_id=1042, customer=event.CUSTOMER, amount=12.5, express=True
    ),
    "no fields": _placed(),
    "words that a person typed": Shape("searched for %s", (event.WORDS,), {}),
    "order number as text": _placed(order_no="o-20250101-000001"),
    "snowflake as text": _placed(order_no="1789345678901234567"),
    "two UUIDs": _placed(cart=REQUEST_ID, user="550e8400-e29b-41d4-a716-446655440000"),
    "URL in the message": Shape("fetched %s", ("https://shop.example/a/7?page=2&size=50",), {}),
    "URL in a field": _placed(link="https://shop.example/orders/7?page=2&size=50"),
    "epoch milliseconds": _placed(at_ms=1_767_225_600_123),
    "phone number": _placed(phone="010-1234-5678", country="KR"),
    "SQL with a date": _placed(
        sql="SELECT id, total FROM orders WHERE placed > '2026-01-01 00:00:00' AND state = 'new'",
        rows=12,
    ),
    "client IP and user agent": _placed(**{
        "client.ip": "203.0.113.7",
        "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/143.0",
    }),
    "nested dict": _placed(order_id=1042, address=_ADDRESS),
    "dict in a dict": _placed(customer={"id": 7, "address": _ADDRESS}),
    "list of texts": _placed(order_id=1042, items=["tea", "coffee", "milk"]),
    "list of integers": _placed(ids=[17, 18, 19, 20]),
    "list of dicts": _placed(lines=[{"sku": "tea", "count": 2}, {"sku": "milk", "count": 1}]),
    "Decimal": _placed(amount=Decimal("12.50"), currency="KRW"),
    "UUID object": _placed(cart=_FIRST),
    "datetime": _placed(placed=datetime(2026, 1, 1, 9, 30, tzinfo=timezone.utc)),
    "ECS names (an access event)": Shape("GET /orders/7 200", (), {
        "event.category": ["web"], "event.type": ["access"], "event.kind": "event",
        "event.outcome": "success", "event.duration": 12_345_678, "http.request.method": "GET",
        "http.response.status_code": 200, "http.response.body.bytes": 512, "http.version": "1.1",
        "url.path": "/orders/7", "url.domain": "shop.example", "url.query": "page=2&size=50",
        "client.ip": "203.0.113.7", "user_agent.original": "curl/8.5.0",
    }),
    "password key": _placed(user="kim", password="hunter2"),
    "message of 2 kB": Shape("order %s placed: " + "Packing. 포장 중. " * 120, (event.ORDER,), {}),
}  # fmt: skip

NESTED: Final = (
    "nested dict", "dict in a dict", "list of texts", "list of integers", "list of dicts",
    "Decimal", "UUID object", "datetime",
)  # fmt: skip
"""Shapes with a value that is no text, number or boolean."""

_BODY: Final = [
    {
        "id": 10_000 + 37 * number, "cart": str(uuid5(_FIRST, str(number))),
        "placed": f"2026-11-{number + 1:02}T09:30:{number:02}Z", "customer": "김서연",
        "total": 3000.5 * number, "rate": 1 / (number + 3), "state": "paid",
        "image": f"https://cdn.example/img/{number}.png",
    }
    for number in range(9)
]  # fmt: skip
_FRAMES: Final = "".join(
    f'  File "/srv/shop/orders/step_{number}.py", line {number + 11}, in place_{number}\n'
    f"    return courier.assign(order_{number}, timeout={number})\n"
    for number in range(16)
)
_HELP: Final = (
    f"Dear {event.CUSTOMER}, on 2026-11-27 somebody has asked for another password of the account"
    f" {event.WORDS!r}. If it was you, follow the link in this mail: it holds a token that is valid"
    " for 30 minutes, and asks for the old password and the new one.\nIf it was not, tell"
    f" {event.CUSTOMER} of the help desk: the session of {event.WORDS} ends then, and nobody comes"
    f" in by its cookie any more. Your order {event.ORDER} is not touched by this.\n"
)
_ROWS: Final = ", ".join(
    f"({number}, '2026-11-{number % 30 + 1:02} 10:00:00', 'o-{number}', 'packed')"
    for number in range(40)
)

TEXTS: Final[dict[str, Shape]] = {
    name: Shape("got %s", (text[:2_000],), {}) for name, text in {
        "JSON": json.dumps(_BODY, ensure_ascii=False),
        "JSON, its Hangul in escapes": json.dumps(_BODY),
        "a dict's text": str(_BODY),
        "a traceback": f"Traceback (most recent call last):\n{_FRAMES}TimeoutError: courier",
        "an INSERT": f"INSERT INTO events (id, placed, number, state) VALUES {_ROWS}",
        "logfmt": " ".join(f"step_{number}=packed took_{number}=12.5ms" for number in range(70)),
        "HTML": "".join(
            f'<div class="item" id="i{number}"><a href="/p/{number}">Tulips in red</a></div>'
            for number in range(40)
        ),
        "prose that speaks of passwords": _HELP * 6,
    }.items()
}  # fmt: skip
"""Messages of 2 kB: bodies, statements, mails, what other programs have said."""

SECRETS: Final[dict[str, Shape]] = {
    "card number in the message": Shape("paid with %s", ("4111 1111 1111 1111",), {}),
    "card number as integer": _placed(card=4111111111111111),
    "resident number": _placed(note="주민번호 900101-1234568 확인"),
    "JSON web token": _placed(value="eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"),
    "Bearer": Shape("sent %s", ("authorization: Bearer abcdefgh12345678",), {}),
    "password in a URL": _placed(dsn="postgresql://shop:hunter2@db.example:5432/shop"),
    "token in a query": _placed(link="https://shop.example/?a=b&token=hunter2&c=d"),
}
"""Events with a real secret, which is hidden (by others it is not)."""

_MORE_BOUND: Final = {
    "user.id": "u-7", "tenant": "acme", "region": "kr-1", "cart_items": 3, "beta": True,
    "session": "s-1042",
}  # fmt: skip


def others(shape: Shape, chance: Random, count: int) -> list[Shape]:
    """Return so many events of a shape, each with values of its own."""
    found: list[Shape] = []
    for _ in range(count):
        args = tuple(other(value, chance) for value in shape.args)
        message = shape.message if args else other(shape.message, chance)
        found.append(Shape(message, args, other(shape.fields, chance)))
    return found


def run_stdlib(events: Iterable[Shape]) -> None:
    """Log events through the standard library, as an application does."""
    logger = logging.getLogger(event.LOGGER)
    for message, args, fields in events:
        logger.info(message, *args, extra={**fields})


def run_get_logger(events: Iterable[Shape]) -> None:
    """Log events through structlog or `flowery_logging.get_logger`."""
    logger = _logger
    for message, args, fields in events:
        logger.info(message, *args, **fields)


_logger: Any = None


def start(name: str, directory: Path, bound: int) -> Any:
    """Set up one contender in this process; return what writes a shape."""
    global _logger
    name, _, other = name.partition(BESIDE)
    if other:
        _OTHERS[other]()
    event.request_id.set(REQUEST_ID)
    more = _MORE_BOUND if bound > 2 else {}
    if name.startswith("flowery"):
        import flowery_logging

        ours.set_up(directory)
        flowery_logging.bind(**{"trace.id": event.TRACE_ID, "http.request.id": REQUEST_ID, **more})
        _logger = flowery_logging.get_logger(event.LOGGER)
        return run_get_logger if "get_logger" in name else run_stdlib
    if name == "structlog, its fastest":
        import structlog

        _logger = peers._fastest(directory)
        structlog.contextvars.bind_contextvars(request_id=REQUEST_ID, **more)
        return run_get_logger
    starts = {
        PLAIN: peers.plain_text,
        "ecs-logging": peers.ecs_stdlib,
        "python-json-logger with orjson": peers.python_json_logger,
    }
    starts[name](directory)
    return run_stdlib


def _import_opentelemetry() -> None:
    """Import the API, as a client that is instrumented does, and set nothing up."""
    import opentelemetry.trace  # noqa: F401


def _enter_span() -> None:
    """Enter a span of the SDK, which nobody exports, for the life of the process."""
    from opentelemetry.sdk.trace import TracerProvider

    span = TracerProvider().get_tracer("bench").start_as_current_span("bench")
    _entered.enter_context(span)


def _set_up_sentry() -> None:
    """Set Sentry up with its integrations, for which no event is worth sending."""
    import sentry_sdk

    sentry_sdk.init("http://key@127.0.0.1:9/1")


_entered: Final = ExitStack()
_OTHERS: Final[dict[str, Callable[[], None]]] = {
    "OpenTelemetry imported": _import_opentelemetry,
    "an active span": _enter_span,
    "Sentry": _set_up_sentry,
}
BESIDE: Final = " beside "
"""What stands in the name of a contender before what it is measured with (see beside.py)."""

PLAIN: Final = "plain text"
OURS: Final = ("flowery_logging, stdlib", "flowery_logging, get_logger")
QUICK: Final = (PLAIN, "ecs-logging", *OURS)
EVERYONE: Final = (*QUICK, "structlog, its fastest", "python-json-logger with orjson")


def _burst(run: Any, count: int) -> None:
    """Write events with names of fields and of threads that come only once."""

    def some(first: int) -> None:
        for number in range(first, min(first + 10, count)):
            run([_placed(**{f"once_{number}": number, f"other.{number}": "x"})])

    for first in range(0, count, 10):
        thread = threading.Thread(target=some, args=(first,), name=f"once-{first}")
        thread.start()
        thread.join()


def serve(name: str, directory: str, bound: str, burst: str, shapes: str) -> None:
    """Be one contender: write as many events of a shape as asked, and answer the CPU time in ns."""
    import os

    cpu = one_cpu()
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    run, chance = start(name, Path(directory), int(bound)), Random(0)
    chosen = [(_at_own_line(run, name), shape) for name, shape in _shapes(shapes).items()]
    for call, shape in chosen:
        call(others(shape, chance, WARM_UP))
    if int(burst) and name.startswith("flowery"):
        _burst(run, int(burst))
    print("ready", flush=True)
    for request in sys.stdin:
        index, count = map(int, request.split())
        call, shape = chosen[index]
        call(others(shape, chance, 10))
        events = others(shape, chance, count)
        before = process_time_ns()
        call(events)
        print(process_time_ns() - before, flush=True)


def _at_own_line(run: FunctionType, name: str) -> FunctionType:
    """Return the same function with code of its own: as in a service, each call is another one."""
    return FunctionType(run.__code__.replace(co_name=name), run.__globals__)


def _shapes(which: str) -> dict[str, Shape]:
    further = {name: Shape(*found) for name, found in PLACES.items()}
    groups = {"shapes": SHAPES, "texts": TEXTS, "secrets": SECRETS, "places": further}
    return {**groups, "all": {**SHAPES, **TEXTS, **SECRETS}}[which]


class _Contender:
    """A contender's process."""

    def __init__(self, name: str, root: Path, options: argparse.Namespace) -> None:
        directory = root / name.replace(", ", "-").replace(" ", "-")
        directory.mkdir()
        words = [str(directory), str(options.bound), str(options.burst), options.shapes]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.zoo", "--serve", name, *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        self.name = name

    def read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} has ended")
        return line

    def ask(self, index: int, count: int) -> float:
        """Return the CPU time of an event of a shape, in ns."""
        assert self._process.stdin is not None
        print(index, count, file=self._process.stdin, flush=True)
        return int(self.read()) / count

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def measure(
    names: Sequence[str], root: Path, options: argparse.Namespace
) -> dict[str, dict[str, list[float]]]:
    """Return by shape and contender the CPU times of an event, in ns, one a round."""
    shapes = list(_shapes(options.shapes))
    times: dict[str, dict[str, list[float]]] = {s: {n: [] for n in names} for s in shapes}
    order = random.Random(0)
    with ExitStack() as stack:
        contenders = [_Contender(name, root, options) for name in names]
        for contender in contenders:
            stack.callback(contender.close)
        for contender in contenders:
            contender.read()
        for number in range(options.rounds):
            for index in order.sample(range(len(shapes)), len(shapes)):
                for contender in order.sample(contenders, len(contenders)):
                    found = contender.ask(index, options.events)
                    times[shapes[index]][contender.name].append(found)
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
    return times


def ratios(times: dict[str, list[float]]) -> dict[str, float]:
    """Return by contender the median over the rounds of its ratio to plain text."""
    return {name: ratio(found, times[PLAIN]) for name, found in times.items()}


def ratio(times: Sequence[float], others: Sequence[float]) -> float:
    """Return the median over the rounds of the ratio of two times of the same round."""
    return median(one / other for one, other in zip(times, others, strict=True))


def table(found: Mapping[str, Mapping[str, float]], say: Say = str) -> str:
    """Return the ratios as a Markdown table, with the worst shape and the geometric mean."""
    names = [name for name in next(iter(found.values())) if name != PLAIN]
    lines = [
        "| " + " | ".join(map(say, ("CPU time, ratio", *names))) + " |",
        "| ---" + " | --:" * len(names) + " |",
    ]
    lines += [_row(say(shape), [row[name] for name in names]) for shape, row in found.items()]
    columns = [[row[name] for row in found.values()] for name in names]
    for text, of in (("the worst", max), ("geometric mean", geometric_mean)):
        lines.append(_row(f"**{say(text)}**", [of(column) for column in columns]))
    return "\n".join(lines)


def _row(name: str, numbers: Sequence[float]) -> str:
    return f"| {name} | " + " | ".join(f"{number:.2f}" for number in numbers) + " |"


def main(given: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.zoo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=21, help="default: 21")
    parser.add_argument("--events", type=int, default=200, help="of a shape in a round")
    parser.add_argument(
        "--quick", action="store_true", help="7 rounds, ecs-logging alone beside us"
    )
    parser.add_argument(
        "--bound", type=int, choices=(2, 8), default=2, help="fields of the context"
    )
    parser.add_argument(
        "--burst", type=int, default=0, help="one-off events before the first round"
    )
    groups = ("shapes", "texts", "secrets", "places", "all")
    parser.add_argument("--shapes", choices=groups, default="shapes")
    parser.add_argument("--json", type=Path, metavar="PATH", help="save the ratios")
    parser.add_argument("--serve", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args(given)
    if options.serve is not None:
        serve(*options.serve)
        return 0
    if options.quick:
        options.rounds = min(options.rounds, 7)
    with TemporaryDirectory(dir=cache()) as root:
        times = measure(QUICK if options.quick else EVERYONE, Path(root), options)
    found = {shape: ratios(by_name) for shape, by_name in times.items()}
    print(table(found))
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2, ensure_ascii=False))
    return 0


def cache() -> Path:
    """Return the folder in which the contenders write."""
    folder = ROOT / ".cache" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
