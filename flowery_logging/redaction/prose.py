"""Secrets in running text, behind their name without a sign: `비밀번호는 abc123입니다`.

Only values with a digit are found so, and none that tells a date, a version, a length or how
something is encrypted: "비밀번호 3600초 후 만료", "password sha256 mismatch".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.nearby import matches_around, places_of
from flowery_logging.redaction.numbers import Span, normal
from flowery_logging.redaction.stems import ZEROS

_SIGNS: Final = r"(?:[A-Za-z0-9!@#$%^*_+~.-]|&(?![A-Za-z]\w{0,63}=))"
_WITH_DIGIT: Final = rf"(?P<value>(?={_SIGNS}{{0,32}}[0-9]){_SIGNS}{{4,128}})(?!{_SIGNS})"
_UNIT: Final = (
    r"(?![ ]?(?:초|분|시간|일|월|년|주|개|회|건|자|명|원|글자|바이트|%"
    r"|(?:bits?|bytes?|char\w*|days?|hours?|minutes?|seconds?|times?|users?|ms|s)\b))"
)
_TAG: Final = r"(?:<(?:b|i|u|em|strong|code|kbd|pre|span|font|mark)(?:[ ][^<>\n]{0,128})?>){0,3}"
_QUOTE: Final = rf"{_TAG}[\[(\"'`<\u201c\u2018「『]{{0,2}}[ ]?"
_MARK: Final = (
    r"(?:(?:[*_~`]{1,3}|(?:</[a-z]{1,8}>){1,3})"
    r"(?=[은는이가을를로]|으로|[ ]?(?:->|→)|[ ]?[\[(\"'`<*]))?"
)
"""What stands around a name and its value in Markdown and HTML: both have marks, or one tells."""

_ARROW: Final = r"[ ]?(?:->|→)[ ]?"
_DASH: Final = r"[ ][\u2013-][ ]"

_KOREAN: Final = late(
    r"(?P<name>비밀번호|비번|패스워드|암호|(?:인증|본인확인) ?번호|인증 ?코드|보안 ?코드"
    r"|(?:핀|PIN|OTP) ?번호"
    r"|(?P<long>토큰|시크릿(?: ?키)?|API ?Key|(?:API|인증|비밀|액세스) ?키))"
    rf"{_MARK}(?:은|는|이|가|을|를|으?로)?"
    rf"(?:[ :\u00a0]{{0,2}}|\t|[ ]{{3,32}}|{_ARROW}|{_DASH}){_QUOTE}{_WITH_DIGIT}{_UNIT}",
    re.IGNORECASE,
)
_LABEL: Final = "(?:the|this|user|account|member|login|customer|admin|role|tenant|client|service)"
"""What stands before a name: "password for user kim7" tells none."""

_ENGLISH: Final = late(
    rf"(?:(?<![A-Za-z])(?:pass(?:word|wd|phrase|code)|pwd|masterauth)|(?<=require)pass){_MARK}"
    rf"(?P<said>(?:[ ](?:for|of)[ ](?:{_LABEL}[ ])?(?!{_LABEL}[ ])\S{{1,64}})?"
    r"(?:(?:[ ](?:is|was|has[ ]been|will[ ]be|should[ ]be)(?:[ ]now)?:?)?"
    r"(?:[ ](?:set|changed|reset|updated)[ ](?:to|from))?)(?P<to>[ ]to:?)?)"
    rf"(?:[ \t]{{1,32}}|{_ARROW}){_QUOTE}{_WITH_DIGIT}{_UNIT}",
    re.IGNORECASE,
)
_SETTING: Final = late(
    r"\b(?:set|chang|reset|updat)[a-z]{0,5}(?:[ ][\w']{1,20}){0,3}[ ]\Z", re.IGNORECASE
)
"""What stands before `password to …` where that is one: "set the admin password to …"."""

_GENERATED: Final = late(
    r"password[ ](?:(?:is|was|has[ ]been)[ ])?generated(?:[ ]for[ ][^\s:]{1,64})?:[ ]"
    r"(?P<value>[^\s\"'`\\]{4,128})",
    re.IGNORECASE,
)
"""What MySQL writes when it is installed, with any signs in it."""

_KEY: Final = late(
    r"(?<![A-Za-z])(?:(?:api|access|secret|private|client|signing|encryption|service|license)[ _-]"
    rf"(?:key|secret|token)|secret)[ ]is[ ]:?{_QUOTE}{_WITH_DIGIT}{_UNIT}",
    re.IGNORECASE,
)
_CODE: Final = late(
    r"(?<![A-Za-z])(?:(?:(?:verification|login|security|auth\w{0,12}|confirmation|one-time|sms|access"
    r"|reset|mfa|2fa|recovery)[ -](?:code|password|passcode|pin)|otp|totp|pin|token)[ ]is[ ]:?"
    rf"{_QUOTE}{_WITH_DIGIT}|(?:(?:verification|login|security|authentication|confirmation|one-time"
    r"|sms|access|reset|mfa|2fa)[ -](?:code|password|passcode)|otp|totp|passcode)[ ]"
    r"[\"'(\[]?(?P<number>[0-9]{6})(?![0-9A-Za-z.-])"
    r"|use[ ](?P<used>[0-9]{6})[ ]as[ ]your[ ](?:[\w-]{1,20}[ ]){0,4}"
    r"(?:code|otp|pin|pass(?:code|word))"
    r"|enter[ ](?:the[ ])?code[ ](?P<entered>[0-9]{6})(?![0-9A-Za-z.-])"
    r"|(?:otp|(?:verification|2fa|mfa|sms|login) code|인증번호|인증코드)[^\n:=]{0,24}[:=][ ]?"
    r"(?P<told>[0-9]{6})(?![0-9A-Za-z.-])"
    r"|your[ ](?!(?:[\w-]{1,20}[ ]){0,2}(?:order|coupon|promo|discount|booking|referral|zip|postal"
    r"|area|country|error|status|product|gift)[ ])(?:[\w-]{1,20}[ ]){0,3}code[ ]is:?[ ]"
    rf"{_TAG}"
    r"(?P<yours>[0-9]{4,8})(?![\w.-])"
    r"|(?<![\w.-])(?:[A-Z]{1,3}-)?(?P<said>[0-9]{4,8})[ ]is[ ]your[ ](?:[\w-]{1,20}[ ]){0,4}"
    r"(?:code|otp|pin|passcode|password))",
    re.IGNORECASE,
)
# Numbers of documents, which are known by their name and their form together.
_PASSPORT: Final = late(
    r"(?:여권|passport)[^0-9\n]{0,24}?(?<![0-9A-Za-z])"
    r"(?P<value>[A-Z]{1,2}[0-9]{7,8}|[A-Z][0-9]{3}[A-Z][0-9]{4})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_REGION: Final = "(?:서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|[충전경][남북]|제주)[ -]?"
_LICENCE: Final = late(
    r"(?:면허|licen[cs]e)[^0-9\n]{0,24}?(?<![0-9A-Za-z])"
    rf"(?P<value>(?:{_REGION})?[0-9]{{2}}-[0-9]{{2}}-[0-9]{{6}}-[0-9]{{2}}"
    rf"|{_REGION}[0-9]{{2}}-[0-9]{{6}}-[0-9]{{2}}|[0-9]{{12}})(?![0-9A-Za-z-])",
    re.IGNORECASE,
)
_NEXT: Final = late(
    r"[\"'`\])>]{0,2}(?:에서|[ ]to|[ ]?(?:->|→)|,?[ ](?:but[ ])?(?:got|was))[ ]"
    rf"{_QUOTE}{_WITH_DIGIT}{_UNIT}"
)
"""The new one behind the old, `비밀번호가 …에서 …로 바뀜`, and what was given for the right one."""

_TWO_DIGITS: Final = late(
    r"비밀번호[ ]?\(?(?:앞[ ]?)?(?:두|2)[ ]?자리\)?[는은:=]?[ ]?[:=]?[ ]?"
    r"(?P<value>[0-9]{2})(?![0-9])"
)
"""The half of a card's password that payments ask for."""

