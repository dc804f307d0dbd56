"""Secrets in running text, behind their name without a sign: `비밀번호는 abc123입니다`.

Only values with a digit are found so, and none that tells a date, a version, a length or how
something is encrypted: "비밀번호 3600초 후 만료", "password sha256 mismatch".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction import said_codes
from flowery_logging.redaction.nearby import matches_around, places_of
from flowery_logging.redaction.numbers import Span, normal
from flowery_logging.redaction.said_values import (
    BEFORE,
    BEHIND,
    QUOTE,
    SHORTEST_SAID,
    SIGNS,
    UNIT,
    WITH_DIGIT,
    is_secret,
    tells_fact,
    value_span,
)

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
    rf"(?:[ :\u00a0]{{0,2}}|\t|[ ]{{3,32}}|{_ARROW}|{_DASH}){QUOTE}{WITH_DIGIT}{UNIT}",
    re.IGNORECASE,
)
_LABEL: Final = "(?:the|this|user|account|member|login|customer|admin|role|tenant|client|service)"
"""What stands before a name: "password for user kim7" tells none."""

_ENGLISH: Final = late(
    rf"(?:(?<![A-Za-z])(?:pass(?:word|wd|phrase|code)|pwd|masterauth)|(?<=require)pass){_MARK}"
    rf"(?P<said>(?:[ ](?:for|of)[ ](?:{_LABEL}[ ])?(?!{_LABEL}[ ])\S{{1,64}})?"
    r"(?:(?:[ ](?:is|was|has[ ]been|will[ ]be|should[ ]be)(?:[ ]now)?:?)?"
    r"(?:[ ](?:set|changed|reset|updated)[ ](?:to|from))?)(?P<to>[ ]to:?)?)"
    rf"(?:[ \t]{{1,32}}|{_ARROW}){QUOTE}{WITH_DIGIT}{UNIT}",
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
    rf"{QUOTE}{WITH_DIGIT}{UNIT}"
)
"""The new one behind the old, `비밀번호가 …에서 …로 바뀜`, and what was given for the right one."""

_TWO_DIGITS: Final = late(
    r"비밀번호[ ]?\(?(?:앞[ ]?)?(?:두|2)[ ]?자리\)?[는은:=]?[ ]?[:=]?[ ]?"
    r"(?P<value>[0-9]{2})(?![0-9])"
)
"""The half of a card's password that payments ask for."""

_CALLED: Final = late(
    r"(?<![A-Za-z])(?:set|check|verify|validate|make|with|hash|encrypt|change|update)_?pass(?:word|wd)"
    rf"\([\"']{WITH_DIGIT}(?=[\"'])",
    re.IGNORECASE,
)
"""What a function is called with: `check_password('…', user)`."""

_TYPED: Final = late(
    r"(?:비밀번호|비번|패스워드|암호|인증 ?번호)[^\n:=]{0,40}입력(?:한[ ])?값?[ ]?[:=][ ]?"
    rf"{QUOTE}{WITH_DIGIT}{UNIT}"
    rf"|(?:비밀번호|비번|패스워드|암호)[ ]변경[ ]?[:=]?[ ]?{QUOTE}(?P<old>{SIGNS}{{4,64}})"
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

_SHORTEST: Final = 6
_SHORTEST_KEY: Final = 12
"""Characters of a password, and of a token, that no verb says to be one."""

_SET: Final = 80
"""Characters before `password to` in which its verb is looked for."""

_OPENING: Final = frozenset("[(\"'`<\u201c\u2018「『")

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


def find(text: str, lower: str) -> Iterator[Span]:
    """Yield the secrets in running text; `lower` is the text in lower case."""
    if not text.isascii():
        yield from _korean(text, lower)
        yield from _asked(text)
    yield from _english(text, lower)
    yield from _pairs(text, lower)
    for match in matches_around(
        _CALLED, text, places_of(lower, "password(", "passwd("), BEFORE, BEHIND
    ):
        yield value_span(match)
    yield from said_codes.find(text, lower)
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
        least = SHORTEST_SAID if before in _OPENING else _SHORTEST_KEY
        if is_secret(match["value"], least if match["long"] else 0):
            yield value_span(match)
            yield from _next(text, match)


def _pairs(text: str, lower: str) -> Iterator[Span]:
    """Yield the password of each login whose names stand before it."""
    signs = [match.start() for match in _LOGIN.finditer(lower)]
    if not text.isascii():
        signs += [match.start() for match in _LOGIN_IN_KOREAN.finditer(text)]
    signs += places_of(lower, "cred")
    for match in matches_around(_PAIR, text, signs, BEFORE, BEHIND):
        if _OF_PASSWORDS.search(match["value"]) and not tells_fact(match["value"]):
            yield value_span(match)


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
            if is_secret(match["value"], 0 if match["said"] and not match["to"] else _SHORTEST):
                yield value_span(match)
                yield from _next(text, match)
    if "generated" in lower:
        for match in _matches(text, SAID, _GENERATED, lower):
            if any(map(str.isdigit, match["value"])):
                yield value_span(match)


def may_name_login(lower: str) -> bool:
    """Tell whether the name of a password may stand behind that of a user: `id/password`."""
    return _LOGIN.search(lower) is not None


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
            elif is_secret(match["value"], 0):
                yield value_span(match)


def _next(text: str, match: re.Match[str]) -> Iterator[Span]:
    """Yield what a secret was changed to."""
    following = _NEXT.match(text, match.end())
    if following is not None and is_secret(following["value"], 0):
        yield value_span(following)
