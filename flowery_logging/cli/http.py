"""Requests to a server of the Elastic stack, by the standard library's HTTP client.

No redirect is followed: the API key goes to the server that was named, and to no other.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from flowery_logging.foreign import chain_of

TIMEOUT_SECONDS: Final = 60.0

_SHA256 = re.compile(r"[0-9a-f]{64}")
_VISIBLE = re.compile(r"[!-~]+")
_KEY = re.compile(r"[!-~]*")


class RequestError(Exception):
    """No good answer; says the request and the server's reason.

    `status` is that of HTTP, 0 where there was no answer; `body` is what the server said.
    """

    def __init__(self, message: str, status: int = 0, body: bytes = b"") -> None:
        super().__init__(message)
        self.status = status
        self.body = body


@dataclass(frozen=True)
class Access:
    """Where the server is and how it lets us in.

    A user and password may stand in the URL. Raises ValueError for a URL that is not HTTP(S) or
    could not be asked, for a key, user or password that no header can hold, and for a fingerprint
    that is no SHA-256. What it says holds no secret.
    """

    url: str
    api_key: str | None = field(default=None, repr=False)  # as Elasticsearch shows it, "encoded"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_certs: str | None = None  # a PEM file; None: the system's authorities
    insecure: bool = False  # do not check the certificate
    fingerprint: str | None = None  # SHA-256 of a certificate of the server's chain, in hexadecimal

    def __post_init__(self) -> None:
        _check_url(self.url)
        _check_secrets(self)
        if self.fingerprint is not None and not _SHA256.fullmatch(_hexadecimal(self.fingerprint)):
            raise ValueError("a fingerprint is the SHA-256 of a certificate, 64 hexadecimal digits")


def _check_url(url: str) -> None:
    """Refuse what the HTTP client would take apart in another way, or not at all."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("a URL is wanted like https://localhost:9200")
    host = parts.netloc.rpartition("@")[2]
    if not _VISIBLE.fullmatch(host + parts.path) or not url.isprintable() or " " in url:
        raise ValueError(
            "a URL has no blanks and no control characters, and ASCII letters only: write a host "
            "as xn--… and a path with %"
        )
    if parts.query or parts.fragment:
        raise ValueError("a URL is wanted without ? and #: paths are put behind it")
    try:
        _ = parts.port
    except ValueError:  # whose text may be the half of a password with a slash
        raise ValueError(
            "the port is no number up to 65535; / @ : in a password are written %2F %40 %3A"
        ) from None


def _check_secrets(access: Access) -> None:
    """Refuse what a header cannot hold, without saying what it is."""
    if access.api_key is not None and not _KEY.fullmatch(access.api_key):
        raise ValueError("the API key has a blank, a line end or another sign that no key has")
    if access.user is not None and ":" in access.user:
        raise ValueError("a user's name has no colon")
    try:
        f"{access.user}{access.password}{access.url}".encode()
    except UnicodeEncodeError:
        raise ValueError("the user or the password is not valid Unicode") from None


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for an answer: what was meant for one server goes to no other."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


class HttpServer:
    """Sends requests; each raises RequestError if it gets no good answer."""

    def __init__(self, access: Access) -> None:
        parts = urlsplit(access.url)
        host = parts.netloc.rpartition("@")[2]
        self.url = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        self._headers = _authorization(access)
        self._access = access
        self._opener: urllib.request.OpenerDirector | None = None

    def send(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> bytes:
        """Return the body of the answer; `timeout` is in seconds."""
        request = urllib.request.Request(  # noqa: S310 - Access admits http and https only
            self.url + path, content, {**self._headers, **(headers or {})}, method=method
        )
        try:
            with self._open().open(request, timeout=timeout) as answer:
                body: bytes = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(f"{method} {path}", error) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise RequestError(f"{method} {self.url}{path}: {reason}") from error
        return body

    def _open(self) -> urllib.request.OpenerDirector:
        """Return the opener, made for the first request: a fingerprint needs the server."""
        if self._opener is None:
            handlers: list[urllib.request.BaseHandler] = [NoRedirect()]
            if urlsplit(self.url).scheme == "https":
                handlers.append(urllib.request.HTTPSHandler(context=_tls(self._access)))
            self._opener = urllib.request.build_opener(*handlers)
        return self._opener


def _refusal(request: str, error: urllib.error.HTTPError) -> RequestError:
    try:
        body = error.read()
    except (OSError, http.client.HTTPException):
        body = b""  # the connection broke within the reason; the status is known
    if 300 <= error.code < 400:
        to = error.headers.get("Location", "")
        return RequestError(
            f"{request}: {error.code} redirects to {to}, which is not followed, since the key "
            "would go there; give that URL if it is right",
            error.code,
            body,
        )
    return RequestError(
        f"{request}: {error.code} {body[:200].decode(errors='replace')}", error.code, body
    )


def _authorization(access: Access) -> dict[str, str]:
    if access.api_key:
        return {"Authorization": f"ApiKey {access.api_key}"}
    parts = urlsplit(access.url)
    user = access.user if access.user is not None else unquote(parts.username or "")
    password = access.password if access.password is not None else unquote(parts.password or "")
    if not user:
        return {}
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {token}"}


def _tls(access: Access) -> ssl.SSLContext:
    """Return the context for connections. Raises OSError, ssl.SSLError among them."""
    if access.fingerprint is not None:
        return _pinned(access.url, _hexadecimal(access.fingerprint))
    try:
        context = ssl.create_default_context(cafile=access.ca_certs)
    except OSError as error:
        raise OSError(f"{access.ca_certs}: {error}") from error
    if access.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _pinned(url: str, fingerprint: str) -> ssl.SSLContext:
    """Return a context that trusts the certificate with the fingerprint, and no authority else."""
    chain = _chain(url)
    found = [hashlib.sha256(certificate).hexdigest() for certificate in chain]
    if fingerprint not in found:
        raise OSError(f"no certificate of the server has the fingerprint, but {', '.join(found)}")
    trusted = ssl.DER_cert_to_PEM_cert(chain[found.index(fingerprint)])
    context = ssl.create_default_context(cadata=trusted)
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    # The server's own certificate is known whole: its names say no more than it does.
    context.check_hostname = found.index(fingerprint) > 0
    return context


def _chain(url: str) -> list[bytes]:
    """Return the certificates that the server shows, its own first; nothing is sent to it."""
    parts = urlsplit(url)
    unverified = ssl.create_default_context()
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    address = (parts.hostname or "", parts.port or 443)
    with (
        socket.create_connection(address, TIMEOUT_SECONDS) as connection,
        unverified.wrap_socket(connection, server_hostname=parts.hostname) as secured,
    ):
        return chain_of(secured)


def _hexadecimal(fingerprint: str) -> str:
    """Return a fingerprint as programs print it ("AB:CD:…" too) in one form."""
    return fingerprint.replace(":", "").strip().lower()
