"""Texts that differ in their secrets alone, as those of one call do: found once by the rules.

The outline of a text is what is left without its runs, which are what passwords and tokens mostly
are. Where each secret of a text is such a run, its outline is kept, and which runs are hidden. A
text of the same outline hides the same ones. So nothing is shown that the rules have not shown
before: all but what is hidden is the same, to the letter. That a hidden run may be the name of a
secret, and say so of what stands beside it, is not asked: that was shown before.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from flowery_logging.kept import Kept
from flowery_logging.late import late
from flowery_logging.redaction import escapes, prose
from flowery_logging.redaction.alike import (
    LONGEST_OUTLINED,
    TOO_MANY,
    UNTIL_TRIED_AGAIN,
    UNTOLD,
    WORTH,
)
from flowery_logging.redaction.harmless import SHORTEST_TOKEN
from flowery_logging.redaction.numbers import Span
from flowery_logging.redaction.suspicion import TOKENS
from flowery_logging.redaction.token_runs import may_be_token

_JWT: Final = r"eyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)+"
# None begins behind a dash, in another that was none: so the search is linear.
_RUN: Final = late(
    rf"\b(?<!-)(?=[A-Za-z0-9][\w-]{{6}})({_JWT}|(?=[A-Za-z_-]*[0-9])(?=[0-9_-]*[A-Za-z])[\w-]+)",
    re.ASCII,
)
"""Letters and digits which no rule takes for a word; or a JSON web token, the one with dots."""

_SHAPE: Final = {ord(sign): "x" for sign in string.ascii_letters + string.digits}
_OF_GRAFANA: Final = "eyJrIjoi"
_DIGIT: Final = late("[0-9]")
_MANY_DIGITS: Final = late(r"[0-9][A-Za-z_-]*[0-9][A-Za-z_-]*[0-9]")
_LAST_DIGIT: Final = late(r"\d\W*\Z")
_FIRST_DIGIT: Final = late(r"\W*\d")
_BEGINNING: Final = late("([0-9]{4}-[0-9]{2})|([0-9a-f]{8}-)")
"""That of a date, and of a UUID."""

_BY_CONTENT: Final = ("asic", "auth plain", "authenticate plain", "gfzc3dvcmq6")
"""Signs, in small letters, of credentials that are told by what they say in base 64."""

_UNTOLD: Final = ("\\u", "\\x", "\x1b", "%", "AUTH")
"""Signs of texts of which no outline is kept: a run may be of an escape, or told by its content."""

_LONG: Final = 256
"""Characters behind a word that are credentials, at most; rules look so far, or twice, around."""

_OUTLINES: Final = 256
"""How many outlines are kept."""


class Known(NamedTuple):
    """What is known of an outline; places are those among the pieces of a text.

    `counted` is what is counted, `hidden` the place and marker of each secret, `shown` other runs.
    """

    counted: Mapping[str, int]
    hidden: list[tuple[int, str]]
    shown: list[tuple[int, str]]


class Outlines:
    """What is hidden of texts, by their outlines."""

    __slots__ = ("_known", "_new")

    def __init__(self) -> None:
        self._known: Kept[tuple[Any, ...], Known] = Kept(_OUTLINES)
        self._new = 0  # texts of a new outline, less what those of known ones were worth

    def clean(self, text: str, suspected: int) -> tuple[str, Mapping[str, int]] | None:
        """Return a text without its secrets, and what is counted; None: ask the rules.

        `suspected` are the kinds that the quick look has told of it, as bits, or `UNTOLD`.
        """
        if len(text) > LONGEST_OUTLINED or self._rest():
            return None
        pieces = _RUN.split(text)
        known = self._known.get(_outline(pieces, suspected)) if len(pieces) > 1 else None
        if known is None or (known.shown and not _are_same(pieces, known.shown)):
            self._new += suspected != UNTOLD
            return None
        if self._new > 0:
            self._new -= WORTH
        for place, marker in known.hidden:
            pieces[place] = marker
        return "".join(pieces), known.counted

    def keep(
        self,
        text: str,
        suspected: int,
        spans: list[Span],
        markers: list[str],
        counted: Mapping[str, int],
    ) -> None:
        """Keep what the rules have found in a text, the marker of each secret, and the counts."""
        if not spans or len(text) > LONGEST_OUTLINED or self._new > TOO_MANY:
            return
        pieces = _RUN.split(text)
        marked = {span[:2]: marker for span, marker in zip(spans, markers, strict=True)}
        found = [(place, marked.pop(span, None)) for place, span in _runs(pieces)]
        if marked or (suspected & TOKENS and not all("." in run for run in pieces[1::2])):
            return
        if _tells_more(text):
            return
        hidden = [(place, marker) for place, marker in found if marker is not None]
        shown = [(place, pieces[place]) for place, marker in found if marker is None]
        known = Known(counted, hidden, shown)
        self._known.keep(_outline(pieces, suspected), known)
        if not any(_touches_digits(pieces, place) for place, _ in hidden):
            self._known.keep(_outline(pieces, UNTOLD), known)

    def _rest(self) -> bool:
        """Tell whether no outline is looked up, as those of the texts before were new."""
        if self._new <= TOO_MANY:
            return False
        self._new = self._new + 1 if self._new < UNTIL_TRIED_AGAIN else 0
        return True


def _are_same(pieces: list[str], shown: list[tuple[int, str]]) -> bool:
    return all(pieces[place] == run for place, run in shown)


def _touches_digits(pieces: list[str], place: int) -> bool:
    """Tell whether digits beside a run may be a number with digits of it."""
    before, after = pieces[place - 1], pieces[place + 1]
    return _LAST_DIGIT.search(before) is not None or _FIRST_DIGIT.match(after) is not None


def _outline(pieces: list[str], suspected: int) -> tuple[Any, ...]:
    """Return what is left without the runs, and what else a rule may ask of them."""
    return (suspected, *pieces[::2], *map(_form, pieces[1::2]))


def _form(run: str) -> tuple[Any, ...]:
    """Return what a rule may ask of a run: its length, dashes, cases, digits, beginning."""
    if "." in run:
        length = (len(run) - 1) // _LONG
        return length, _DIGIT.search(run) is not None, run.startswith(_OF_GRAFANA)
    has_many_digits = _MANY_DIGITS.search(run) is not None
    is_token = len(run) >= SHORTEST_TOKEN and may_be_token(run)
    if run.isalnum():
        return len(run), run.islower(), run.isupper(), has_many_digits, is_token
    begun = _BEGINNING.match(run)
    shape = run.translate(_SHAPE)
    return shape, run.islower(), run.isupper(), has_many_digits, is_token, begun and begun.lastindex


def _runs(pieces: list[str]) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield the place of each run among the pieces, and where it stands in the text."""
    end = 0
    for place, piece in enumerate(pieces):
        start, end = end, end + len(piece)
        if place % 2:
            yield place, (start, end)


def _tells_more(text: str) -> bool:
    """Tell whether what a secret says may tell that it is one: in base 64, or a number's form."""
    if any(map(text.__contains__, _UNTOLD)) or ("|" in text and "--" in text):
        return True  # the cells of a table may be facts
    is_escaped = "\\" in text or ("&" in text and ";" in text)
    inner = [layer for layer, _ in escapes.layers(text)] if is_escaped else []
    return any(_is_said(one, one.lower()) for one in (text, *inner))


def _is_said(text: str, lower: str) -> bool:
    is_encoded = any(map(lower.__contains__, _BY_CONTENT))
    return is_encoded or any(True for _ in prose.find(text, lower))
