"""Which names are a secret's: a key of a mapping, a header, a parameter, an option.

A name is compared by its words, so that `author` is not `auth` and `token_count` is not `token`.
A name whose last word tells a fact *about* a secret (`password_changed_at`, `api_key_id`) or that
asks for one (`has_password`) has no secret as its value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import unquote

from flowery_logging.late import late
from flowery_logging.redaction import letters

KindOf = Callable[[str], "str | None"]
"""Tells of which kind the value of a name is; None: it is shown."""

KEY_CHARS: Final = 256
"""Characters of a name that are looked at."""

# Anywhere in a name, whatever surrounds them (compared without separators, in lower case).
_FRAGMENTS: Final = (
    "password", "passwd", "passphrase", "passcode", "secret", "credential", "authorization",
    "apikey", "privatekey", "accesskey", "signingkey", "encryptionkey", "decryptionkey",
    "masterkey", "hmackey", "sharedkey", "sshkey", "sessionkey", "authkey", "servicekey",
    "subscriptionkey", "merchantkey", "billingkey", "confmkey", "crtfckey", "apigwsignature",
    "cardnumber", "cardno", "cardnum", "creditcard", "debitcard", "sessionid", "sessid",
    "csrftoken", "xsrftoken", "connectionstring", "passport", "driverlicense", "driverslicense",
    "driverlicence", "driverslicence", "drivinglicense", "drivinglicence",
    "alienregistration", "foreignerregistration", "residentregistration", "residentno",
    "residentnumber", "residentid", "socialsecurity", "jumin", "verificationcode", "authcode",
    "securitycode", "recoverycode", "backupcode", "onetimecode", "smscode", "smsauth", "facode",
    "recoverykey", "oauthverifier", "devicecode", "crtfcno", "authnum", "otpcode",
    "logincode", "resetcode", "verifycode", "securityanswer", "seedphrase", "mnemonic",
    "bimilbunho",
    "주민등록", "주민번호", "주민뒷자리", "외국인등록", "외국인번호", "비밀번호", "비번",
    "패스워드", "카드번호", "여권번호", "면허번호", "인증번호", "인증코드", "본인확인번호",
    "보안코드", "보안카드", "핀번호", "핀코드", "pin번호", "otp번호", "복구코드", "cvc번호",
    "cvv번호", "시크릿", "비밀키", "개인키", "인증키", "접근키", "세션키",
    "세션id", "세션아이디", "서비스키", "액세스키", "암호키", "접속키", "api키", "토큰",
)  # fmt: skip

_FRAGMENT: Final = late("|".join(_FRAGMENTS))

# Whose `pass` is a password, where that of a test or a traveller is none.
_OWNERS: Final = (
    "db", "database", "user", "admin", "root", "smtp", "mail", "email", "mysql", "pg",
    "redis", "ftp", "ldap", "proxy", "http", "login", "my", "rabbitmq", "mongo", "ssh",
    "become", "sudo", "sftp", "vpn", "wifi", "postgres", "oracle", "mssql", "sql", "mq", "amqp",
    "kafka", "es", "elastic", "web", "api", "bind", "master", "old", "new", "tmp", "temp",
    "key", "cert", "store", "keystore", "truststore", "git", "jenkins", "imap", "pop3", "svc",
    "jdbc", "auth", "vault", "pop0",
)  # fmt: skip

# Names with a digit stand with a zero too: so the quick look asks for them (see name_signs.py).
# A word of the name (`user_pwd`, `userPwd`, `user.pwd`).
_WORDS: Final = frozenset({
    *(owner + last for owner in _OWNERS for last in ("pass", "pw")),
    "pswd", "psk", "cookie", "cookies", "jwt", "rrn", "ssn", "cvv", "cvc", "csc",
    "cvv2", "cvc2", "cvv0", "cvc0", "otp", "totp", "bearer", "requirepass", "masterauth",
    "appkey", "impkey", "signkey", "serverkey", "adminkey", "creds", "암호",
})  # fmt: skip

# The last word of the name (`access_token`, `basic-auth`; not `token_type`, `auth_method`).
_LAST_WORDS: Final = frozenset({"token", "auth", "pin", "pw", "sid"})

# Two words at its end.
_LAST_PAIRS: Final = frozenset({
    *((word, last) for word in ("license", "licence") for last in ("no", "number", "key")),
    ("pin", "number"), ("pin", "no"), ("pan", "number"), ("card", "pan"), ("arc", "no"),
    ("foreigner", "no"), ("alien", "no"),
    *((use, "key") for use in (
        "account", "app", "imp", "sign", "server", "admin", "deploy", "aes", "cipher", "crypto",
        "application", "approval", "cust", "fastly", "fernet", "functions", "ingest", "integration",
        "write",
    )),
    *((owner, "pass") for owner in _OWNERS),
    *(("pw", last) for last in ("confirm", "confirmation", "chk", "again", "repeat", "new", "old")),
})  # fmt: skip

# The last word of a name that tells a fact about a secret, but is none.
_FACTS: Final = frozenset({
    "at", "on", "by", "age", "algorithm", "attempts", "changed", "count", "counts", "created",
    "date", "days", "enabled", "endpoint", "error", "exists", "expired", "expires", "expiry",
    "field", "format", "file", "hash", "header", "hint", "id", "ids", "in", "is", "issuer",
    "kind", "last4", "len", "length", "limit", "lifetime", "max", "method", "min", "missing",
    "name", "names", "path", "policy", "present", "provider", "required", "requirements",
    "reset", "rotation", "rules", "score", "size", "source", "state", "status", "strength",
    "time", "timeout", "total", "ttl", "type", "updated", "uri", "url", "usage", "used", "valid",
    "version", "manager", "validator", "verified", "set", "domain", "samesite", "consent",
    "banner", "country", "issued", "copy", "arn", "check", "checked", "label", "placeholder",
    "title", "message", "msg", "help", "description", "prompt", "tooltip", "short", "long", "weak",
    "mismatch", "result", "remaining", "seconds", "minutes", "hours", "position", "scope", "scopes",
    "audience", "role", "group", "service", "class", "column", "table", "prefix", "suffix",
    "pattern", "ref", "reference", "mode", "alg", "exp", "iat", "iss", "revoked", "rotated",
    "change", "changes", "locked", "failures", "failed", "retries", "requests", "refreshed",
    "bits", "entropy", "charset", "encoding", "fingerprint", "thumbprint", "masked", "preview",
    "brand", "bank", "hasher", "hashers", "validators", "channel", "kid", "backend", "engine",
    "store", "storage", "cache", "driver", "adapter", "strategy", "handler", "factory", "interval",
    "period", "window", "threshold", "quota", "rate", "delay", "grace", "leeway", "rounds",
    "iterations", "dir", "directory", "folder", "mount", "plugin", "region", "location", "chars",
    "bytes", "complexity", "serializer", "schema", "model", "fields", "middleware", "extractor",
    "exception", "lookup", "authority", "reuse", "verifier", "resolver", "getter", "loader",
    "parser",
})  # fmt: skip
_ASKING: Final = frozenset(
    {"has", "is", "had", "needs", "requires", "use", "uses", "no", "num", "with"}
)

_DENYING: Final = frozenset({"no", "without"})
"""What stands before a secret's name where there is no secret."""

