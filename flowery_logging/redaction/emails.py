"""Addresses of electronic mail, in a text and in one form (RFC 5321, and domains in Hangul)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.numbers import Span

_LOCAL: Final = r"[A-Za-z0-9._+'!#$%&*/=?^`{|}~-]"
# Of the signs that RFC 5321 allows before the @, those that texts have in another sense stay out.
_IN_TEXT: Final = late(
    r"(?<![A-Za-z0-9._%+-])(?P<local>[A-Za-z0-9._%+'-]{1,64}?)(?:@|%40)"
    r"(?P<domain>(?:[A-Za-z0-9가-힣](?:[A-Za-z0-9가-힣-]{0,61}[A-Za-z0-9가-힣])?\.){1,8}"
    r"(?:[A-Za-z]{2,24}|한국))(?![A-Za-z0-9])"
)
_WHOLE: Final = late(rf"(?:mailto:)?(?:[^<>]*<)?(?P<address>{_LOCAL}+@[^\s@<>]+)>?")
_BLANKS: Final = late(r"\s{0,8}([@.])\s{0,8}")
_IMAGE: Final = late(r"[0-9]x\.", re.ASCII)  # logo@2x.png
_TOKEN: Final = 256
"""Characters before an address in which the URL would begin that it is a part of."""


def find(text: str) -> Iterator[Span]:
    """Yield the addresses in a text. A user before the host of a URL, or of git, is none."""
    if "@" not in text and "%40" not in text:
        return
    for match in _IN_TEXT.finditer(text):
        is_other = match["local"] == "git" or _IMAGE.match(match["domain"])
        if not is_other and not _is_userinfo(text, match.start()):
            yield Span(match.start(), match.end(), "email")


def _is_userinfo(text: str, start: int) -> bool:
    token = text[max(0, start - _TOKEN) : start].rpartition(" ")[2]
    scheme, sign, rest = token.rpartition("://")
    return bool(sign and scheme) and not {"/", "?", "#", '"', "'", ">"}.intersection(rest)


def normalised(text: str, *, sure: bool = False) -> str | None:
    """Return an address in small letters, alone and without blanks; None for anything else.

    `sure`: it is known to be an address, so its host may be any name.
    """
    match = _WHOLE.fullmatch(_BLANKS.sub(r"\1", text.strip()))
    if match is None or not (sure or "." in match["address"].rpartition("@")[2]):
        return None
    return match["address"].lower()
