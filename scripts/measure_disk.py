"""Disk that Elasticsearch needs for a million of the shop's events.

`python -m scripts.measure_disk [HOW_MANY]`; 200,000 by default.

The shop's own events, repeated with new IDs, traces, times and order numbers until there are
enough, go through the receiver's pipeline into the real Elasticsearch with the kit's templates;
measured after a merge to one segment. Its distribution lacks some field types; what stands in for
them (tests/e2e/substitutions.py) takes rather more room. One shard, no replica.
"""

from __future__ import annotations

import asyncio
import copy
import secrets
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import orjson

from examples.shop import report, services, traffic
from tests.e2e import templates
from tests.e2e.elasticsearch_client import ElasticsearchClient
from tests.e2e.pipeline import process
from tests.e2e.processes import Elasticsearch
from tests.e2e.programs import Cache, elasticsearch_home, find_jdk

REQUESTS = 400
BATCH = 1000
MILLION = 1_000_000


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_run_shop(Path(folder)))
        events = report.read(Path(folder))
    line_bytes = sum(len(orjson.dumps(event)) for event in events) / len(events)
    home = elasticsearch_home(Cache.from_environment())
    server = Elasticsearch(home, find_jdk())
    try:
        server.start()
        with ElasticsearchClient(server.url) as client:
            templates.install(client, home)
            size = _fill(client, islice(_more_like(events), wanted))
    finally:
        server.close()
    print(f"{wanted:,} events of {line_bytes:.0f} bytes a line: {size / wanted:.0f} bytes each,")
    print(f"{size / wanted * MILLION / 1e6:.0f} MB a million (lines: {line_bytes:.0f} MB)")


async def _run_shop(directory: Path) -> None:
    async with services.shop(directory) as shop:
        await traffic.send(shop["gateway"].url, REQUESTS, lambda _: None)


def _more_like(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the events again and again as those of one process, each time with other values."""
    entity, traces, start = secrets.token_hex(12), dict[str, str](), datetime.now(timezone.utc)
    for number, event in enumerate(cycle(events), 1):
        if number % len(events) == 1:
            traces.clear()
        fresh = copy.deepcopy(event)
        moment = start + timedelta(milliseconds=number * 3)
        fresh["@timestamp"] = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        fresh["event"] |= {"id": f"{entity}-{number}", "sequence": number}
        fresh["process"]["entity_id"] = entity
        if "trace" in fresh:
            fresh["trace"]["id"] = traces.setdefault(fresh["trace"]["id"], secrets.token_hex(16))
        yield fresh


def _fill(client: ElasticsearchClient, events: Iterator[dict[str, Any]]) -> int:
    """Return the bytes that the events take as documents of one segment."""
    now = datetime.now(timezone.utc)
    while batch := list(islice(events, BATCH)):
        lines: list[Any] = []
        for event in batch:
            document = process(event, now)
            lines += [{"create": {"_index": document.stream, "_id": document.id}}, document.body]
        failed = [result for result in client.bulk(lines) if "error" in result]
        if failed:
            raise RuntimeError(f"Elasticsearch refused an event: {failed[0]}")
    client.request("POST", "/logs-flowery*/_forcemerge?max_num_segments=1")
    client.request("POST", "/logs-flowery*/_flush")
    client.refresh()
    stats = client.request("GET", "/logs-flowery*/_stats/store")
    return int(stats["_all"]["primaries"]["store"]["size_in_bytes"])


if __name__ == "__main__":
    main()
