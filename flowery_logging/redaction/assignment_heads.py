"""The head of an assignment in text: a name, its sign, and the beginning of its value's quotes.

A name may have several words: `api key: …`. They are looked for where they may change what the
name says.
"""

from __future__ import annotations

import re
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.blocks import PROPERTY
from flowery_logging.redaction.flat import Place
from flowery_logging.redaction.header_values import HEADERS
from flowery_logging.redaction.names import ENDINGS
from flowery_logging.redaction.quotes import STOP
from flowery_logging.redaction.values import last_word

_MARK: Final = r"(?:[*~]{1,3}|_{1,2}|(?:</[A-Za-z]{1,8}[1-6]?>){1,3})?"
_MARKS: Final = (
    r"(?:(?<=[:\uff1a])[*~]{1,2}[ \t]{1,4}|_{1,2}[ \t]{1,4}"
    r"|(?:</[A-Za-z]{1,8}[1-6]?>[ \t]{0,4}){1,3})?"
    r"(?:<(?:b|i|u|em|strong|code|tt|kbd|samp|pre|span|font|small|mark|var|td|dd|div|br)"
    r"(?:[ ][^<>\n]{0,128})?/?>[ \t]{0,4}){0,3}"
)
"""Marks of Markdown and HTML behind a name, and behind its sign: `**API key:** …`."""

_PROPERTIES: Final = rf"(?:{PROPERTY}[ ]{{1,4}}){{1,2}}(?![ \n])"
"""What YAML says of a value before it: `!!str …`."""

_ANNOTATION: Final = (
    r"(?:&(?:'static[ ])?)?\\{0,15}[\"']?"
    r"(?:[A-Z][a-z]{2,12}\[[^\]\n=]{1,60}\]{1,3}|(?:Secret)?(?:[Ss]tr(?:ing)?|[Bb]ytes|Any))"
    r"\??\\{0,15}[\"']?(?:[ ]\|[ ][A-Za-z]{3,12})?[ ]?=[ ]?"
    r"(?=[bBfFrRuU]{0,2}\\{0,15}[\"'`]|SecretStr\()"
)
"""The type of a variable in code: `password: str = "…"`."""

# A name, the end of its quotes, the sign, and the beginning of the value's quotes. The name's
# length is bounded, so that the search is linear.
_BEHIND_NAME: Final = (
    r"(?P<closed>\\{0,15}[\"'`]\]?|\"\"|\]|(?<=[A-Z]{2})\)|\)(?==\(|[ ]{0,2}[:=]))?"
    r"(?:[ ]?\((?=[^()\n]{0,23}[가-힣])[^()\n]{1,24}\))?"  # its other name: `password(비밀번호)=`
    rf"{_MARK}"
    r"(?P<sign>(?:[ \t\u00a0]|\\{1,2}xa0){0,64}(?:=>|:=|==?|::(?=[ ])|:(?!//)|\uff1d|\uff1a)"
    rf"(?:[ \t\u00a0]|\\{{1,2}}xa0){{0,8}}(?:(?<=:[ ]){_ANNOTATION})?)"
    rf"(?:(?<=:[ ]){_PROPERTIES}|{_MARKS})"
    r"(?:[bBfFrRuU]{1,2}(?=\\{0,15}[\"'])|string\([0-9]{1,6}\)[ ])?"
    r"(?P<quote>\\{0,15}(?:\"\"(?=\w|\"\"(?!\"))|\"\"\"|\'\'\'|```|[\"'`]))?"
)
_ASSIGNED: Final = late(rf"(?<![\w.%$-])(?P<name>[\w.%$-]{{1,128}}){_BEHIND_NAME}")
_ASSIGNED_WORDS: Final = late(
    r"(?<![\w.%$-])(?P<name>[A-Za-z0-9가-힣]{1,20}(?: [A-Za-z가-힣][A-Za-z가-힣0-9]{0,19}){1,2})"
    + _BEHIND_NAME
)
_WORD_BEFORE: Final = late(r"[A-Za-z0-9가-힣]{1,20}\Z")
_LETTERS: Final = late(rf"[A-Za-z_.]+[.,:;!?)\]}}]*(?=[{STOP}]|\Z)")
_LONGEST_WORD: Final = 20
_MORE_WORDS: Final = 2
"""Words before the last one of a name, at most."""


def head_at(text: str, place: Place, first: int) -> re.Match[str] | None:
    """Return the head of the assignment to the name at a place; None: there is none.

    Its groups are `name`, `closed` (what ends the name), `sign` and `quote`. Words before the
    name, which belong to it, begin at `first` or later.
    """
    match = _ASSIGNED.match(text, place.start)
    if place.in_words and (match is None or _needs_words(text, match, first)):
        return _words_at(text, place.start, first) or match
    return match


def _needs_words(text: str, match: re.Match[str], first: int) -> bool:
    """Tell whether the words before a name may change what is said of it: `no token: …`.

    That a bare value is the name itself is said of all its words too.
    """
    name, start = match[1].lower(), match.start()
    is_bare = match[4] is None and ("=" in match[3] or last_word(name) not in HEADERS)
    before = text[max(first, start - 2 * _LONGEST_WORD - 2) : start].lower()
    return (
        name in ENDINGS
        or name.endswith("token")
        or "no " in before
        or "without " in before
        or match[2] is not None
        or (is_bare and _LETTERS.match(text, match.end()) is not None)
    )


def _words_at(text: str, place: int, first: int) -> re.Match[str] | None:
    """Return the head with a name of several words, the last of which stands at a place.

    The words before it, as in `api key: …`, begin at `first` or later. None: there are none.
    """
    starts: list[int] = []
    start = place
    while len(starts) < _MORE_WORDS and text[start - 1 : start] == " ":
        word = _WORD_BEFORE.search(text, max(first, start - 1 - _LONGEST_WORD), start - 1)
        if word is None:
            break
        start = word.start()
        starts.append(start)
    for start in reversed(starts):
        match = _ASSIGNED_WORDS.match(text, start)
        if match is not None:
            return match
    return None
