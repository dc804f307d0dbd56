"""The quick look at texts that differ in digits alone, as most messages of one call do.

With zeros as digits they are one shape. What a shape may hold is kept when it comes for the second
time; only whether a number stands there is asked of each text. A text that may hold a secret of
letters is never kept. Calls whose texts are new each time, as those with the name of a customer,
are noticed, and their texts looked at as they come. So are those whose new texts had a secret each
time: in these it is looked up where it stands (see outlines.py), which takes less than to look.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from flowery_logging.kept import Kept
from flowery_logging.late import late
from flowery_logging.redaction import digit_runs
from flowery_logging.redaction.digit_runs import may_begin
from flowery_logging.redaction.stems import LONG_TEXT, ZEROS
from flowery_logging.redaction.suspicion import ENTITY, NUMBERS, PLACED, Suspicion

UNTOLD: Final = -2
"""Said of texts that have not been looked at: each of them is to be asked about alone."""

OFTEN: Final = 3
_TRUSTED: Final = 15
"""After so many texts of one call, one behind the other, with a secret that is told by its place,
so many are not looked at together."""

LONGEST_OUTLINED: Final = 1024
"""Characters of a text whose outline is kept, at most; and bytes of those that are `UNTOLD`."""

_ONCE: Final = 64
_NEW: Final = 128
_BY_DIGITS: Final = 256
_NUMBERS: Final = 9
_PLACE: Final = 11
"""What is known of a shape, beside the kinds in it: it has come once; it has not come; all depends
on the digits. So many bits further on: which numbers may be there, if the digits are the right
ones; and one more than the place where they begin, if there is but one."""

_ANY_NUMBER: Final = (digit_runs.CARD | digit_runs.RESIDENT) << _NUMBERS
_KINDS: Final = _ONCE - 1

_SHAPES: Final = 1024
_LONG_SHAPES: Final = 128
_LONGEST: Final = 8192
"""Shapes that are kept; those of long texts (statements, tracebacks), and their bytes at most."""

TOO_MANY: Final = 64
WORTH: Final = 4
UNTIL_TRIED_AGAIN: Final = 2048
"""So many texts of a new shape, if not one in five is of a known one, are enough: shapes are not
looked up then, until so many texts have come."""

_FULL_WIDTH: Final = b"\xef\xbc"
"""What is in a digit that stays as it is in a shape."""

_ESCAPED_BYTE: Final = late("%[0-9A-Fa-f]{2}")
_PLAIN_ESCAPE: Final = late(r'\\[nrt"]')


class Shapes:
    """What is known of shapes.

    Args:
        suspicion: what looks.
    """

    __slots__ = ("_suspicion", "known", "known_long")

    def __init__(self, suspicion: Suspicion) -> None:
        self._suspicion = suspicion
        self.known: Kept[bytes, int] = Kept(_SHAPES)
        self.known_long: Kept[bytes, int] = Kept(_LONG_SHAPES)

    def note(self, shape: bytes) -> None:
        """Note that a shape has come, of which nothing is known."""
        self._kept(shape).keep(shape, _ONCE)

    def learn(self, shape: bytes) -> int:
        """Return what is known of a shape now that it has come again."""
        found = self._kept(shape)[shape] = self._of(shape)
        return found

    def _kept(self, shape: bytes) -> Kept[bytes, int]:
        return self.known if len(shape) <= LONG_TEXT else self.known_long

    def _of(self, shape: bytes) -> int:
        if _has_codes(shape.decode("latin-1")):
            return _BY_DIGITS
        kinds, which = self._suspicion.look(shape), digit_runs.numbers_in(shape)
        place = digit_runs.only_place(shape) if which else None
        at = 0 if place is None else place + 1
        return kinds | which << _NUMBERS | at << _PLACE


Look = Callable[[bytes], int]


def untold(encoded: bytes) -> int:  # noqa: ARG001 - it stands where others look
    """Return `UNTOLD`, of any text."""
    return UNTOLD


class Call:
    """The texts of one call (or of all that no call is known of), one after the other.

    Args:
        look: tells the kinds of what comes for the first time.
        further_in: tells whether further kinds may be there.
        shapes: what all calls have learnt.
        often: after so many texts with secrets, one behind the other, `look` is asked seldom.
    """

    __slots__ = (
        "_further_in", "_known", "_known_long", "_left", "_look", "_new", "_often", "_shapes",
        "_times", "_true_look",
    )  # fmt: skip

    def __init__(
        self, look: Look, further_in: Look, shapes: Shapes, often: float = math.inf
    ) -> None:
        self._look = self._true_look = look
        self._further_in = further_in
        self._often = often
        self._times = 0  # so many texts with secrets came one behind the other
        self._left = 0  # so many are not looked at together
        self._shapes = shapes
        self._known = shapes.known.get
        self._known_long = shapes.known_long.get
        self._new = 0  # texts of a new shape, less what those of known ones were worth

    def look_for_all(self, encoded: bytes) -> int:
        """Return the kinds that `look` does, and those whose signs may be any: further ones."""
        return self.look(encoded) | self._further_in(encoded)

    def look(self, encoded: bytes) -> int:
        """Return the kinds that one or many texts may hold, in UTF-8 or JSON; 0 is none."""
        new = self._new
        if new > TOO_MANY:
            self._new = new + 1 if new < UNTIL_TRIED_AGAIN else 0
        elif (size := len(encoded)) <= _LONGEST:
            shape = encoded.translate(ZEROS)
            known = self._known(shape, _NEW) if size <= LONG_TEXT else self._known_long(shape, _NEW)
            if known > _KINDS:
                place = known >> _PLACE
                if not place:
                    return self._by_digits(encoded, shape, known)
                begins = may_begin(encoded, place - 1, known >> _NUMBERS)
                return known & _KINDS | begins * NUMBERS
            if new > 0:
                self._new = new - WORTH
            return known
        # What `_look_and_note` does, without its call.
        kinds = self._look(encoded)
        if kinds or self._times:
            self._note(kinds, encoded)
        return kinds

    def _note(self, kinds: int, encoded: bytes) -> None:
        """Note what a new text holds: after some with secrets, others are `UNTOLD` for a while."""
        if kinds == UNTOLD:
            self._left -= 1
            if self._left <= 0:
                self._look = self._true_look
        elif not kinds or kinds & ~PLACED or len(encoded) > LONGEST_OUTLINED:
            self._times = 0
        else:
            self._times += 1
            if self._times >= self._often:
                self._look, self._left = untold, _TRUSTED

    def _look_and_note(self, encoded: bytes) -> int:
        kinds = self._look(encoded)
        if kinds or self._times:
            self._note(kinds, encoded)
        return kinds

    def _by_digits(self, encoded: bytes, shape: bytes, known: int) -> int:
        if known < _BY_DIGITS:
            self._new += 1
        if known == _NEW:
            kinds = self._look_and_note(encoded)
            if not kinds or (kinds == NUMBERS and _FULL_WIDTH not in shape):
                self._shapes.note(shape)
            return kinds
        if known == _ONCE:
            known = self._shapes.learn(shape)
        if known == _BY_DIGITS:
            return self._look_and_note(encoded)
        if known & _ANY_NUMBER and digit_runs.has_number_in(encoded):
            return known & _KINDS | NUMBERS
        return known & _KINDS


def _has_codes(text: str) -> bool:
    """Tell whether digits may stand for other characters."""
    return (
        ("&" in text and ";" in text and ENTITY.search(text) is not None)
        or ("%" in text and _ESCAPED_BYTE.search(text) is not None)
        or ("\\" in text and "\\" in _PLAIN_ESCAPE.sub("", text))
    )
