#!/bin/sh
# Installs the kit's templates by curl; `flowery-logging kit install` does the same.
# Where it goes: nowhere; run it in this folder, as often as you like.
# For ILM instead of the data stream's own lifecycle, take the # away twice.
# What to change: nothing. Set ELASTICSEARCH_URL and, where security is on, ELASTICSEARCH_API_KEY
# (as Elasticsearch shows it, "encoded"); CURL_CA_BUNDLE names a file of authorities to trust.
set -eu
url=${ELASTICSEARCH_URL:-https://localhost:9200}
put() {
  curl --silent --show-error --fail-with-body --request PUT "$url$1" \
    ${ELASTICSEARCH_API_KEY:+--header "Authorization: ApiKey $ELASTICSEARCH_API_KEY"} \
    --header 'Content-Type: application/json' --data-binary "@$2"
  echo "  $1"
}
# A stream that is there stays.
create() {
  curl --silent --fail --output /dev/null "$url$1" \
    ${ELASTICSEARCH_API_KEY:+--header "Authorization: ApiKey $ELASTICSEARCH_API_KEY"} ||
    curl --silent --show-error --fail-with-body --request PUT "$url$1" \
      ${ELASTICSEARCH_API_KEY:+--header "Authorization: ApiKey $ELASTICSEARCH_API_KEY"}
  echo "  $1"
}
put '/_ingest/pipeline/flowery@arrival' 'ingest_pipelines/flowery@arrival.json'
put '/_component_template/flowery@mappings' 'component_templates/flowery@mappings.json'
put '/_component_template/flowery@settings' 'component_templates/flowery@settings.json'
put '/_component_template/flowery@retention' 'component_templates/flowery@retention.json'
put '/_component_template/flowery@kept' 'component_templates/flowery@kept.json'
# put '/_ilm/policy/flowery' 'ilm_policies/flowery.json'
# put '/_component_template/flowery@ilm' 'component_templates/flowery@ilm.json'
put '/_index_template/flowery' 'index_templates/flowery.json'
put '/_index_template/flowery.kept' 'index_templates/flowery.kept.json'
create '/_data_stream/logs-flowery.foreign-default'
create '/_data_stream/logs-flowery.dead_letters-default'
put '/_security/role/flowery_writer' 'roles/flowery_writer.json'
put '/_security/role/flowery_reader' 'roles/flowery_reader.json'
put '/_security/role/flowery_monitor' 'roles/flowery_monitor.json'
