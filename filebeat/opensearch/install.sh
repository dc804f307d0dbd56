#!/bin/sh
# Installs the kit's templates by curl; `flowery-logging kit install` does the same.
# Where it goes: nowhere; run it in this folder, as often as you like.
# The last line succeeds once: see the ISM API for how to change a policy.
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
put '/_component_template/flowery@kept' 'component_templates/flowery@kept.json'
put '/_index_template/flowery' 'index_templates/flowery.json'
put '/_index_template/flowery.kept' 'index_templates/flowery.kept.json'
create '/_data_stream/logs-flowery.foreign-default'
create '/_data_stream/logs-flowery.dead_letters-default'
put '/_plugins/_ism/policies/flowery' 'ism_policies/flowery.json'
