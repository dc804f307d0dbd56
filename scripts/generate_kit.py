"""Writes the files of the kit that are made from others: `python -m scripts.generate_kit`.

filebeat/opensearch/ and both install.sh come from filebeat/elasticsearch/ by the code of
`flowery-logging kit`; filebeat/kibana/ and filebeat/prometheus/grafana/ come from
scripts/kibana/panels.py and queries.py, Kibana's rules from rules.py. Both whole pipelines of
Logstash take their filter from flowery-filter.conf.
"""

from __future__ import annotations

import json
from pathlib import Path

from flowery_logging.cli.kit.files import kit_folder
from flowery_logging.cli.kit.opensearch import for_opensearch
from flowery_logging.cli.kit.requests import Choices, Request, requests
from scripts.kibana.grafana import dashboards
from scripts.kibana.lens import ndjson
from scripts.kibana.rules import CONNECTORS, RULES, rule

_INSTALL = """\
#!/bin/sh
# Installs the kit's templates by curl; `flowery-logging kit install` does the same.
# Where it goes: nowhere; run it in this folder, as often as you like.
# {remark}
# What to change: nothing. Set ELASTICSEARCH_URL and, where security is on, ELASTICSEARCH_API_KEY
# (as Elasticsearch shows it, "encoded"); CURL_CA_BUNDLE names a file of authorities to trust.
set -eu
url=${{ELASTICSEARCH_URL:-https://localhost:9200}}
put() {{
  curl --silent --show-error --fail-with-body --request PUT "$url$1" \\
    ${{ELASTICSEARCH_API_KEY:+--header "Authorization: ApiKey $ELASTICSEARCH_API_KEY"}} \\
    --header 'Content-Type: application/json' --data-binary "@$2"
  echo "  $1"
}}
# A stream that is there stays.
create() {{
  curl --silent --fail --output /dev/null "$url$1" \\
    ${{ELASTICSEARCH_API_KEY:+--header "Authorization: ApiKey $ELASTICSEARCH_API_KEY"}} ||
    curl --silent --show-error --fail-with-body --request PUT "$url$1" \\
      ${{ELASTICSEARCH_API_KEY:+--header "Authorization: ApiKey $ELASTICSEARCH_API_KEY"}}
  echo "  $1"
}}
{lines}
"""
_REMARKS = {
    "elasticsearch": "For ILM instead of the data stream's own lifecycle, take the # away twice.",
    "opensearch": "The last line succeeds once: see the ISM API for how to change a policy.",
}
_ONLY_FOR_ILM = ("ilm_policies", "flowery@ilm")


def generated(kit: Path) -> dict[Path, str]:
    """Return the text of every generated file, by its path below the kit's folder."""
    found = requests(kit, Choices(ilm=True))
    variant = for_opensearch(requests(kit, Choices()))
    texts = {
        Path("elasticsearch", "install.sh"): _install_script("elasticsearch", found),
        Path("opensearch", "install.sh"): _install_script("opensearch", variant),
        Path("kibana", "flowery.ndjson"): ndjson(),
    }
    watched = {f"rules/{source.id}": rule(source) for source in RULES}
    for name, body in (
        watched | {f"connectors/{id_}": of for id_, of in CONNECTORS.items()}
    ).items():
        texts[Path("kibana", f"{name}.json")] = (
            json.dumps(body, indent=2, ensure_ascii=False) + "\n"
        )
    for name, body in dashboards().items():
        texts[Path("prometheus", "grafana", f"{name}.json")] = (
            json.dumps(body, indent=2, ensure_ascii=False) + "\n"
        )
    for name in ("flowery.conf", "flowery-kafka.conf"):
        texts[Path("logstash", name)] = _with_filter(kit / "logstash", name)
    for request in variant:
        if request.body is None:
            continue
        text = json.dumps(request.body, indent=2, ensure_ascii=False) + "\n"
        texts[Path("opensearch") / request.file] = text
    return texts


def _with_filter(folder: Path, name: str) -> str:
    """Return a pipeline with the filter of flowery-filter.conf between its input and output."""
    whole, snippet = ((folder / file).read_text("utf-8") for file in (name, "flowery-filter.conf"))
    before, after = whole[: whole.index("filter {\n")], whole[whole.index("output {\n") :]
    return f"{before}{snippet[snippet.index('filter {') :]}\n{after}"


def _install_script(server: str, found: list[Request]) -> str:
    lines = []
    for request in found:
        if request.body is None:
            lines.append(f"create '{request.path}'")
            continue
        optional = "# " if {request.folder, request.name} & set(_ONLY_FOR_ILM) else ""
        lines.append(f"{optional}put '{request.path}' '{request.file}'")
    return _INSTALL.format(remark=_REMARKS[server], lines="\n".join(lines))


def main() -> None:
    kit = kit_folder()
    for relative, text in generated(kit).items():
        path = kit / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        if path.suffix == ".sh":
            path.chmod(0o755)


if __name__ == "__main__":
    main()
