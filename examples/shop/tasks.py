"""What the courier does. The orders service sends these tasks, the courier runs them."""

import logging
import os
from pathlib import Path

from celery import Celery

from examples.shop import broker

log = logging.getLogger("shop.courier")

QUEUE = Path(os.environ.get("SHOP_QUEUE", "queue"))  # a folder in place of a broker's server

app = Celery("courier", broker=broker.URL)
app.conf.update(
    broker_transport_options={
        "data_folder_in": str(QUEUE),
        "data_folder_out": str(QUEUE),
        "control_folder": str(QUEUE / "control"),
        "polling_interval": 0.1,  # seconds
    },
    worker_prefetch_multiplier=1,
    worker_timer_precision=0.1,  # seconds, for which its end waits
)


@app.task  # type: ignore[untyped-decorator]
def deliver(order_id: int, item: str) -> None:
    log.info("배송 출발", extra={"order_id": order_id, "item": item})
    log.info("영수증 발송", extra={"receipt": f"R-{order_id:06}"})
