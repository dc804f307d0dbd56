"""The saved measurements, read with errors that name what is missing where."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Final

from bench.contenders import GROUPS

PATH: Final = Path(__file__).with_name("results.json")
AGAIN: Final = "run `make bench`"


class ResultsError(Exception):
    """The results are missing, no JSON, or without something that is to be shown."""


class Results:
    """What `make bench` has found: a tree, asked for by the keys that lead to a value."""

    def __init__(self, tree: Any, name: str) -> None:
        self._tree = tree
        self._name = name

    def has(self, part: str) -> bool:
        """Return whether a part was measured (one may be left out: instructions)."""
        return self.get(part) is not None

    def get(self, *keys: str) -> Any:
        """Return what stands there. Raises ResultsError if nothing does."""
        found = self._tree
        for depth, key in enumerate(keys, 1):
            if not isinstance(found, dict) or key not in found:
                raise self._error(keys[:depth], "is missing")
            found = found[key]
        return found

    def number(self, *keys: str) -> float:
        """Return a number of 0 or more. Raises ResultsError if there is none."""
        return self._checked(self.get(*keys), keys)

    def item(self, index: int, *keys: str) -> float:
        """Return a number of 0 or more out of a list. Raises ResultsError if there is none."""
        found = self.get(*keys)
        if not isinstance(found, list) or len(found) <= index or not found:
            raise self._error(keys, f"is too short a list: {found!r}")
        return self._checked(found[index], keys)

    def _checked(self, found: Any, keys: tuple[str, ...]) -> float:
        if isinstance(found, bool) or not isinstance(found, (int, float)):
            raise self._error(keys, f"is no number: {found!r}")
        if not math.isfinite(found) or found < 0:
            raise self._error(keys, f"cannot be: {found!r}")
        return found

    def text(self, *keys: str) -> str:
        """Return a text. Raises ResultsError if there is none."""
        found = self.get(*keys)
        if not isinstance(found, str):
            raise self._error(keys, f"is no text: {found!r}")
        return found

    def names(self, *keys: str) -> list[str]:
        """Return the names of the entries. Raises ResultsError if there are none."""
        found = self.get(*keys)
        if not isinstance(found, dict) or not found:
            raise self._error(keys, "has no entries")
        return list(found)

    def contenders(self, group: str) -> list[str]:
        """Return who was measured in a group, its reference first.

        Raises ResultsError if it is not one of today's groups, or somebody is not one of its
        contenders, or the reference or one of ours is missing.
        """
        names = self.names("events", "groups", group)
        now = [one.name for one in GROUPS.get(group, ())]
        needed = {name for name in now if "flowery" in name} | set(now[:1])
        if strange := set(names) - set(now):
            raise self._error(("events", "groups", group), f"has {sorted(strange)}, now unknown")
        if lacking := needed - set(names):
            raise self._error(("events", "groups", group), f"lacks {sorted(lacking)}")
        return names

    def _error(self, keys: tuple[str, ...], what: str) -> ResultsError:
        return ResultsError(f"{self._name}: {' → '.join(keys)} {what}; {AGAIN}")


def load(path: Path = PATH) -> Results:
    """Read saved results. Raises ResultsError if there are none, or they are no JSON object."""
    try:
        tree = json.loads(path.read_text())
    except FileNotFoundError:
        raise ResultsError(f"{path.name} is not there; {AGAIN}") from None
    except ValueError as error:
        raise ResultsError(f"{path.name} is no JSON ({error}); {AGAIN}") from error
    if not isinstance(tree, dict):
        raise ResultsError(f"{path.name} is no JSON object; {AGAIN}")
    return Results(tree, path.name)