_CALLED: Final = late(
    r"(?<![A-Za-z])(?:set|check|verify|validate|make|with|hash|encrypt|change|update)_?pass(?:word|wd)"
    rf"\([\"']{_WITH_DIGIT}(?=[\"'])",
    re.IGNORECASE,
)
"""What a function is called with: `check_password('…', user)`."""

_TYPED: Final = late(
    r"(?:비밀번호|비번|패스워드|암호|인증 ?번호)[^\n:=]{0,40}입력(?:한[ ])?값?[ ]?[:=][ ]?"
    rf"{_QUOTE}{_WITH_DIGIT}{_UNIT}"
    rf"|(?:비밀번호|비번|패스워드|암호)[ ]변경[ ]?[:=]?[ ]?{_QUOTE}(?P<old>{_SIGNS}{{4,64}})"
    r"(?=[ ]?(?:->|→))"
)
"""What somebody typed, and what was changed: `비밀번호 변경: … → …`."""

_PAIR: Final = late(
    r"(?:(?:(?<![A-Za-z0-9])(?:id|user(?:[ _]?(?:name|id))?|login|e-?mail|account)"
    r"|아이디|계정|이메일)[ ]?[/,][ ]?"
    r"(?:pw|pwd|pass(?:word|wd)?|비밀 ?번호|비번|패스워드|암호)[은는이가]?|credentials?|creds)"
    r"(?:[ ]?[:=][ ]?|[ ])[\"'(\[]?"
    r"[^\s/:,\"'=<>]{1,128}[ ]?[/:,][ ]?(?P<value>[^\s\"':/,)\]<>]{4,128})(?![:/])",
    re.IGNORECASE,
)
"""Both of a login, behind their names: `ID/PW: admin / …`."""

