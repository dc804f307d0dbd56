"""Customers: many requests at once, some with a trace of their own, some that must fail."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

CUSTOMERS = 16  # at the same time


@dataclass(frozen=True)
class Wish:
    """What a customer asks for, and the answer that is right."""

    method: str
    path: str
    status: int
    order: dict[str, Any] | None = None


ROSES = Wish("POST", "/checkout", 201, {"item": "rose", "quantity": 3})
TULIPS = Wish("POST", "/checkout", 201, {"item": "tulip", "quantity": 1})
LOOK = Wish("GET", "/flowers/rose", 200)
SOLD_OUT = Wish("POST", "/checkout", 409, {"item": "orchid"})
PAYMENT_FAILS = Wish("POST", "/checkout", 502, {"item": "rose", "card": "expired"})
WISHES = (ROSES, LOOK, TULIPS, SOLD_OUT, ROSES, LOOK, TULIPS, ROSES, PAYMENT_FAILS, LOOK)


@dataclass
class Outcome:
    """What came of the requests; `failed_traces` are those of unhandled exceptions."""

    sent: int = 0
    wrong: list[str] = field(default_factory=list)
    failed_traces: list[str] = field(default_factory=list)


async def send(url: str, requests: int, progress: Callable[[int], None]) -> Outcome:
    """Send `requests` requests to the gateway at `url`; `progress` hears how many are done."""
    outcome, numbers = Outcome(), iter(range(requests))

    async def customer(client: httpx.AsyncClient) -> None:
        for number in numbers:  # shared: each number goes to one customer
            await _request(client, number, outcome)
            progress(outcome.sent)

    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        await asyncio.gather(*(customer(client) for _ in range(CUSTOMERS)))
    return outcome


async def _request(client: httpx.AsyncClient, number: int, outcome: Outcome) -> None:
    wish, headers = WISHES[number % len(WISHES)], {"X-User": f"customer-{number % 7}"}
    trace_id, request_id = secrets.token_hex(16), f"demo-{number}"
    own_trace = wish is PAYMENT_FAILS or number % 2 == 0  # the others leave it to the gateway
    if own_trace:
        headers["traceparent"] = f"00-{trace_id}-{secrets.token_hex(8)}-01"
        headers["X-Request-ID"] = request_id
    response = await client.request(wish.method, wish.path, json=wish.order, headers=headers)
    outcome.sent += 1
    answered_id = response.headers.get("x-request-id", "")
    if response.status_code != wish.status:
        outcome.wrong.append(f"{wish.method} {wish.path}: {response.status_code}, {response.text}")
    elif not answered_id or (own_trace and answered_id != request_id):
        outcome.wrong.append(f"{wish.method} {wish.path}: X-Request-ID is {answered_id!r}")
    elif wish is PAYMENT_FAILS:
        outcome.failed_traces.append(trace_id)
