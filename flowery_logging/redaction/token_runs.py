"""The quick look at long runs of letters and digits: a token may stand there.

Most are UUIDs, hashes and names. Digits are zeros here (see `suspicion`): what is found of a text
holds for all that differ from it in digits alone.
"""

from __future__ import annotations

import re
from typing import Final

from flowery_logging.late import late
from flowery_logging.redaction.forms import FORMS
from flowery_logging.redaction.harmless import SHORTEST_TOKEN

TOKEN_SIGNS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
RUN: Final = "x" * SHORTEST_TOKEN
"""With `x` as each sign of a token: a run of them that is shorter than any of `FORMS`."""


_DIGITS: Final = dict.fromkeys(map(ord, "123456789"), "0")


def _zeroed(text: str) -> str:
    return text.translate(_DIGITS)


_STEMS: Final = [
    _zeroed(stem) for form in FORMS for stem in form.stems if re.fullmatch(r"\w[\w-]*", stem)
]
_SHORT_HEADS: Final = frozenset({"aio", "fc", "fw", "pa", "sdk", "tk", "up"})
_LONGER_RUN: Final = 25
"""Heads that are also words of names: `aws-sdk-python`; and how long their tokens are at least."""

_WORDS: Final = (
    frozenset(
        [re.split("[-_]", stem)[0] for stem in _STEMS if not stem.isalnum()]
        + ["us0", "us00"]  # how a key of Mailchimp ends
    )
    - _SHORT_HEADS
)
_BEGINNINGS: Final = frozenset(stem[:3] for stem in _STEMS if stem.isalnum() and len(stem) > 2)
"""What stands in a token between dashes and underscores, or begins there."""

_HEADS: Final = _BEGINNINGS.union(word[:3] for word in _WORDS)

_INSIDE: Final = frozenset(".:~")
"""What stands inside tokens: `SG.…`, `123456789:AA…`, `abc8Q~…`."""

_BEHIND_COLON: Final = ("AA", "APA00b")
_BEFORE_DOT: Final = ("SG", "hvs", "hvb", "hvr", "ya00")
"""What stands around the sign in those tokens whose second part may be short."""

_ASANA: Final = 32
"""Characters behind the colon in a token of Asana, `2/1201…:…`."""

_LONG_WORD: Final = 40
"""So many letters without a digit are no word."""

_BASE64: Final = late("IQoJb0|FwoGZX|ABSK|whsec_|fm0|essu_|dXNlcj")
_OF_BASE64: Final = frozenset("+/")
_WINDOW: Final = 96
"""Heads of tokens in base 64, whose first run may be short; and how far behind is looked."""

_LINK: Final = 20
"""Characters of a token in the path of a link, at least; and those of Django's: `/c5x8qz-…`."""

_RESET: Final = 39
_LINKS: Final = (
    "reset/", "password/", "verify/", "email/", "confirm/", "activate/", "activation/", "magic/",
    "verification/", "link/", "invite/", "invitation/", "invitations/", "unsubscribe/",
)  # fmt: skip
"""What stands before it."""

_WEBHOOKS: Final = ("hooks.slack", "/webhooks/", "hook.dooray", "jandi.com/", "webhookb0")
_STAGES: Final = frozenset({"sandbox", "development", "production"})
_PLAID: Final = 48
"""Characters of a token of Plaid, which has the name of a stage in it."""

_TWILIO: Final = frozenset({"SK", "AC"})
_TWILIO_CHARS: Final = 34


def has_token(text: str, runs: str) -> bool:
    """Tell whether a run that is long enough may be a token.

    `text` has zeros as digits; `runs` is the same with `x` as each sign of a token, `=` as those
    that may stand behind a name, and blanks.
    """
    if "hook" in text and any(address in text for address in _WEBHOOKS):
        return True
    has_signs = "=" in runs
    start = runs.find(RUN)
    while start >= 0:
        end = runs.find(" ", start)
        if end < 0:
            end = len(runs)
        if has_signs and (sign := runs.find("=", start, end)) >= 0:
            end = sign
        before = text[start - 1] if start else ""
        if before == "\\":  # perhaps an escape, which a token begins behind
            if _has_head(text[start:end]):
                return True
            start += 5 if text[start] == "u" else 1
        run = text[start:end]
        if (end - start == 36 and run[8] == run[13] == "-") or (before == "." and run.isdigit()):
            pass  # a UUID, a fraction
        elif (
            (before in _INSIDE and _goes_on(text, start, run))
            or _has_head(run)
            or (before in _OF_BASE64 and _is_inside(text, start, end))
        ):
            return True
        start = runs.find(RUN, end)
    return False


def may_be_token(run: str) -> bool:
    """Tell of a run that is hidden, by its beginning and its words, whether it may be a token."""
    return _has_head(_zeroed(run))


def _goes_on(text: str, start: int, run: str) -> bool:
    """Tell whether a run may be the end of a token; after a dot most are names of classes."""
    if text[start - 1] == ":":
        return (
            run.startswith(_BEHIND_COLON)
            or text.endswith("oauth:", 0, start)
            or (len(run) == _ASANA and text[start - 2 : start - 1].isdigit())
        )
    is_word = len(run) < _LONG_WORD and run.replace("_", "").isalpha()
    return not is_word or "~" in text or text[max(0, start - 5) : start - 1].endswith(_BEFORE_DOT)


def _is_inside(text: str, start: int, end: int) -> bool:
    """Tell whether a run behind a slash or a plus may be of a token, in a link or in base 64."""
    if text[start] == "0" and (
        text[start - 2 : start - 1] == "/" or text[start - 2 : start + 2] == "0/0A"
    ):
        return True  # of Google: `1//0…`, `4/0A…`
    if end - start >= _LINK and (
        text.endswith(_LINKS, 0, start) or (end - start == _RESET and text[start + 6] == "-")
    ):
        return True
    return _BASE64.search(text, max(0, start - _WINDOW), start) is not None


def _has_head(run: str) -> bool:
    if "-" not in run and "_" not in run:
        return run[:3] in _BEGINNINGS or (len(run) == _TWILIO_CHARS and run[:2] in _TWILIO)
    parts = run.replace("-", "_").split("_")
    for part in parts:
        if part[:3] in _HEADS and (part in _WORDS or part[:3] in _BEGINNINGS):
            return True
    return len(run) >= _LONGER_RUN and _is_long_token(run, parts)


def _is_long_token(run: str, parts: list[str]) -> bool:
    return (
        parts[0] in _SHORT_HEADS
        or (len(run) >= _PLAID and not _STAGES.isdisjoint(parts))
        or any(len(part) == _TWILIO_CHARS and part[:2] in _TWILIO for part in parts)
    )
