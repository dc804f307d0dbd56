"""Sends the requests, and says of each refusal what it means and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flowery_logging.cli.elasticsearch import Elasticsearch, ElasticsearchError
from flowery_logging.cli.kit.opensearch import for_opensearch
from flowery_logging.cli.kit.requests import Choices, Request, requests

OLDEST: Final = (8, 19)
"""Elasticsearch's first release with data streams' failure store in templates."""

DEFAULT_RETENTION_DAYS: Final = 30

_NEEDED: Final = {
    "roles": "manage_security",
    "ingest_pipelines": "manage_ingest_pipelines",
    "ilm_policies": "manage_ilm",
    "component_templates": "manage_index_templates",
    "index_templates": "manage_index_templates",
    "ism_policies": "cluster:admin/opendistro/ism/policy/write",
}


class InstallError(Exception):
    """The kit was not installed, or not all of it; says why and what to do."""


@dataclass(frozen=True)
class Outcome:
    """What became of a request; `skipped` is the reason where it was left out."""

    request: Request
    skipped: str | None = None


def planned(server: Elasticsearch, kit: Path, choices: Choices) -> list[Request]:
    """Return the requests for the server that answers. Raises InstallError."""
    found = requests(kit, choices)
    if _is_opensearch(server):
        return for_opensearch(found, choices.retention_days or DEFAULT_RETENTION_DAYS)
    return found


def install(server: Elasticsearch, found: list[Request]) -> Iterator[Outcome]:
    """Send the requests in order and yield what became of each. Raises InstallError.

    All of them replace what is there under the name, so a second run changes nothing.
    """
    for request in found:
        try:
            _send(server, request)
        except ElasticsearchError as error:
            skipped = _dispensable(request, error)
            if skipped is None:
                raise InstallError(_advice(error, _NEEDED[request.folder])) from None
            yield Outcome(request, skipped)
        else:
            yield Outcome(request)


def _is_opensearch(server: Elasticsearch) -> bool:
    """Return what the server is. Raises InstallError if it is too old or not reached."""
    try:
        version = server.request("GET", "/").get("version", {})
    except ElasticsearchError as error:
        if error.status in {0, 401}:
            raise InstallError(_advice(error, "monitor")) from None
        return False  # a proxy or a role may hide this page alone
    if version.get("distribution") == "opensearch":
        return True
    number = str(version.get("number", ""))
    parts = number.split(".")[:2]
    if all(part.isdecimal() for part in parts) and tuple(map(int, parts)) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise InstallError(f"this is Elasticsearch {number}; the templates need {wanted} or newer")
    return False


def _send(server: Elasticsearch, request: Request) -> None:
    """Send a request; a policy of OpenSearch that exists is replaced under its version."""
    try:
        server.request("PUT", request.path, request.body)
    except ElasticsearchError as error:
        if error.status != 409:
            raise
        there = server.request("GET", request.path)
        version = f"?if_seq_no={there['_seq_no']}&if_primary_term={there['_primary_term']}"
        server.request("PUT", request.path + version, request.body)


def _dispensable(request: Request, error: ElasticsearchError) -> str | None:
    """Return why events can do without what was refused, or None."""
    no_such_api = error.status in {400, 404, 405} and "no handler" in str(error)
    if request.folder == "roles" and (no_such_api or "security is not" in str(error)):
        return "security is switched off on this server"
    if request.folder == "ism_policies" and no_such_api:
        return "this server has no Index State Management: nothing is deleted until you do it"
    return None


def _advice(error: ElasticsearchError, privilege: str) -> str:
    if error.status == 0:
        return f"no answer: {error}"
    if error.status == 401:
        return f"{error}\nThe API key or the password is not accepted; give --api-key or --user."
    if error.status == 403:
        return f"{error}\nThe account needs the cluster privilege {privilege}."
    if "no handler" in str(error) or error.status in {404, 405}:
        return f"{error}\nIs this Elasticsearch? Look at the URL."
    return str(error)
