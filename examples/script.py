"""A job as cron runs it, in one trace over threads and a process: `make example NAME=script`."""

import logging
import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import flowery_logging
from examples import running

log = logging.getLogger("nightly")
TAKINGS = {"서울": "124500", "대구": "87000", "부산": "unknown"}  # won


def main() -> None:
    directory = running.begin("script")
    flowery_logging.setup(service="nightly")
    with flowery_logging.continue_trace({}, job="nightly") as trace:  # a trace for each run
        log.info("job begins")
        with ThreadPoolExecutor(2) as pool:
            counting = [pool.submit(flowery_logging.carried(count), shop) for shop in TAKINGS]
        total = sum(future.result() for future in counting)
        write_report(total)
        log.info("job ends", extra={"total": total})
    running.show(trace.trace_id, directory)


def count(shop: str) -> int:
    """Return what a shop has taken; one that cannot be counted does not end the job."""
    with flowery_logging.bound(shop=shop):
        try:
            total = int(TAKINGS[shop])
        except ValueError:
            log.exception("매출 집계 실패")
            return 0
        log.info("매출 집계")
        return total


def write_report(total: int) -> None:
    """Let a process of its own write the report; the headers take the trace there."""
    headers = flowery_logging.outgoing_headers()
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=report, args=(headers, total))
    process.start()
    process.join()


def report(headers: dict[str, str], total: int) -> None:
    """Run in the new process, which has to be set up as well."""
    flowery_logging.setup(service="nightly")
    with flowery_logging.continue_trace(headers, job="nightly", step="report"):
        log.info("보고서 작성", extra={"total": total})


if __name__ == "__main__":
    main()
