"""What stands where a secret would, and is none: a fact about it, a mask, a piece of code."""

from __future__ import annotations

import re
from typing import Final

_FACTS: Final = frozenset({
    "", "none", "null", "nil", "true", "false", "yes", "no", "undefined", "empty", "missing",
    "required", "invalid", "valid", "expired", "changed", "updated", "reset", "rotated",
    "revoked", "set", "unset", "not", "ok", "failed", "failure", "wrong", "incorrect", "unknown",
    "optional", "string", "str", "int", "bytes", "enabled", "disabled", "on", "off", "is", "was",
    "has", "must", "should", "cannot", "too", "field", "hidden", "redacted", "masked",
    "accepted", "rejected", "present", "absent", "the", "a", "an", "by", "return", "raise",
    "pass", "continue", "break", "print", "for", "value", "<redacted>", "<hidden>", "<secret>",
    "[filtered]", "<none>", "<null>", "...", "…", "secretstr('**********')", "변경", "변경됨",
    "오류", "불일치", "필수", "없음", "만료", "틀림", "입력", "확인", "재설정", "발송", "전송",
    "실패", "성공",
})  # fmt: skip
"""Words that stand where a value would, and tell something about it."""

_NOTHING: Final = frozenset({"none", "null", "nil", "true", "false", "undefined"})
"""The same behind `=`, where any other word may be the secret itself."""

_CODE: Final = re.compile(
    r"[A-Za-z_][\w.]*[(\[]|(?:self|cls|os|settings|config|request|args|kwargs)\."
)
_MASK: Final = re.compile(
    r"[*•.…]{2,}|[xX]{3,}|\$\{[^}]{0,64}\}?|\{\{[^}]{0,64}\}?\}?|\$[A-Z_]{1,64}|%\(\w{1,64}\)s|%s|\{\w{0,64}\}"
    r"|\[redacted(?::\w{1,32})?\]"
)


def is_nothing(value: str, *, equals: bool) -> bool:
    """Tell whether a value is a mask or tells a fact; `equals`: it stands behind `=`."""
    word = value.strip().rstrip(".,!?").lower()
    return word in (_NOTHING if equals else _FACTS) or _MASK.fullmatch(value) is not None


def is_code(value: str) -> bool:
    """Tell whether a value is a call or an attribute, as source lines of tracebacks have them."""
    return _CODE.match(value) is not None
