"""Words that stand where a secret would, and names whose values are never words."""

from __future__ import annotations

from typing import Final

from flowery_logging.redaction.sentences import ALONE

NOTHING: Final = ALONE | frozenset({
    "", "none", "null", "nil", "true", "false", "undefined", "ok", "yes", "no", "valid",
    "unset", "empty", "optional", "on", "off", "enabled", "disabled",
    "[filtered]", "[redacted]", "[hidden]", "[masked]", "[secret]", "<redacted>",
    "<hidden>", "<secret>", "<masked>", "<none>", "<null>", "<password>", "<token>", "...", "…",
    "?",
    "secretstr('**********')", "(sensitive value)", "(sensitive)", "(known after apply)", "(none)",
    "(hidden)", "(redacted)", "[protected]", "[secure]", "[sensitive]", "[obfuscated]", "[removed]",
    "[scrubbed]", "<sensitive>", "<concealed>", "<set>", "<unset>",
})  # fmt: skip
"""Words that say that there is no value, or none that is shown."""

FACTS: Final = NOTHING | frozenset({
    "changed", "updated", "reset", "rotated", "revoked", "set", "not", "failed", "failure",
    "wrong", "incorrect", "unknown", "string", "str", "int", "bytes", "is",
    "was", "has", "must", "should", "cannot", "too", "field", "hidden", "redacted",
    "masked", "accepted", "rejected", "present", "absent", "the", "a", "an", "by", "return",
    "raise", "pass", "continue", "break", "print", "for", "value", "granted", "denied", "sent",
    "dropped", "loaded", "received", "verified", "refreshed", "created", "deleted", "removed",
    "generated", "issued", "basic", "bearer", "digest", "oauth", "oauth2", "jwt", "kerberos",
    "ldap", "saml", "ntlm", "three", "two", "one", "all", "any", "it", "this", "that", "only",
    "malformed", "mismatch", "timeout", "anonymous", "unauthorized", "forbidden", "success",
    "error", "active", "inactive", "weak", "strong", "short", "long", "stale", "ready", "found",
    "read", "write", "list", "admin", "manage", "unavailable", "unsupported", "mandatory",
    "default", "bool", "object", "text", "float", "dict", "tuple", "callable", "final", "typealias",
    "incomplete", "buffer", "literal",
    "변경", "변경됨", "오류", "불일치", "필수", "없음", "만료", "틀림", "입력", "확인", "재설정",
    "발송", "전송", "실패", "성공", "완료", "필요", "초기화", "미입력", "누락",
})  # fmt: skip
"""The same behind a colon, where a word tells something about the secret."""

METHODS: Final = FACTS | frozenset({
    "oauth1", "oidc", "openid", "saml2", "negotiate", "apikey", "api_key", "api-key", "key",
    "token", "session", "cookie", "password", "mtls", "tls", "x509", "cert", "certificate",
    "sso", "md5", "plain", "login", "pam", "trust", "peer", "iam", "hmac", "scram-sha-256",
    "cram-md5", "google", "kakao", "naver", "apple", "facebook", "github",
})  # fmt: skip
"""Values of `auth=`: how somebody is known, or whether."""

OF_NUMBERS: Final = frozenset({
    "pin", "otp", "totp", "cvv", "cvc", "cvv2", "cvc2", "csc", "인증번호", "인증코드", "핀번호",
    "보안코드", "verificationcode", "securitycode", "otpcode", "smscode", "mfacode",
})  # fmt: skip
"""Names whose values have digits; without separators."""
