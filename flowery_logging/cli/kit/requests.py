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

NAMES_OF_A_SERVICE: Final = 256
"""Label names of its own making that one process has at a time (`limits` of setup())."""

NAMES_OF_THE_LIBRARY: Final = 700
"""Fields of the templates, ECS ones that events bring along, and some room."""

# A request's folder in the kit, and the path of its API.
_APIS: Final = {
    "ingest_pipelines": "/_ingest/pipeline/",
    "ilm_policies": "/_ilm/policy/",
    "ism_policies": "/_plugins/_ism/policies/",
    "component_templates": "/_component_template/",
    "index_templates": "/_index_template/",
    "data_streams": "/_data_stream/",
    "roles": "/_security/role/",
}
KEPT_STREAMS: Final = ("logs-flowery.foreign-default", "logs-flowery.dead_letters-default")
"""Made beforehand: at the shard limit, when they are needed, they could not be made."""

ROLES: Final = ("writer", "reader", "monitor")

_MORE_OF_A_TYPE: Final[Mapping[str, Json]] = {
    "keyword": {"ignore_above": KEYWORD_CHARACTERS},
    "wildcard": {"ignore_above": KEYWORD_CHARACTERS},
    "scaled_float": {"scaling_factor": 1000},
    # A real one refuses each event whose value is not that of the first.
    "constant_keyword": {"type": "keyword", "ignore_above": KEYWORD_CHARACTERS},
}


@dataclass(frozen=True)
class Request:
    """One PUT: the kit's folder that holds its body, its name there and on the server.

    A data stream has no body: it is made as its template says, unless it is there.
    """

    folder: str
    name: str
    body: Json | None = None

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
    cold_days: int | None = None  # of the policy: then events go to the nodes of the tier cold
    services: int | None = None  # how many share a stream; None: as the files say


def requests(kit: Path, choices: Choices) -> list[Request]:
    """Return all requests for Elasticsearch; each names only what an earlier one has made."""
    found = [_read(kit, "ingest_pipelines", "flowery@arrival")]
    found += [
        _read(kit, "component_templates", f"flowery@{name}")
        for name in ("mappings", "settings", "retention", "kept")
    ]
    if choices.fields:
        found.append(_fields_template(choices.fields))
    if choices.ilm:
        found.append(_read(kit, "ilm_policies", "flowery"))
        found.append(_read(kit, "component_templates", "flowery@ilm"))
    found += [_read(kit, "index_templates", name) for name in ("flowery", "flowery.kept")]
    found += [Request("data_streams", name) for name in KEPT_STREAMS]
    if choices.roles:
        found += [_read(kit, "roles", f"flowery_{who}") for who in ROLES]
    return [_chosen(request, choices) for request in found]


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


def _chosen(request: Request, choices: Choices) -> Request:
    """Return the request with the retention and the limit that were chosen, where it has them."""
    if request.body is None:
        return request
    body = copy.deepcopy(request.body)
    if choices.services is not None and request.name == "flowery@settings":
        body["template"]["settings"]["index"]["mapping"]["total_fields"]["limit"] = field_limit(
            choices.services
        )
    if choices.retention_days is not None and request.name == "flowery@retention":
        body["template"]["lifecycle"]["data_retention"] = f"{choices.retention_days}d"
    if request.folder == "ilm_policies":
        _phases(body["policy"]["phases"], choices)
    return Request(request.folder, request.name, body)


def field_limit(services: int) -> int:
    """Return how many fields a stream may have that so many services share."""
    return NAMES_OF_THE_LIBRARY + NAMES_OF_A_SERVICE * services


def _phases(phases: Json, choices: Choices) -> None:
    if choices.retention_days is not None:
        phases["delete"]["min_age"] = f"{choices.retention_days}d"
    if choices.cold_days is not None:
        cold = {"min_age": f"{choices.cold_days}d", "actions": {"set_priority": {"priority": 0}}}
        phases["cold"] = cold
