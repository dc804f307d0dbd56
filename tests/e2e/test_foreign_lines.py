"""What others write into the folder is kept, as one string, in a stream of its own."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from examples.shop import report, services, traffic

from .foreign_lines import as_kept, foreign_lines
from .pipeline import FOREIGN_STREAM
from .processes import wait_until
from .producer import Producer

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import StartFilebeat, WaitUntilDelivered
    from .elasticsearch_client import ElasticsearchClient
    from .receiver import Receiver

# Each with a mark that finds it; the second of a pair has the other type for the same key.
LINES = (
    "plain text {mark}",
    "[1, 2]{mark}",
    '{{"no": NaN, "mark": "{mark}"}}',
    '{{"mark": "{mark}", "event": "x", "message": {{"a": 1}}}}',
    '{{"mark": "{mark}", "event": {{"id": "an-id-of-its-own"}}, "message": "m"}}',
    '{{"mark": "{mark}", "event": {{"id": "an-id-of-its-own"}}, "message": "other"}}',
    '{{"mark": "{mark}", "host": "web-1", "data_stream": "s"}}',
    '{{"mark": "{mark}", "host": {{"name": {{"deep": 1}}}}, "data_stream": {{"dataset": "A B"}}}}',
    '{{"mark": "{mark}", "log": {{"level": {{"n": 1}}}}, "labels": "none", "type": "t"}}',
    '{{"mark": "{mark}", "@timestamp": "1812-06-24T00:00:00Z", "message": "long ago"}}',
)
# Its own log says nothing: the place is what Filebeat knows.
PLACELESS = '{{"mark": "{mark}", "log": "text"}}'
SEED = int(os.environ.get("FLOWERY_FOREIGN_SEED") or secrets.randbelow(10**9))
HOSTILE = 5_000
REQUESTS = 60
DELIVERED_WITHIN = 600


@pytest.fixture
def mark() -> str:
    return f"mark{secrets.token_hex(6)}"


def test_foreign_lines_are_kept_and_disturb_nothing(
    elasticsearch: ElasticsearchClient,
    receiver: Receiver,
    filebeat: StartFilebeat,
    wait_until_delivered: WaitUntilDelivered,
    log_dir: Path,
    environment: str,
    mark: str,
) -> None:
    lines = [line.format(mark=mark) for line in (*LINES, PLACELESS)]
    (log_dir / "foreign.ndjson").write_text("\n".join(lines) + "\n")
    Producer(log_dir, environment).write_many(10)
    filebeat(log_dir)
    wait_until_delivered(10)
    query = {"match_phrase": {"message.cjk": mark}}
    assert wait_until(lambda: elasticsearch.count(FOREIGN_STREAM, query) == len(lines))
    assert receiver.counters.rejected == []
    kept = [hit["message"] for hit in elasticsearch.search(FOREIGN_STREAM, query)]
    assert sorted(kept) == sorted(lines)


def test_a_foreign_line_that_is_sent_twice_is_kept_once(
    elasticsearch: ElasticsearchClient,
    receiver: Receiver,
    filebeat: StartFilebeat,
    log_dir: Path,
    mark: str,
) -> None:
    lines = [line.format(mark=mark) for line in LINES]
    (log_dir / "foreign.ndjson").write_text("\n".join(lines) + "\n")
    filebeat(log_dir)
    assert wait_until(lambda: receiver.counters.created == len(lines))
    # Another registry: the same file is read and sent a second time.
    filebeat(log_dir)
    assert wait_until(lambda: receiver.counters.duplicates == len(lines))
    query = {"match_phrase": {"message.cjk": mark}}
    assert elasticsearch.count(FOREIGN_STREAM, query) == len(lines)


def test_hostile_lines_beside_the_shop_are_each_kept_once_and_stop_nothing(
    elasticsearch: ElasticsearchClient,
    receiver: Receiver,
    filebeat: StartFilebeat,
    log_dir: Path,
    environment: str,
    streams: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    print(f"FLOWERY_FOREIGN_SEED={SEED}")
    monkeypatch.setenv("FLOWERY_SERVICE_ENVIRONMENT", environment)
    path = log_dir / "hostile.ndjson"
    lines = foreign_lines(HOSTILE, SEED)
    path.write_bytes(b"\n".join(lines) + b"\n")
    filebeat(log_dir)
    asyncio.run(_shop(log_dir))
    files = [file for file in log_dir.glob("*.ndjson") if file != path]
    own = [event["event"]["id"] for event in report.events(files)]
    there = wait_until(
        lambda: receiver.counters.created >= len(own) + len(lines), DELIVERED_WITHIN, interval=0.5
    )
    assert receiver.counters.hung_up == []
    assert there, receiver.counters
    assert receiver.counters.rejected == []
    assert receiver.counters.duplicates == 0
    found = elasticsearch.scroll(streams, ["event.id"])
    assert sorted(hit["_source"]["event"]["id"] for hit in found) == sorted(own)
    kept = elasticsearch.scroll(
        FOREIGN_STREAM, ["message"], {"term": {"log.file.path": str(path)}}, 500
    )
    assert Counter(hit["_source"]["message"] for hit in kept) == Counter(map(as_kept, lines))


async def _shop(directory: Path) -> None:
    async with services.shop(directory) as shop:
        outcome = await traffic.send(shop["gateway"].url, REQUESTS, lambda _: None)
        assert outcome.wrong == []
