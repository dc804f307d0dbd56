"""W3C Baggage: what a caller says of a request to all services that it crosses.

It passes through to outgoing calls as it came, and what the team allows of it is bound: strangers
send it, so nothing else reaches a line. Parsing never raises. Rules are those of
https://www.w3.org/TR/baggage/; where one of them decides, its section is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import unquote

from flowery_logging.late import late
from flowery_logging.tracing.headers import OWS, TOKEN

MOST_MEMBERS: Final = 64
MOST_BYTES: Final = 8192
"""What has to pass (§ 3.3.2 Limits); members beyond either limit are dropped, from the end."""

_VALUE: Final = r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*"
_BLANK: Final = r"[ \t]*"
_PROPERTY: Final = rf"{_BLANK};{_BLANK}{TOKEN.pattern}(?:{_BLANK}={_BLANK}{_VALUE})?"
_MEMBER: Final = late(rf"({TOKEN.pattern}){_BLANK}={_BLANK}({_VALUE})((?:{_PROPERTY})*)")

_allowed: frozenset[str] = frozenset()


def allow(names: Iterable[str]) -> None:
    """Let `bound_of` take these keys from now on, and no others. Keys are case-sensitive."""
    global _allowed
    _allowed = frozenset(names)


def passed_on(values: list[str]) -> str:
    """Return the header for outgoing calls: the members that are well-formed, within the limits.

    A malformed member is dropped alone. Properties stay.
    """
    kept: list[str] = []
    size = -1  # of a comma that stands before no member
    for member in _members(values):
        size += 1 + len(member.string)
        if len(kept) == MOST_MEMBERS or size > MOST_BYTES:
            break
        kept.append(member.string)
    return ",".join(kept)


def bound_of(header: str) -> Mapping[str, str]:
    """Return what a line shows of a header that `passed_on` has returned: the keys allowed.

    Values are percent-decoded; what is no UTF-8 becomes U+FFFD (§ 3.3.1.3 value). Of members with
    one key the last stands.
    """
    if not _allowed or not header:
        return {}
    found = ((member[1], unquote(member[2])) for member in _members([header]))
    return {name: value for name, value in found if name in _allowed}


def _members(values: list[str]) -> Iterator[re.Match[str]]:
    """Yield the well-formed members of a header, which may come several times (§ 3.2)."""
    for part in ",".join(values).split(","):
        found = _MEMBER.fullmatch(part.strip(OWS))
        if found is not None:
            yield found
