"""`doctor --elasticsearch`: template, role, and the fields that Elasticsearch has ignored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from flowery_logging.cli.kit.files import kit_folder
from flowery_logging.cli.kit.requests import Choices, requests
from tests.cli.conftest import here
from tests.cli.crafted import Written, ago
from tests.cli.fake_elasticsearch import FakeElasticsearch
from tests.cli.test_doctor import found

Answer = tuple[int, Any]


def kit(name: str) -> dict[str, Any]:
    return next(
        dict(one.body or {}) for one in requests(kit_folder(), Choices()) if one.name == name
    )


class Server(FakeElasticsearch):
    """Answers by path; what is not listed is 404."""

    def __init__(self) -> None:
        super().__init__()
        properties = kit("flowery@mappings")["template"]["mappings"]["properties"]
        self.answers: dict[str, Answer] = {
            "/": (200, {"version": {"number": "9.5.0"}}),
            "/_index_template/_simulate_index/logs-flowery-default": (
                200, {"template": {"mappings": {"properties": json.loads(json.dumps(properties))}}, "overlapping": []},
            ),
            "/_security/role/flowery_writer": (200, {"flowery_writer": kit("flowery_writer")}),
        }  # fmt: skip
        self.ignored: list[dict[str, Any]] = []
        self.shippers = ["9.1.0"]
        handler: Any = self._server.RequestHandlerClass
        handler.do_GET = lambda it: (it.headers.add_header("Content-Length", "0"), it.do_POST())

    def answer(self, path: str, authorization: str | None, body: bytes) -> Answer:
        self.requests.append((path, authorization))
        if self.status != 200:
            return self.status, {"error": {"reason": "not today"}}
        path = unquote(urlsplit(path).path)
        if path.endswith("/_search"):
            return 200, self._search(json.loads(body))
        return self.answers.get(path, (404, {"error": {"reason": "not found"}}))

    def _search(self, request: dict[str, Any]) -> dict[str, Any]:
        if "exists" in request["query"]:
            return {
                "hits": {
                    "total": {"value": len(self.ignored)},
                    "hits": self.ignored[: request["size"]],
                }
            }
        buckets = [{"key": version, "doc_count": 1} for version in self.shippers]
        return {"aggregations": {"versions": {"buckets": buckets}}}

    def maps(self, field: str, mapping: dict[str, Any] | None) -> None:
        inner = {} if mapping is None else {field: {"mapping": {field.rpartition(".")[2]: mapping}}}
        path = f"/logs-flowery*/_mapping/field/{field}"
        self.answers[path] = (200, {".ds-logs-flowery-default-000001": {"mappings": inner}})


@pytest.fixture
def server() -> Iterator[Server]:
    fake = Server()
    yield fake
    fake.close()


def doctor(server: Server, tmp_path: Path, code: int, dataset: str = "flowery") -> dict[str, Any]:
    directory = tmp_path / "logs"
    if not directory.is_dir():
        file = Written(directory)
        event = json.loads(file.path.read_bytes())
        event["data_stream"]["dataset"] = dataset
        file.path.write_text(json.dumps(event) + "\n")
        file.add(ago(seconds=1))
    done = here("doctor", "--json", "--elasticsearch", server.url, "--api-key", "key", directory)
    assert done.exit_code == code, done.output
    result: dict[str, Any] = json.loads(done.stdout) if code != 4 else {}
    return result


def test_what_the_kit_has_installed_is_sound(server: Server, tmp_path: Path) -> None:
    result = doctor(server, tmp_path, code=0)
    assert {"templates", "ignored", "versions"} <= set(result["checked"])
    assert result["skipped"] == {}
    assert {key for _, key in server.requests} == {"ApiKey key"}


def test_ignored_fields_which_how_many_and_why(server: Server, tmp_path: Path) -> None:
    for number in range(5):
        more = ["labels.note"] if number < 3 else ["client.ip"] if number == 3 else ["user.id"]
        names = ["labels.user_7", *more]
        server.ignored.append({"_ignored": names, "fields": {"service.name": ["orders"]}})
    server.maps("labels.user_7", None)
    server.maps("labels.note", {"type": "keyword", "ignore_above": 8191})
    server.maps("client.ip", {"type": "ip"})
    server.maps("user.id", {"type": "keyword"})
    text = found(doctor(server, tmp_path, code=1), "ignored")
    assert "labels.user_7 cannot be searched in 5 documents (orders): the index has no room" in text
    assert "labels.note cannot be searched in 3 documents (orders): the text is longer" in text
    assert "8191 characters" in text
    assert "user.id cannot be searched in 1 documents (orders): the text is longer" in text
    assert (
        "client.ip cannot be searched in 1 documents (orders): the value is no ip (malformed)"
        in text
    )


def test_a_template_that_is_missing_or_another(server: Server, tmp_path: Path) -> None:
    path = "/_index_template/_simulate_index/logs-flowery-default"
    properties = server.answers[path][1]["template"]["mappings"]["properties"]
    properties["event"]["properties"]["id"] = {"type": "text"}
    server.answers[path][1]["overlapping"] = [{"name": "mine", "index_patterns": ["logs-*"]}]
    text = found(doctor(server, tmp_path, code=1), "templates")
    assert "is not the kit's: event.properties.id.type is text, not keyword" in text
    assert "(templates that match too: mine)" in text
    server.answers[path] = (200, {})
    assert "no template of the server matches" in found(
        doctor(server, tmp_path, code=1), "templates"
    )


def test_a_role_that_is_missing_or_allows_less(server: Server, tmp_path: Path) -> None:
    role = server.answers["/_security/role/flowery_writer"][1]["flowery_writer"]
    role["indices"] = [{"names": ["logs-flowery-*"], "privileges": ["create_doc"]}]
    assert "the role flowery_writer is not the kit's" in found(
        doctor(server, tmp_path, code=1), "templates"
    )
    del server.answers["/_security/role/flowery_writer"]
    assert "there is no role flowery_writer" in found(doctor(server, tmp_path, code=1), "templates")


def test_what_the_account_may_not_see_is_said(server: Server, tmp_path: Path) -> None:
    refusal = (403, {"error": {"reason": "action is unauthorized"}})
    server.answers["/_index_template/_simulate_index/logs-flowery-default"] = refusal
    server.answers["/_security/role/flowery_writer"] = refusal
    result = doctor(server, tmp_path, code=0)
    assert "action is unauthorized" in result["skipped"]["templates"]
    done = here("doctor", "--elasticsearch", server.url, tmp_path / "logs")
    assert "?? index templates and roles in Elasticsearch: " in done.stdout
    assert "ok index templates" not in done.stdout


@pytest.mark.parametrize("dataset", ["payments", "flowery.", "flowery.foreign"])
def test_streams_and_versions(server: Server, tmp_path: Path, dataset: str) -> None:
    server.answers["/"] = (200, {"version": {"number": "7.17.1"}})
    server.shippers = ["7.10.2", "9.1.0"]
    result = doctor(server, tmp_path, code=1, dataset=dataset)
    says = f"svc writes to the dataset {dataset}, which the kit does not serve"
    assert says in found(result, "templates")
    assert "this is Elasticsearch 7.17.1" in found(result, "versions")
    assert "events come by Filebeat 7.10.2" in found(result, "versions")


def test_no_answer(server: Server, tmp_path: Path) -> None:
    server.status = 503
    doctor(server, tmp_path, code=4)
