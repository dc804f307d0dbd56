"""What the lines of a request and of an error say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.comparison.asking import NO, answer, probe
from tests.comparison.libraries import Library, NoneOfThatError, leaves


@probe
def fields_of_a_block(library: Library, folder: Path) -> str:
    """Two tasks, each in a block of its own, beside each other."""
    library.start(folder)

    async def order(number: int, first: asyncio.Event, then: asyncio.Event) -> None:
        with library.bound(order_id=number):
            first.set()
            await then.wait()
            library.info(f"order {number}")

    async def main() -> None:
        one, two = asyncio.Event(), asyncio.Event()
        await asyncio.gather(order(71, one, two), order(72, two, one))

    try:
        asyncio.run(main())
    except NoneOfThatError:
        return NO
    found = {library.text(e): dict(leaves(e)).values() for e in library.events(folder)}
    return answer(found and all(int(str(text)[-2:]) in values for text, values in found.items()))


TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
SCOPE: Final[dict[str, Any]] = {
    "type": "http",
    "method": "GET",
    "path": "/orders/7",
    "query_string": b"",
    "headers": [(b"traceparent", f"00-{TRACE}-00f067aa0ba902b7-01".encode())],
}


def _request(library: Library, folder: Path) -> list[bytes]:
    """Send a request through an application that logs; return the lines."""
    library.start(folder)

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        library.info("order read")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(_message: Any) -> None:
        pass

    asyncio.run(library.middleware(application)(dict(SCOPE), receive, send))
    return library.lines(folder)


@probe
def trace_of_the_caller(library: Library, folder: Path) -> str:
    lines = _request(library, folder)
    return answer(any(TRACE.encode() in line for line in lines if b"order read" in line))


@probe
def event_for_a_request(library: Library, folder: Path) -> str:
    """One line with path, status and duration."""
    lines = _request(library, folder)
    return answer(any(b"/orders/7" in line and b"200" in line for line in lines))


def _charge(_amount: int) -> None:
    raise ConnectionResetError("the bank hung up")


def _pay(amount_due: int, reason: str) -> None:
    try:
        _charge(amount_due)
    except ConnectionResetError as cause:
        raise RuntimeError(reason) from cause


def _fail(library: Library, pay: Callable[[int, str], None], reason: str = "unpaid") -> None:
    try:
        pay(987_654_321, reason)
    except RuntimeError:
        library.failed("not placed")


@probe
def causes_of_an_exception(library: Library, folder: Path) -> str:
    library.start(folder)
    _fail(library, _pay)
    whole = b"".join(library.lines(folder))
    return answer(b"the bank hung up" in whole and b"unpaid" in whole)


@probe
def frames_as_data(library: Library, folder: Path) -> str:
    """Line numbers of frames are numbers under a name, not a part of one text."""
    library.start(folder)
    _fail(library, _pay)
    (event,) = library.events(folder) or [{}]
    lists = [value for _, value in leaves(event) if isinstance(value, list) and value]
    return answer(any("lineno" in str(value) for value in lists))


@probe
def values_of_local_variables(library: Library, folder: Path) -> str:
    library.start(folder)
    _fail(library, _pay)
    return answer(b"987654321" in b"".join(library.lines(folder)))


SOURCE: Final = """
def pay(amount_due, reason):
    raise RuntimeError(reason)

def refund(amount_due, reason):
    raise RuntimeError(reason)
"""


@probe
def same_error_same_name(library: Library, folder: Path) -> str:
    """The same error has one value at the next release too, where its line has moved."""
    library.start(folder)
    for release, (name, reason) in enumerate((("pay", "a"), ("pay", "b"), ("refund", "c"))):
        scope: dict[str, Any] = {"__name__": "shop"}
        exec(compile("\n" * release + SOURCE, str(folder / "shop.py"), "exec"), scope)
        _fail(library, scope[name], reason)
    events = [dict(leaves(event)) for event in library.events(folder)]
    if not events:
        return NO
    first, again, other = events
    return answer(
        any(
            value == again.get(path) and value != other.get(path) and isinstance(value, str)
            for path, value in first.items()
        )
    )
