"""Secrets in addresses: the password before `@`, and the parameters of a query or a form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowery_logging.redaction.names import KindOf, squash, unquoted
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.values import is_code, is_identifier_of, is_nothing

_AUTHORITY: Final = re.compile(r"://(?P<rest>[^\s\"'<>`\\]{1,4096})")
_PORT: Final = re.compile(r"[^:/@]*:\d{1,5}(?:/|$)")
_ORACLE: Final = re.compile(r":thin:[^/\s@]{1,128}/(?P<value>[^@\s\"']{1,256})@")
_LONGEST_USER: Final = 15
"""A user's name is rarely longer; a key that stands in its place is."""

_PARAMETER: Final = re.compile(
    r"(?:(?<=[?&;])|(?<![^\s\"']))(?P<name>[^\s=&;?#\"'<>,(){}\uff1d\uff1a]{1,128})=(?P<value>\"[^\"\n]*\"?|'[^'\n]*'?|[^\s&#\"']+)"
)
_NEXT: Final = re.compile(r";[^\s=&;?#\"'<>]{1,128}=")

SIGNATURES: Final = frozenset({
    "sig", "signature", "sign", "xamzsignature", "xgoogsignature", "xamzcredential", "hmac",
    "xamzsecuritytoken", "googleaccessid", "ticket", "saml", "samlresponse", "samlrequest",
    "assertion", "codeverifier",
})  # fmt: skip
"""Names of parameters, without separators, whose values let their bearer in."""

_TICKETS: Final = frozenset({"ticket", "saml", "assertion", "sign"})
_SHORTEST_TICKET: Final = 16
_SHORTEST_SIGNATURE: Final = 8
"""Characters of such a value; shorter ones are numbers and words."""

_CODE: Final = re.compile(r"(?=[\w.~%/+-]*\d)(?=[\w.~%/+-]*[A-Za-z])[\w.~%/+-]{10,}")
"""The code of OAuth (RFC 6749 §4.1.2), where `code=404` and `code=KR` are none."""


def find(text: str, kind_of: KindOf) -> Iterator[Span]:
    """Yield the secrets in the URLs, queries and forms of a text."""
    if "://" in text:
        for match in _AUTHORITY.finditer(text):
            yield from _userinfo(match["rest"], match.start("rest"))
    if ":thin:" in text:
        for match in _ORACLE.finditer(text):
            yield Span(*match.span("value"), "password")
    if "=" in text:
        yield from parameters(text, kind_of)


def _userinfo(rest: str, start: int) -> Iterator[Span]:
    """`user:password@`, also where the password has `@`, `/`, `?` or `#` in it; `key@`."""
    head = rest.partition("/")[0]
    at = head.rfind("@")
    if at < 0 and ":" in head and not _PORT.match(rest):
        at = rest.rfind("@")
    if at < 0:
        return
    user, colon, password = rest[:at].partition(":")
    if colon and password:
        yield Span(start + len(user) + 1, start + at, "password")
    if len(user) > _LONGEST_USER and any(map(str.isdigit, user)):
        yield Span(start, start + len(user), "key")


def parameters(text: str, kind_of: KindOf) -> Iterator[Span]:
    """Yield the values of secrets' parameters in a query, with or without what stands before it."""
    for match in _PARAMETER.finditer(text):
        name, value = unquoted(match["name"]), match["value"]
        kind = kind_of(name.rpartition("[")[0] or name) or kind_of(name)
        if kind is None and _is_signature(name, value):
            kind = "value"
        if kind is None or is_nothing(value, equals=True) or is_code(value):
            continue
        if not is_identifier_of(name, value):
            yield _value(match, kind)


def _value(match: re.Match[str], kind: str) -> Span:
    """Return the place of a parameter's value, inside its quotes; `;name=` begins the next."""
    start, end = match.span("value")
    value = match["value"]
    if value[0] in "\"'":
        start += 1
        end -= len(value) > 1 and value[-1] == value[0]
    elif following := _NEXT.search(value):
        end = start + following.start()
    else:
        end = start + len(value.rstrip(",.)]}"))
    return Span(start, end, kind)


def may_let_in(name: str) -> bool:
    """Tell whether a parameter may be a signature or a code, which lets its bearer in."""
    name = squash(name)
    return name in SIGNATURES or name == "code"


def _is_signature(name: str, value: str) -> bool:
    name = squash(name)
    if name == "code":
        return _CODE.fullmatch(value.rstrip(",.)]}")) is not None
    if name not in SIGNATURES or not any(sign in "%+/" or sign.isdigit() for sign in value):
        return False
    return len(value) >= (_SHORTEST_TICKET if name in _TICKETS else _SHORTEST_SIGNATURE)