_OF_PASSWORDS: Final = late("[0-9!@#$%^&*]")

_CARD: Final = late(
    r"보안카드[^0-9\n]{0,8}앞[^0-9\n]{0,4}(?P<value>[0-9]{2}[^0-9\n]{1,6}[0-9]{2})(?![0-9])"
)
"""What is asked of a card of secrets."""

_BACK: Final = late(r"뒷자리[^0-9\n]{0,4}(?P<value>[1-8][0-9]{6})(?![0-9])")
_NUMBERS: Final = ((_PASSPORT, "value"), (_LICENCE, "value"), (_BACK, "resident_number"))

_FACT: Final = late(
    # dates, versions, addresses; three digits, a dash and three more are a code
    r"[0-9]{4}[-./][0-9]{1,2}(?:[-./T].*)?|(?![0-9]{3}-[0-9]{3}\Z)v?[0-9]+(?:[.:~-][0-9]+)+"
    r"|[0-9]+(?:ms|[smhdwyx]|[kmgt]i?b)"  # amounts
    r"|(?:aes|sha|md|rsa|ecdsa|ed|pbkdf|argon|bcrypt|scrypt|base|utf|tls|ssl|oauth|saml|ipv|http|hmac"
    r"|[hre]s|rfc|chacha|p)[-_]?v?[0-9]{1,4}(?:[-_./][\w./-]*|[a-z]{0,4})"
    r"|[\w.-]+\.(?:py|js|ts|txt|json|ya?ml|html?|log|csv|conf|sql|go|java|md|md5)(?::[0-9]+)?",
    re.IGNORECASE,
)
"""What is told about a secret: when, which version, how it is encrypted, in which file."""

_COUNTED: Final = late("[0-9]+(?:st|nd|rd|th|[a-z]{3,12})", re.IGNORECASE)
_SHORTEST: Final = 6
_SHORTEST_KEY: Final = 12
"""Characters of a password, and of a token, that no verb says to be one."""

_SHORTEST_SAID: Final = 8
"""Characters of a key that a verb says to be one, or that stands in brackets or quotes."""

