"""Installs what Kibana shows and watches: saved objects, connectors and alert rules.

The forms of requests and answers are those of Kibana's API documentation (saved objects: import
and export; alerting: rules; actions: connectors) for 8.19 and 9.x.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flowery_logging.cli.http import Access, HttpServer, RequestError
from flowery_logging.cli.kit.comparison import differences

Json = dict[str, Any]

# Kibana refuses a request that a page of another site could have made.
_HEADERS: Final = {"kbn-xsrf": "flowery_logging"}
_AS_JSON: Final = {**_HEADERS, "Content-Type": "application/json"}
# What a rule keeps for its life; to change it, the rule is deleted first.
_FIXED_OF_A_RULE: Final = ("rule_type_id", "consumer", "enabled")


class KibanaError(Exception):
    """Kibana has not taken all of it; says what, why and what to do."""


@dataclass(frozen=True)
class Part:
    """One thing that Kibana is sent: "saved objects", or a connector or rule by its ID."""

    kind: str
    id: str
    body: Json | bytes

    @property
    def path(self) -> str:
        """Where it goes; the ID is ours, so that a second run finds it."""
        return {
            "objects": "/api/saved_objects/_import?overwrite=true",
            "connector": f"/api/actions/connector/{self.id}",
            "rule": f"/api/alerting/rule/{self.id}",
        }[self.kind]


def parts(kit: Path) -> list[Part]:
    """Return everything for Kibana, rules after the connectors that they name."""
    folder = kit / "kibana"
    found = [Part("objects", "flowery.ndjson", (folder / "flowery.ndjson").read_bytes())]
    for kind in ("connector", "rule"):
        found += [
            Part(kind, path.stem, json.loads(path.read_text("utf-8")))
            for path in sorted((folder / f"{kind}s").glob("*.json"))
        ]
    return found


class Kibana:
    """A Kibana that is being set up."""

    def __init__(self, access: Access) -> None:
        self._server = HttpServer(access)

    def install(self, found: list[Part]) -> Iterator[tuple[Part, str]]:
        """Send the parts in order and yield the state of each. Raises KibanaError.

        What is there under the same ID is replaced, and each part is read back.
        """
        for part in found:
            try:
                state = self._import(part) if isinstance(part.body, bytes) else self._put(part)
            except RequestError as error:
                raise KibanaError(_advice(error)) from None
            yield part, state

    def _import(self, part: Part) -> str:
        assert isinstance(part.body, bytes)  # noqa: S101 - tells mypy which parts these are
        boundary = secrets.token_hex(16)
        content = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{part.id}"\r\n'
            "Content-Type: application/ndjson\r\n\r\n"
        ).encode()
        content += part.body + f"\r\n--{boundary}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        answer = _decoded(self._server.send("POST", part.path, content, _HEADERS | kind))
        if not answer.get("success"):
            raise KibanaError(f"POST {part.path}: {_import_errors(answer)}")
        return self._read_objects_back(part.body)

    def _read_objects_back(self, sent: bytes) -> str:
        wanted = {(one["type"], one["id"]): one for one in map(json.loads, sent.splitlines())}
        body = {
            "objects": [{"type": kind, "id": name} for kind, name in wanted],
            "excludeExportDetails": True,
        }
        try:
            answer = self._send("POST", "/api/saved_objects/_export", body)
        except RequestError as error:
            return f"installed; not read back: {error}"
        shown = map(_decoded, answer.splitlines())
        there = {(one.get("type"), one.get("id")): one for one in shown}
        for key, one in wanted.items():
            title = there.get(key, {}).get("attributes", {}).get("title")
            if title != one["attributes"]["title"]:
                raise KibanaError(f"{key[0]} {key[1]} was imported, but its title is {title}")
        return f"installed {len(wanted)} objects"

    def _put(self, part: Part) -> str:
        assert not isinstance(part.body, bytes)  # noqa: S101 - as in `_import`
        try:
            self._send("POST", part.path, part.body)
        except RequestError as error:
            if error.status != 409:
                raise
            self._send("PUT", part.path, _changeable(part))
        there = _decoded(self._server.send("GET", part.path, None, _HEADERS))
        different = list(differences(part.body, there))
        if different:
            raise KibanaError(
                f"{part.kind} {part.id} was accepted, but something else is there: "
                f"{'; '.join(different[:3])}"
            )
        return "installed"

    def _send(self, method: str, path: str, body: Json) -> bytes:
        return self._server.send(method, path, json.dumps(body).encode(), _AS_JSON)


def _changeable(part: Part) -> Json:
    """Return what a PUT takes: not what an existing rule or connector keeps for its life."""
    assert not isinstance(part.body, bytes)  # noqa: S101 - as in `_import`
    fixed = _FIXED_OF_A_RULE if part.kind == "rule" else ("connector_type_id",)
    return {name: value for name, value in part.body.items() if name not in fixed}


def _decoded(answer: bytes) -> Json:
    try:
        content = json.loads(answer)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise KibanaError(f"no answer of Kibana's: {answer[:100]!r}")
    return content


def _import_errors(answer: Json) -> str:
    errors = answer.get("errors", ())
    said = [
        f"{one.get('type')} {one.get('id')}: {one.get('error', {}).get('type')}" for one in errors
    ]
    return "; ".join(said) or "not imported"


def _advice(error: RequestError) -> str:
    if error.status == 0:
        return f"no answer: {error}"
    if error.status == 401:
        return f"{error}\nThe API key or the password is not accepted by Kibana."
    if error.status == 403:
        needed = "Kibana's privileges for saved objects, rules and connectors"
        return f"{error}\nThe account needs {needed}."
    if error.status == 404:
        return f"{error}\nIs this Kibana, with its base path? Look at the URL."
    return str(error)
