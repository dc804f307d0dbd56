"""The orders service, in Django: stock and payment. Run it: `python -m examples.shop.orders`."""

import asyncio
import itertools
import json
import os

import django
import uvicorn
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

import flowery_logging
from examples.shop import metrics, tally, tasks
from flowery_logging.integrations import celery

flowery_logging.setup(service="orders")
celery.instrument()  # the tasks that we send carry the trace
tally.start()
metrics.start()
log = flowery_logging.get_logger("shop.orders")

STOCK = {"rose": 10_000, "tulip": 10_000, "orchid": 0}
PRICES = {"rose": 4_500, "tulip": 3_000, "orchid": 29_000}  # won
order_ids = itertools.count(1)


class PaymentError(Exception):
    """The bank could not be asked."""


async def create_order(request: HttpRequest) -> JsonResponse:
    order = json.loads(request.body)
    order_id, item, quantity = next(order_ids), order["item"], order.get("quantity", 1)
    flowery_logging.bind(order_id=order_id, item=item)  # on every later line of the request
    log.info("주문 접수", quantity=quantity)
    if STOCK.get(item, 0) < quantity:
        log.warning("재고 부족", in_stock=STOCK.get(item, 0))
        return JsonResponse({"detail": f"{item} is sold out"}, status=409)
    await charge(item, quantity, order.get("card", "valid"))
    STOCK[item] -= quantity
    log.info("주문 완료", price=PRICES[item] * quantity)
    await asyncio.to_thread(tasks.deliver.delay, order_id, item)
    return JsonResponse({"order_id": order_id}, status=201)


def stock(request: HttpRequest, item: str) -> JsonResponse:  # runs in a thread
    log.info("재고 조회", item=item)
    return JsonResponse({"in_stock": STOCK.get(item, 0), "price": PRICES.get(item, 0)})


async def charge(item: str, quantity: int, card: str) -> None:
    try:
        await ask_bank(card)
    except ConnectionError as cause:
        raise PaymentError(f"결제 실패: {quantity} x {item}") from cause


async def ask_bank(card: str) -> None:
    await asyncio.sleep(0.002)
    if card != "valid":
        raise ConnectionResetError("bank.example closed the connection")


urlpatterns = [path("orders", create_order), path("stock/<str:item>", stock)]

settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["127.0.0.1"],
    LOGGING_CONFIG=None,  # ours is all
    MIDDLEWARE=["flowery_logging.integrations.django.RequestMiddleware"],
)
django.setup()
app = get_asgi_application()

if __name__ == "__main__":
    # log_config=None: uvicorn leaves logging alone, so its lines go through ours
    port = int(os.environ.get("SHOP_PORT", "8001"))
    uvicorn.run(app, port=port, log_config=None, access_log=False, lifespan="off")
