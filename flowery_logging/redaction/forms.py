"""Tokens that are known by their form: a prefix that their maker gives them, or a structure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.makers import MAKERS
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.services import SERVICES
from flowery_logging.redaction.standards import STANDARDS

FORMS: Final = (*STANDARDS, *MAKERS, *SERVICES)

_COMPILED: Final = [(late(form.pattern, re.ASCII), form.kind) for form in FORMS]
_SIGNS: Final = ("_", "-", ".", "$", "/", ":")


def _sign_of(stem: str) -> str:
    return next((sign for sign in _SIGNS if sign in stem), "")


# By a sign that they have: most texts have few of these.
_STEMS: Final = {
    sign: [
        (stem, row)
        for row, form in enumerate(FORMS)
        for stem in form.stems
        if _sign_of(stem) == sign and " " not in stem
    ]
    for sign in ("", *_SIGNS)
}
_WITH_BLANKS: Final = [
    (stem, row) for row, form in enumerate(FORMS) for stem in form.stems if " " in stem
]


_SHORTEST: Final = 12
"""Characters of a token at least, between blanks."""


def find(text: str) -> Iterator[Span]:
    """Yield the tokens of known forms in a text."""
    long = " ".join([word for word in text.split() if len(word) >= _SHORTEST])
    rows = [row for stem, row in _WITH_BLANKS if stem in text]
    rows += [
        row for sign, stems in _STEMS.items() if sign in long for stem, row in stems if stem in long
    ]
    for row in dict.fromkeys(rows):
        pattern, kind = _COMPILED[row]
        for match in pattern.finditer(text):
            start = match.start()
            if start == 0 or not _goes_on(text, start):
                yield Span(start, match.end(), kind)


def _goes_on(text: str, start: int) -> bool:
    """Tell whether a token that seems to begin here is the middle of a longer word."""
    if text.startswith("bot", start - 3) and text[start].isdigit():
        return False  # how Telegram has it in its addresses
    before = text[start - 1]
    if before in "nrt" and text[start - 2 : start - 1] == "\\":
        return False  # the end of a line, in a text within a text
    return text[start].isalnum() and before.isascii() and before.isalnum()
