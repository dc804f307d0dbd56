"""`make stack`: the whole way of `make e2e`, left running to look around in.

The shop with customers, the real Filebeat, the receiver that stands in for Logstash, the real
Elasticsearch with the kit's templates, and the real Prometheus with the kit's rules. Ctrl-C ends
all of it and leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.customers import keep_buying
from examples.shop import services, traffic
from tests.e2e import templates
from tests.e2e.elasticsearch_client import ElasticsearchClient
from tests.e2e.processes import Elasticsearch, Filebeat, StartError, wait_until
from tests.e2e.processes.prometheus import Prometheus
from tests.e2e.programs import (
    Cache,
    MissingToolError,
    elasticsearch_home,
    filebeat_binary,
    find_jdk,
)
from tests.e2e.programs.prometheus import prometheus_binary
from tests.e2e.receiver import Receiver

ENVIRONMENT = "stack"
STREAMS = f"logs-flowery*-{ENVIRONMENT}"
FIRST_REQUESTS = 100
ARRIVED_WITHIN = 60.0  # seconds


@dataclass(frozen=True)
class Search:
    """A search that is worth a look, as the body of `_search`."""

    title: str
    body: dict[str, Any]


def searches(trace_id: str) -> list[Search]:
    """Return the searches that are shown; `trace_id` is one of a failed request."""
    by_service = {"terms": {"field": "service.name"}}
    latency = {"percentiles": {"field": "event.duration", "percents": [50, 95, 99]}}
    routes = {"terms": {"field": "labels.http_route"}, "aggs": {"nanoseconds": latency}}
    return [
        Search("How many events each service logged", _counted(by_service)),
        Search("One failed request over all services", _lines({"term": {"trace.id": trace_id}})),
        Search(
            "A Korean word, also with a particle behind it",
            _lines({"match_phrase": {"message.cjk": "주문"}}, 3),
        ),
        Search("Latency by route", _counted(routes)),
        Search(
            "What went wrong, by type",
            _counted({"terms": {"field": "error.type"}}),
        ),
    ]


QUERIES = {
    "Requests by service and status, asked of Prometheus": (
        "sum by (service_name, http_response_status_code) "
        "(http_server_request_duration_seconds_count)"
    ),
    "How many events each service logged, asked of Prometheus": (
        "sum by (service_name) (flowery_log_events_total)"
    ),
}


def _counted(aggregation: dict[str, Any]) -> dict[str, Any]:
    return {"size": 0, "aggs": {"by": aggregation}}


def _lines(query: dict[str, Any], size: int = 20) -> dict[str, Any]:
    fields = ["@timestamp", "service.name", "log.level", "message"]
    sort = ["@timestamp", "event.sequence"]
    return {"size": size, "query": query, "sort": sort, "_source": False, "fields": fields}


def main() -> int:
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.default_int_handler)
    os.environ["FLOWERY_SERVICE_ENVIRONMENT"] = ENVIRONMENT
    try:
        with tempfile.TemporaryDirectory(prefix="flowery-stack-") as folder:
            _run(Path(folder))
    except KeyboardInterrupt:
        print("\nAll of it has ended.")
    except (MissingToolError, StartError, services.ServiceError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(folder: Path) -> None:
    logs = folder / "logs"
    logs.mkdir()
    print("Starting Elasticsearch, the receiver, Filebeat and the shop …", flush=True)
    with _elasticsearch() as server, _receiver(server.url) as receiver:
        binary = filebeat_binary(Cache.from_environment())
        with Filebeat(binary, logs, receiver.address, folder):
            asyncio.run(_shop(folder, logs, server.url, receiver))


@contextmanager
def _elasticsearch() -> Iterator[Elasticsearch]:
    home = elasticsearch_home(Cache.from_environment())
    server = Elasticsearch(home, find_jdk())
    try:
        server.start()
        with ElasticsearchClient(server.url) as client:
            templates.install(client, home)
        yield server
    finally:
        server.close()


@contextmanager
def _receiver(url: str) -> Iterator[Receiver]:
    receiver = Receiver(url)
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.stop()


async def _shop(folder: Path, logs: Path, url: str, receiver: Receiver) -> None:
    binary = prometheus_binary(Cache.from_environment())
    async with services.shop(logs, metrics=True) as shop:
        ports = [service.metrics for service in shop.values() if service.metrics]
        with Prometheus(binary, folder, {"flowery": ports}) as prometheus:
            await _sell(shop["gateway"].url, logs, url, receiver, prometheus)


async def _sell(
    gateway: str, logs: Path, url: str, receiver: Receiver, prometheus: Prometheus
) -> None:
    outcome = await traffic.send(gateway, FIRST_REQUESTS, lambda _: None)
    await asyncio.to_thread(_show, url, gateway, logs, outcome)
    await asyncio.to_thread(_show_metrics, prometheus)
    task = asyncio.ensure_future(keep_buying(gateway, lambda _: None))
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
    counted = receiver.counters
    print(f"\n{counted.created} events delivered, {len(counted.rejected)} rejected.")


def _show(url: str, gateway: str, logs: Path, outcome: traffic.Outcome) -> None:
    with ElasticsearchClient(url) as client:
        failed = outcome.failed_traces[0]
        of_trace = {"term": {"trace.id": failed}}
        wait_until(lambda: client.count(STREAMS, of_trace) > 3, ARRIVED_WITHIN, 0.5)
        for search in searches(failed):
            _print(search, url, client.request("POST", f"/{STREAMS}/_search", search.body))
    print(f"\nElasticsearch  {url}/{STREAMS}/_search")
    print(f"The shop       {gateway}/docs")
    print(f"The log files  {logs}")


def _show_metrics(prometheus: Prometheus) -> None:
    wait_until(lambda: bool(prometheus.numbers("http_server_request_duration_seconds_count")))
    for title, promql in QUERIES.items():
        query = urllib.parse.urlencode({"query": promql})
        print(f"\n{title}\n{'─' * len(title)}")
        print(f"curl -s '{prometheus.url}/api/v1/query?{query}'")
        for labels, number in prometheus.numbers(promql):
            print(f"  {number:6.0f}  {' '.join(labels.values())}")
    print(f"\nPrometheus     {prometheus.url}/api/v1/query?query=up")
    print("Customers go on buying. Ctrl-C ends all of it.", flush=True)


def _print(search: Search, url: str, answer: dict[str, Any]) -> None:
    print(f"\n{search.title}\n{'─' * len(search.title)}")
    body = json.dumps(search.body, ensure_ascii=False)
    print(f"curl -s '{url}/{STREAMS}/_search' -H 'Content-Type: application/json' -d '{body}'")
    for bucket in answer.get("aggregations", {}).get("by", {}).get("buckets", ()):
        values = bucket.get("nanoseconds", {}).get("values", {})
        more = "".join(f"  p{float(p):.0f} {ns / 1e6:.1f} ms" for p, ns in values.items() if ns)
        print(f"  {bucket['doc_count']:6}  {bucket['key']}{more}")
    for hit in answer["hits"]["hits"]:
        print("  " + "  ".join(str(value[0]) for value in hit["fields"].values()))


if __name__ == "__main__":
    sys.exit(main())
