"""The value of a header without quotes: behind its scheme, to the end of the line."""

from __future__ import annotations

from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.schemes import is_scheme
from flowery_logging.redaction.values import is_amount, is_nothing

HEADERS: Final = frozenset({"authorization", "proxyauthorization", "cookie", "setcookie"})
"""Names whose unquoted value goes to the end of the line: a scheme and more, pairs and more."""

_LINE: Final = late(r"(?:[A-Za-z][\w-]{2,24} (?=\S))?(?P<value>[^\r\n\"'`\\]*)")
_TYPE: Final = late(r"(?:Optional\[)?(?:http\.)?(?:Simple)?Cookies?[\],)](?![\w=])")
_PROSE: Final = late(
    r"[A-Za-z][a-z]{1,20}(?:[ ][a-z]{2,20}){1,16}[.]?"
    r"|(?:[A-Za-z][a-z]{1,20}|[0-9]{1,4})"
    r"(?:[ ](?:[a-z]{2,20}(?:[./][a-z]{2,20})?|[0-9]{1,6}(?:ms|s)?)){3,16}[.]?"
)
"""What a line tells that begins as a header does: `authorization: user 7 may not write`."""


def header_value(text: str, start: int) -> tuple[int, int]:
    """Return where the value of a header begins and ends; the same twice: it is no secret."""
    match = _LINE.match(text, start)
    word, blank, _ = text[start : match.end()].partition(" ") if match else ("", "", "")
    if match is None or (is_nothing(word, equals=False) and not (blank and is_scheme(word))):
        return start, start
    is_prose = not is_scheme(word) and (
        _PROSE.fullmatch(match[0])
        or _TYPE.match(match[0])
        or ("=" not in match[0] and is_amount(text, start))
    )
    if is_prose or (blank and is_nothing(match["value"], equals=True)):
        return start, start
    return match.span("value")
