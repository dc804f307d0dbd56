"""Installs the kit's templates, composed with the stock ones, into the real Elasticsearch."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowery_logging.cli.kit.requests import Choices, requests

from .substitutions import substitute

if TYPE_CHECKING:
    from .elasticsearch_client import ElasticsearchClient

KIT = Path(__file__).resolve().parents[2] / "filebeat"

# A full Elasticsearch installs these itself; here they lie unused in a jar of the distribution.
STOCK = ("logs@mappings", "logs@settings", "ecs@mappings")
STOCK_JAR = "modules/x-pack-core/x-pack-template-resources-*.jar"


def install(client: ElasticsearchClient, home: Path) -> None:
    """Install stock and kit templates with the substitutions; `home` is the distribution."""
    templates = stock_templates(home) | kit_templates()
    substitute(templates)
    for path, body in templates.items():
        client.request("PUT", path, body)


def kit_templates() -> dict[str, Any]:
    """The kit's templates by the path of the request that installs them, in that order.

    These are the requests of `flowery-logging kit install`. This distribution has no processors
    for the ingest pipeline, makes a stream with its first event alone, and has no security here.
    """
    found = requests(KIT, Choices(roles=False))
    lacking = {"ingest_pipelines", "data_streams"}
    return {entry.path: entry.body for entry in found if entry.folder not in lacking}


def stock_templates(home: Path) -> dict[str, Any]:
    """Elasticsearch's own component templates, from its distribution."""
    (jar,) = home.glob(STOCK_JAR)
    with zipfile.ZipFile(jar) as resources:
        return {
            f"/_component_template/{name}": _without_placeholders(
                resources.read(f"{name}.json").decode()
            )
            for name in STOCK
        }


def _without_placeholders(text: str) -> Any:
    """The server fills in a version and a flag, `${…}`, when it installs them itself."""
    template = json.loads(re.sub(r"\$\{[\w.]+\}", "null", text))
    return {key: value for key, value in template.items() if value is not None}
