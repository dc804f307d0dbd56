"""All four Filebeat files read files alike, add without replacing and hold no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

KIT = Path(__file__).resolve().parents[2] / "filebeat"
FROM_FILES = ("filebeat.yml", "filebeat.elasticsearch.yml", "filebeat.kafka.yml")
ALL = (*FROM_FILES, "filebeat.kubernetes.yml")
SHARED = ("filebeat.registry.flush", "filebeat.shutdown_timeout", "timestamp.precision")
SHARED_SETUP = ("setup.template.enabled", "setup.ilm.enabled")
# The library's limit of a line, and room for Filebeat's metadata and the escapes of JSON.
LINE_LIMIT = 32_000


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((KIT / name).read_text())
    return loaded


def container_input() -> dict[str, Any]:
    (provider,) = load("filebeat.kubernetes.yml")["filebeat.autodiscover"]["providers"]
    (template,) = provider["templates"]
    (only,) = template["config"]
    assert isinstance(only, dict)
    return only


def processors(name: str) -> dict[str, Any]:
    return {kind: options for entry in load(name)["processors"] for kind, options in entry.items()}


@pytest.mark.parametrize("name", FROM_FILES[1:])
def test_the_input_is_the_one_of_filebeat_yml(name: str) -> None:
    assert load(name)["filebeat.inputs"] == load("filebeat.yml")["filebeat.inputs"]


@pytest.mark.parametrize("name", ALL[1:])
def test_what_keeps_events_safe_is_set_everywhere(name: str) -> None:
    reference = load("filebeat.yml")
    for setting in (*SHARED, *SHARED_SETUP):
        assert load(name)[setting] == reference[setting]


def test_containers_lines_go_out_as_they_stand() -> None:
    assert container_input()["parsers"] == [{"container": {"stream": "stdout"}}]


def test_a_containers_line_keeps_its_id_when_the_pod_of_filebeat_is_another() -> None:
    # agent.name is part of a foreign line's ID, and would be the pod's name.
    assert load("filebeat.kubernetes.yml")["name"] == "${NODE_NAME}"


def test_containers_files_are_renamed_so_the_path_is_no_identity() -> None:
    settings = container_input()
    assert "file_identity.fingerprint" in settings
    assert settings["prospector.scanner.fingerprint.enabled"] is True
    assert settings["close.on_state_change.removed"] is False


@pytest.mark.parametrize("name", ALL)
def test_metadata_is_added_and_replaces_nothing(name: str) -> None:
    assert processors(name)["add_host_metadata"]["replace_fields"] is False
    assert processors(name)["add_cloud_metadata"]["overwrite"] is False


def test_kafka_takes_every_line_and_confirms_each_on_all_replicas() -> None:
    output = load("filebeat.kafka.yml")["output.kafka"]
    assert output["required_acks"] == -1
    assert output["key"] == "%{[@metadata.partition]}"
    cut = processors("filebeat.kafka.yml")["truncate_fields"]["max_bytes"]
    assert 4 * LINE_LIMIT < cut < output["max_message_bytes"] < 1_048_588


@pytest.mark.parametrize("name", ALL)
def test_hosts_and_credentials_come_from_the_environment(name: str) -> None:
    ((output, settings),) = [
        (key, value) for key, value in load(name).items() if key.startswith("output.")
    ]
    outside = {"ssl.certificate", "ssl.key", "ssl.enabled"}
    outside |= {"hosts", "username", "password", "api_key", "topic", "ssl.certificate_authorities"}
    found = {key: settings[key] for key in outside & set(settings)}
    assert "hosts" in found, output
    assert all(str(value).startswith("${") for value in found.values())


@pytest.mark.parametrize("name", ["filebeat.yml", "filebeat.kubernetes.yml"])
def test_the_way_to_logstash_is_secured_unless_it_is_switched_off(name: str) -> None:
    output = load(name)["output.logstash"]
    assert output["ssl.enabled"] == "${LOGSTASH_TLS:true}"
    assert {"ssl.certificate", "ssl.key", "ssl.certificate_authorities"} <= set(output)


@pytest.mark.parametrize("name", FROM_FILES)
def test_its_own_numbers_are_for_this_machine_alone(name: str) -> None:
    assert load(name)["http.host"] == "127.0.0.1"
    assert load(name)["http.enabled"] == "${FILEBEAT_HTTP:false}"


def test_the_manifest_mounts_what_the_configuration_reads() -> None:
    documents = list(yaml.safe_load_all((KIT / "kubernetes" / "daemonset.yml").read_text()))
    (daemonset,) = [entry for entry in documents if entry["kind"] == "DaemonSet"]
    pod = daemonset["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (path,) = container_input()["paths"]
    mounted = [mount["mountPath"] for mount in container["volumeMounts"]]
    assert any(path.startswith(folder) for folder in mounted)
    assert {volume["name"] for volume in pod["volumes"]} == {
        mount["name"] for mount in container["volumeMounts"]
    }
    named = {entry["name"] for entry in container["env"]}
    assert {"NODE_NAME", "LOGSTASH_HOSTS"} <= named
    accounts = {entry["metadata"]["name"] for entry in documents}
    assert accounts == {pod["serviceAccountName"]}