ENDINGS: Final = frozenset({
    "word", "phrase", "code", "codes", "key", "keys", "number", "no", "no.", "num", "card",
    "id", "string", "license", "licence", "registration", "security", "words", "pass", "value",
    "번호", "등록", "코드", "카드", "키", "토큰", "암호", "확인", "재확인", "앞자리", "뒷자리",
    "앞2자리", "앞두자리", "값",
})  # fmt: skip
"""Last words of names of secrets in several words: `api key: …`."""

_KOREAN_FACTS: Final = (
    "변경일", "변경일시", "일시", "일자", "만료일", "길이", "여부", "횟수", "정책", "유형",
    "종류", "화", "오류", "개수", "건수", "발송", "만료", "시간", "시각", "기간", "주기",
    "상태", "결과", "방식", "방법", "수단", "규칙", "형식", "단계", "이력", "사유", "강도",
    "등급", "안내", "힌트", "실패", "성공", "완료",
)  # fmt: skip

# Names that the rules above would catch although they hold no secret.
SAFE: Final = frozenset({
    "oldpwd", "tokens", "secretary", "secretariat", "unauthorized", "secretsmanager", "암호화폐",
    "암호화", "토큰수", "토큰화",
})  # fmt: skip

# Tokens that let nobody in: the place in a list where the next request goes on (AWS `NextToken`,
# Google `pageToken`, Azure `continuationToken`), what makes a request repeatable or orders it, and
# what a parser or a language model reads. Each word before `token` has to say so: a
# `page_access_token` is a secret, and so may be a `new_token`, a `resume_token` or a `client_token`
# (Vault's is one).
_PLAIN_TOKEN: Final = late(
    r"(?:(?:new|start|first|last|prev|previous|next|upload|starting)*"
    r"(?:next|page|pagination|paging|continuation|sync|scroll|skip|delta|cursor|sequence|starting)"
    r"|idempotency|fencing|cancellation"
    r"|(?:parser|parse|lexer|syntax|json|sql|first|last)*(?:error|unexpected|offending|lookahead)"
    r"|(?:eos|bos|eot|pad|unk|sep|cls|mask))token"
)
_HARMLESS: Final = late(
    "secretar(?:y|iat|ies)|secretsmanager|publickeycredentials|unauthorized|passwordless|암호화"
)
"""Words in which a fragment stands by chance."""

