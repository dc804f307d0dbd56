"""Secrets in addresses: the password before `@`, and the parameters of a query or a form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.flat import Place
from flowery_logging.redaction.names import KindOf, squash, unquoted
from flowery_logging.redaction.nearby import matches_around, places_of
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.values import (
    is_code,
    is_identifier_of,
    is_mask,
    is_no_code,
    is_nothing,
    is_shown,
    may_be_password,
)

_AUTHORITY: Final = late(r"://(?P<rest>[^\s\"'<>`\\]{1,4096})")
# With signs in the password that end an address elsewhere.
_ODD_PASSWORD: Final = late(
    r"://[^\s\"'<>`\\/@:]{1,64}:(?P<value>(?![0-9]{1,5}[/<>`\\])[^\s\"'/@]{1,128})@(?=[\w.-])"
)
_PORT: Final = late(r"[^:/@]*:\d{1,5}(?:/|$)")
_ORACLE: Final = late(r":thin:[^/\s@]{1,128}/(?P<value>[^@\s\"']{1,256})@")
# Of `urllib.parse`, whose parts stand apart: `SplitResult(scheme='https', netloc='kim:S@db', …`.
_NETLOC: Final = late(
    r"netloc\\{0,15}[\"']?[ ]?[=:][ ]?\\{0,15}"
    r"(?:'(?P<single>[^'\s\\]{1,512})|\"(?P<double>[^\"\s\\]{1,512})|(?P<bare>[^\s,'\"\\]{1,512}))"
)
# The same without a scheme: `kim:S@db:5432/shop`, for Go's drivers `kim:S@tcp(db:3306)/shop`, for
# Oracle's `kim/S@db:1521/ORCL`.
_BARE: Final = late(
    r"(?<![\w@:/.%+$~-])(?P<slashes>//)?(?P<user>[A-Za-z][\w.-]{0,63}):"
    r"(?P<value>[^\s\"'<>`\\@/:,;(){}\[\]=&|]{1,128})@"
    r"(?:(?P<driver>(?:tcp|udp|unix)\(|/\w)|(?P<host>[A-Za-z0-9][\w.-]{0,252})"
    r"(?P<port>:[0-9]{2,5}(?![\w.]))?(?P<path>/[\w?-])?)"
)
_BARE_ORACLE: Final = late(
    r"(?<![\w@:/.%+$~-])[A-Za-z]\w{0,29}/(?P<value>[^\s\"'<>`\\@/,;(){}\[\]=&|]{1,128})@"
    r"(?://)?[A-Za-z0-9][\w.-]{0,252}:(?:15[0-9]{2}|248[34])[/:]\w"
)
_BEFORE_HOST: Final = 256
_BEHIND_HOST: Final = 320
"""Characters around the `@` of such an address in which it stands."""

_DOMAIN: Final = late(r"(?:[\w-]+\.)+[A-Za-z]{2,63}")
_NO_USERS: Final = frozenset({
    "sip", "sips", "xmpp", "mailto", "acct", "im", "jid", "ssh", "git", "npm", "pkg", "workspace",
    "file", "link", "docker", "image", "sha", "sha1", "sha256", "sha384", "sha512", "md5", "urn",
})  # fmt: skip
"""What stands before a name that is somebody's own, `sip:100@pbx:5060`, or a package's."""

_LABELS: Final = frozenset({
    "user", "username", "login", "account", "name", "member", "owner", "author", "customer", "from",
    "to", "cc", "bcc", "by", "at", "mail", "email", "e-mail", "contact", "sender", "recipient",
    "host", "server", "node", "worker", "task", "job", "queue", "remote", "peer", "target",
    "source", "src", "dst", "destination", "address", "addr", "endpoint", "url", "uri", "dsn",
    "connect", "connecting", "connection", "connected", "via", "on", "http", "https", "ftp", "sftp",
    "scp", "smtp", "smtps", "imap", "imaps", "pop3", "ldap", "ldaps", "amqp", "amqps", "redis",
    "mysql", "postgres", "postgresql", "mongodb", "kafka", "mqtt", "ws", "wss", "tcp", "udp",
    "db", "topic", "group", "channel", "stream", "instance", "pid", "thread", "process", "actor",
    "lock", "key", "role", "tenant", "shard", "partition", "slot", "leader", "primary", "replica",
    "broker", "consumer", "producer", "cluster", "region", "zone", "pod", "container", "tag", "rev",
    "version", "commit",
})  # fmt: skip
"""What says in a text what follows, `user:kim@db:5432`; rarely the name of a user itself."""

_SIGNS_OF_PASSWORDS: Final = frozenset("!#$%^*?~+")
_LONGEST_USER: Final = 15
"""A user's name is rarely longer; a key that stands in its place is."""

