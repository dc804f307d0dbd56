"""Sends the requests, reads them back, and says of each refusal what it means and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flowery_logging.cli.elasticsearch import Elasticsearch, ElasticsearchError
from flowery_logging.cli.kit.comparison import changed, found_body
from flowery_logging.cli.kit.opensearch import for_opensearch
from flowery_logging.cli.kit.requests import Choices, Json, Request, requests

OLDEST: Final = (8, 19)
"""Elasticsearch's first release with data streams' failure store in templates."""

DEFAULT_RETENTION_DAYS: Final = 30

_NEEDED: Final = {
    "roles": "manage_security",
    "ingest_pipelines": "manage_ingest_pipelines",
    "ilm_policies": "manage_ilm",
    "component_templates": "manage_index_templates",
    "index_templates": "manage_index_templates",
    "data_streams": "manage (of the indices logs-flowery*)",
    "ism_policies": "cluster:admin/opendistro/ism/policy/write",
}


class InstallError(Exception):
    """The kit was not installed, or not all of it; says why and what to do."""


@dataclass(frozen=True)
class Outcome:
    """What became of a request: "installed", or why it was left out or could not be checked."""

    request: Request
    state: str


def planned(server: Elasticsearch | None, kit: Path, choices: Choices) -> list[Request]:
    """Return the requests for the server that answers; without one, those for Elasticsearch.

    Raises InstallError.
    """
    found = requests(kit, choices)
    if server is not None and _is_opensearch(server):
        return for_opensearch(found, choices.retention_days or DEFAULT_RETENTION_DAYS)
    return found


def install(server: Elasticsearch, found: list[Request]) -> Iterator[Outcome]:
    """Send the requests in order and yield what became of each. Raises InstallError.

    All of them replace what is there under the name, so a second run changes nothing. Each is read
    back and compared.
    """
    for request in found:
        try:
            state = _make_stream(server, request) if request.body is None else _put(server, request)
        except ElasticsearchError as error:
            skipped = _dispensable(request, error)
            if skipped is None:
                raise InstallError(_advice(error, _NEEDED[request.folder])) from None
            state = f"left out: {skipped}"
        yield Outcome(request, state)


def _is_opensearch(server: Elasticsearch) -> bool:
    """Return what the server is. Raises InstallError if it is too old or not reached."""
    try:
        version = server.request("GET", "/").get("version")
    except ElasticsearchError as error:
        if error.status in {0, 401} or 300 <= error.status < 400:
            raise InstallError(_advice(error, "monitor")) from None
        return False  # a proxy or a role may hide this page alone
    if not isinstance(version, dict):
        return False
    if version.get("distribution") == "opensearch":
        return True
    number = str(version.get("number", ""))
    parts = number.split(".")[:2]
    if all(part.isdecimal() for part in parts) and tuple(map(int, parts)) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise InstallError(f"this is Elasticsearch {number}; the templates need {wanted} or newer")
    return False


def _put(server: Elasticsearch, request: Request) -> str:
    """Send a request and read it back; a policy of OpenSearch that exists is replaced."""
    try:
        _confirmed(server, request.path, request.body)
    except ElasticsearchError as error:
        if error.status != 409:
            raise
        there = server.request("GET", request.path)
        version = f"?if_seq_no={there.get('_seq_no')}&if_primary_term={there.get('_primary_term')}"
        _confirmed(server, request.path + version, request.body)
    return _read_back(server, request)


def _confirmed(server: Elasticsearch, path: str, body: Json | None) -> None:
    """Send a PUT. An empty object confirms nothing: a proxy or a page answers anything so."""
    if not server.request("PUT", path, body):
        raise ElasticsearchError(f"PUT {path} was not confirmed; is this Elasticsearch?")


def _read_back(server: Elasticsearch, request: Request) -> str:
    """Return the state of what was put. Raises InstallError if something else is there."""
    try:
        there = found_body(request, server.request("GET", request.path))
    except ElasticsearchError as error:
        if error.status == 404:
            raise InstallError(f"PUT {request.path} was accepted, but nothing is there") from None
        return f"installed; not read back: {error}"
    if there is None:
        return "installed; not read back: the server shows no body of it"
    different = changed(request, there)
    if different:
        shown = "; ".join(different[:3])
        raise InstallError(f"PUT {request.path} was accepted, but something else is there: {shown}")
    return "installed"


def _make_stream(server: Elasticsearch, request: Request) -> str:
    try:
        _confirmed(server, request.path, None)
    except ElasticsearchError as error:
        if error.status == 400 and "exists" in str(error):
            return "is there"
        raise
    return "installed"


def _dispensable(request: Request, error: ElasticsearchError) -> str | None:
    """Return why events can do without what was refused, or None."""
    no_such_api = error.status in {400, 404, 405} and (
        "no handler" in str(error) or "not allowed" in str(error)
    )
    if request.folder == "roles" and (no_such_api or "security is not" in str(error)):
        return "security is switched off on this server"
    if request.folder == "ism_policies" and no_such_api:
        return "this server has no Index State Management: nothing is deleted until you do it"
    if request.folder == "data_streams" and no_such_api:
        return "this server makes a stream with its first event alone"
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
