"""Disk that Elasticsearch needs for one of the shop's events, by template.

`python -m scripts.measure_disk [HOW_MANY]`; 60,000 by default. Prints a table: the kit's templates
and the same with every field indexed, in indices of the modes standard and logsdb.

The shop's own events, repeated with new IDs, traces, times and order numbers until there are
enough, go through the receiver's pipeline into the real Elasticsearch; measured after a merge to
one segment. Its distribution lacks some field types; what stands in for them
(tests/e2e/substitutions.py) takes rather more room. One shard, no replica.
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
MODES = ("standard", "logsdb")


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_run_shop(Path(folder)))
        events = report.read(Path(folder))
    line_bytes = sum(len(orjson.dumps(event)) for event in events) / len(events)
    print(f"{wanted:,} events, {line_bytes:.0f} bytes a line in the file\n")
    print("| bytes an event | standard | logsdb |\n|---|--:|--:|")
    home = elasticsearch_home(Cache.from_environment())
    for title, tuned in (("every field indexed", False), ("as the kit has it", True)):
        sizes = (_measured(home, events, wanted, mode, tuned=tuned) for mode in MODES)
        print(f"| {title} | {' | '.join(f'{size:.0f}' for size in sizes)} |", flush=True)


def _measured(
    home: Path, events: list[dict[str, Any]], wanted: int, mode: str, *, tuned: bool
) -> float:
    """Return the bytes of one event, in an Elasticsearch of its own."""
    server = Elasticsearch(home, find_jdk())
    try:
        server.start()
        with ElasticsearchClient(server.url) as client:
            templates.install(client, home)
            _change(client, mode, tuned=tuned)
            return _fill(client, islice(_more_like(events), wanted)) / wanted
    finally:
        server.close()


def _change(client: ElasticsearchClient, mode: str, *, tuned: bool) -> None:
    """Put the two component templates again, in the mode and with or without the tuning."""
    for name in ("flowery@settings", "flowery@mappings"):
        path = f"/_component_template/{name}"
        found = client.request("GET", path)["component_templates"][0]["component_template"]
        body = {"template": found["template"], "_meta": found["_meta"]}
        if name == "flowery@settings":
            body["template"]["settings"]["index"]["mode"] = mode
        elif not tuned:
            _index_all(body["template"]["mappings"]["properties"])
        client.request("PUT", path, body)


def _index_all(properties: dict[str, Any]) -> None:
    for mapping in properties.values():
        if mapping.get("doc_values", True):
            mapping.pop("index", None)
        _index_all(mapping.get("properties", {}))


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
