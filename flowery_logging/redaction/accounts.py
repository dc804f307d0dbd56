"""Bank accounts in a text: only where the text says so, since their digits look like any others.

An IBAN says it by its own form: a country, two check digits, and a remainder of 1 (ISO 13616).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.numbers import NORMAL, Span

_CONTEXT: Final = late(
    r"(?:계좌|통장|은행|뱅크|농협|수협|신협|새마을금고|우체국"
    r"|account(?![ _-]?(?:id|type))|acct|a/c"
    r"|(?:KB|국민|신한|우리|하나|기업|IBK|NH|SC제일|씨티|카카오|케이|토스)"
    r"(?=[ :]{0,2}[1-9][0-9]{1,5}-)"
    r"(?![ :]{0,2}[0-9]{3}-[0-9]{2}-[0-9]{5}(?![0-9-])))"  # a company's number
    r"[^0-9\n]{0,24}?(?<![0-9A-Za-z])"
    r"(?P<number>[0-9]{2,6}(?:[- ][0-9]{1,7}){1,4}|[0-9]{10,16})(?![0-9A-Za-z])(?!-[0-9])",
    re.IGNORECASE,
)
_IBAN: Final = late(
    r"(?<![0-9A-Za-z])[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,3})?(?![0-9A-Za-z])"
)
_LEAST_DIGITS: Final = 10
_MOST_DIGITS: Final = 16


def find(text: str) -> Iterator[Span]:
    """Yield the account numbers in a text."""
    plain = text if text.isascii() else text.translate(NORMAL)
    for match in _CONTEXT.finditer(plain):
        digits = sum(map(str.isdigit, match["number"]))
        if _LEAST_DIGITS <= digits <= _MOST_DIGITS:
            yield Span(match.start("number"), match.end("number"), "account")
    for match in _IBAN.finditer(plain):
        if _is_iban(match[0].replace(" ", "")):
            yield Span(match.start(), match.end(), "account")


def _is_iban(text: str) -> bool:
    moved = text[4:] + text[:4]
    return 15 <= len(text) <= 34 and int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1