_NUMBERED: Final = late(r"(?<=pwd|otp|pin|jwt|rrn|ssn)\d{1,2}$|(?<=pw)\d{1,2}$|(?<=token)\d{1,2}$")
_WORD: Final = late(r"[A-Z]+(?![a-z])|[A-Z]?[^\W_A-Z]+|[A-Z]")
_SEPARATORS: Final = late(r"[\W_]+")


def squash(name: str) -> str:
    """Return a name without separators, in lower case."""
    return _SEPARATORS.sub("", letters.plain(name)).lower()


def words(name: str) -> list[str]:
    """Return the words of a name in lower case: `userPwd` and `user_pwd` have two."""
    return [word.lower() for word in _WORD.findall(name[:KEY_CHARS])]


def unquoted(name: str) -> str:
    """Return a name of a form or query decoded, also where it was encoded again and again."""
    for _ in range(4):
        if "%" not in name:
            break
        name = unquote(name)
    return name.replace("+", " ")


def is_fact(name: str) -> bool:
    """Tell whether a name tells a fact about what it stands in: `min_length`, `type`."""
    found = words(name)
    return bool(found) and (found[-1] in _FACTS or found[0] in {"min", "max"})


def is_denied(name: str) -> bool:
    """Tell whether a name of several words says that there is no secret: `no token`."""
    before = name.lower().split(" ")
    return not _DENYING.isdisjoint(before[:-1]) or is_plain_token("".join(before[-2:]))


def is_plain_token(name: str) -> bool:
    """Tell whether a name, or the last part of it, is that of a token that lets nobody in."""
    return _PLAIN_TOKEN.fullmatch(squash(name.rpartition(".")[2])) is not None


class Names:
    """Tells names of secrets from others.

    Args:
        secret: more names, compared without case and separators, as whole names.
        safe: names that are shown although a rule would hide them.
    """

    def __init__(self, secret: Iterable[str] = (), safe: Iterable[str] = ()) -> None:
        self._secret = frozenset(map(squash, secret))
        self._safe = SAFE | frozenset(map(squash, safe))

    def judge(self, name: str) -> bool:
        """Tell whether the value under a name (one part of a dotted one) is a secret."""
        name = letters.plain(name[:KEY_CHARS])
        whole = squash(name)
        if whole in self._secret:
            return True
        if whole in self._safe or whole.endswith(_KOREAN_FACTS) or is_plain_token(name):
            return False
        words = [_NUMBERED.sub("", word.lower()) for word in _WORD.findall(name)]
        if not words or _asks(words) or ("." in name and _asks(_last_part(name))):
            return False
        if (
            len(words) > 1
            and words[-1] in _FACTS
            and self._is_secret("".join(words[:-1]), words[:-1])
        ):
            return False
        return self._is_secret(whole, words)

    def _is_secret(self, whole: str, words: list[str]) -> bool:
        whole = _HARMLESS.sub("", whole)
        return (
            _FRAGMENT.search(whole) is not None
            or not _WORDS.isdisjoint(words)
            or any("pwd" in {word[:3], word[-3:]} for word in words)
            or words[-1] in _LAST_WORDS
            or (len(words) == 1 and words[0].endswith(("token", "암호")))
            or tuple(words[-2:]) in _LAST_PAIRS
        )


def _asks(words: list[str]) -> bool:
    return len(words) > 1 and words[0] in _ASKING


def _last_part(name: str) -> list[str]:
    return words(name.rpartition(".")[2])


is_secret: Final = Names().judge
"""Tells whether the value under a name is a secret, by the rules without configuration."""
