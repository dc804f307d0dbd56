"""The views of the example: in a thread, asynchronous, one that fails, one that is quiet."""

import asyncio

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

import flowery_logging

log = flowery_logging.get_logger(__name__)
PRICES = {"rose": 4_500, "tulip": 3_000}  # won


def price(request: HttpRequest, item: str) -> JsonResponse:
    flowery_logging.bind(item=item)  # on all further lines of this request, the access event's too
    if item not in PRICES:
        log.warning("no such flower")
        return JsonResponse({"detail": "no such flower"}, status=404)
    log.info("가격 조회", price=PRICES[item])
    return JsonResponse({"price": PRICES[item]})


async def stock(request: HttpRequest, item: str) -> JsonResponse:
    with flowery_logging.bound(step="warehouse"):  # on the lines of this block
        await asyncio.sleep(0)
        log.info("재고 조회", item=item)
    return JsonResponse({"left": 12})


def pay(request: HttpRequest) -> HttpResponse:
    raise ConnectionError("the bank does not answer")


def health(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [
    path("price/<str:item>", price),
    path("stock/<str:item>", stock),
    path("pay", pay),
    path("health", health),
]
