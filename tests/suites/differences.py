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
    Difference(
        "cpython",
        ("aside",),
        "`disable_existing_loggers` of a configuration disables no logger that is in use: that is "
        "a side effect which silences services.",
        tuple(
            f"test.test_logging.{test}"
            for test in (
                "ConfigDictTest.test_90195",
                "ConfigDictTest.test_config7_ok",
                "ConfigFileTest.test_config0_ok",
                "ConfigFileTest.test_config0_using_cp_ok",
                "ConfigFileTest.test_config7_ok",
                "ConfigFileTest.test_logger_disabling",
            )
        ),
    ),
    Difference(
        "structlog",
        ("active",),
        "structlog that is configured to print to standard output writes our lines instead: its "
        "processors go on running, and the renderer at their end is ours.",
        ("tests/test_stdlib.py::TestAsyncBoundLogger::test_integration",),
    ),
)
"""Entries name tests one by one: a pattern would let a new failure pass for an old one."""
