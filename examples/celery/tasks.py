"""Tasks that send each other on. What they have of flowery_logging: `setup` and `instrument`."""

import os

from celery import Celery, Task

import flowery_logging
from examples.shop import broker
from flowery_logging.integrations import celery

flowery_logging.setup()
celery.instrument(service="courier")  # names the worker's processes, not who only sends tasks
log = flowery_logging.get_logger(__name__)

# A folder in place of a broker's server. Yours is "redis://…" or "amqp://…", without the options.
FOLDER = os.environ.get("EXAMPLE_QUEUE", "queue")
app = Celery("tasks", broker=broker.URL)
app.conf.broker_transport_options = {
    "data_folder_in": FOLDER,
    "data_folder_out": FOLDER,
    "control_folder": f"{FOLDER}/control",
    "polling_interval": 0.1,  # seconds
}


class NoBoxError(Exception):
    """There is no box just now."""


@app.task(bind=True, max_retries=3)  # type: ignore[untyped-decorator]
def pack(self: Task, order_id: int) -> None:
    flowery_logging.bind(order_id=order_id)  # on all further lines of this run of the task
    if self.request.retries == 0:
        log.warning("상자 없음")
        raise self.retry(exc=NoBoxError(), countdown=0)
    log.info("포장 완료")
    mail.delay(order_id)


@app.task  # type: ignore[untyped-decorator]
def mail(order_id: int) -> None:
    log.info("배송 출발", order_id=order_id)
