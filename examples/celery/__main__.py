"""A shop that sends a task to a worker of Celery: `make example NAME=celery`."""

import os
from pathlib import Path

import flowery_logging
from examples import running

ENDS = "flowery_logging.task"  # the logger of the events that say how a task has ended
WORKER = ("celery", "--app", "examples.celery.tasks", "worker", "--pool", "solo")


def main() -> None:
    directory = running.begin("celery")
    queue = directory / "queue"
    queue.mkdir(exist_ok=True)
    os.environ["EXAMPLE_QUEUE"] = str(queue)
    flowery_logging.setup(service="shop")
    trace_id = order()
    with running.program(directory, *WORKER, "--without-gossip", "--without-mingle") as worker:
        worker.wait_until(lambda: is_mailed(directory, trace_id))
    running.show(trace_id, directory)


def order() -> str:
    """Send the first task; return the ID of the trace that it goes on with."""
    from examples.celery import tasks  # now: it reads where the queue is

    with flowery_logging.continue_trace({}) as trace:
        flowery_logging.get_logger("shop").info("주문 접수", order_id=7)
        tasks.pack.delay(7)
        return trace.trace_id


def is_mailed(directory: Path, trace_id: str) -> bool:
    """Tell whether the last task has ended, as the worker's log says."""
    ends = [line for line in running.lines(directory) if line["log"]["logger"] == ENDS]
    return any(
        end["trace"]["id"] == trace_id and end["labels"]["task"].endswith(".mail") for end in ends
    )


if __name__ == "__main__":
    main()
