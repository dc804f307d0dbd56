"""Secrets kept out of the logs: by the name of a key, and by the form of a value.

Which names are a secret's is told by secret_names.py. Values are looked at only if a cheap test
finds something that could be one of the forms; card and Korean resident numbers must have a valid
check digit.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote

from flowery_logging.ecs.encode import Redaction
from flowery_logging.ecs.kept import Kept
from flowery_logging.ecs.secret_names import KEY_CHARS, Names

MARKER: Final = "[redacted]"
SMALLEST_NUMBER: Final = 10**12
"""Card numbers have 13 digits or more; resident numbers 13, perhaps with a leading zero."""

_JWT: Final = re.compile(r"(?<![\w-])eyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)+")
_BEARER: Final = re.compile(
    r"\b(Bearer\s+)(?!\[redacted\]|(?:token|auth\w*|scheme|header|realm|error)\b)[\w.~+/=-]{6,}",
    re.IGNORECASE,
)
_BASIC: Final = re.compile(r"\b(Basic\s+)([A-Za-z0-9+/_-]{6,}={0,2})", re.IGNORECASE)
# How a number may begin that is a card's (by its issuer, see below) or a resident's (a date). Its
# first digit comes first, as `re` skips quickly to a character; what must not stand before it next.
_BEGINNING: Final = (
    r"(?:(?:(?<=[3469])|(?<=5)(?=[1-5])|(?<=2)(?=[2-7]))(?:[ -]?[0-9]){12}"
    r"|[0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[ -]?[0-9]{7})"
)
_DIGITS: Final = re.compile(r"[0-9](?<![\w-].)" + _BEGINNING)
# The same as it may stand in JSON, where a letter before it may be the end of an escape.
_BEFORE: Final = r"(?:(?<![\w-].)|(?<=\\[bfnrt].)|(?<=\\u00[0-9a-f][0-9a-f].))"
_JSON_DIGITS: Final = re.compile(f"[0-9]{_BEFORE}{_BEGINNING}".encode())
# A coarse view of a text, to search without regular expressions: in lower case; digits, blanks and
# dashes as zeros, so that twelve of them may be a number.
_COARSE: Final = bytes(48 if code in b"0123456789 -" else code for code in range(256)).lower()
_LONG_NUMBER: Final = "0" * 12
_CARD: Final = re.compile(
    r"(?<![\w.-])(?:(?:[0-9]{4}[ -]?){3}[0-9]{1,7}|3[0-9]{3}[ -]?[0-9]{6}[ -]?[0-9]{4,5})(?![\w-])"
)
_RESIDENT: Final = re.compile(r"(?<![\w-])([0-9]{6})[ -]?([0-9]{7})(?![\w-])")
_PARAMETER: Final = re.compile(r"([?&;])([^=&;?#\s\"'<>]{1,128})=([^&;#\s\"'<>]+)")
_KEYS: Final = re.compile(r"[?&;]([^=&;?#\s\"'<>]{1,128})=")
_JSON_KEYS: Final = re.compile(r"[?&;]([^=&;?#\s\"'<>]{1,768})=")  # an escape has six characters
_NAME: Final = re.compile(r"[\w.-]{0,64}")
"""Names of parameters without escapes."""
_USERINFO: Final = re.compile(r"(\w://[^/\s:@?#]*):([^/\s@]+)@")
_ASSIGNMENT: Final = re.compile(r"([\w.-]{2,64})(\s{0,8}[=:]\s{0,8})(\"[^\"]*\"|'[^']*'|[^\s,;&]+)")


class Redactor(Redaction):
    """Decides what must not be shown.

    Args:
        keys: more names of secrets, compared without case and separators, as whole keys.
        safe: names that are shown although a rule would hide them.
        messages: hide `key=value` and `key: value` in running text too.

    """

    def __init__(
        self, keys: Iterable[str] = (), safe: Iterable[str] = (), *, messages: bool = False
    ) -> None:
        self._judge = Names(keys, safe).judge
        self._messages = messages
        self._verdicts: Kept[str, bool] = Kept()  # by key: is it a secret's?
        self._parameters: Kept[str, bool] = Kept()  # by parameter of a query: is it no secret's?

    def hides(self, key: str) -> bool:
        """Tell whether the value of a key (one part of a dotted name) is a secret by its name."""
        verdict = self._verdicts.get(key)
        if verdict is None:
            verdict = self._judge(key)
            if len(key) <= KEY_CHARS:
                self._verdicts.keep(key, verdict)
        return verdict

    def suspects(self, text: str) -> bool:
        """Tell, quickly, whether `clean` may have something to do with a text."""
        return self.suspects_json(text.encode("utf-8", "surrogatepass"))

    def suspects_json(self, encoded: bytes) -> bool:
        """Tell the same of one or many texts in UTF-8, also as they stand in JSON."""
        # Searching a str takes a fifth of the time that searching bytes takes, and a search for one
        # character next to none, also in a long text.
        coarse = encoded.translate(_COARSE).decode("latin-1")
        return bool(
            self._messages
            or ((start := coarse.find(_LONG_NUMBER)) >= 0 and _JSON_DIGITS.search(encoded, start))
            or (
                "=" in coarse
                and ("?" in coarse or "&" in coarse or ";" in coarse)
                and self._may_hide_parameter(encoded)
            )
            or ("@" in coarse and "://" in coarse)
            or ("j" in coarse and "eyj" in coarse)
            or "bearer" in coarse
            or "basic" in coarse
        )

    def _may_hide_parameter(self, encoded: bytes) -> bool:
        text = encoded.decode("utf-8", "surrogatepass")
        return any("\\" in key or self._hides_parameter(key) for key in _JSON_KEYS.findall(text))

    def clean(self, text: str) -> str:
        """Return a text with each secret in it replaced by the marker."""
        if self._messages:
            text = _ASSIGNMENT.sub(self._assignment, text)
        return self._clean_forms(text)

    def clean_query(self, query: str) -> str:
        """Return the query of a URL, without its question mark, without the secrets in it."""
        return query if self._is_harmless_query(query) else self.clean(f"?{query}")[1:]

    def _is_harmless_query(self, query: str) -> bool:
        """Tell whether no parameter is a secret's, and nothing else in a query is suspicious."""
        if self._messages or "?" in query or ";" in query:
            return False
        for part in query.split("&"):
            if not self._is_harmless(part.partition("=")[0]):
                return False
        return not self.suspects(query.replace("=", "\n"))

    def _is_harmless(self, parameter: str) -> bool:
        verdict = self._parameters.get(parameter)
        if verdict is None:
            verdict = _NAME.fullmatch(parameter) is not None and not self.hides(parameter)
            if len(parameter) <= KEY_CHARS:
                self._parameters.keep(parameter, verdict)
        return verdict

    def _clean_forms(self, text: str) -> str:
        """Look for each form whose sign a text has; `suspects_json` looks for the same signs."""
        coarse = text.encode("utf-8", "surrogatepass").translate(_COARSE).decode("latin-1")
        if "j" in coarse and "eyj" in coarse:
            text = _JWT.sub(MARKER, text)
        if "bearer" in coarse:
            text = _BEARER.sub(_bearer, text)
        if "basic" in coarse:
            text = _BASIC.sub(_basic, text)
        if "@" in coarse and "://" in coarse:
            text = _USERINFO.sub(_userinfo, text)
        if "=" in coarse and any(map(self._hides_parameter, _KEYS.findall(text))):
            text = _PARAMETER.sub(self._parameter, text)
        return _clean_numbers(text) if _LONG_NUMBER in coarse else text

    def clean_number(self, value: float) -> Any:
        """Return a number, or the marker if it is a card or resident number."""
        if type(value) is int and SMALLEST_NUMBER <= value < 10**19:
            digits = str(value)
            if is_card_number(digits) or (len(digits) == 13 and is_resident_number(digits)):
                return MARKER
        return value

    def _hides_parameter(self, key: str) -> bool:
        return self.hides(_unquoted(key))

    def _parameter(self, match: re.Match[str]) -> str:
        lead, key, value = match.groups()
        return f"{lead}{key}={MARKER if self._hides_parameter(key) else value}"

    def _assignment(self, match: re.Match[str]) -> str:
        key, sign, _ = match.groups()
        return f"{key}{sign}{MARKER}" if self.hides(key) else match[0]


