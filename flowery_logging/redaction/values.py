"""What stands where a secret would, and is none: a fact about it, a mask, a piece of code."""

from __future__ import annotations

from typing import Final, NamedTuple

from flowery_logging.kept import Kept
from flowery_logging.late import late
from flowery_logging.redaction.escapes import plain
from flowery_logging.redaction.names import KEY_CHARS, is_fact, squash, words
from flowery_logging.redaction.sentences import is_sentence
from flowery_logging.redaction.value_words import FACTS, METHODS, NOTHING, OF_NUMBERS

_SHORTEST_PIN: Final = 4
_SHORTEST_PASSWORD: Final = 4
_PLURALS: Final = (
    "passwords",
    "secrets",
    "tokens",
    "credentials",
    "cookies",
    "passphrases",
    "keys",
    "codes",
)

_CODE: Final = late(
    r"(?:(?:await|new|yield|not)[ ])?[A-Za-z_][\w.]{0,127}[(\[]"
    r"|(?:self|cls|os|settings|config|request|args|kwargs)\."
    r"|<[A-Za-z_][\w.]{0,127}(?:\.<locals>\.\w{1,64})? object at 0x"
    r"|<(?:function|bound method|coroutine object|generator object|built-in function) [A-Za-z_]"
    r"|<class \\{0,3}'[A-Za-z_]|<(?:Async|Magic)?Mock (?:name|id)="
)
_CALLS: Final = {"(": ")", "[": "]"}
_CALL: Final = 512
"""How a call begins and ends, and how long it is at most; on the next lines where it has no end."""

_OBJECT: Final = late(r"[A-Z]\w{0,63}\((?=[\"'])")
_EXPRESSION: Final = (
    r"[A-Za-z_]\w{0,63}(?=[.(\[!])(?:\.[A-Za-z_]\w{0,63}|\([\w., ]{0,64}\)"
    r"|\[\\{0,3}[\"']?\w{1,64}\\{0,3}[\"']?\]){0,8}(?:![rsa])?"
)
"""What stands in braces in an f-string: `{self.token}`, `{os.environ['API_TOKEN']}`."""

_MASK: Final = late(
    r"(?:[*•.…]{2,}|[xX]{3,}|\$\{[^}]{0,64}\}?|\{\{[^}]{0,64}\}?\}?|\$[A-Z_]{1,64}|\$\d{1,3}"
    r"|:[A-Za-z_]{1,64}(?:_?[0-9]{1,3}){0,3}"
    r"|\$\(.{0,256}|!(?:vault|secret|Ref|Sub|GetAtt|env|ENV|reference|encrypted(?:/\w{1,16})?"
    r"|env_var|include|input|ImportValue|FindInMap|Join|Select|If)"
    r"|!!(?:null|map|seq)|%\(\w{1,64}(?:\)s)?|%[rsdif]|\{(?:[A-Za-z_]{0,64}|[0-9]{1,2})\}"
    r"|\[redacted(?::\w{1,32})?\]"
    rf"|\{{{_EXPRESSION}\}}"
    r"|(?=[0-9 -]{0,12}(?:(?:[*•]-?){4}|(?:[xX]-?){6}))[0-9*•xX -]{8,24}"
    r"|<[A-Za-z]{2,20}(?:[ _-][a-zA-Z]{2,20}){0,3}>)[.,:;!?)\]}]{0,8}"
)
_MASKING: Final = frozenset("*•.…xX$:!%{<[0123456789")
"""How a mask begins."""

_STATE: Final = late(r"[A-Za-z][a-z]{2,30}(?:ed|ing)")
"""What happened or happens to a secret: `token: refreshed`."""

