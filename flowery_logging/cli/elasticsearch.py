"""Questions to Elasticsearch or OpenSearch, by the standard library's HTTP client."""

from __future__ import annotations

import base64
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import orjson

TIMEOUT_SECONDS: Final = 60.0
PAGE_BUCKETS: Final = 1000

Json = dict[str, Any]


class ElasticsearchError(Exception):
    """The server cannot be reached, or refuses; says the request and the server's reason."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status  # of HTTP; 0: there was no answer


@dataclass(frozen=True)
class Access:
    """Where the server is and how it lets us in.

    A user and password may stand in the URL. Raises ValueError for a URL that is not HTTP(S).
    """

    url: str
    api_key: str | None = field(default=None, repr=False)  # as Elasticsearch shows it, "encoded"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_certs: str | None = None  # a PEM file; None: the system's authorities
    insecure: bool = False  # do not check the certificate

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("a URL is wanted like https://localhost:9200")


class Elasticsearch:
    """Sends requests; each raises ElasticsearchError if it gets no good answer."""

    def __init__(self, access: Access) -> None:
        parts = urlsplit(access.url)
        host = parts.netloc.rpartition("@")[2]
        self._url = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        self._headers = {"Content-Type": "application/json", **_authorization(access)}
        context = _tls(access) if parts.scheme == "https" else None
        self._opener = urllib.request.build_opener(
            *([urllib.request.HTTPSHandler(context=context)] if context else [])
        )

    def request(self, method: str, path: str, body: Json | None = None) -> Json:
        """Return the decoded answer."""
        request = urllib.request.Request(  # noqa: S310 - Access admits http and https only
            self._url + path,
            data=None if body is None else orjson.dumps(body),
            headers=self._headers,
            method=method,
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                content: Json = orjson.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ElasticsearchError(
                    f"{method} {path}: {error.code} {_reason(error.read())}", error.code
                ) from None
        except (OSError, ValueError) as error:
            raise ElasticsearchError(f"{method} {self._url}{path}: {error}") from error
        return content

    def refresh(self, index: str) -> None:
        """Make what has arrived visible to searches; nothing where that is not allowed."""
        try:
            self.request("POST", f"/{_path(index)}/_refresh?ignore_unavailable=true")
        except ElasticsearchError as error:
            if error.status not in {401, 403, 404}:
                raise

    def buckets(
        self, index: str, query: Json, sources: Json, aggregations: Json | None = None
    ) -> Iterator[Json]:
        """Yield the buckets of a composite aggregation, page by page; never a part of the truth.

        `sources`: name → one source of the composite aggregation.
        """
        composite: Json = {
            "size": PAGE_BUCKETS,
            "sources": [{name: source} for name, source in sources.items()],
        }
        body: Json = {
            "size": 0,
            "track_total_hits": False,
            "query": query,
            "aggs": {"page": {"composite": composite, "aggs": aggregations or {}}},
        }
        path = (
            f"/{_path(index)}/_search?ignore_unavailable=true&allow_no_indices=true"
            "&allow_partial_search_results=false"
        )
        while True:
            answer = self.request("POST", path, body)
            page = answer.get("aggregations", {}).get("page", {})
            yield from page.get("buckets", ())
            if len(page.get("buckets", ())) < PAGE_BUCKETS or "after_key" not in page:
                return
            composite["after"] = page["after_key"]


def _authorization(access: Access) -> dict[str, str]:
    if access.api_key is not None:
        return {"Authorization": f"ApiKey {access.api_key}"}
    parts = urlsplit(access.url)
    user = access.user if access.user is not None else unquote(parts.username or "")
    password = access.password if access.password is not None else unquote(parts.password or "")
    if not user:
        return {}
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {token}"}


def _tls(access: Access) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=access.ca_certs)
    except OSError as error:
        raise ElasticsearchError(f"{access.ca_certs}: {error}") from error
    if access.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _path(index: str) -> str:
    return quote(index, safe="*,:-_.")


def _reason(body: bytes) -> str:
    """Return what Elasticsearch gives as its reason, or the beginning of whatever answered."""
    try:
        error = orjson.loads(body)["error"]
        return str(error["reason"])
    except (ValueError, KeyError, TypeError):
        return body[:200].decode(errors="replace")
