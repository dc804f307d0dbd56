"""Personal data as a choice: which names are a phone number's, an address's, a person's.

Off by default: without the phone number in the log a support desk finds no customer. A name is
compared by its words, and the last ones decide, since what follows tells something else:
`phone_verified`, `email_template`, `address_type`. What stands before decides whose it is:
`customer_name` is a person's, `file_name` is none's; an `ip_address` is a machine's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.names import squash, words

KINDS: Final = ("phone", "email", "account", "address", "name")
"""What `redact_personal` takes."""

OPEN_KINDS: Final = frozenset({"phone", "email", "account"})
"""Kinds whose objects hold other things too (`email.subject`): each entry is judged by its name."""

_ASKING: Final = frozenset({"is", "has", "had", "needs", "requires", "use", "uses", "with"})
_ASIDE: Final = frozenset({
    "raw", "normalized", "normalised", "formatted", "value", "text", "full", "line", "detail",
    "details", "home", "work", "office", "main", "primary", "secondary", "e164", "digits",
})  # fmt: skip
"""Words behind a name that do not change what it is."""

_NUMBER: Final = frozenset({"number", "no", "num", "nr"})
_PHONE: Final = frozenset(
    {"phone", "telephone", "cellphone", "handphone", "mobile", "tel", "msisdn", "fax"}
)
_CALLED: Final = frozenset({"cell", "contact", "hp", "caller", "callee", "sms"})
"""Phones if a number is said behind."""

_MAIL: Final = frozenset({"email", "mail"})
_ADDRESS: Final = frozenset({"address", "addr"})
_ACCOUNT: Final = frozenset({"account", "acct"})
_BANKING: Final = frozenset(
    {"bank", "deposit", "refund", "payout", "settlement", "withdrawal", "savings", "virtual"}
)
_MACHINES: Final = frozenset({
    "bind", "broker", "client", "cluster", "contract", "destination", "dst", "eth", "gateway",
    "hardware", "host", "http", "ip", "ipv4", "ipv6", "lan", "listen", "local", "mac", "memory",
    "nat", "net", "network", "node", "page", "peer", "proxy", "remote", "return", "server", "sock",
    "socket", "source", "src", "tcp", "udp", "url", "wallet", "wan", "web",
})  # fmt: skip
"""Whose address is no place where somebody lives (ECS: `client.address`)."""

_OF_A_NAME: Final = frozenset({
    "full", "first", "last", "family", "given", "middle", "sur", "real", "legal", "nick", "maiden",
    "kor", "eng", "person", "personal",
})  # fmt: skip
_BETWEEN: Final = frozenset({"display", "effective", "target", "changes"})
"""Stands between a person and their name (ECS: `user.target.name`)."""

_PERSONS: Final = frozenset({
    "applicant", "beneficiary", "buyer", "caller", "cardholder", "contact", "customer", "cust",
    "debtor", "depositor", "donor", "employee", "father", "friend", "guardian", "guest", "holder",
    "insured", "invitee", "member", "mother", "orderer", "owner", "passenger", "patient", "payee",
    "payer", "purchaser", "receiver", "recipient", "remitter", "sender", "shipper", "spouse",
    "staff", "student", "teacher", "user", "visitor", "winner",
})  # fmt: skip
_NAMES: Final = frozenset({"surname", "forename", "nickname"})

# One word of two: `phonenumber`, `customername`; nothing else may stand before.
_COMPOUND: Final = late(
    rf"(|my|billing|shipping|delivery|street|{'|'.join(sorted(_PERSONS | _OF_A_NAME | _BANKING))}"
    r"|home|work|mobile)(phone|mobile|tel|hp|fax|email|mail|address|addr|account|acct|name)"
    r"(number|no|num|nr|address|addr|)"
)
_PLURALS: Final = {f"{word}s": word for word in (*_PHONE, *_MAIL, *_NUMBER, *_ACCOUNT, "name")} | {
    "addresses": "address", "addrs": "addr",
}  # fmt: skip

_KOREAN: Final = {
    "phone": re.compile(r"(?:전화|휴대폰|핸드폰|연락처|팩스|폰번호|모바일번호)(?:번호)?\d*"),
    "email": re.compile(r"(?:메일|전자우편)(?:주소)?\d*"),
    "account": re.compile(r"(?:계좌|통장)(?:번호)?\d*"),
    "address": re.compile(r"(?<!피)(?<![a-z맥웹버트리속])(?:주소|배송지|거주지)(?:상세|\d)*"),
    "name": re.compile(
        r"성명|성함|실명|예금주|수취인|수령인|받는사람|보내는사람"
        r"|(?:^|고객|회원|주문자|구매자|환자|사용자|신청자|이용자|수신자|발신자|보호자)이름"
        r"|(?:고객|회원|주문자|구매자|환자|사용자|신청자|이용자|수신자|발신자|보호자|담당자|입금자)명"
    ),
}
_HANGUL: Final = late(r"[가-힣]")

_HOST: Final = late(
    r"(?:[a-z]+://.*|/[^ ]*|0x[0-9a-f]+|[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}"
    r"|(?:[a-z0-9_-]+\.)*[a-z0-9_-]+(?::[0-9]{1,5})|localhost|(?:[a-z0-9-]+\.)+[a-z]{2,})",
    re.IGNORECASE,
)


def kind_of_name(path: str) -> str | None:
    """Return which kind of personal data a dotted name says it holds; None: none of them."""
    last = path.rpartition(".")[2]
    if _HANGUL.search(last):
        return _korean_kind(squash(last))
    found = [word for part in path.split(".") for word in _plain_words(part)]
    while len(found) > 1 and found[-1] in _ASIDE:
        found.pop()
    if not found or found[0] in _ASKING or (words(last) or [""])[0] in _ASKING:
        return None
    return next((kind for kind, tells in _TELL.items() if tells(found)), None)


def _plain_words(name: str) -> list[str]:
    """Return the words of a name, in the singular, without digits, compounds taken apart."""
    found: list[str] = []
    for word in words(name):
        bare = word.rstrip("0123456789") or word
        single = _PLURALS.get(bare, bare)
        parts = None if single in _PHONE | _NAMES else _COMPOUND.fullmatch(single)
        found += [single] if parts is None or single == "username" else filter(None, parts.groups())
    return [word for word in found if not word.isdigit()]


def _is_phone(found: list[str]) -> bool:
    numbered = found[-1] in _NUMBER
    what = found[-2] if numbered and len(found) > 1 else found[-1]
    return what in _PHONE or (numbered and what in _CALLED)


def _is_email(found: list[str]) -> bool:
    if found[-1] in _ADDRESS:
        return not _MAIL.isdisjoint(found[:-1])
    return found[-1] in _MAIL


def _is_account(found: list[str]) -> bool:
    if found[-1] in _NUMBER:
        return len(found) > 1 and found[-2] in _ACCOUNT
    if found[-1] in _ACCOUNT:
        return len(found) == 1 or found[-2] in _BANKING
    return found[-1] in {"iban", "bban"}


def _is_address(found: list[str]) -> bool:
    if found[-1] in _ADDRESS:
        return len(found) == 1 or found[-2] not in _MACHINES
    return found[-1] == "street" or found[-2:] == ["street", "name"]


def _is_name(found: list[str]) -> bool:
    if found[-1] != "name":
        return found[-1] in _NAMES or found[-2:] in (["card", "holder"], ["account", "holder"])
    before = [word for word in found[:-1] if word not in _BETWEEN]
    return bool(before) and (before[-1] in _PERSONS or before[-1] in _OF_A_NAME)


_TELL: Final[dict[str, Callable[[list[str]], bool]]] = {
    "phone": _is_phone,
    "email": _is_email,
    "account": _is_account,
    "address": _is_address,
    "name": _is_name,
}


def _korean_kind(name: str) -> str | None:
    for kind, pattern in _KOREAN.items():
        if any(match.end() == len(name) for match in pattern.finditer(name)):
            return kind
    return None


def is_network_address(value: object) -> bool:
    """Tell whether what a name calls an address is a machine's: an IP address, a host, a URL."""
    text = str(value).strip()
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return _HOST.fullmatch(text) is not None
    return True
