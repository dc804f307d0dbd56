"""What is counted where something is hidden: `redacted`, and by kind `redacted_card`, …."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final, Protocol

from flowery_logging.redaction.markers import BY_NAME
from flowery_logging.redaction.numbers import Span


class Counting(Protocol):
    """Where it is counted what was hidden."""

    def add(self, name: str, amount: int = 1) -> None:
        """Raise a count."""
        ...

    def add_all(self, amounts: Mapping[str, int]) -> None:
        """Raise some counts, by their names."""
        ...


class _Nowhere:
    def add(self, name: str, amount: int = 1) -> None:
        """Take no note."""

    def add_all(self, amounts: Mapping[str, int]) -> None:
        """Take no note."""


UNCOUNTED: Final[Counting] = _Nowhere()
"""For who looks at what nobody writes."""


def _counted(kinds: Iterable[str]) -> Mapping[str, int]:
    """Return what is counted where these are hidden: `redacted`, and by kind `redacted_card`, …."""
    amounts = {"redacted": 0}
    for kind in kinds:
        name = "redacted_by_name" if kind == BY_NAME else f"redacted_{kind}"
        amounts["redacted"] += 1
        amounts[name] = amounts.get(name, 0) + 1
    return amounts


def counted_in(spans: list[Span]) -> Mapping[str, int]:
    """Return what is counted where these parts of a text are hidden."""
    return counted_alone(spans[0].kind) if len(spans) == 1 else _counted(s.kind for s in spans)


counted_alone: Final = cache(lambda kind: _counted([kind]))
"""What is counted where one secret is hidden, as mostly."""
