"""Whether Elasticsearch has what the events need, and which of their fields it has ignored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from flowery_logging.cli.doctor.finding import Diagnosis, Finding, fault, note
from flowery_logging.cli.doctor.overview import Service
from flowery_logging.cli.elasticsearch import Elasticsearch, ElasticsearchError, Json
from flowery_logging.cli.kit.comparison import differences
from flowery_logging.cli.kit.files import kit_folder
from flowery_logging.cli.kit.install import OLDEST
from flowery_logging.cli.kit.requests import Choices, requests
from flowery_logging.config.identity import is_served

SAMPLE: Final = 1_000
"""So many of the youngest documents with an ignored field are looked at."""

OLDEST_FILEBEAT: Final = (7, 17)

_INSTALL: Final = "flowery-logging kit install --elasticsearch URL"
_STREAM: Final = "logs-flowery-default"
_SHOWN: Final = 10
_KEYWORDS: Final = frozenset({"keyword", "wildcard", "constant_keyword"})
_UNANSWERED: Final = frozenset({400, 401, 403, 404, 405})


def look_at(server: Elasticsearch, index: str, services: Iterable[Service], to: Diagnosis) -> None:
    """Ask the server and note what it says. Raises ElasticsearchError if there is no answer."""
    to.add("versions", _version(server))
    to.add("templates", streams(services))
    questions: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("templates", partial(_templates, server)),
        ("templates", partial(_role, server)),
        ("ignored", partial(ignored, server, index)),
        ("versions", partial(_shippers, server, index)),
    ]
    for check, ask in questions:
        try:
            to.add(check, list(ask()))
        except ElasticsearchError as error:  # noqa: PERF203 - the others go on
            if error.status not in _UNANSWERED:
                raise
            to.skip(check, f"{error} (with this account it cannot be told)")


def streams(services: Iterable[Service]) -> Iterator[Finding]:
    """Yield the streams in the files that the kit's role and templates do not serve."""
    for service in services:
        for dataset, _ in sorted(service.streams):
            if not is_served(dataset):
                yield fault(
                    "templates",
                    f"{service.name} writes to the dataset {dataset}, which the kit does not serve",
                    "setup(dataset=…): flowery, or flowery.<name>; FLOWERY_LOG_DATASET is the same",
                )


def _version(server: Elasticsearch) -> Iterator[Finding]:
    try:
        version = server.request("GET", "/").get("version", {})
    except ElasticsearchError as error:
        if error.status in {0, 401} or 300 <= error.status < 400:
            raise
        return  # a role or a proxy may hide this page alone
    number = str(version.get("number", ""))
    if version.get("distribution") != "opensearch" and _is_older(number, OLDEST):
        wanted = ".".join(map(str, OLDEST))
        yield fault(
            "versions",
            f"this is Elasticsearch {number}; the kit's templates need {wanted} or newer",
            "upgrade it: filebeat/runbooks.md has the order",
        )


def _is_older(number: str, oldest: tuple[int, int]) -> bool:
    parts = number.split(".")[:2]
    return all(map(str.isdecimal, parts)) and tuple(map(int, parts)) < oldest


def _templates(server: Elasticsearch) -> Iterator[Finding]:
    """Compare what a new index of ours would get with what the kit's template says."""
    path = f"/_index_template/_simulate_index/{_STREAM}"
    answer = server.request("POST", path)
    found = answer.get("template")
    properties = found.get("mappings", {}).get("properties") if isinstance(found, dict) else None
    wanted = _kit_properties()
    if not isinstance(properties, dict):
        yield fault("templates", f"no template of the server matches {_STREAM}", _INSTALL)
        return
    different = list(differences(wanted, properties))
    if different:
        others = [str(one.get("name")) for one in answer.get("overlapping", ())]
        by = f" (templates that match too: {', '.join(others)})" if others else ""
        yield fault(
            "templates",
            f"the template of {_STREAM} is not the kit's: {'; '.join(different[:3])}{by}",
            f"{_INSTALL}; a template of your own with a higher priority must not match "
            "logs-flowery-*",
        )


def _kit_properties() -> Mapping[str, Any]:
    """Return the mapping that the kit installs."""
    for request in requests(kit_folder(), Choices()):
        if request.path.endswith("/flowery@mappings"):
            body: Mapping[str, Any] = request.body or {}
            properties: Mapping[str, Any] = body["template"]["mappings"]["properties"]
            return properties
    return {}


def _role(server: Elasticsearch) -> Iterator[Finding]:
    """Look for the role by which events are created."""
    name = "flowery_writer"
    try:
        answer = server.request("GET", f"/_security/role/{name}")
    except ElasticsearchError as error:
        if error.status != 404:
            raise
        answer = {}
    if name not in answer:
        yield fault("templates", f"there is no role {name}", f"{_INSTALL}, by an account that may")
        return
    wanted = next(one.body for one in requests(kit_folder(), Choices()) if one.name == name)
    rules = {key: (wanted or {}).get(key) for key in ("cluster", "indices")}
    different = list(differences(rules, answer[name], ordered=False))
    if different:
        what = f"the role {name} is not the kit's: {'; '.join(different[:3])}"
        yield fault("templates", what, f"{_INSTALL}: else events may be refused with 403")


