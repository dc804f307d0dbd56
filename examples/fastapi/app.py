"""A service in FastAPI. What it has of flowery_logging: `setup`, `instrument` and `bind`."""

import logging

from fastapi import BackgroundTasks, FastAPI, HTTPException

import flowery_logging
from flowery_logging.integrations import fastapi

flowery_logging.setup(service="orders")
log = logging.getLogger(__name__)

app = FastAPI()
fastapi.instrument(app)
orders: dict[int, str] = {}


@app.post("/orders/{item}", status_code=201)
async def place(item: str, background: BackgroundTasks) -> dict[str, int]:
    order_id = len(orders) + 1
    flowery_logging.bind(order_id=order_id)  # on all further lines of this request
    orders[order_id] = item
    log.info("주문 접수", extra={"item": item})
    background.add_task(send_receipt, order_id)
    return {"order_id": order_id}


@app.get("/orders/{order_id}")
def read(order_id: int) -> dict[str, str]:  # in a thread: the trace is there too
    if order_id not in orders:
        log.warning("no such order", extra={"order_id": order_id})
        raise HTTPException(404, "no such order")
    return {"item": orders[order_id]}


def send_receipt(order_id: int) -> None:
    """Run after the response: the line has the trace of the request all the same."""
    log.info("영수증 발송", extra={"receipt": f"R-{order_id:06}"})
