"""Names and kinds of the values of an event, and how those inside others come to be known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from flowery_logging.ecs.kinds import DATE, Kind, UnusualError, as_date, kind_of
from flowery_logging.redaction import structures

MOST_VALUES: Final = 128
"""Values of an event that has a plan, those inside others included."""

_LONGEST_NAME: Final = 512

Conversions = Mapping[int, Callable[[Any], Any]]
"""What is called with values before there is a place for them, by the index of the value."""

NO_CONVERSIONS: Final[Conversions] = {}


class Names(NamedTuple):
    """What a shape says of each value: its dotted name, its kind, and which value it lies in."""

    paths: tuple[str, ...]
    kinds: tuple[Kind, ...]
    parents: tuple[int, ...]  # -1: none
    opened: frozenset[int]  # values whose entries stand among the others
    conversions: Conversions = NO_CONVERSIONS  # what makes values of these kinds of others

    def own(self) -> list[str]:
        """Return the name of each value in what it lies in."""
        places = zip(self.paths, self.parents, strict=True)
        return [path if p < 0 else path[len(self.paths[p]) + 1 :] for path, p in places]

    def ancestors(self, index: int) -> Iterator[int]:
        """Return the values that a value lies in."""
        while self.parents[index] >= 0:
            index = self.parents[index]
            yield index

    def in_order(self) -> list[int]:
        """Return the values as a walk through the fields comes by them."""
        inner = self._inner()
        found: list[int] = []
        ahead = inner.get(-1, [])[::-1]
        while ahead:
            found.append(ahead.pop())
            ahead += inner.get(found[-1], [])[::-1]
        return found

    def naming(self) -> list[int]:
        """Return the values that may say of one beside them that it is a secret."""
        keys = self.own()
        return [
            index
            for beside in self._inner().values()
            if any(structures.is_value(keys[index]) for index in beside)
            for index in beside
            if structures.is_naming(keys[index])
        ]

    def _inner(self) -> dict[int, list[int]]:
        """Return which values lie in each value."""
        inner: dict[int, list[int]] = {}
        for index, parent in enumerate(self.parents):
            inner.setdefault(parent, []).append(index)
        return inner

    def with_kinds(self, changes: dict[int, Kind]) -> Names:
        """Return the same names with other kinds, of values that have been converted."""
        kinds = (changes.get(index, kind) for index, kind in enumerate(self.kinds))
        return self._replace(kinds=tuple(kinds), conversions=NO_CONVERSIONS)


class Opening:
    """Values to be converted or opened before there is a plan; a longer key finds what is next."""

    __slots__ = ("_conversions", "_dicts", "names")

    def __init__(self, names: Names, conversions: Conversions, dicts: list[int]) -> None:
        self.names = names
        self._conversions = conversions
        self._dicts = [(index, tuple(names.ancestors(index))) for index in dicts]

    def go_on(self, key: tuple[Any, ...], values: list[Any]) -> tuple[Any, ...]:
        """Change the values and return the longer key.

        Raises UnusualError, or what the caller's objects raise.
        """
        for index, convert in self._conversions.items():
            value = values[index] = convert(values[index])
            key += (DATE if convert is as_date else kind_of(value),)
        for index, ancestors in self._dicts:
            outer = values[index]
            if len(outer) > MOST_VALUES:
                raise UnusualError
            for ancestor in ancestors:
                if outer is values[ancestor]:
                    raise UnusualError
            opened = outer.copy()  # another thread may change the caller's meanwhile
            inner = [*opened.values()]
            key = (*key, len(inner), *opened, *map(type, inner))
            values += inner
        return key

    def next_names(self, key: tuple[Any, ...], longer: tuple[Any, ...]) -> Names:
        """Return the names after `go_on`, as the longer key tells them. Raises UnusualError."""
        more = longer[len(key) :]
        if self._conversions:
            return self.names.with_kinds(dict(zip(self._conversions, more, strict=True)))
        paths, kinds, parents = [*self.names.paths], [*self.names.kinds], [*self.names.parents]
        for index, _ in self._dicts:
            count, more = more[0], more[1:]
            paths += [f"{paths[index]}.{checked_name(name)}" for name in more[:count]]
            kinds += more[count : 2 * count]
            parents += [index] * count
            more = more[2 * count :]
        dicts = (index for index, _ in self._dicts)
        return Names(tuple(paths), tuple(kinds), tuple(parents), self.names.opened.union(dicts))


def checked_name(name: object) -> str:
    """Return the key of a dict. Raises UnusualError for one that is not a text of some length."""
    if type(name) is not str or len(name) > _LONGEST_NAME:
        raise UnusualError
    return name
