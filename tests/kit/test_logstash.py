"""The Logstash files: options that exist, one filter in all of them, no secret in any."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.kit.logstash_conf import Plugin, plugins

KIT = Path(__file__).resolve().parents[2] / "filebeat" / "logstash"
WHOLE = ("flowery.conf", "flowery-kafka.conf")
FILES = tuple(path.name for path in sorted(KIT.glob("*.conf")))

# The options of the plugins' documentation for Logstash 8.19 and 9.x (beats input 7.0, kafka
# integration 11 and 12, elasticsearch output 12, dead_letter_queue input 2.0, ruby filter 3.1, json
# codec 3.1); names that 9.x has dropped (`ssl`, `cacert`, `ssl_verify_mode`) are not among them.
OPTIONS = {
    ("input", "beats"): """
        add_hostname client_inactivity_timeout ecs_compatibility enrich event_loop_threads
        executor_threads host include_codec_tag port ssl_certificate ssl_certificate_authorities
        ssl_cipher_suites ssl_client_authentication ssl_enabled ssl_handshake_timeout ssl_key
        ssl_key_passphrase ssl_peer_metadata ssl_supported_protocols""",
    ("input", "kafka"): """
        auto_commit_interval_ms auto_create_topics auto_offset_reset bootstrap_servers check_crcs
        client_dns_lookup client_id client_rack codec connections_max_idle_ms consumer_threads
        decorate_events enable_auto_commit exclude_internal_topics fetch_max_bytes
        fetch_max_wait_ms fetch_min_bytes group_id group_instance_id heartbeat_interval_ms
        isolation_level jaas_path kerberos_config key_deserializer_class
        max_partition_fetch_bytes max_poll_interval_ms max_poll_records metadata_max_age_ms
        partition_assignment_strategy poll_timeout_ms receive_buffer_bytes reconnect_backoff_ms
        request_timeout_ms retry_backoff_ms sasl_jaas_config sasl_kerberos_service_name
        sasl_mechanism security_protocol send_buffer_bytes session_timeout_ms
        ssl_endpoint_identification_algorithm ssl_key_password ssl_keystore_location
        ssl_keystore_password ssl_keystore_type ssl_truststore_location ssl_truststore_password
        ssl_truststore_type topics topics_pattern value_deserializer_class""",
    ("input", "dead_letter_queue"): """
        clean_consumed commit_offsets path pipeline_id sincedb_path start_timestamp""",
    ("filter", "ruby"): "code init path script_params tag_on_exception tag_with_exception_message",
    ("codec", "json"): "charset ecs_compatibility target",
    ("output", "elasticsearch"): """
        action api_key bulk_path ca_trusted_fingerprint cloud_auth cloud_id compression_level
        custom_headers data_stream data_stream_auto_routing data_stream_dataset
        data_stream_namespace data_stream_sync_fields data_stream_type
        dlq_custom_codes dlq_on_failed_indexname_interpolation doc_as_upsert document_id
        document_type drop_error_types_in_dead_letter_queue ecs_compatibility healthcheck_path
        hosts http_compression ilm_enabled ilm_pattern ilm_policy ilm_rollover_alias index join_field
        manage_template parameters parent password path pipeline pool_max pool_max_per_route proxy
        resurrect_delay retry_initial_interval retry_max_interval retry_on_conflict routing script
        script_lang script_type script_var_name scripted_upsert silence_errors_in_log sniffing
        sniffing_delay sniffing_path ssl_certificate ssl_certificate_authorities ssl_cipher_suites
        ssl_enabled ssl_key ssl_keystore_password ssl_keystore_path ssl_keystore_type
        ssl_supported_protocols ssl_truststore_password ssl_truststore_path ssl_truststore_type
        ssl_verification_mode template template_api template_name template_overwrite timeout upsert
        user validate_after_inactivity version version_type""",
}
COMMON = {
    "id",
    "enable_metric",
    "add_field",
    "remove_field",
    "add_tag",
    "remove_tag",
    "tags",
    "type",
}


def read(name: str) -> list[Plugin]:
    return plugins((KIT / name).read_text())


def only(name: str, section: str, plugin: str) -> list[Plugin]:
    found = [entry for entry in read(name) if (entry.section, entry.name) == (section, plugin)]
    assert found
    return found


@pytest.mark.parametrize("name", FILES)
def test_every_option_is_one_that_the_plugin_has(name: str) -> None:
    for plugin in read(name):
        known = set(OPTIONS[plugin.section, plugin.name].split()) | COMMON
        assert set(plugin.options) <= known, plugin.name


def test_events_come_only_from_those_whom_the_teams_authority_knows() -> None:
    (beats,) = only("flowery.conf", "input", "beats")
    assert beats.options["host"] == "${BEATS_HOST:127.0.0.1}"
    assert beats.options["ssl_enabled"] == "true"
    assert beats.options["ssl_client_authentication"] == "required"
    assert {"ssl_certificate", "ssl_key", "ssl_certificate_authorities"} <= set(beats.options)


def test_the_input_adds_nothing_to_an_event() -> None:
    # Otherwise each message stands twice, the second time as event.original.
    (beats,) = only("flowery.conf", "input", "beats")
    assert beats.options["enrich"] == "none"
    assert "codec" not in beats.options
    (codec,) = only("flowery-kafka.conf", "codec", "json")
    assert codec.options == {"ecs_compatibility": "disabled"}


@pytest.mark.parametrize("name", WHOLE)
def test_the_filter_is_the_one_of_the_snippet(name: str) -> None:
    assert only(name, "filter", "ruby") == only("flowery-filter.conf", "filter", "ruby")


@pytest.mark.parametrize("name", [*WHOLE, "flowery-dead-letters.conf"])
def test_a_document_gets_the_events_id_only_where_there_is_one(name: str) -> None:
    # A missing ID would be the text %{…}, the same for all, and all but one would be lost.
    with_id, without = only(name, "output", "elasticsearch")
    assert with_id.options.pop("document_id") == "%{[@metadata][document_id]}"
    silenced = with_id.options.pop("silence_errors_in_log")
    assert silenced == ["version_conflict_engine_exception"]
    assert with_id.options == without.options
    assert without.options["data_stream"] == "true"
    assert without.options["manage_template"] == "false"
    assert "if [@metadata][document_id] {" in (KIT / name).read_text()


@pytest.mark.parametrize("name", [*WHOLE, "flowery-dead-letters.conf"])
def test_credentials_come_from_outside(name: str) -> None:
    for output in only(name, "output", "elasticsearch"):
        assert output.options["api_key"] == "${ELASTICSEARCH_API_KEY}"


def test_kafkas_place_is_noted_after_the_events_are_in_the_queue() -> None:
    (kafka,) = only("flowery-kafka.conf", "input", "kafka")
    assert kafka.options["enable_auto_commit"] == "false"
    assert kafka.options["auto_offset_reset"] == "earliest"


def test_the_queue_is_on_disk_and_dead_letters_are_kept_and_read() -> None:
    shipping, dead = yaml.safe_load((KIT / "pipelines.yml").read_text())
    assert shipping["queue.type"] == "persisted"
    assert shipping["dead_letter_queue.enable"] is True
    (queue,) = only("flowery-dead-letters.conf", "input", "dead_letter_queue")
    assert queue.options["pipeline_id"] == "${DEAD_LETTER_PIPELINE:" + shipping["pipeline.id"] + "}"
    assert dead["dead_letter_queue.enable"] is False


def test_backslashes_in_the_filters_code_mean_what_they_say() -> None:
    settings = yaml.safe_load((KIT / "logstash.yml").read_text())
    assert settings["config.support_escapes"] is False