class NoRedactor(Redactor):
    """Hides nothing: for records of the library's own, whose numbers must not be mistaken."""

    def hides(self, key: str) -> bool:  # noqa: ARG002
        """No key is a secret's."""
        return False

    def suspects_json(self, encoded: bytes) -> bool:  # noqa: ARG002
        """No text is suspicious."""
        return False

    def clean(self, text: str) -> str:
        """Return the text."""
        return text

    def clean_number(self, value: float) -> Any:
        """Return the number."""
        return value


def _clean_numbers(text: str) -> str:
    """Return a text without the card and resident numbers in it."""
    if not _DIGITS.search(text):
        return text
    return _CARD.sub(_card, _RESIDENT.sub(_resident, text))


def _unquoted(key: str) -> str:
    if "%" not in key:
        return key
    return unquote(key)


# Not templates: to read one `re` imports a module, which fails at the interpreter's end.
def _bearer(match: re.Match[str]) -> str:
    return f"{match[1]}{MARKER}"


def _userinfo(match: re.Match[str]) -> str:
    return f"{match[1]}:{MARKER}@"


def _basic(match: re.Match[str]) -> str:
    """Hide what decodes to `user:password`; "basic settings" stays."""
    scheme, encoded = match.groups()
    text = encoded.rstrip("=")
    try:
        decoded = b64decode(text + "=" * (-len(text) % 4), b"-_" if "_" in text else None)
    except ValueError:
        return match[0]
    return f"{scheme}{MARKER}" if b":" in decoded else match[0]


