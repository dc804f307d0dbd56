"""Sentry, OpenTelemetry and Django's mail see of a failed request what they see without us."""

import json

import pytest

pytestmark = pytest.mark.slow

SENTRY = """
import sentry_sdk, sentry_sdk.transport
class Keeping(sentry_sdk.transport.Transport):
    def capture_envelope(self, envelope):
        event = envelope.get_event()
        if event is not None:
            errors = event.get("exception", {}).get("values", [])
            handled = [e["mechanism"]["handled"] for e in errors if "mechanism" in e]
            crumbs = [b["message"] for b in event["breadcrumbs"]["values"]]
            seen.append([event.get("logger"), event.get("level"), [e["type"] for e in errors],
                         handled, event.get("logentry", {}).get("message"), crumbs])
def watch():
    sentry_sdk.init(dsn="http://key@127.0.0.1:1/1", transport=Keeping)
"""

TELEMETRY = """
import warnings
warnings.simplefilter("ignore")
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
class Keeping(InMemoryLogRecordExporter):
    def export(self, batch):
        for data in batch:
            attributes = dict(data.log_record.attributes)
            attributes.pop("thread.id", None)
            for name in ("exception.stacktrace", "code.line.number", "code.lineno"):
                attributes.pop(name, None)
            seen.append([data.log_record.body, str(data.log_record.severity_text), attributes])
def watch():
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(Keeping()))
    logging.getLogger().addHandler(LoggingHandler(logger_provider=provider))
"""

NOBODY = "def watch(): pass\n"

SET_UP = """
import json, logging, sys
seen = []
logging.getLogger().setLevel("INFO")  # as setup() does
def set_up():
    if {ours}:
        import flowery_logging
        flowery_logging.setup("shop", directory="logs", output="file")
"""

FASTAPI = """
import asyncio
from fastapi import FastAPI
{first}; {second}
app = FastAPI()
log = logging.getLogger("shop")
@app.get("/boom")
async def boom():
    log.info("about to fail")
    1 / 0
if {ours}:
    from flowery_logging.integrations import fastapi
    fastapi.instrument(app)
async def server(scope, receive, send):
    try:
        await app(scope, receive, send)
    except Exception as exc:
        logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=exc)
async def main():
    async def receive(): return {{"type": "http.request", "body": b"", "more_body": False}}
    async def send(message): pass
    scope = {{"type": "http", "method": "GET", "path": "/boom", "raw_path": b"/boom", "headers": [],
             "query_string": b"", "http_version": "1.1", "scheme": "http", "root_path": "",
             "server": ("x", 80), "client": ("127.0.0.1", 1), "asgi": {{"version": "3.0"}}}}
    await server(scope, receive, send)
asyncio.run(main())
print(json.dumps(seen))
"""

FLASK = """
from flask import Flask
{first}; {second}
app = Flask("shop")
@app.get("/boom")
def boom():
    logging.getLogger("shop").info("about to fail")
    1 / 0
if {ours}:
    from flowery_logging.integrations import wsgi
    app.wsgi_app = wsgi.RequestMiddleware(app.wsgi_app)
assert app.test_client().get("/boom").status_code == 500
print(json.dumps(seen))
"""

DJANGO = """
import django
from django.conf import settings
from django.core import mail
from django.http import HttpResponse
from django.urls import path
{first}; {second}
def boom(request):
    logging.getLogger("shop").info("about to fail")
    1 / 0
middleware = ["flowery_logging.integrations.django.RequestMiddleware"] if {ours} else []
settings.configure(
    ROOT_URLCONF="__main__", SECRET_KEY="x", DEBUG=False, ALLOWED_HOSTS=["*"],
    ADMINS={admins}, MIDDLEWARE=middleware,
    EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
)
urlpatterns = [path("boom", boom)]
django.setup()
from django.test import Client
assert Client(raise_request_exception=False).get("/boom").status_code == 500
seen += [message.subject for message in getattr(mail, "outbox", [])]
print(json.dumps(seen))
"""

ADMINS = "[('a', 'a@x.kr')] if django.VERSION < (6,) else ['a@x.kr']"


def seen(programs, tmp_path, watcher, service, *, ours, watch_first):
    order = ("watch()", "set_up()") if watch_first else ("set_up()", "watch()")
    names = {"ours": ours, "first": order[0], "second": order[1], "admins": ADMINS}
    code = SET_UP.format(**names) + watcher + service.format(**names)
    done = programs.run(code, tmp_path)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("watch_first", [True, False], ids=["before us", "after us"])
@pytest.mark.parametrize("service", [FASTAPI, FLASK, DJANGO], ids=["fastapi", "flask", "django"])
@pytest.mark.parametrize("watcher", [SENTRY, TELEMETRY], ids=["sentry", "opentelemetry"])
def test_they_see_what_they_see_without_us(programs, tmp_path, watcher, service, watch_first):
    found = [
        seen(programs, tmp_path, watcher, service, ours=ours, watch_first=watch_first)
        for ours in (False, True)
    ]
    assert found[1] == found[0]
    assert any("ZeroDivisionError" in str(one) for one in found[0])
    assert (tmp_path / "logs").exists()


def test_the_admins_of_django_get_their_mail(programs, tmp_path):
    options = {"watcher": NOBODY, "service": DJANGO, "watch_first": False}
    without, ours = (seen(programs, tmp_path, ours=ours, **options) for ours in (False, True))
    assert ours == without
    assert len(ours) == 1


def test_our_own_lines_have_each_failure_once(programs, tmp_path):
    seen(programs, tmp_path, SENTRY, FASTAPI, ours=True, watch_first=True)
    (path,) = (tmp_path / "logs").glob("*.ndjson")
    events = [json.loads(line) for line in path.read_text().splitlines()]
    failures = [event for event in events if "error" in event]
    assert [event["log"]["logger"] for event in failures] == ["flowery_logging.integrations.asgi"]
    loggers = [event["log"]["logger"] for event in events]
    assert loggers.count("flowery_logging.access") == 1
    assert loggers.count("shop") == 1
