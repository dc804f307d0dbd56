"""The servers of the table, with the commands that start them."""

from __future__ import annotations

from tests.ends.servers import ASGI, WSGI, Kind

GUNICORN = "-m gunicorn main:app --bind 127.0.0.1:{port} --workers 2 --worker-class"
CONFIGURED = """
import os
import flowery_logging
flowery_logging.setup("svc", directory=os.environ["LOGS"], output="file")
logger_class = "flowery_logging.integrations.gunicorn.Logger"
"""
UWSGI = "uwsgi --http-socket 127.0.0.1:{port} --wsgi-file main.py --callable app"
GRANIAN = "-m granian main:app --port {port} --workers 2 --interface"
CELERY = "-m celery -A main worker --without-gossip --without-mingle --without-heartbeat"
TASKS = """
import logging, os, sys
import flowery_logging
from celery import Celery, signals
from examples.shop import broker
from flowery_logging.integrations import celery

flowery_logging.setup("svc", directory=os.environ["LOGS"], output="file")
celery.instrument()
queue = os.path.join(os.path.dirname(os.path.abspath(__file__)), "queue")
os.makedirs(queue, exist_ok=True)
app = Celery("main", broker=broker.URL)
app.conf.broker_transport_options = {
    "polling_interval": 0.05, "data_folder_in": queue, "data_folder_out": queue, "control_folder": queue,
}
app.conf.worker_timer_precision = 0.1  # seconds; its end waits for it

def loaded(**_):
    logging.getLogger("app").info("loaded")

if "--pool" not in sys.argv:  # a prefork child; other pools run it in a worker that is not ready yet
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
KINDS = {
    "uvicorn": Kind("-m uvicorn main:app --port {port}", ASGI),
    "uvicorn --lifespan off": Kind("-m uvicorn main:app --port {port} --lifespan off", ASGI),
    "uvicorn --workers": Kind("-m uvicorn main:app --port {port} --workers 2", ASGI, 2),
    "uvicorn --workers --lifespan off": Kind(
        "-m uvicorn main:app --port {port} --workers 2 --lifespan off", ASGI, 2
    ),
    "uvicorn --reload": Kind("-m uvicorn main:app --port {port} --reload", ASGI),
    "gunicorn sync": Kind(f"{GUNICORN} sync", WSGI, 2),
    # A worker that boots takes its master's signals for its own, forgets them, and is killed.
    "gunicorn sync --preload": Kind(f"{GUNICORN} sync --preload", WSGI, answering=2),
    "gunicorn sync, our logger": Kind(f"{GUNICORN} sync", WSGI, 2, configuration=CONFIGURED),
    "gunicorn gthread": Kind(f"{GUNICORN} gthread", WSGI, 2),
    "gunicorn gevent": Kind(f"{GUNICORN} gevent", WSGI, 2),
    "gunicorn uvicorn": Kind(f"{GUNICORN} uvicorn.workers.UvicornWorker", ASGI, 2),
    "gunicorn asgi": Kind(f"{GUNICORN} asgi", ASGI, 2),
    "hypercorn": Kind("-m hypercorn main:app --bind 127.0.0.1:{port} --workers 2", ASGI, 2),
    "hypercorn, no workers": Kind("-m hypercorn main:app --bind 127.0.0.1:{port} -w 0", ASGI),
    "granian asgi": Kind(f"{GRANIAN} asgi", ASGI, 2),
    "granian wsgi": Kind(f"{GRANIAN} wsgi", WSGI, 2),
    "daphne": Kind("-m daphne main:app --port {port}", ASGI),
    "waitress": Kind("main.py {port}", WAITRESS),
    "waitress-serve": Kind("-m waitress --port={port} main:app", WSGI),
    # In the middle of a request a worker of uWSGI ends without Python's atexit.
    "uwsgi": Kind(UWSGI, WSGI, done="[pid: {pid}|"),
    # Until it takes requests, a worker of uWSGI that is told to end does so without Python.
    "uwsgi --master": Kind(
        f"{UWSGI} --master --processes 2 --lazy-apps --die-on-term",
        WSGI,
        2,
        answering=2,
        done="[pid: {pid}|",
    ),
    "celery prefork": Kind(f"{CELERY} -c 2", TASKS, 3, serves=False),
    "celery threads": Kind(f"{CELERY} --pool threads -c 2", TASKS, serves=False),
    "celery solo": Kind(f"{CELERY} --pool solo", TASKS, serves=False),
}