_SET: Final = 80
"""Characters before `password to` in which its verb is looked for."""

_OPENING: Final = frozenset("[(\"'`<\u201c\u2018「『")

_TOLD: Final = ("code", "password", "passcode", "pin", "otp", "token", "key", "secret")
"""What stands before the `is` that tells a code or a key."""

_BEFORE: Final = 96
_BEHIND: Final = 640
"""Characters around such an `is`, the digits of a code and the like, in which all is told."""

# Signs of the above, each of which begins with a letter, so that `re` looks for these alone.
_NAME_IN_KOREAN: Final = late("비밀|비번|패스워드|암호|인증|본인확인|보안|핀|토큰|시크릿|액세스")
SAID: Final = late(
    r"p(?:ass(?:word|wd|phrase|code)?|wd)(?:[(*_~`<\]]|->|→"
    r"|[ \t](?:(?![a-z])|[^\s0-9]{0,32}[0-9]"
    r"|(?:for|has|of|should|to|will|set|changed|reset|updated) |to:|is|was|generated))"
)
"""The name of a password in lower case, with what stands behind it in running text.

Behind a blank that is a word with a digit, what may stand before it, or no word.
"""

# It begins with a letter, not with what must stand before: so `re` looks for that letter alone.
_LOGIN: Final = late("p(?:w|ass)(?:(?<=[/,]pw)|(?<=[/,] pw)|(?<=[/,]pass)|(?<=[/,] pass))")
_LOGIN_IN_KOREAN: Final = late("[/,] ?[비패암]")
"""The name of a password behind that of a user: `id/password`."""

_OF_REDIS: Final = late("masterauth")
_SIX_DIGITS: Final = late("[0-9](?<=[ :=\"'(\\[].)[0-9]{5}")
"""The beginning of a code."""

_SIX_ZEROS: Final = b"000000"


def find(text: str, lower: str) -> Iterator[Span]:
    """Yield the secrets in running text; `lower` is the text in lower case."""
    if not text.isascii():
        yield from _korean(text, lower)
        yield from _asked(text)
    yield from _english(text, lower)
    yield from _pairs(text, lower)
    for match in matches_around(
        _CALLED, text, places_of(lower, "password(", "passwd("), _BEFORE, _BEHIND
    ):
        yield _value(match)
    yield from _told(text, lower)
    if (
        "passport" in lower
        or "licen" in lower
        or "여권" in text
        or "면허" in text
        or "뒷자리" in text
    ):
        plain = text if text.isascii() else normal(text)
        for pattern, kind in _NUMBERS:
            for match in pattern.finditer(plain):
                yield Span(*match.span("value"), kind)


def _korean(text: str, lower: str) -> Iterator[Span]:
    """Yield passwords and keys behind their name in Korean."""
    in_latin_letters = (
        _KOREAN.match(text, place) for place in places_of(lower, "api", "otp", "pin")
    )
    for match in (*_matches(text, _NAME_IN_KOREAN, _KOREAN), *filter(None, in_latin_letters)):
        before = text[match.start("value") - 1]
        least = _SHORTEST_SAID if before in _OPENING else _SHORTEST_KEY
        if _is_one(match["value"], least if match["long"] else 0):
            yield _value(match)
            yield from _next(text, match)


def _pairs(text: str, lower: str) -> Iterator[Span]:
    """Yield the password of each login whose names stand before it."""
    signs = [match.start() for match in _LOGIN.finditer(lower)]
    if not text.isascii():
        signs += [match.start() for match in _LOGIN_IN_KOREAN.finditer(text)]
    signs += places_of(lower, "cred")
    for match in matches_around(_PAIR, text, signs, _BEFORE, _BEHIND):
        if _OF_PASSWORDS.search(match["value"]) and not tells_fact(match["value"]):
            yield _value(match)