_AMOUNT: Final = late(
    r"(?:[0-9]{1,3}[~-])?[0-9]{1,6}(?:자리?|회|번|개|건|명|초|분|시간|일|주|달|년|월)(?:이상|이하|이내|전|후|간|동안)?"
    r"|(?:[0-9]{1,9}\.[0-9]{1,9}(?:[ ]?(?:[mu]?s|min|h))?|[0-9]{1,6}[ ]?(?:[mu]?s|min|h))"
    r"(?![^\s,;|)\]}\"'\\])"
    r"|[0-9]{1,6}[ ](?:bytes?|char(?:acter)?s?|digits?|days?|hours?|minutes?|seconds?|attempts?"
    r"|tries|users?|of)\b"
)
"""How long or how many: `비밀번호: 8자`, `password: 8 characters`, `first token: 0.23s`."""

_FILE: Final = late(
    r"(?:\.{0,2}/|~/|[A-Za-z]:\\{1,4})[\w./\\ -]{0,256}\."
    r"(?:json|pem|key|crt|cer|der|p12|pfx|jks|ppk|pub|txt|ya?ml|cfg|conf|ini|env)"
    r"|/(?:var/)?run/secrets/[\w./-]{1,256}"
)
"""Where a secret stands: `GOOGLE_APPLICATION_CREDENTIALS=/etc/gcp/key.json`."""

_ARN: Final = late(r"arn:aws[\w-]{0,8}:[\w:/.*+=,@-]{1,512}")
_SESSIONS: Final = ("sessionid", "sid", "세션id", "세션아이디")
_LONGEST_COUNT: Final = 6
"""Digits of a session's number, which lets nobody in: `XDG_SESSION_ID=42`."""

_OWN_WORDS: Final = ("phrase", "answer", "mnemonic")
"""Ends of names whose values may be sentences themselves."""

_KEY: Final = late(r"(?<!\w)(\w{1,64})\\{0,15}[\"']?[ ]{0,4}:")
_OF_SCHEMAS: Final = frozenset({"flow", "flows", "scheme", "in", "enum", "nullable", "writeonly"})
_LONGEST_SCHEMA: Final = 2_048
_COMPREHENSION: Final = late(r"[\[{(][^\"'\n]{1,128} for \w{1,32} in ")
"""A piece of code that makes secrets of others."""

_KOREAN_STATE: Final = late(
    r"(?:미|불|재)?(?:만료|일치|등록|수집|설정|발급|갱신|삭제|폐기|변경|확인|오류|실패|성공|완료|필요"
    r"|초기화|입력|검증|인증|요청|대기|누락|잠김|잠금|해제|허용|거부|차단|생략|해당|정상|유효|무효|사용"
    r"|없음|있음|영문|숫자|특수문자|전송|발송|보유|분실|정지|제한|초과|부족)[가-힣]{0,6}"
)
"""What happened to a secret, or what it is made of: `토큰: 만료됨`, `비밀번호: 영문, 숫자`."""

_LABEL: Final = late(
    r"[가-힣 ]{0,24}(?:비밀 ?번호|패스워드|토큰|인증 ?번호|카드 ?번호|암호)[가-힣 ,()?!.]{0,60}"
)
"""What a catalogue of translations has under a secret's name: `"password": "비밀번호 확인"`."""

_LONGEST_LABEL: Final = 1_024
"""Characters of such a label, also where its letters stand in escapes."""

_OF_EVENT: Final = late(r"[a-z_]{2,20}=[^=].*|[0-9]{1,3}")
"""What an event tells behind the name of its logger: `auth: user=7`, `auth: 200`."""

_VERSION: Final = late(
    r"[~^>=<v]{0,2}[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}(?:-[a-z]{1,8}[.0-9]{0,8})?"
)
"""What a package that is called like a secret has: `"passport": "^0.7.0"`."""

_DIRECTORY: Final = late(r"(?:/|[A-Za-z]:\\{1,4})[\w./\\ -]{0,256}|/")
"""What `PWD` is in an environment."""

_VERSIONS: Final = frozenset("~^>=<v0123456789")
_FILES: Final = frozenset("./~")
"""How a version, and a path of a file, begin; that of Windows with a letter and a colon."""