# A value in quotes is without the one that closes it: behind that the next parameter may begin.
_NAME_AND_VALUE: Final = (
    r"(?P<name>[^\s=&;?#\"'<>,(){}\uff1d\uff1a]{1,128})=(?P<value>\"[^\"\n]*|'[^'\n]*"
    r"|[^\s&#\"'](?:[^\s&#\"'?\\]|\?(?![\w-]{1,64}=)|\\(?![nrt\"'\\]))*)"
)
_PARAMETER: Final = late(rf"[?&;\s\"']{_NAME_AND_VALUE}")
_FIRST_PARAMETER: Final = late(_NAME_AND_VALUE)
_INNER: Final = late(
    r"(?P<name>[\w.-]{1,128}(?:\[[\w.-]{0,64}\]){0,4})=(?P<value>[^\s=&#\"'][^\s&#\"']*)"
)
_NEXT: Final = late(r";[^\s=&;?#\"'<>]{1,128}=")

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

_CODE: Final = late(r"(?=[\w.~%/+-]*\d)(?=[\w.~%/+-]*[a-z])[\w.~%/+-]{10,}")
"""The code of OAuth (RFC 6749 §4.1.2); `code=404`, `code=KR` and `code=WELCOME2026` are none."""

_KEY: Final = late(r"(?=[\w-]*\d)(?=[\w-]*[A-Za-z])(?![0-9a-f]{8}-)[\w-]{24,}", re.ASCII)
"""The key of a service in a query, where `key=user-41` is none."""

_OTHER_CODE: Final = late(
    r"(?<=\w)(?<!auth)(?<!authorization)(?<!callback)(?<!grant)[ \t]", re.IGNORECASE
)
"""What stands before the code of something else: `error code=E12345678901`."""


def find(text: str) -> Iterator[Span]:
    """Yield the passwords and keys before the host of the addresses in a text."""
    if "://" in text:
        for match in _AUTHORITY.finditer(text):
            yield from _userinfo(match["rest"], match.start("rest"))
        if "@" in text and ("\\" in text or "<" in text or "`" in text):
            yield from _odd(text)
    if "@" in text:
        yield from _without_scheme(text)
    if "netloc" in text:
        for match in _NETLOC.finditer(text):
            place = match.start(match.lastgroup or 0)
            yield from _userinfo(text[place : match.end()], place)
    if ":thin:" in text:
        for match in _ORACLE.finditer(text):
            yield Span(*match.span("value"), "password")


def _odd(text: str) -> Iterator[Span]:
    for match in _ODD_PASSWORD.finditer(text):
        if not _is_placeholder(match["value"]):
            yield Span(*match.span("value"), "password")


def _is_placeholder(password: str) -> bool:
    """Tell whether a name stands in a password's place: not `$1`, nor a shell's `${NAME:-…}`."""
    return is_mask(password) and ":" not in password and not any(map(str.isdigit, password))


def _userinfo(rest: str, start: int) -> Iterator[Span]:
    """`user:password@`, also where the password has `@`, `/`, `?` or `#` in it; `key@`."""
    head = rest.partition("/")[0]
    at = head.rfind("@")
    if at < 0 and ":" in head and not _PORT.match(rest):
        at = rest.rfind("@")
    if at < 0:
        return
    user, colon, password = rest[:at].partition(":")
    if colon and password and not _is_placeholder(password):
        yield Span(start + len(user) + 1, start + at, "password")
    if len(user) > _LONGEST_USER and any(map(str.isdigit, user)):
        yield Span(start, start + len(user), "key")


def _without_scheme(text: str) -> Iterator[Span]:
    """`user:password@host:5432`, where it is no address of somebody, nor a time or a digest."""
    signs = [*places_of(text, "@")]
    for match in matches_around(_BARE, text, signs, _BEFORE_HOST, _BEHIND_HOST):
        if match["user"].lower() not in _NO_USERS and _is_login(match):
            yield Span(*match.span("value"), "password")
    for match in matches_around(_BARE_ORACLE, text, signs, _BEFORE_HOST, _BEHIND_HOST):
        yield Span(*match.span("value"), "password")


def _is_login(match: re.Match[str]) -> bool:
    """Tell by what surrounds it whether `a:b@c` is a user with a password.

    A port or a path has to follow, and a value like a password's where either could be by chance.
    """
    value, path = match["value"], match["path"]
    if match["driver"]:
        return True
    looks_so = not _SIGNS_OF_PASSWORDS.isdisjoint(value) or (
        any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    )
    if match["slashes"]:
        return bool(match["port"] or path)
    if match["user"].lower() in _LABELS:
        return bool(match["port"] and path) and looks_so
    if match["port"]:
        return True
    return bool(path) and looks_so and _DOMAIN.fullmatch(match["host"]) is not None


