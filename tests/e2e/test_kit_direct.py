"""filebeat.elasticsearch.yml in the real Filebeat: it makes of each line what Logstash's filter does.

Its output is a file here, so that no server decides.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.kit.events import FOREIGN_STREAM, Case, cases

from .processes import wait_until
from .processes.filebeat import CONFIGURATION
from .programs import Cache, filebeat_binary

DIRECT = CONFIGURATION.with_name("filebeat.elasticsearch.yml")
# The cases whose event is a line of a file. A byte order mark Filebeat takes away itself.
LINES = [case for case in cases() if case.is_line and case.event["message"][0] != "\ufeff"]
MORE = (
    '{"entity_id":' + "[" * 100_000 + "]" * 100_000 + "}",
    "x" * 1_000_000,
    (
        '{"event":{"id":"e-2","sequence":2},"process":{"entity_id":"e"},'
        '"data_stream":{"dataset":"flowery"},"@metadata":{"_id":"mine","raw_index":"theirs"}}'
    ),
)
LARGE = 9_007_199_254_740_993  # JavaScript has no such number
NUMBER = (
    f'{{"event":{{"id":"e-3","sequence":3}},"process":{{"entity_id":"e","thread":{{"id":{LARGE}}}}},'
    '"data_stream":{"dataset":"flowery"}}'
)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What Filebeat sends for each line, in order; without a parser a file's lines keep it."""
    folder = tmp_path_factory.mktemp("direct")
    texts = [*(case.event["message"] for case in LINES), *MORE, NUMBER]
    (folder / "logs").mkdir()
    (folder / "logs" / "a.ndjson").write_text("".join(f"{text}\n" for text in texts))
    return run_filebeat(folder, len(texts))


def run_filebeat(folder: Path, count: int) -> list[dict[str, Any]]:
    settings = DIRECT.read_text()
    to_file = f"output.file: {{path: {folder}, filename: sent, rotate_every_kb: 1000000}}\n"
    configuration = folder / "filebeat.yml"
    configuration.write_text(settings[: settings.index("output.")] + to_file)
    command = [str(filebeat_binary(Cache.from_environment())), "-e", "--strict.perms=false"]
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [*command, "-c", str(configuration), "--path.home", str(folder / "home")],
            env=os.environ | {"FLOWERY_LOG_DIR": str(folder / "logs")},
            stderr=log,
        )
        try:
            assert wait_until(lambda: len(written(folder)) >= count), (folder / "log").read_text()
        finally:
            running.terminate()
            running.wait()
    events = [json.loads(line) for line in written(folder)]
    assert len(events) == count
    return events


def written(folder: Path) -> list[bytes]:
    return [line for path in folder.glob("sent*") for line in path.read_bytes().splitlines()]


def is_foreign(event: dict[str, Any]) -> bool:
    return bool(event["data_stream"]["dataset"] == "flowery.foreign")


@pytest.mark.parametrize("number", range(len(LINES)), ids=[case.name for case in LINES])
def test_a_line_goes_where_logstash_sends_it(sent: list[dict[str, Any]], number: int) -> None:
    case, event = LINES[number], sent[number]
    assert is_foreign(event) == (case.stream == FOREIGN_STREAM)
    if is_foreign(event):
        kept_as_one_string(event, case)
    else:
        decoded(event, case)


def kept_as_one_string(event: dict[str, Any], case: Case) -> None:
    assert event["message"] == case.event["message"]
    assert ("reason" in event.get("event", {})) == ("reason" in case.document["event"])
    allowed = {"@timestamp", "@metadata", "agent", "ecs", "host", "log", "message", "data_stream"}
    assert set(event) <= allowed | {"event"}
    assert len(event["@metadata"]["_id"]) == 64


def decoded(event: dict[str, Any], case: Case) -> None:
    assert event["@metadata"]["_id"] == case.id
    for name in ("event", "process", "log"):
        own = {key: value for key, value in case.document[name].items() if key != "ingested"}
        own.pop("file", None)
        assert own.items() <= event[name].items()
    assert event["message"] == case.document["message"]
    assert event["host"]["name"] == case.document["host"]["name"]


def test_each_foreign_line_has_an_id_of_its_own(sent: list[dict[str, Any]]) -> None:
    identities = [event["@metadata"]["_id"] for event in sent if is_foreign(event)]
    assert len(set(identities)) == len(identities)


def test_no_line_ends_filebeat_or_chooses_its_own_routing(sent: list[dict[str, Any]]) -> None:
    for text, event in zip(MORE, sent[len(LINES) :], strict=False):
        assert event["message"] == text
        assert is_foreign(event)
        assert event["@metadata"].keys() <= {"beat", "type", "version", "_id"}


def test_a_number_that_javascript_would_round_is_kept(sent: list[dict[str, Any]]) -> None:
    assert sent[-1]["process"]["thread"]["id"] == LARGE