_ENDS: Final = ".,:;!?)]}"
_TEST: Final = late(r"(?:[A-Za-z_]+\.)*[Tt]est[A-Za-z_.]*")
_PASSED: Final = late(r"(?:\w+[./])*(?:Test[A-Z]|test_)\w*(?:/[\w./-]+)?")
"""The name of a test, and one behind the `PASS` of a report, where it may have digits."""

_IDENTIFIER: Final = late(r"[A-Za-z]+(?:[_.][A-Za-z_]+)*")


class _Name(NamedTuple):
    """What is asked of a name: it and its last part or word, without separators; its kind."""

    whole: str
    last_part: str
    last_word: str
    is_auth: bool
    is_pass: bool


_names: Final[Kept[str, _Name]] = Kept()


def _known(name: str) -> _Name:
    """Return what is known of a name; the same ones come again and again."""
    found = _names.get(name)
    if found is None:
        part, word = name.rpartition(".")[2], name.rpartition(" ")[2]
        last = words(name)[-1:]
        found = _Name(squash(name), squash(part), squash(word), last == ["auth"], last == ["pass"])
        if len(name) <= KEY_CHARS:
            _names.keep(name, found)
    return found


def is_nothing(value: str, *, equals: bool) -> bool:
    """Tell whether a value is a mask or tells a fact; `equals`: it stands behind `=`."""
    lower, bare = value.strip().lower(), value.rstrip(_ENDS)
    nothing = NOTHING if equals else FACTS
    if lower.rstrip(".,!?") in nothing or lower.rstrip(_ENDS) in nothing:
        return True
    if is_mask(value):
        return True
    if not value.isascii() and _KOREAN_STATE.fullmatch(bare):
        return True
    return not equals and bare.isalpha() and _STATE.fullmatch(bare) is not None


def is_mask(value: str) -> bool:
    """Tell whether a value is a mask, or a placeholder: `***`, `${PASSWORD}`, `{self.password}`."""
    return value[:1] in _MASKING and _MASK.fullmatch(value) is not None


def is_mixed(name: str, value: str) -> bool:
    """Tell whether a value has letters and digits alone, and one of each: nothing below is so.

    Only of how somebody is known that may be said: `auth=oauth2`.
    """
    return (
        value.isalnum()
        and value.isascii()
        and value[0].isalpha()
        and not value.isalpha()
        and not _known(name).is_auth
        and value.lower() not in FACTS
    )


def begins_code(text: str) -> bool:
    """Tell whether a text begins as a call or an attribute."""
    return _CODE.match(text) is not None


def is_code(text: str, start: int = 0) -> bool:
    """Tell whether a call or an attribute stands here, as source lines of tracebacks have them.

    So does what Python shows of an object: `<shop.Token object at 0x7f…>`.
    """
    code = _CODE.match(text, start)
    if code is None or text[code.end() - 1] not in _CALLS:
        return code is not None
    end = code.end()
    return not text[end : end + 1].strip() or text.find(_CALLS[text[end - 1]], end, end + _CALL) > 0


def object_start(text: str, start: int) -> int:
    """Return where the quotes of `Decimal('12')` begin; `start` where no such object begins."""
    match = _OBJECT.match(text, start)
    return start if match is None else match.end()


def is_identifier_of(name: str, value: str) -> bool:
    """Tell whether a value is a variable's or metavariable's name: `password=db_password`."""
    value, own = value.rstrip(_ENDS), _known(name).last_part
    if value[:1] == "$":  # a variable of GraphQL or of a shell
        return _IDENTIFIER.fullmatch(value, 1) is not None and squash(value).endswith(own)
    return _IDENTIFIER.fullmatch(value) is not None and (
        squash(value) == own or "_" in value or "." in value
    )


def last_word(name: str) -> str:
    """Return the last word of a name, without separators, in lower case."""
    return _known(name).last_word


