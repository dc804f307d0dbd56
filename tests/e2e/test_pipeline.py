"""What becomes of one event: ours by its fields, everything else as one string."""

from __future__ import annotations

import copy
import json
from datetime import datetime, timezone
from typing import Any

import pytest

from .pipeline import FOREIGN_STREAM, process

NOW = datetime(2026, 7, 1, 12, 0, 1, 500, tzinfo=timezone.utc)


def from_filebeat(**fields: Any) -> dict[str, Any]:
    """An event as Filebeat sends it, with the line's fields."""
    return {
        "@timestamp": "2026-07-01T12:00:00.000Z",
        "@metadata": {"beat": "filebeat", "version": "7.17.29"},
        "agent": {"name": "vm", "hostname": "vm"},
        "input": {"type": "filestream"},
        "host": {"name": "h", "containerized": False, "os": {"name": "Debian", "codename": "x"}},
        "log": {"offset": 44, "file": {"path": "/logs/a.ndjson"}},
    } | fields


def ours(**fields: Any) -> dict[str, Any]:
    """An event that the library wrote."""
    own = {
        "message": "hello",
        "event": {"id": "e-1", "sequence": 1},
        "process": {"entity_id": "e"},
        "data_stream": {"type": "logs", "dataset": "flowery", "namespace": "prod"},
    }
    return from_filebeat(**own) | fields


def test_ours_goes_to_the_stream_and_id_that_it_names() -> None:
    document = process(ours(), NOW)
    assert (document.stream, document.id) == ("logs-flowery-prod", "e-1")


def test_ours_is_stamped_with_its_arrival_and_lag() -> None:
    body = process(ours(), NOW).body
    assert body["event"]["ingested"] == "2026-07-01T12:00:01.000500Z"
    assert body["numeric_labels"] == {"delivery_lag_ms": 1000.5}


def test_a_clock_that_is_ahead_shows_as_a_negative_lag() -> None:
    ahead = ours(**{"@timestamp": "2026-07-01T12:00:02.000500Z"})
    assert process(ahead, NOW).body["numeric_labels"]["delivery_lag_ms"] == -1000


def test_what_shippers_add_beyond_ecs_is_taken_off() -> None:
    body = process(ours(), NOW).body
    assert "@metadata" not in body
    assert "input" not in body
    assert body["log"] == {"file": {"path": "/logs/a.ndjson"}}
    assert body["agent"] == {"name": "vm"}
    assert body["host"] == {"name": "h", "os": {"name": "Debian"}}


def test_the_event_stays_as_it_was() -> None:
    event = ours(numeric_labels={"a": 1})
    before = copy.deepcopy(event)
    process(event, NOW)
    assert event == before


@pytest.mark.parametrize(
    "lacking",
    [
        {"event": {"id": "e-1"}},
        {"event": {"sequence": 1}},
        {"event": {"id": "e-1", "sequence": "1"}},
        {"event": {"id": "e-1", "sequence": True}},
        {"event": {"id": {}, "sequence": 1}},
        {"event": "x"},
        {"process": {}},
        {"process": "x"},
        {"data_stream": {"type": "logs"}},
        {"data_stream": "s"},
    ],
)
def test_what_lacks_one_of_our_marks_is_foreign(lacking: dict[str, Any]) -> None:
    document = process(ours(**lacking), NOW)
    assert document.stream == FOREIGN_STREAM
    assert json.loads(document.body["message"])["event"] == lacking.get("event", ours()["event"])


def test_a_line_is_decoded_here_and_wins_over_what_filebeat_says() -> None:
    line = ours(host={"name": "web-1"}, **{"log.level": "info"})
    for name in ("@timestamp", "@metadata", "agent", "input", "log"):
        line.pop(name)
    document = process(from_filebeat(message=json.dumps(line)), NOW)
    assert document.id == "e-1"
    assert document.body["message"] == "hello"
    assert document.body["host"] == {"name": "web-1", "os": {"name": "Debian"}}
    assert document.body["log"] == {"level": "info", "file": {"path": "/logs/a.ndjson"}}


def test_a_line_that_is_no_event_of_ours_is_kept_as_it_stood() -> None:
    document = process(from_filebeat(message='{"message":"x","tags":{}}'), NOW)
    assert document.body["message"] == '{"message":"x","tags":{}}'


def test_what_an_older_filebeat_has_decoded_is_kept_whole() -> None:
    document = process(from_filebeat(message="m", more="kept"), NOW)
    assert json.loads(document.body["message"])["more"] == "kept"


def test_a_foreign_line_is_known_by_its_place_and_content() -> None:
    first = process(from_filebeat(message="x"), NOW).id
    assert first == process(from_filebeat(message="x", **{"@timestamp": "2027"}), NOW).id
    elsewhere = {"offset": 45, "file": {"path": "/logs/a.ndjson"}}
    others: list[dict[str, Any]] = [
        {"message": "y"},
        {"message": "x", "log": elsewhere},
        {"message": "x", "agent": {"name": "vm-2"}},
    ]
    assert first not in {process(from_filebeat(**other), NOW).id for other in others}


def test_what_the_role_does_not_allow_is_kept_as_foreign_with_the_reason() -> None:
    document = process(ours(data_stream={"type": "logs", "dataset": "payments"}), NOW)
    assert document.stream == FOREIGN_STREAM
    assert "payments" in document.body["event"]["reason"]


@pytest.mark.parametrize("log", ["text", {}, {"file": "x", "offset": 1}, {"file": {"path": "/p"}}])
def test_a_foreign_line_without_a_place_gets_its_id_from_elasticsearch(log: Any) -> None:
    assert process(from_filebeat(message="x", log=log), NOW).id is None


def test_a_time_that_no_index_can_hold_becomes_now() -> None:
    old = from_filebeat(**{"@timestamp": "1812-06-24T00:00:00.000Z"})
    assert process(old, NOW).body["@timestamp"] == "2026-07-01T12:00:01.000500Z"