def ignored(server: Elasticsearch, index: str) -> Iterator[Finding]:
    """Yield the fields that Elasticsearch has taken but not indexed: which, how often, why."""
    count, fields, services = _ignored_fields(server, index)
    for name, hits in fields.most_common(_SHOWN):
        kind, wrong, fix = _reason(server, index, name)
        where = ", ".join(sorted(services[name])[:3])
        share = f"{hits}" if count <= SAMPLE else f"{hits} of the {SAMPLE} youngest of {count}"
        yield fault(
            "ignored",
            f"{name} cannot be searched in {share} documents ({where}): {kind}{wrong}",
            fix,
        )
    if len(fields) > _SHOWN:
        more = len(fields) - _SHOWN
        yield fault("ignored", f"{more} more fields cannot be searched", _NAMES)


_NAMES: Final = (
    "put what varies into values, not into names; flowery-logging kit install --services COUNT "
    "makes room for more services; then roll the stream over"
)


def _ignored_fields(
    server: Elasticsearch, index: str
) -> tuple[int, Counter[str], dict[str, set[str]]]:
    """Return how many documents have ignored fields, and which those are, of the youngest ones."""
    body: Json = {
        "size": SAMPLE,
        "track_total_hits": True,
        "query": {"exists": {"field": "_ignored"}},
        "sort": [{"@timestamp": {"order": "desc", "unmapped_type": "date"}}],
        "_source": False,
        "fields": ["service.name"],
    }
    hits = server.search(index, body).get("hits", {})
    fields: Counter[str] = Counter()
    services: dict[str, set[str]] = {}
    for hit in hits.get("hits", ()):
        names = hit.get("_ignored", ())
        fields.update(names)
        for name in names:
            found = hit.get("fields", {}).get("service.name", ["?"])
            services.setdefault(name, set()).update(map(str, found))
    total = hits.get("total", {})
    return int(total.get("value", 0) if isinstance(total, dict) else total), fields, services


def _reason(server: Elasticsearch, index: str, name: str) -> tuple[str, str, str]:
    """Return why a field is ignored, by its mapping: the limit of fields, its length, its type."""
    path = f"/{quote(index, safe='*,:-_.')}/_mapping/field/{quote(name)}?ignore_unavailable=true"
    try:
        answer = server.request("GET", path)
    except ElasticsearchError as error:
        if error.status not in _UNANSWERED:
            raise
        return "the reason cannot be told", "", "look at the mapping with an account that may"
    mapping = _mapping_of(answer, name)
    if mapping is None:
        return "the index has no room for more fields", " (the limit of names)", _NAMES
    kind = str(mapping.get("type"))
    if kind in _KEYWORDS:  # which takes any scalar: only its length can be wrong
        longest = mapping.get("ignore_above")
        wrong = f" {longest} characters" if longest else " limit (ignore_above)"
        fix = "log long texts in message or in error.stack_trace, which are searched by words"
        return f"the text is longer than the {kind}'s", wrong, fix
    fix = "give the field one type: setup(fields=…) and kit install --fields of one file, for all"
    return f"the value is no {kind}", " (malformed)", fix


def _mapping_of(answer: Json, name: str) -> Json | None:
    """Return how the indices map a field; None if one of them does not."""
    found: Json | None = None
    for index in answer.values():
        field = index.get("mappings", {}).get(name, {}).get("mapping", {})
        inner = field.get(name.rpartition(".")[2])
        if isinstance(inner, dict):
            found = inner
    return found


def _shippers(server: Elasticsearch, index: str) -> Iterator[Finding]:
    """Look at the versions of Filebeat that have shipped what is there."""
    body: Json = {
        "size": 0,
        "query": {"term": {"agent.type": "filebeat"}},
        "aggs": {"versions": {"terms": {"field": "agent.version", "size": 20}}},
    }
    answer = server.search(index, body)
    buckets = answer.get("aggregations", {}).get("versions", {}).get("buckets", ())
    found = sorted(str(bucket["key"]) for bucket in buckets)
    for version in found:
        if _is_older(version, OLDEST_FILEBEAT):
            yield fault(
                "versions",
                f"events come by Filebeat {version}; the kit is for 7.17 and newer",
                "upgrade it: filebeat/runbooks.md has the order",
            )
    majors = {version.partition(".")[0] for version in found}
    if len(majors) > 1:
        yield note("versions", f"events come by Filebeat {', '.join(found)}", "upgrade the older")
