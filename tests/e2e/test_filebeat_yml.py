"""The settings of filebeat.yml without which events were lost, each with its reason."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from .processes.filebeat import CONFIGURATION


@pytest.fixture
def configuration() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(CONFIGURATION.read_text())
    return loaded


@pytest.fixture
def filestream(configuration: dict[str, Any]) -> dict[str, Any]:
    (only,) = configuration["filebeat.inputs"]
    assert isinstance(only, dict)
    return only


def test_files_are_told_apart_by_path(filestream: dict[str, Any]) -> None:
    # By inode, Filebeat takes a new file on a deleted file's inode for one it has read.
    assert "file_identity.path" in filestream
    assert [key for key in filestream if key.startswith("file_identity")] == ["file_identity.path"]


def test_removed_files_are_read_to_their_end(filestream: dict[str, Any]) -> None:
    # Else retention during an outage takes what is not shipped yet.
    assert filestream["close.on_state_change.removed"] is False


def test_files_are_closed_at_their_end_and_not_by_time(filestream: dict[str, Any]) -> None:
    # An outage longer than `inactive` strands what is unread until Filebeat restarts, also beside
    # `on_eof`; 0 switches the check off, which the defaults of 8.x and 9.x do not.
    assert filestream["close.reader.on_eof"] is True
    assert filestream["close.on_state_change.inactive"] == "0s"


def test_nothing_makes_filebeat_forget_or_pass_over_a_file(filestream: dict[str, Any]) -> None:
    forgetful = {"ignore_older", "clean_inactive", "harvester_limit"}
    assert forgetful.isdisjoint(filestream)
    # Switched off, it loses files silently on 9.x once file_identity is missing (its issue
    # 51559); left alone, the first record, padded and unique, is a good fingerprint there.
    assert not [key for key in filestream if "fingerprint" in key]


def test_the_id_is_the_one_that_was_released(filestream: dict[str, Any]) -> None:
    # Filebeat keeps its places under it: with another one every team's files are sent again.
    assert filestream["id"] == "flowery"


def test_compressed_files_are_left_out(filestream: dict[str, Any]) -> None:
    assert filestream["prospector.scanner.exclude_files"] == [r"\.gz$"]


def test_lines_go_out_as_they_stand(filestream: dict[str, Any]) -> None:
    # Decoded by Filebeat, one foreign line has Logstash close the connection for ever.
    assert "parsers" not in filestream


def test_the_registry_is_written_with_every_batch(configuration: dict[str, Any]) -> None:
    assert configuration["filebeat.registry.flush"] == "0s"


def test_the_host_that_the_line_names_stands(configuration: dict[str, Any]) -> None:
    assert configuration["processors"] == [
        {"add_host_metadata": {"replace_fields": False}},
        {"add_cloud_metadata": {"overwrite": False, "timeout": "1s"}},
    ]


def test_paths_and_hosts_come_from_the_environment(
    configuration: dict[str, Any], filestream: dict[str, Any]
) -> None:
    assert filestream["paths"] == ["${FLOWERY_LOG_DIR:/var/log/flowery}/*.ndjson"]
    assert configuration["output.logstash"]["hosts"] == '${LOGSTASH_HOSTS:["localhost:5044"]}'