def _card(match: re.Match[str]) -> str:
    digits = match[0].replace(" ", "").replace("-", "")
    return MARKER if is_card_number(digits) else match[0]


def is_card_number(digits: str) -> bool:
    """Tell whether digits are a payment card's: a known issuer, its length, a valid Luhn digit."""
    return _ISSUERS.fullmatch(digits) is not None and _luhn(digits) % 10 == 0


# Lengths and first digits of Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay
# and Korea's domestic cards (9), after ISO/IEC 7812.
_ISSUERS = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})|(?:5[1-5]|2[2-7])[0-9]{14}|3[47][0-9]{13}"
    r"|3(?:0[0-5]|[689][0-9])[0-9]{11}|6(?:011|5[0-9]{2}|4[4-9][0-9])[0-9]{12}|35[0-9]{14}"
    r"|62[0-9]{14,17}|9[0-9]{15}"
)


def _luhn(digits: str) -> int:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return sum(map(int, digits[-1::-2])) + sum(doubled)


def _resident(match: re.Match[str]) -> str:
    return MARKER if is_resident_number(match[1] + match[2]) else match[0]


def is_resident_number(digits: str) -> bool:
    """Tell whether 13 digits are a Korean resident number: a date, a century digit, a check digit.

    The check digit is 11 minus the weighted sum modulo 11, modulo 10, with the weights
    2 3 4 5 6 7 8 9 2 3 4 5; for foreigners (5 to 8) it is 13 minus that sum modulo 11, modulo 10.
    """
    month, day = int(digits[2:4]), int(digits[4:6])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return False
    weights = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
    total = sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=False)) % 11
    base = 13 if digits[6] in "5678" else 11
    return (base - total) % 10 == int(digits[12])
