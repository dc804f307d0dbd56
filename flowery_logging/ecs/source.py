"""The function of a plan: values in, the first half of a line out.

As attrs compiles `__init__`, the steps of a shape are compiled into one function. Names of fields
and other texts of callers stand in its constants alone, never in its code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import CodeType
from typing import Any, Final

import orjson

from flowery_logging.ecs.document import Placer
from flowery_logging.ecs.encode import dumps
from flowery_logging.ecs.kinds import UnusualError
from flowery_logging.ecs.opening import Names
from flowery_logging.ecs.steps import BY_RULES, Step, Tally
from flowery_logging.kept import Kept
from flowery_logging.late import late
from flowery_logging.redaction import structures

_SIGNATURE: Final = "def encode(values, message, pieces, beginning, micros, site, room):"
_VARIABLE: Final = late(r"\b[veaci]\b")

_UNKNOWN: Final = -1
"""What texts are suspected of, of which one has been found to be harmless or not."""

_TOO_LONG: Final = 2
"""What `is_long` says of texts that fill more than a line, also when they have been cut."""

_codes: Final[Kept[str, CodeType]] = Kept(1024)
"""Compiled sources, which many plans share: names and limits of their own stand in constants."""


class Source:
    """The source of one function, and what its names stand for."""

    def __init__(
        self, placer: Placer, names: Names, steps: Mapping[int, Step], hidden: Mapping[int, str]
    ) -> None:
        self._placer = placer
        self._steps = steps
        self._texts = {i: step for i, step in steps.items() if step.longest is not None}
        self._are_more = False
        self._variables = [f"v{index}" for index in range(len(names.kinds))]
        self._conversions = names.conversions
        self._naming = names.naming()
        self._hidden = hidden
        self._known: dict[str, Any] = {
            "Tally": Tally,
            "UNKNOWN": _UNKNOWN,
            "TOO_LONG": _TOO_LONG,
            "clean": self._clean_message,
            "clean_texts": self._clean_texts,
            "is_long": self._is_long,
            "kind_said": structures.kind_said,
            "kind_at": placer.redactor.kind_at,
            "shows": placer.redactor.shows,
            "UnusualError": UnusualError,
            "count": placer.counters.add_all,
            "dumps": orjson.dumps,
            "join": b"".join,
            "suspects": placer.redactor.suspects_json,
        }
        for index, step in steps.items():
            self._known[f"c{index}"] = step.careful
            self._known.update(step.helpers)
        self._known.update({f"x{i}": convert for i, convert in names.conversions.items()})
        self._known.update({f"n{i}": names.paths[i] for i in hidden})

    def of_event(self, template: list[bytes | str], pieces: int, counts: Mapping[str, int]) -> Any:
        """Return the function of an event's plan."""
        first = [f"{_tuple(f'p{i}' for i in range(pieces))} = pieces"] if pieces else []
        shown = ", ".join(self._constant(part) for part in template)
        return self._compiled([
            *first,
            "m = dumps(message)",
            *self._encoding(),
            *self._asking("(site.suspects or suspects)", ["m"], [
                "known = m",
                "m = clean(message, m, kinds, tally := tally or Tally())",
                "others = kinds if m is known else UNKNOWN",
            ]),
            f"half = join((beginning, micros, site.prefix, m, {shown}))",
            "if len(half) > room: return None",
            *self._counting(counts),
            "return half",
        ])  # fmt: skip

    def of_context(self, pieces: list[str | bytes], counts: Mapping[str, int]) -> Any:
        """Return the function of a context's plan, which makes the pieces of its events."""
        shown = _tuple(self._constant(part) for part in pieces)
        return self._compiled([
            *self._encoding(),
            *self._asking("suspects", [], ["others = kinds"]),
            *self._counting(counts),
            f"return {shown}",
        ])  # fmt: skip

    def _compiled(self, lines: list[str]) -> Any:
        unpacked = [f"{_tuple(self._variables)} = values"] if self._variables else []
        converted = [f"v{i} = values[{i}] = x{i}(v{i})" for i in self._conversions]
        named = [f"if kind_said(v{i}, kind_at): raise UnusualError" for i in self._naming]
        for i, may_be_shown in self._hidden.items():
            named.append(_of(i, f"if ({may_be_shown}) and shows(n{i}, v): raise UnusualError"))
        source = "\n    ".join([_SIGNATURE, *unpacked, *converted, *named, "tally = None", *lines])
        code = _codes.get(source) or _codes.keep(source, compile(source, "<plan>", "exec"))
        exec(code, self._known)  # noqa: S102 - as attrs does
        return self._known["encode"]

    def _constant(self, part: bytes | str) -> str:
        """Return the name of a variable, or of a constant with these bytes."""
        if type(part) is str:
            return part
        name = f"k{len(self._known)}"
        self._known[name] = part
        return name

    def _encoding(self) -> list[str]:
        return [_of(index, line) for index, step in self._steps.items() for line in step.code]

    def _asking(self, suspects: str, asked: list[str], clean: list[str]) -> list[str]:
        """Return what asks the redactor of all texts at once, and looks at each if need be."""
        texts = self._texts
        lists = [i for i, step in self._steps.items() if step.asked and step.longest is None]
        asked = [*asked, *(f"{self._steps[i].asked}{i}" for i in (*texts, *lists))]
        self._are_more = len(asked) > 1
        if not asked:
            return []
        together = " + ".join(asked) if len(asked) < 4 else f"join({_tuple(asked)})"
        lines = [f"asked = {together}"]
        condition = f"(kinds := {suspects}(asked))"
        if texts:
            values, encoded = (_tuple(f"{letter}{i}" for i in texts) for letter in "ve")
            longest = min(step.longest or 0 for step in texts.values())
            longest = min(longest, self._placer.limits.line_bytes)
            others = "UNKNOWN" if lists else "others"
            long = f"(long := len(asked) > {longest} and is_long(message, {values}, room))"
            condition = f"{long} or {condition}"
            clean = [
                "if long == TOO_LONG: return None",  # the careful way cuts what it looks at
                "if long: kinds = UNKNOWN",
                *clean,
                f"cleaned = clean_texts({values}, {encoded}, {others}, tally := tally or Tally())",
                "if type(cleaned) is int: return cleaned",
                f"{encoded} = cleaned",
            ]
        for index in lists:
            clean += [f"if a{index}:", *(f"    {_of(index, line)}" for line in BY_RULES)]
        return [*lines, f"if {condition}:", *(f"    {line}" for line in clean)]

    def _counting(self, counts: Mapping[str, int]) -> list[str]:
        self._known["counts"] = dict(counts)
        return ["count(counts)"] * bool(counts) + ["if tally: count(tally)"]

    def _clean_message(self, message: str, encoded: bytes, kinds: int, tally: Tally) -> bytes:
        """Return a message as it stands in the line, given what all texts are suspected of."""
        if len(message) > self._placer.limits.line_bytes:
            return encoded  # no line has room for it: the careful way makes it shorter, and clean
        if kinds and self._are_more:
            kinds = self._placer.redactor.suspects_alone(encoded)
        if not kinds:
            return encoded
        return dumps(self._placer.redactor.clean_suspected(message, kinds, tally))

    def _is_long(self, message: str, values: tuple[str, ...], room: int) -> int:
        """Tell whether a text is longer than its step takes, or all fill more than a line.

        `room` is 0 where no line is made.
        """
        most = [int(step.longest or 0) for step in self._texts.values()]
        sizes = [*map(len, values)]
        if room and len(message) + sum(map(min, sizes, most)) > room:
            return _TOO_LONG
        return any(size > longest for size, longest in zip(sizes, most, strict=True))

    def _clean_texts(
        self, values: tuple[str, ...], encoded: tuple[bytes, ...], suspected: int, tally: Tally
    ) -> list[bytes] | int:
        """Return texts as they stand in the line, each looked at; the number of a misfit step.

        `suspected` is what all of them together are suspected of: if none of the others is, it is
        said of the last one.
        """
        suspects = self._placer.redactor.suspects_alone
        found: list[bytes] = []
        left = len(values)
        for (index, step), value, known in zip(self._texts.items(), values, encoded, strict=True):
            left -= 1
            kinds = suspected if suspected == 0 or (left == 0 < suspected) else suspects(known)
            if kinds:
                suspected = _UNKNOWN
            made: bytes | None = known
            if len(value) > (step.longest or 0) or (kinds and step.clean is None):
                made = step.careful(value, tally)
            elif kinds and step.clean is not None:
                made = step.clean(value, kinds, tally)
            if made is None:
                return index
            found.append(made)
        return found


def _tuple(names: Iterable[str]) -> str:
    return "(" + "".join(f"{name}, " for name in names) + ")"


def _of(index: int, line: str) -> str:
    """Return a line of a step's code with the variables of its value."""
    return _VARIABLE.sub(
        lambda match: str(index) if match[0] == "i" else f"{match[0]}{index}", line
    )
