"""Hostile calls from three services share one data stream, and no event is refused.

Half of the calls are the same in every run, half are random: FLOWERY_HOSTILE_SEED repeats them.
"""

from __future__ import annotations

import os
import random
import secrets
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from .elasticsearch_client import ElasticsearchClient
from .pipeline import at
from .processes import wait_until
from .sender import Sender

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import StartFilebeat
    from .receiver import Receiver

ROOT = Path(__file__).resolve().parents[2]
FIXED_SEED = 20260701
RANDOM_SEED = int(os.environ.get("FLOWERY_HOSTILE_SEED") or secrets.randbelow(10**9))
SERVICES = ("gateway", "orders", "courier")
CALLS = 3500  # of each service and seed
WINDOW = 500  # events that are sent at once
IGNORE_ABOVE = 8191  # of a label, as the kit's template says; an emoji counts for two
MORE_NAMES = 4_000  # each costs time: a thousand calls have twenty thousand
OWN_LOGGER = "flowery_logging"
SERVICES_END_WITHIN = 600
DELIVERED_WITHIN = 600


@dataclass(frozen=True)
class Written:
    """What the services have written, all calls of which have returned."""

    folder: Path
    environment: str
    lines: list[bytes]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("hostile")
    environment = f"hostile{secrets.token_hex(6)}"
    run_services(folder, environment)
    lines = [line for path in folder.glob("*.ndjson") for line in path.read_bytes().splitlines()]
    return Written(folder, environment, lines)


def run_services(folder: Path, environment: str) -> None:
    """Run all at once; `AssertionError` if a call of one did not return."""
    program = [sys.executable, "-m", "tests.e2e.hostile_service"]
    running = []
    for number, name in enumerate(SERVICES):
        seeds = (str(seed + number) for seed in (FIXED_SEED, RANDOM_SEED))
        arguments = [name, str(folder), environment, str(CALLS), *seeds]
        running.append(
            subprocess.Popen([*program, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        )
    try:
        printed = [service.communicate(timeout=SERVICES_END_WITHIN)[0] for service in running]
    finally:
        for service in running:
            service.kill()
            service.wait()
    assert printed == [f"{2 * CALLS}\n"] * len(SERVICES)


@pytest.fixture(autouse=True)
def _say_the_seed() -> None:
    print(f"FLOWERY_HOSTILE_SEED={RANDOM_SEED}")


def test_every_call_is_one_line(written: Written) -> None:
    events = [orjson.loads(line) for line in written.lines]
    logged = [event for event in events if event["log"]["logger"] != OWN_LOGGER]
    assert Counter(event["service"]["name"] for event in logged) == dict.fromkeys(
        SERVICES, 2 * CALLS
    )


def test_none_is_refused_whatever_came_before(
    elasticsearch: ElasticsearchClient, receiver: Receiver, written: Written, environment: str
) -> None:
    """In random order, and with room for twice as many names as the template has."""
    stream = f"logs-flowery-{environment}"
    first, *others = random.Random(RANDOM_SEED).sample(written.lines, len(written.lines))
    with Sender(receiver.address) as sender:
        deliver(sender, [first], environment)
        limit = {"index.mapping.total_fields.limit": MORE_NAMES}
        elasticsearch.request("PUT", f"/{stream}/_settings", limit)
        deliver(sender, others, environment)
    assert receiver.counters.rejected == []
    assert elasticsearch.count(stream) == len(written.lines)
    assert list(ignored_against_the_rules(elasticsearch, stream)) == []


def test_none_is_refused_or_misread_behind_filebeat(
    elasticsearch: ElasticsearchClient,
    receiver: Receiver,
    filebeat: StartFilebeat,
    written: Written,
) -> None:
    """With the template's own limit of names."""
    stream, count = f"logs-flowery-{written.environment}", len(written.lines)
    filebeat(written.folder)
    wait_until(lambda: elasticsearch.count(stream) >= count, DELIVERED_WITHIN)
    assert receiver.counters.rejected == []
    assert elasticsearch.count(stream) == count
    assert list(ignored_against_the_rules(elasticsearch, stream)) == []
    assert list(errors_of_the_parser(elasticsearch, stream, written.lines)) == []


def deliver(sender: Sender, lines: list[bytes], namespace: str) -> None:
    """Send windows as Filebeat does, each after the one before is safe, to a stream apart."""
    for start in range(0, len(lines), WINDOW):
        window = [orjson.loads(line) for line in lines[start : start + WINDOW]]
        for event in window:
            event["data_stream"]["namespace"] = namespace
        sender.send_events(window)
        while sender.acknowledged() != len(window):
            pass


def ignored_against_the_rules(
    elasticsearch: ElasticsearchClient, stream: str
) -> Iterator[tuple[str, Any]]:
    """Names and values that were not indexed, but for too long labels and surplus names."""
    mapping = elasticsearch.mapping(stream)
    for hit in elasticsearch.scroll(stream, ["*"], query={"exists": {"field": "_ignored"}}):
        for name in hit["_ignored"]:
            value = at(hit["_source"], name)
            if name in mapping and not (name.startswith("labels.") and is_long(value)):
                yield name, value


def is_long(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    texts = (value.encode("utf-16-le") for value in values if isinstance(value, str))
    return any(len(text) // 2 > IGNORE_ABOVE for text in texts)


def errors_of_the_parser(
    elasticsearch: ElasticsearchClient, stream: str, lines: list[bytes]
) -> Iterator[str]:
    """`error.message` where the line has none, or another: Filebeat puts its own there."""
    events = map(orjson.loads, lines)
    said = {event["event"]["id"]: at(event, "error.message") for event in events}
    fields = ["event.id", "error.message"]
    for hit in elasticsearch.scroll(stream, fields, query={"exists": {"field": "error.message"}}):
        found = hit["_source"]
        if found["error"]["message"] != said[found["event"]["id"]]:
            yield found["error"]["message"]
