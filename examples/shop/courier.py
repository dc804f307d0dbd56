"""The courier: a Celery worker that delivers. Run it: `python -m examples.shop.courier`."""

import warnings

import flowery_logging
from examples.shop import tally, tasks
from flowery_logging.integrations import celery

if __name__ == "__main__":
    flowery_logging.setup(service="courier")
    celery.instrument()
    tally.start()
    warnings.filterwarnings("ignore", r"\s*You're running the worker with superuser")
    tasks.QUEUE.mkdir(exist_ok=True)
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    # One process: the demonstration counts in it. Yours may fork as many as it likes.
    tasks.app.worker_main(["worker", "--pool", "solo", "--loglevel", "INFO", *alone])
