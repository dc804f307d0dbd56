"""How values of one kind become bytes: the code of each step of a plan, and its careful function.

A step first tells, by the value alone, whether it is an ordinary one, which is encoded at once.
Any other is handed to the step's careful function, which goes by the rules of `values.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from flowery_logging.ecs.conversion import (
    KEYWORD_UNITS,
    KEYWORDS,
    MISFIT,
    TEXTS,
    is_ip,
    number_bounds,
)
from flowery_logging.ecs.document import Placer
from flowery_logging.ecs.encode import dumps
from flowery_logging.ecs.kinds import ISO, Kind
from flowery_logging.ecs.lists import FEW_DIGITS, same_texts, short_texts
from flowery_logging.ecs.plain import AS_IS, is_number, plain
from flowery_logging.ecs.schema import Place
from flowery_logging.ecs.values import is_query
from flowery_logging.event_parts import NO_FIELDS
from flowery_logging.redaction import (
    SHORTEST_TOKEN,
    SMALLEST_NUMBER,
    Make,
    is_of_clock,
    is_uuid,
)
from flowery_logging.redaction.harmless import HMAC
from flowery_logging.redaction.trace_ids import is_name as is_trace_name

LONGEST_KEYWORD: Final = KEYWORD_UNITS // 2
"""Characters of a keyword that fits whatever its characters are."""

PSEUDONYM: Final = f"{HMAC}00000000:000000000000000000000000"
"""A text as long as what is made (see redaction/pseudonyms.py): which fields hold one?"""

_AS_TEXT: Final = KEYWORDS | TEXTS

_IS_HARMLESS: Final = (
    f"(len(v) < {SHORTEST_TOKEN} and v.isalpha()) or (len(v) == 36 and is_uuid(v))"
)
"""Texts that the redactor needs not be asked about: one word, without a digit; and UUIDs. They are
shorter than any limit (see `limits.LEAST`)."""

_OF_PEOPLE_AND_THINGS: Final = ("name", "id")
"""How fields are called in which such texts are, a new one each time."""


class Tally(dict[str, int]):
    """Counts of one event, which count once its line is made."""

    def add(self, name: str, amount: int = 1) -> None:
        """Raise a count."""
        self[name] = self.get(name, 0) + amount

    def add_all(self, amounts: Mapping[str, int]) -> None:
        """Raise some counts, by their names."""
        if not self:
            self.update(amounts)
            return
        for name, amount in amounts.items():
            self[name] = self.get(name, 0) + amount


Careful = Callable[[Any, Tally], "bytes | None"]
"""Returns how a value stands in the line, by the rules; None where it belongs elsewhere."""


Clean = Callable[[str, int, Tally], bytes]
"""Returns how a text with suspected secrets stands in the line."""


class Step:
    """One value's way into the line, as code that sets `e` from `v`.

    `clean` is the careful function of a text that is short enough, given what is suspected in it.

    In the code `v` stands for the value, `e` for its bytes, `a` for what the redactor is asked
    about, `c` for the careful function and `i` for the step's number, which the plan returns where
    the value belongs elsewhere. `asked` is which of these the redactor is asked about: `e`, `a`,
    which is nothing where it needs not be asked, or neither. `longest` is how long an ordinary text
    is; of other values `a` is nothing once the rules have been followed.
    """

    __slots__ = ("asked", "careful", "clean", "code", "helpers", "longest")

    def __init__(
        self,
        careful: Careful,
        code: tuple[str, ...],
        *,
        longest: float | None = None,
        clean: Clean | None = None,
        asked: str = "",
        helpers: Mapping[str, Any] = NO_FIELDS,
    ) -> None:
        self.careful = careful
        self.clean = clean
        self.code = code
        self.longest = longest
        self.asked = asked
        self.helpers = helpers


_ALWAYS: Final[Mapping[Kind, str]] = {
    bool: """e = b'"true"' if v else b'"false"'""",
    ISO: "e = dumps(v)",
}
"""Code of labels that are always ordinary."""

BY_RULES: Final = ("e = c(v, tally := tally or Tally())", "if e is None: return i")


def _if(condition: str, encode: str, otherwise: tuple[str, ...] = BY_RULES) -> tuple[str, ...]:
    """Return code that encodes an ordinary value at once, and follows the rules for any other."""
    return (f"if {condition}: {encode}", "else:", *(f"    {line}" for line in otherwise))


_UNASKED: Final = ("a = b''", *BY_RULES)


class Steps:
    """Makes the steps of one configuration."""

    def __init__(self, placer: Placer) -> None:
        self._placer = placer
        self._items = placer.limits.items
        self._longest = placer.limits.label_chars
        self._asks_all = placer.redactor.has_further

    def label(self, path: str, kind: Kind, *, numeric: bool) -> Step:
        """Return the step of a label."""
        careful = self._careful_label(path, numeric=numeric)
        if kind is str or (kind is ISO and self._asks_all):
            return self._text(careful, self._longest, path, is_label=True)
        if kind is int:
            return self._integer(careful, path)
        if kind is float:
            return Step(careful, _if("v - v == 0", "e = dumps(v)"))
        if kind in _ALWAYS:
            return Step(careful, (_ALWAYS[kind],))
        if kind is list:
            return self._list(self._careful_list(path), self._longest, short_texts)
        return Step(careful, BY_RULES)

    def field(self, place: Place, kind: Kind) -> Step:
        """Return the step of an ECS or declared field."""
        careful, field = self._careful_field(place), place.kind
        is_array = self._placer.schema.is_array(place)
        most = min(self._longest, LONGEST_KEYWORD if field in KEYWORDS else self._longest)
        if field in _AS_TEXT:
            if kind is list and is_array:
                return self._list(careful, most, same_texts)
            if kind in {str, ISO} and not (is_array and is_query(place.path)):
                return self._text(careful, most, place.path, is_array=is_array)
            if kind is int:
                ordinary = f"-{FEW_DIGITS} < v < {FEW_DIGITS}"
                return Step(careful, _if(ordinary, _encode("""b'"%d"' % v""", is_array=is_array)))
        if field == "ip" and kind is str:
            encode = _encode("dumps(v)", is_array=is_array, asked=True)
            code = _if("len(v) <= 45 and is_ip(v)", encode, _UNASKED)
            return Step(careful, code, asked="a", helpers={"is_ip": is_ip})
        bounds = number_bounds(kind, field)
        if bounds is None:
            return Step(careful, BY_RULES)
        ordinary = f"{bounds[0]!r} <= v <= {bounds[1]!r}"
        return Step(careful, _if(ordinary, _encode("dumps(v)", is_array=is_array)))

    def made_label(self, path: str, make: Make) -> Step:
        """Return the step of a label whose text is made of the value."""
        return _made(self._careful_label(path, numeric=False), make)

    def made_field(self, place: Place, make: Make) -> Step | None:
        """Return the step of a field whose text is made of the value; None if it holds none."""
        if self._placer.schema.fit(place, PSEUDONYM) is MISFIT:
            return None
        return _made(self._careful_field(place), make)

    def _integer(self, careful: Careful, path: str) -> Step:
        ordinary = f"-{SMALLEST_NUMBER} < v < {SMALLEST_NUMBER} or is_of_clock(v)"
        encode = careful if is_trace_name(path) else self._encode_integer
        code = _if(ordinary, "e = dumps(v)")
        return Step(encode, code, helpers={"is_of_clock": is_of_clock})

    def _text(
        self,
        careful: Careful,
        most: int,
        path: str,
        *,
        is_array: bool = False,
        is_label: bool = False,
    ) -> Step:
        if is_query(path):
            code = _if(f"len(v) <= {most} and is_simple(v)", "e = dumps(v)")
            helpers = {"is_simple": self._placer.redactor.is_simple_query}
            return Step(self._careful_query(careful, most), code, helpers=helpers)
        clean = None if is_array or is_trace_name(path) else self._clean
        encode = _encode("dumps(v)", is_array=is_array)
        may_be_new = is_label or path.endswith(_OF_PEOPLE_AND_THINGS)
        if self._asks_all or is_array or not may_be_new:
            return Step(careful, (encode,), longest=most, clean=clean, asked="e")
        code = (encode, f"a = b'' if {_IS_HARMLESS} else e")
        knows = {"is_uuid": is_uuid}
        return Step(careful, code, longest=most, clean=clean, asked="a", helpers=knows)

    def _clean(self, value: str, kinds: int, tally: Tally) -> bytes:
        clean = self._placer.redactor.clean_suspected(value, kinds, tally)
        if len(clean) > self._longest:
            clean = self._placer.values(tally).cut(clean)
        return dumps(clean)

    def _careful_query(self, careful: Careful, most: int) -> Careful:
        """Return what looks at a query of ordinary length once, and leaves others to the rules."""
        clean_query = self._placer.redactor.clean_query

        def encode(value: str, tally: Tally) -> bytes | None:
            if len(value) <= most:
                own = Tally()
                clean = clean_query(value, own)
                if len(clean) <= most:
                    tally.add_all(own)
                    return dumps(clean)
            return careful(value, tally)

        return encode

    def _list(
        self, careful: Careful, most: int, texts: Callable[..., tuple[bytes | None, bytes]]
    ) -> Step:
        name = texts.__name__
        encode = f"e, a = {name}(v, {self._items}, {most})"
        code = (encode, "if e is None:", *(f"    {line}" for line in _UNASKED))
        if self._asks_all:
            code = (*code, "else: a = e")
        return Step(careful, code, asked="a", helpers={name: texts})

    def _encode_integer(self, value: int, tally: Tally) -> bytes | None:  # noqa: ARG002
        is_label = is_number(value) and self._placer.redactor.clean_number(value) is value
        return orjson.dumps(value) if is_label else None

    def _careful_field(self, place: Place) -> Careful:
        values = self._placer.values

        def encode(value: object, tally: Tally) -> bytes | None:
            found = values(tally).field(place, value)
            is_empty = type(value) is list and not value  # left out, as everywhere
            return None if found is MISFIT or is_empty else dumps(found)

        return encode

    def _careful_label(self, path: str, *, numeric: bool) -> Careful:
        values = self._placer.values

        def encode(value: object, tally: Tally) -> bytes | None:
            found = values(tally).label(path, plain(value))
            return None if found is None or found[0] is not numeric else dumps(found[1])

        return encode

    def _careful_list(self, path: str) -> Careful:
        """Return what encodes a list of objects, which is one text, and leaves others to the rules.

        Most lists are of objects if the first is one.
        """
        values, careful = self._placer.values, self._careful_label(path, numeric=False)
        most = self._items

        def encode(value: list[Any], tally: Tally) -> bytes | None:
            if 0 < len(value) <= most and (
                type(value[0]) is dict or type(plain(value[0])) not in AS_IS
            ):
                return dumps(values(tally).json(path, value))
            return careful(value, tally)

        return encode


def _made(careful: Careful, make: Make) -> Step:
    return Step(lambda value, tally: careful(make(value, tally), tally), BY_RULES)


def _encode(value: str, *, is_array: bool, asked: bool = False) -> str:
    encoded = f"b'[%b]' % ({value})" if is_array else value
    return f"e = a = {encoded}" if asked else f"e = {encoded}"
