"""The one table of what other people's suites may see of the library, each with its reason."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Difference:
    """Tests of a suite whose outcome may be, and must be, another one with the library."""

    suite: str
    modes: tuple[str, ...]
    reason: str
    tests: tuple[str, ...]


DIFFERENCES: Final[tuple[Difference, ...]] = ()
