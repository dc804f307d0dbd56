"""The courier: a Celery worker that delivers. Run it: `python -m examples.shop.courier`."""

import sys
import warnings

import flowery_logging
from examples.shop import metrics, tally, tasks
from flowery_logging.integrations import celery

if __name__ == "__main__":
    flowery_logging.setup(service="courier")
    celery.instrument()
    tally.start()
    metrics.start()
    warnings.filterwarnings("ignore", r"\s*You're running the worker with superuser")
    tasks.QUEUE.mkdir(exist_ok=True)
    # One process: the demonstration counts in it. Yours may fork as many as it likes.
    worker = tasks.app.Worker(
        pool="solo",
        loglevel="INFO",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    sys.exit(worker.exitcode)  # `worker_main` would hide that it has failed
