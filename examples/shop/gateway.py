"""The gateway: what customers talk to. Run it: `python -m examples.shop.gateway`."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI, HTTPException, Request

import flowery_logging
from examples.shop import metrics, tally
from flowery_logging.integrations import fastapi, httpx as flowery_httpx

flowery_logging.setup(service="gateway")
flowery_httpx.instrument()  # every httpx client passes the trace on
tally.start()
metrics.start()
log = logging.getLogger("shop.gateway")

# No keep-alive: uvicorn closes a connection after an unhandled exception, perhaps just when the
# next call takes it from the pool.
ORDERS: dict[str, Any] = {
    "base_url": os.environ.get("SHOP_ORDERS_URL", "http://127.0.0.1:8001"),
    "limits": httpx.Limits(max_keepalive_connections=0),
    "timeout": 10,
}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    with httpx.Client(**ORDERS) as app.state.orders:
        async with httpx.AsyncClient(**ORDERS) as app.state.orders_async:
            yield


app = FastAPI(title="gateway", lifespan=lifespan)
fastapi.instrument(app)


@app.post("/checkout", status_code=201)
async def checkout(order: dict[str, Any], request: Request) -> Any:
    flowery_logging.bind(**{"user.id": request.headers.get("x-user", "guest")})
    log.info("%s 주문 요청", order.get("item"), extra={"quantity": order.get("quantity", 1)})
    response = await request.app.state.orders_async.post("/orders", json=order)
    if response.status_code == 409:
        log.warning("주문 거절: %s", response.json()["detail"])
        raise HTTPException(409, response.json()["detail"])
    if response.is_error:
        log.error("orders failed", extra={"http.response.status_code": response.status_code})
        raise HTTPException(502, "the order could not be placed")
    log.info("주문 확인", extra=response.json())
    return response.json()


@app.get("/flowers/{item}")
def flower(item: str, request: Request) -> Any:  # runs in a thread: the trace is there too
    found = request.app.state.orders.get(f"/stock/{item}").json()
    log.info("%s: %d원", item, found["price"], extra={"in_stock": found["in_stock"]})
    return found


if __name__ == "__main__":
    # log_config=None: uvicorn leaves logging alone, so its lines go through ours
    uvicorn.run(app, port=int(os.environ.get("SHOP_PORT", "8000")), log_config=None)
