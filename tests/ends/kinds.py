"""The servers of the table, with the commands that start them."""

from __future__ import annotations

from tests.ends.servers import ASGI, WSGI, Kind

GUNICORN = "-m gunicorn main:app --bind 127.0.0.1:{port} --workers 2 --worker-class"
UWSGI = "uwsgi --http-socket 127.0.0.1:{port} --master --processes 2 --lazy-apps --die-on-term --wsgi-file main.py --callable app"
CELERY = """
import os, sys
import flowery_logging
flowery_logging.setup("svc", directory=os.environ["LOGS"], output="file")
import logging
from celery import Celery, signals
from examples.shop import broker
from flowery_logging.integrations import celery
celery.instrument()
folder = os.path.dirname(os.path.abspath(__file__))
queue = os.path.join(folder, "queue")
os.makedirs(queue, exist_ok=True)
app = Celery("main", broker=broker.URL)
app.conf.broker_transport_options = {"polling_interval": 0.05, "data_folder_in": queue, "data_folder_out": queue, "control_folder": queue}
app.conf.worker_timer_precision = 0.1
app.conf.broker_connection_retry_on_startup = True

def loaded(**_):
    logging.getLogger("app").info("loaded")

if "--pool" not in sys.argv:  # a prefork child; other pools run it in the worker, which is not ready
    signals.worker_process_init.connect(loaded)
signals.worker_ready.connect(loaded)
"""
WAITRESS = (
    WSGI
    + """
if __name__ == "__main__":
    import waitress
    waitress.serve(app, port=int(sys.argv[1]))
"""
)
GRANIAN = "-m granian main:app --port {port} --workers 2 --interface"
KINDS = {
    "uvicorn": Kind("-m uvicorn main:app --port {port}", ASGI),
    "uvicorn, --lifespan off": Kind("-m uvicorn main:app --port {port} --lifespan off", ASGI),
    "uvicorn, --workers": Kind("-m uvicorn main:app --port {port} --workers 2", ASGI, 2),
    "uvicorn, --reload": Kind("-m uvicorn main:app --port {port} --reload", ASGI, 1),
    "gunicorn, sync": Kind(f"{GUNICORN} sync", WSGI, 2),
    "gunicorn, gthread": Kind(f"{GUNICORN} gthread", WSGI, 2),
    "gunicorn, gevent": Kind(f"{GUNICORN} gevent", WSGI, 2),
    "gunicorn, uvicorn": Kind(f"{GUNICORN} uvicorn.workers.UvicornWorker", ASGI, 2),
    "gunicorn, asgi": Kind(f"{GUNICORN} asgi", ASGI, 2),
    "gunicorn, --preload": Kind(f"{GUNICORN} sync --preload", WSGI, 1),
    "hypercorn": Kind("-m hypercorn main:app --bind 127.0.0.1:{port} --workers 2", ASGI, 2),
    "hypercorn, no worker": Kind("-m hypercorn main:app --bind 127.0.0.1:{port} --workers 0", ASGI),
    "granian": Kind(f"{GRANIAN} asgi", ASGI, 2),
    "granian, wsgi": Kind(f"{GRANIAN} wsgi", WSGI, 2),
    "daphne": Kind("-m daphne main:app --port {port}", ASGI),
    "waitress": Kind("main.py {port}", WAITRESS),
    "waitress-serve": Kind("-m waitress --port={port} main:app", WSGI),
    "uwsgi": Kind(UWSGI, WSGI, 2),
    "uwsgi, no master": Kind(
        "uwsgi --http-socket 127.0.0.1:{port} --wsgi-file main.py --callable app", WSGI, 1
    ),
    "celery, prefork": Kind(
        "-m celery -A main worker -c 2 --without-gossip --without-mingle --without-heartbeat",
        CELERY,
        3,
        False,
    ),
    "celery, threads": Kind(
        "-m celery -A main worker -c 2 --pool threads --without-gossip --without-mingle --without-heartbeat",
        CELERY,
        1,
        False,
    ),
    "celery, solo": Kind(
        "-m celery -A main worker --pool solo --without-gossip --without-mingle --without-heartbeat",
        CELERY,
        1,
        False,
    ),
}
