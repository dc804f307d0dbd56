"""What others write into the folder is kept, as one string, in a stream of its own."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

import pytest

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
# It overwrites Filebeat's own log.file.path and log.offset, so nothing tells where it stood.
PLACELESS = '{{"mark": "{mark}", "log": "text"}}'


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
    undecodable = {line for line in lines if line[0] != "{" or "NaN" in line}
    assert undecodable <= set(kept)
    decoded = [json.loads(text) for text in set(kept) - undecodable]
    assert sorted(str(event.get("message")) for event in decoded if "message" in event) == [
        "long ago",
        "m",
        "other",
        "{'a': 1}",
    ]


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
