"""The durations of a route's requests, and the percentiles of them."""

from __future__ import annotations

import math
import random
from array import array
from typing import Final

MAX_KEPT: Final = 100_000
"""So many durations of a route are kept as they are; of more, a random sample of that size."""


class Durations:
    """Nanoseconds. Memory is bounded: 800 kB a route at most."""

    def __init__(self) -> None:
        self._values = array("q")
        self._seen = 0
        self._random: random.Random | None = None

    def add(self, nanoseconds: int) -> None:
        """Count one. Beyond the limit each of all has the same chance to be kept (algorithm R)."""
        self._seen += 1
        if len(self._values) < MAX_KEPT:
            self._values.append(nanoseconds)
            return
        # Seeded: the same files give the same figures.
        self._random = self._random or random.Random(0)  # noqa: S311 - a sample of figures
        place = self._random.randrange(self._seen)
        if place < MAX_KEPT:
            self._values[place] = nanoseconds

    def percentiles(self, *shares: float) -> list[int | None]:
        """Return, for each share in percent, the least duration that so many do not exceed.

        The nearest rank: a duration that was measured, none in between. None where there is none.
        """
        ordered = sorted(self._values)
        if not ordered:
            return [None for _ in shares]
        ranks = (max(math.ceil(share / 100 * len(ordered)), 1) for share in shares)
        return [ordered[rank - 1] for rank in ranks]
