"""Fetches Kibana's own parser of its query language (KQL), which npm offers apart."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .tools import NODE, NPM, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .cache import Cache

VERSION = "1.0.7"
PROGRAM = """
const { fromKueryExpression, toElasticsearchQuery } = require("kbn-es-query").kbnEsQuery;
const queries = JSON.parse(require("fs").readFileSync(0));
const translate = (kql) => {
  try {
    return toElasticsearchQuery(fromKueryExpression(kql));
  } catch (error) {
    return { error: error.message };
  }
};
console.log(JSON.stringify(queries.map(translate)));
"""


def elasticsearch_queries(cache: Cache, kqls: Sequence[str]) -> list[dict[str, Any]]:
    """What Kibana would send for each of the KQL texts; `{"error": …}` where it does not parse.

    Raises `MissingToolError`, or `RuntimeError` with the end of npm's output.
    """
    folder = cache.obtain(f"kbn-es-query-{VERSION}", _fetch)
    ran = subprocess.run(
        [require(NODE), "-e", PROGRAM],
        cwd=folder,
        input=json.dumps(list(kqls)),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    queries: list[dict[str, Any]] = json.loads(ran.stdout)
    return queries


def _fetch(folder: Path) -> None:
    (folder / "package.json").write_text("{}")
    fetched = subprocess.run(
        [require(NPM), "install", "--no-audit", "--no-fund", f"kbn-es-query@{VERSION}"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if fetched.returncode:
        raise RuntimeError(f"Fetching kbn-es-query {VERSION} failed:\n{fetched.stdout[-4000:]}")