def _english(text: str, lower: str) -> Iterator[Span]:
    """Yield passwords behind their name in English."""
    signs = [SAID] if "pass" in lower or "pwd" in lower else []
    signs += [_OF_REDIS] if "masterauth" in lower else []
    for sign in signs:
        for match in _matches(text, sign, _ENGLISH, lower):
            if match["to"] and not _SETTING.search(
                text, max(0, match.start() - _SET), match.start()
            ):
                continue
            if _is_one(match["value"], 0 if match["said"] and not match["to"] else _SHORTEST):
                yield _value(match)
                yield from _next(text, match)
    if "generated" in lower:
        for match in _matches(text, SAID, _GENERATED, lower):
            if any(map(str.isdigit, match["value"])):
                yield _value(match)


def may_name_login(lower: str) -> bool:
    """Tell whether the name of a password may stand behind that of a user: `id/password`."""
    return _LOGIN.search(lower) is not None


def has_six_digits(text: str) -> bool:
    """Tell whether a code may stand in a text."""
    return _SIX_ZEROS in text.encode("utf-8", "replace").translate(ZEROS)


def _matches(
    text: str, sign: re.Pattern[str], pattern: re.Pattern[str], lower: str = ""
) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern, each of which begins with a sign that is found faster.

    With `lower`, the text in lower case, the sign is looked for in that.
    """
    place = 0
    while (named := sign.search(lower or text, place)) is not None:
        match = pattern.match(text, named.start())
        if match is not None:
            yield match
        place = named.start() + 1 if match is None else match.end()


def _told(text: str, lower: str) -> Iterator[Span]:
    """Yield codes and keys that are said to be such, and codes of six digits."""
    said = [*_said_to_be(lower)]
    digits = _SIX_DIGITS.finditer(text) if has_six_digits(text) else ()
    codes = [match.start() for match in digits]
    for match in matches_around(_CODE, text, [*said, *codes], _BEFORE, _BEHIND):
        if match["value"] is None:
            yield Span(*match.span(match.lastgroup or "said"), "value")
        elif _is_one(match["value"], 0):
            yield _value(match)
    for match in matches_around(_KEY, text, said, _BEFORE, _BEHIND):
        if _is_one(match["value"], _SHORTEST_SAID):
            yield _value(match)


def _said_to_be(lower: str) -> Iterator[int]:
    """Yield the places of each `is` that may tell a code or a key."""
    place = lower.find(" is")
    while place >= 0:
        is_number = lower[place - 1 : place].isdigit() and lower.startswith(" is your ", place)
        if is_number or lower.endswith(_TOLD, 0, place):
            yield place
        place = lower.find(" is", place + 1)


def _asked(text: str) -> Iterator[Span]:
    """Yield what is asked for in Korean, what was typed, and what was changed to what."""
    if "자리" in text or "보안카드" in text:
        for pattern in (_TWO_DIGITS, _CARD):
            for match in pattern.finditer(text):
                yield Span(*match.span("value"), "value")
    if "입력" in text or "변경" in text:
        for match in _TYPED.finditer(text):
            if match["value"] is None:
                yield Span(*match.span("old"), "value")
                yield from _next(text, match)
            elif _is_one(match["value"], 0):
                yield _value(match)


def _next(text: str, match: re.Match[str]) -> Iterator[Span]:
    """Yield what a secret was changed to."""
    following = _NEXT.match(text, match.end())
    if following is not None and _is_one(following["value"], 0):
        yield _value(following)


def _value(match: re.Match[str]) -> Span:
    start = match.start("value")
    return Span(start, start + len(match["value"].rstrip(".")), "value")


def tells_fact(value: str) -> bool:
    """Tell whether a value is what is told about a secret: a date, a version, an amount."""
    return _FACT.fullmatch(value) is not None


def _is_one(value: str, shortest: int) -> bool:
    """Tell whether a value may be a secret; with a length, it has to have letters too."""
    value = value.rstrip(".")
    if tells_fact(value):
        return False
    return not shortest or (
        len(value) >= shortest
        and any(map(str.isalpha, value))
        and _COUNTED.fullmatch(value) is None
    )
