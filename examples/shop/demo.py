"""`make demo`: run the shop, send requests, and show what was logged.

Exits with 0 if every event that the services logged stands in their files exactly once.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import httpx

from examples.shop import report, services, traffic


def main() -> int:
    options = _options()
    options.directory.mkdir(parents=True, exist_ok=True)
    try:
        return asyncio.run(_stoppable(options.directory.resolve(), options.requests))
    except services.ServiceError as exc:
        print(f"\n{exc}", file=sys.stderr)
        return 1


def _options() -> argparse.Namespace:
    now = datetime.now(timezone.utc)
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument(
        "--directory",
        type=Path,
        default=Path("logs", f"demo-{now:%Y%m%dT%H%M%S}"),
        help="where the services log (default: a new one under ./logs)",
    )
    parser.add_argument("--requests", type=int, default=400, help="how many (default: 400)")
    return parser.parse_args()


async def _stoppable(directory: Path, requests: int) -> int:
    """Run the demonstration; SIGINT and SIGTERM end it after the services have stopped."""
    loop, received = asyncio.get_running_loop(), list[signal.Signals]()
    task = asyncio.ensure_future(_demonstrate(directory, requests))

    def stop(signum: signal.Signals) -> None:
        if not received:  # a second one would interrupt the stopping itself
            received.append(signum)
            task.cancel()

    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop, signum)
    try:
        return await task
    except asyncio.CancelledError:
        print("\nstopped; no service is left running", file=sys.stderr)
        return 128 + received[0]


async def _demonstrate(directory: Path, requests: int) -> int:
    async with services.shop(directory) as shop:
        try:
            outcome = await traffic.send(shop["gateway"].url, requests, _progress(requests))
        except httpx.TransportError as exc:
            await services.check_for_dead(shop.values())  # what it said tells more than our error
            raise services.ServiceError(f"the gateway gave no answer: {exc!r}") from exc
        for service in shop.values():
            service.check()
    return _show(directory, outcome, list(shop.values()))


def _progress(total: int) -> Callable[[int], None]:
    """Return what draws the progress on stderr: a bar on a terminal, else a line each tenth."""
    bar = sys.stderr.isatty()

    def draw(done: int) -> None:
        percent = 100 * done // total
        if bar:
            end = "\n" if done == total else ""
            print(f"\r[{'#' * (percent // 2):50}] {percent:3}%", end=end, file=sys.stderr)
        elif percent // 10 > 100 * (done - 1) // total // 10:
            print(f"{percent // 10 * 10}%", file=sys.stderr)
        sys.stderr.flush()

    return draw


def _show(directory: Path, outcome: traffic.Outcome, shop: list[services.Service]) -> int:
    events = report.read(directory)
    counts = [report.count(service.name, events, service.events()) for service in shop]
    _show_files(directory)
    _show_an_event(events)
    _show_an_order(events)
    _show_a_failure(events, outcome)
    _show_counts(counts, outcome)
    right = all(found.right for found in counts) and not outcome.wrong
    print("\nEvery event is there, exactly once." if right else "\nThis is not as it must be.")
    return 0 if right else 1


def _show_files(directory: Path) -> None:
    _heading("The files")
    for path in sorted(directory.glob("*.ndjson")):
        print(f"{path}  {path.stat().st_size:,} bytes")


def _show_an_event(events: list[report.Event]) -> None:
    _heading("One event")
    event = next((event for event in events if event["message"] == "주문 완료"), None)
    print(json.dumps(event, indent=2, ensure_ascii=False))


def _show_an_order(events: list[report.Event]) -> None:
    trace_id = next(
        event["trace"]["id"] for event in events if event["service"]["name"] == "courier"
        and event["message"] == "영수증 발송"
    )  # fmt: skip
    _heading(f"One order through FastAPI, Django and Celery, trace {trace_id}")
    print(report.table(report.of_trace(events, trace_id)))


def _show_a_failure(events: list[report.Event], outcome: traffic.Outcome) -> None:
    for trace_id in outcome.failed_traces[:1]:
        _heading(f"One failed request over the services, trace {trace_id}")
        print(report.table(report.of_trace(events, trace_id)))


def _show_counts(counts: list[report.Count], outcome: traffic.Outcome) -> None:
    _heading(f"Events of {outcome.sent} requests")
    print(f"{'service':10}{'sent':>8}{'written':>10}{'missing':>10}{'duplicated':>12}")
    for found in counts:
        print(
            f"{found.service:10}{found.counted:8}{found.written:10}"
            f"{found.missing:10}{found.duplicated:12}"
        )
    for wrong in outcome.wrong:
        print(f"wrong answer: {wrong}")


def _heading(text: str) -> None:
    print(f"\n{text}\n{'─' * len(text)}")


if __name__ == "__main__":
    sys.exit(main())
