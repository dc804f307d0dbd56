"""Personal data in a text: by its own form, and behind a name, as in `고객명: 김철수`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import unquote_plus

from flowery_logging.kept import Kept
from flowery_logging.late import late
from flowery_logging.redaction import accounts, emails, phones
from flowery_logging.redaction.harmless import HMAC
from flowery_logging.redaction.numbers import NORMAL, Span
from flowery_logging.redaction.personal import is_network_address, kind_of_name
from flowery_logging.redaction.quotes import STOP, quoted_end
from flowery_logging.redaction.values import begins_code, is_nothing

_FORMS: Final[dict[str, Callable[[str], Iterator[Span]]]] = {
    "phone": phones.find,
    "email": emails.find,
    "account": accounts.find,
}

# A name of one word, or of two or three as a form has them ("Full name: Kim"). Its length is
# bounded, so that the search is linear.
_ASSIGNED: Final = late(
    r"(?<![\w.%$-])(?P<name>[\w.%$-]{2,64}|[A-Za-z]{1,20}(?: [A-Za-z]{1,20}){1,2})"
    r"(?P<closed>\\{0,15}[\"'`])?[ \t]{0,4}(?P<sign>=>|:=|==?|:(?!//)|\uff1a|\uff1d)[ \t]{0,4}"
    r"(?P<quote>\\{0,15}[\"'])?"
)
_WORD: Final = late(rf"[^{STOP}]+")
_PERSON: Final = late(rf"[^{STOP}]+(?: [A-Z][^{STOP}=:]*(?![^{STOP}]*[=:])){{0,3}}")
_PLACE: Final = late(r"(?:(?!,? [\w.-]{1,64}[=:])[^\r\n;&|\]}\"'`<>\\]){1,160}")
_NUMBER: Final = late(rf"[+(]?[0-9][0-9 ().-]{{2,24}}[0-9]|[^{STOP}]+")
_UNQUOTED: Final = {"name": _PERSON, "address": _PLACE, "email": _WORD}
_LONGEST_NAME: Final = 64
_DIGITS: Final = 4
"""As many digits has the shortest number that is worth hiding."""


# One of them stands in every name of the kind, in lower case; and the form's own sign.
_SIGNS: Final = {
    "phone": re.compile(
        "phone|mobile|tel|msisdn|fax|number|num|no|nr|전화|휴대|핸드폰|연락처|팩스|번호"
    ),
    "email": re.compile("@|%40"),
    "account": re.compile("acc|account|iban|bban|계좌|통장"),
    "address": re.compile("addr|street|주소|배송지|거주지"),
    "name": re.compile(
        "name|holder|forename|성명|성함|이름|실명|예금주|수취인|수령인|사람|객명|원명|자명"
    ),
}
_DIGIT: Final = late("[0-9\uff10-\uff19]")


_FULL_WIDTH: Final = b"\xef\xbc"
"""How full-width digits begin in UTF-8; any other sign may stand between ASCII ones."""


class PersonalText:
    """Finds personal data of one kind in texts."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._find = _FORMS.get(kind)
        self._sign = _SIGNS[kind]
        self._known: Kept[str, bool] = Kept()  # by name: is it one of this kind?

    def is_name(self, name: str) -> bool:
        """Tell whether a name says that its value is of this kind."""
        known = self._known.get(name)
        if known is None:
            known = kind_of_name(unquote_plus(name)) == self.kind
            self._known.keep(name, known)
        return known

    def may_hold(self, encoded: bytes) -> bool:
        """Tell, quickly, whether a text in UTF-8, perhaps as it stands in JSON, may hold some."""
        text = encoded.decode("utf-8", "surrogatepass")
        if self.kind in {"phone", "account"}:
            if phones.may_hold(text.translate(NORMAL) if _FULL_WIDTH in encoded else text):
                return True
            if _DIGIT.search(text) is None:
                return False
        return self._sign.search(text.lower()) is not None

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where it stands in a text, in any order; parts may overlap."""
        if self._find is not None:
            for start, end, _ in self._find(text):
                yield start, end
        position = 0
        while (match := _ASSIGNED.search(text, position)) is not None:
            position = match.end("sign")  # what was taken for a value may be the next name
            if self.is_name(match["name"]) or self.is_name(match["name"].rpartition(" ")[2]):
                start, end = match.end(), _end(text, match, self.kind)
                if _is_told(self.kind, text[start:end], equals="=" in match["sign"]):
                    yield start, end
                    position = end


def _end(text: str, match: re.Match[str], kind: str) -> int:
    """Return where the value behind a name ends."""
    if match["quote"]:
        return quoted_end(text, match.end(), match["quote"])
    found = _UNQUOTED.get(kind, _NUMBER).match(text, match.end())
    return match.end() if found is None else match.end() + len(found[0].rstrip(" .,!?"))


def _is_told(kind: str, value: str, *, equals: bool) -> bool:
    """Tell whether a value is personal, and not prose, code, a mask or a fact about it."""
    first = value.partition(" ")[0]
    if not value or is_nothing(value, equals=equals) or is_nothing(first, equals=False):
        return False
    if begins_code(value) or value.startswith(("[", "{", HMAC)):
        return False
    if kind in {"phone", "account"}:
        return sum(map(str.isdigit, value)) >= _DIGITS
    if kind == "email":
        return "@" in value or "%40" in value
    if kind == "address" and is_network_address(value):
        return False
    is_name = len(value) <= _LONGEST_NAME and kind_of_name(value) is not None
    return not is_name and any(map(str.isalpha, value))
