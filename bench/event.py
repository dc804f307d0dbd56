"""The one event that all contenders write, in the ways in which loggers are called.

One argument in the message, four extra fields (an integer, a text, a float, a boolean), all at
level INFO; the trace ID and the request ID are bound, by the means each contender has for that.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import Any, Final

Run = Callable[[int], None]
"""Writes so many events."""

LOGGER: Final = "shop.orders"
ORDER: Final = "A-1042"
CUSTOMER: Final = "Kim Min-jun"
WORDS: Final = "fresh tulips"
TRACE_ID: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
REQUEST_ID: Final = "0f6f2c0e9d5c4b0f8f4f6c7d2b1a9e33"

LONG: Final = (
    "order %s placed: " + "주문하신 상품을 준비하고 있습니다. We are packing your order. " * 64
)
"""A message of about 5 kB, a third of it Korean."""

ADDRESS: Final = {"city": "Seoul", "lines": ["12, Sejong-daero", "Jung-gu"], "verified": True}
PLACED: Final = datetime(2026, 1, 1, 9, 30, tzinfo=timezone.utc)

EVENTS_A_REQUEST: Final = 10
FRAMES: Final = 20

trace_id: Final[ContextVar[str]] = ContextVar("trace_id", default=TRACE_ID)
request_id: Final[ContextVar[str]] = ContextVar("request_id", default=REQUEST_ID)
"""Where an application keeps its IDs for those contenders that have no context of their own."""


def stdlib_events(logger: Any) -> Run:
    """Events as `logging` is called."""

    def run(count: int) -> None:
        for number in range(count):
            logger.info(
                "order %s placed",
                ORDER,
                extra={"order_id": number, "customer": CUSTOMER, "amount": 12.5, "express": True},
            )

    return run


def structlog_events(logger: Any) -> Run:
    """Events as structlog is called."""

    def run(count: int) -> None:
        for number in range(count):
            logger.info(
                "order %s placed",
                ORDER,
                order_id=number,
                customer=CUSTOMER,
                amount=12.5,
                express=True,
            )

    return run


def stdlib_long(logger: Any) -> Run:
    """Events with a long message, as `logging` is called."""

    def run(count: int) -> None:
        for number in range(count):
            logger.info(LONG, ORDER, extra={"order_id": number})

    return run


def structlog_long(logger: Any) -> Run:
    """Events with a long message, as structlog is called."""

    def run(count: int) -> None:
        for number in range(count):
            logger.info(LONG, ORDER, order_id=number)

    return run


def stdlib_nested(logger: Any) -> Run:
    """Events with a date, a dict and a list, as `logging` is called."""

    def run(count: int) -> None:
        for number in range(count):
            extra = {"order_id": number, "placed": PLACED, "address": ADDRESS}
            logger.info("order %s placed", ORDER, extra=extra)

    return run


def structlog_nested(logger: Any) -> Run:
    """Events with a date, a dict and a list, as structlog is called."""

    def run(count: int) -> None:
        for number in range(count):
            logger.info("order %s placed", ORDER, order_id=number, placed=PLACED, address=ADDRESS)

    return run


def structlog_requests(logger: Any) -> Run:
    """Ten events after each `bind` of two fields; the other two come with the event."""

    def run(count: int) -> None:
        for number in range(0, count, EVENTS_A_REQUEST):
            bound = logger.bind(order_id=number, customer=CUSTOMER)
            for _ in range(min(EVENTS_A_REQUEST, count - number)):
                bound.info("order %s placed", ORDER, amount=12.5, express=True)

    return run


def stdlib_debug(logger: Any) -> Run:
    """Events below the level, as `logging` is called."""

    def run(count: int) -> None:
        for _ in range(count):
            logger.debug("order %s placed", ORDER)

    return run


def structlog_debug(logger: Any) -> Run:
    """Events below the level, as structlog is called."""

    def run(count: int) -> None:
        for number in range(count):
            logger.debug("order %s placed", ORDER, order_id=number)

    return run


def stdlib_exceptions(logger: Any) -> Run:
    """Events with an exception of `FRAMES` frames, as `logging` is called."""
    error = _failure()

    def run(count: int) -> None:
        for number in range(count):
            logger.error("order %s failed", ORDER, exc_info=error, extra={"order_id": number})

    return run


def structlog_exceptions(logger: Any) -> Run:
    """Events with an exception of `FRAMES` frames, as structlog is called."""
    error = _failure()

    def run(count: int) -> None:
        for number in range(count):
            logger.error("order %s failed", ORDER, exc_info=error, order_id=number)

    return run


def _failure() -> ValueError:
    try:
        _call(FRAMES - 1)
    except ValueError as error:
        return error
    raise AssertionError


# Two functions in turn: a traceback shows one that calls itself only three times.
def _call(depth: int) -> None:
    if depth > 1:
        _call_back(depth - 1)
    raise ValueError("out of stock")


def _call_back(depth: int) -> None:
    if depth > 1:
        _call(depth - 1)
    raise ValueError("out of stock")