def parameters(text: str, places: list[Place], kind_of: KindOf) -> Iterator[Span]:
    """Yield the values of secrets' parameters in a query, with or without what stands before it.

    `places` is where names stand, in order, before a sign, that may be a secret's.
    """
    for match in _parameters(text, places):
        name, value = unquoted(match["name"]), match["value"]
        if value[0] in "\"'" and text.startswith(value[0], match.end()):
            value += value[0]
        kind = _kind(name, kind_of)
        place = match.start("name"), match.end() + len(value) - len(match["value"])
        if kind is None and _lets_in(text, place, name, value.rstrip(",.)]}")):
            kind = "value"
        if kind is None and "=" in value:
            yield from _inner(text, match, kind_of)
        elif not (
            kind is None or _is_no_secret(name, value) or is_code(text, match.start("value"))
        ):
            yield _value(match, kind)


def _parameters(text: str, places: list[Place]) -> Iterator[re.Match[str]]:
    """Yield the parameters of a text, all of those included that may be a secret's.

    What stands in quotes may look like a parameter, so it is begun with the text then; else with
    the blank or ampersand before the first name, as none of these stands in a value.
    """
    first, last = 0, len(text)
    if not may_be_named(text, text.lower()):
        if not places:
            return
        last = places[-1][0]
        if '="' not in text and "='" not in text:
            first = max(text.rfind(" ", 0, places[0][0]), text.rfind("&", 0, places[0][0]), 0)
    begun = _FIRST_PARAMETER.match(text) if first == 0 else None
    if begun is not None:
        yield begun
        first = begun.end()
    for match in _PARAMETER.finditer(text, first):
        if match.start() > last:
            break
        yield match


def may_be_named(text: str, lower: str) -> bool:
    """Tell whether a parameter may be a secret whose name is none before its sign, or none at all.

    `user[password]=` has a bracket there; of `code=` and `key=` the value tells. `lower` is the
    text in lower case.
    """
    return "]=" in text or "code=" in lower or "key=" in lower


def is_next(text: str, place: int) -> bool:
    """Tell whether a semicolon stands at a place, and the next parameter behind it."""
    return _NEXT.match(text, place) is not None


def _inner(text: str, match: re.Match[str], kind_of: KindOf) -> Iterator[Span]:
    """Yield a secret where a parameter is the value of another one: `note=ticket=…`.

    What is no name before its sign has a bracket there, `note=user[token][0]=…`; others are found
    by their name elsewhere.
    """
    inner = _INNER.match(text, match.start("value"), match.end("value"))
    if inner is None:
        return
    name, value = unquoted(inner["name"]), inner["value"].rstrip(",.)]}")
    kind = _kind(name, kind_of) if "[" in name and not _is_no_secret(name, value) else None
    if kind is None and _lets_in(text, inner.span(), name, value):
        kind = "value"
    if kind is not None:
        yield Span(inner.start("value"), inner.start("value") + len(value), kind)


def _kind(name: str, kind_of: KindOf) -> str | None:
    return kind_of(name.rpartition("[")[0] or name) or kind_of(name)


def _is_no_secret(name: str, value: str) -> bool:
    inside = value.strip("\"'")
    return (
        is_nothing(inside, equals=True)
        or is_identifier_of(name, value)
        or is_shown(name, inside)
        or is_no_code(name, inside, equals=True)
    )


def _value(match: re.Match[str], kind: str) -> Span:
    """Return the place of a parameter's value, inside its quotes; `;name=` begins the next."""
    start, end = match.span("value")
    value = match["value"]
    if value[0] in "\"'":
        start += 1
    elif following := _NEXT.search(value):
        end = start + following.start()
    else:
        end = start + len(value.rstrip(",.)]}"))
    return Span(start, end, kind)


def may_let_in(name: str) -> bool:
    """Tell whether a parameter may be a signature or a code, which lets its bearer in."""
    name = squash(name)
    return name in SIGNATURES or name == "code"


def _lets_in(text: str, place: tuple[int, int], name: str, value: str) -> bool:
    """Tell whether a parameter lets its bearer in by what its value looks like."""
    if may_be_password(name, value):
        return True
    name = squash(name)
    if name == "code":
        return _CODE.fullmatch(value) is not None and not _is_other_code(text, place[0])
    if name == "key":
        is_in_query = text[place[0] - 1 : place[0]] in {"?", "&"} or text.startswith("&", place[1])
        return is_in_query and _KEY.fullmatch(value) is not None
    if name not in SIGNATURES or not any(sign in "%+/" or sign.isdigit() for sign in value):
        return False
    return len(value) >= (_SHORTEST_TICKET if name in _TICKETS else _SHORTEST_SIGNATURE)


def _is_other_code(text: str, place: int) -> bool:
    """Tell whether a word before `code=` says which code it is: `coupon code=…`."""
    return place > 1 and _OTHER_CODE.match(text, place - 1) is not None
