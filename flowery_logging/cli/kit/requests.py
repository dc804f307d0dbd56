"""The requests that install the kit into Elasticsearch, in the order in which they must come."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]

KEYWORD_CHARACTERS: Final = 1024
"""What the library lets into a keyword; longer values are labels."""

# A request's folder in the kit, and the path of its API.
_APIS: Final = {
    "ingest_pipelines": "/_ingest/pipeline/",
    "ilm_policies": "/_ilm/policy/",
    "ism_policies": "/_plugins/_ism/policies/",
    "component_templates": "/_component_template/",
    "index_templates": "/_index_template/",
    "roles": "/_security/role/",
}
_MORE_OF_A_TYPE: Final[Mapping[str, Json]] = {
    "keyword": {"ignore_above": KEYWORD_CHARACTERS},
    "wildcard": {"ignore_above": KEYWORD_CHARACTERS},
    "scaled_float": {"scaling_factor": 1000},
    # A real one refuses each event whose value is not that of the first.
    "constant_keyword": {"type": "keyword", "ignore_above": KEYWORD_CHARACTERS},
}


@dataclass(frozen=True)
class Request:
    """One PUT: the kit's folder that holds its body, its name there and on the server."""

    folder: str
    name: str
    body: Json

    @property
    def path(self) -> str:
        """Where it goes on the server."""
        return _APIS[self.folder] + self.name

    @property
    def file(self) -> Path:
        """Where its body lies, below the folder of the server's kind."""
        return Path(self.folder, f"{self.name}.json")


@dataclass(frozen=True)
class Choices:
    """What a team decides."""

    retention_days: int | None = None  # None: as the files say
    fields: Mapping[str, str] = field(default_factory=dict)  # declared fields: name → type
    ilm: bool = False  # retention by a policy instead of the data stream's lifecycle
    roles: bool = True


def requests(kit: Path, choices: Choices) -> list[Request]:
    """Return all requests for Elasticsearch; each names only what an earlier one has made."""
    found = [_read(kit, "ingest_pipelines", "flowery@arrival")]
    found += [
        _read(kit, "component_templates", f"flowery@{name}") for name in ("mappings", "settings")
    ]
    if choices.fields:
        found.append(_fields_template(choices.fields))
    if choices.ilm:
        found.append(_read(kit, "ilm_policies", "flowery"))
        found.append(_read(kit, "component_templates", "flowery@ilm"))
    found.append(_read(kit, "index_templates", "flowery"))
    if choices.roles:
        found += [_read(kit, "roles", f"flowery_{who}") for who in ("writer", "reader")]
    return [_retained(request, choices.retention_days) for request in found]


def _read(kit: Path, folder: str, name: str) -> Request:
    body = json.loads((kit / "elasticsearch" / folder / f"{name}.json").read_text("utf-8"))
    return Request(folder, name, body)


def _fields_template(fields: Mapping[str, str]) -> Request:
    """Return the component template of the team's declared fields."""
    properties: Json = {}
    for name, kind in sorted(fields.items()):
        *parents, last = name.split(".")
        node = properties
        for parent in parents:
            node = node.setdefault(parent, {}).setdefault("properties", {})
        node.setdefault(last, {}).update({"type": kind, **_MORE_OF_A_TYPE.get(kind, {})})
    description = "The team's own typed fields, as setup(fields=…) has them"
    body = {
        "_meta": {"description": description},
        "template": {"mappings": {"properties": properties}},
    }
    return Request("component_templates", "flowery@fields", body)


def _retained(request: Request, days: int | None) -> Request:
    """Return the request with the retention that was chosen, where it has one."""
    if days is None:
        return request
    body = copy.deepcopy(request.body)
    lifecycle = body.get("template", {}).get("lifecycle")
    if lifecycle is not None:
        lifecycle["data_retention"] = f"{days}d"
    delete = body.get("policy", {}).get("phases", {}).get("delete")
    if delete is not None:
        delete["min_age"] = f"{days}d"
    return Request(request.folder, request.name, body)