def is_about(name: str, value: str) -> bool:
    """Tell whether a value cannot be one of this name: a count of secrets, a fact of an event."""
    value, known = value.rstrip(_ENDS), _known(name)
    if known.last_part == "auth" and _OF_EVENT.fullmatch(value):
        return True
    return (value.isdigit() or value.isalpha()) and known.whole.endswith(_PLURALS)


def is_no_code(name: str, value: str, *, equals: bool) -> bool:
    """Tell whether a value of a name for a number is a word, or shorter: `pin: 17`, `otp=sent`."""
    whole = _known(name).last_word
    if whole not in OF_NUMBERS:
        return False
    number = value.rstrip(_ENDS)
    is_short = number.isdigit() and len(number) < _SHORTEST_PIN
    return not any(map(str.isdigit, value)) or (whole == "pin" and not equals and is_short)


def is_method(name: str, value: str) -> bool:
    """Tell whether a value says how somebody is known, which is no secret: `auth=oauth2`."""
    return names_methods(name) and value.rstrip(_ENDS).lower() in METHODS


def names_methods(name: str) -> bool:
    """Tell whether a name may have a method as its value, or credentials."""
    return _known(name).is_auth


def names_sessions(name: str) -> bool:
    """Tell whether a name is a session's, which may have a short number as its value."""
    return _known(name).whole.endswith(_SESSIONS)


SHOWN_SIGNS: Final = (" ", ".", "/", ":", "\\")
"""One of these stands in each value that `is_shown` shows, if it does not begin beyond ASCII, and
is neither a method (see `names_methods`) nor a number (see `names_sessions`)."""


def is_shown(name: str, value: str) -> bool:
    """Tell whether a value of a secret's name is none: a method, a directory, a sentence."""
    known, first = _known(name), value[:1]
    return (
        (known.is_auth and is_method(name, value))
        or (known.whole.endswith("pwd") and _DIRECTORY.fullmatch(value) is not None)
        or (first in _VERSIONS and _VERSION.fullmatch(value) is not None)
        or ((first in _FILES or value[1:2] == ":") and _FILE.fullmatch(value) is not None)
        or (first == "a" and _ARN.fullmatch(value) is not None)
        or (names_sessions(name) and value.isdigit() and len(value) <= _LONGEST_COUNT)
        or _is_label(value)
        or (" " in value and is_sentence(value) and not known.whole.endswith(_OWN_WORDS))
    )


def _is_label(value: str) -> bool:
    """Tell whether a value is the name of a secret in Korean, or what asks for one."""
    may_be = (not value.isascii() or "\\u" in value) and len(value) <= _LONGEST_LABEL
    return may_be and _LABEL.fullmatch(plain(value)) is not None


def is_schema(value: str) -> bool:
    """Tell whether an object only describes a secret: `{"type": "string", "minLength": 8}`.

    Each of its names has to tell a fact: under `value`, say, the secret itself may stand.
    """
    if len(value) > _LONGEST_SCHEMA:
        return False
    names = _KEY.findall(value)
    return _COMPREHENSION.match(value) is not None or (
        bool(names) and all(is_fact(name) or name.lower() in _OF_SCHEMAS for name in names)
    )


def is_amount(text: str, start: int) -> bool:
    """Tell whether what begins here says how long or how many something is."""
    return _AMOUNT.match(text, start) is not None


def may_be_password(name: str, value: str) -> bool:
    """Tell whether a value of `pass` is a password, and no number of tests that have passed."""
    return (
        is_doubtful(name)
        and len(value) >= _SHORTEST_PASSWORD
        and not value.isalpha()
        and not _TEST.fullmatch(value)
        and not (name.rpartition(" ")[2] == "PASS" and _PASSED.fullmatch(value))
        and any(map(str.isalpha, value))
    )


def is_doubtful(name: str) -> bool:
    """Tell whether the value of a name says whether it is a secret."""
    return _known(name).is_pass
