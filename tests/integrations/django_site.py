"""A Django project in one module: views of every kind, for WSGI, ASGI and management commands."""

import asyncio
import logging
import os
import sys

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path

import flowery_logging

log = logging.getLogger("site")
waiting = asyncio.Event()  # the slow view has begun


def configure(**more):
    if settings.configured:
        return
    defaults = {
        "SECRET_KEY": "x" * 50,
        "ROOT_URLCONF": __name__,
        "ALLOWED_HOSTS": ["*"],
        "INSTALLED_APPS": ["flowery_logging.integrations.django.LoggingConfig"],
        "MIDDLEWARE": ["flowery_logging.integrations.django.RequestMiddleware"],
        "FLOWERY_REQUESTS": {"quiet": ["/health"]},
        "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    }
    settings.configure(**{**defaults, **more})
    django.setup(set_prefix=False)


def plain(request, number):
    flowery_logging.bind(number=number)
    log.info("in the view")
    return JsonResponse({"number": number})


async def asynchronous(request, number):
    flowery_logging.bind(number=number)
    await asyncio.sleep(0.001)
    log.info("in the view")
    return JsonResponse({"number": number})


def boom(request):
    raise ValueError("꽃")


def refused(request):
    flowery_logging.bind(shop="flowers")
    return HttpResponse(status=503)


def streaming(request):
    def pieces():
        for number in range(3):
            log.info("piece")
            yield f"{number}"

    return StreamingHttpResponse(pieces())


async def streaming_async(request):
    async def pieces():
        for number in range(3):
            log.info("piece")
            yield f"{number}"
            await asyncio.sleep(0)

    return StreamingHttpResponse(pieces())


def cut_off(request):
    def pieces():
        yield "a"
        raise ValueError("꽃")

    return StreamingHttpResponse(pieces())


def announced(request):
    return StreamingHttpResponse(iter(["four", ""]), headers={"Content-Length": "4"})


async def slow(request):
    try:
        waiting.set()
        await asyncio.sleep(300)
    except asyncio.CancelledError:
        log.info("cancelled")
        raise
    return HttpResponse("")


def ask_database(times):
    for number in range(times):
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s", [number])


def queries(request, times):
    ask_database(times)
    return HttpResponse("")


async def queries_async(request, times):
    await sync_to_async(ask_database)(times)
    await asyncio.gather(*(asyncio.to_thread(in_a_thread, times) for _ in range(2)))
    return HttpResponse("")


def in_a_thread(times):
    """Ask over a connection of this thread's own, and close it."""
    try:
        ask_database(times)
    finally:
        connection.close()


def health(request):
    return HttpResponse("ok")


urlpatterns = [
    path("plain/<int:number>/", plain),
    path("async/<int:number>/", asynchronous),
    path("boom/", boom),
    path("refused/", refused),
    path("streaming/", streaming),
    path("streaming-async/", streaming_async),
    path("cut-off/", cut_off),
    path("announced/", announced),
    path("slow/", slow),
    path("queries/<int:times>/", queries),
    path("queries-async/<int:times>/", queries_async),
    path("health", health),
]


def __getattr__(name):
    if name != "application":  # of ASGI_APPLICATION
        raise AttributeError(name)
    from django.core.asgi import get_asgi_application

    return get_asgi_application()


if __name__ == "__main__":  # as manage.py: python django_site.py <directory> <command> …
    flowery_logging.setup(service="site", directory=sys.argv.pop(1), output="file")
    configure(**eval(os.environ.get("SITE_SETTINGS", "{}")))
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
