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


DIFFERENCES: Final = (
    Difference(
        "cpython",
        ("aside",),
        "An `extra` with the name of a record's own attribute raises KeyError in the caller; with "
        "the library no logging call raises, and the field is kept (`Logger.makeRecord`).",
        ("test.test_logging.LoggerTest.test_make_record_with_extra_overwrite",),
    ),
)
"""Entries name tests one by one: a pattern would let a new failure pass for an old one."""
