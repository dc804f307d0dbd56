"""Other people's suites that look at logging, and how each of them is run."""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

_PYTEST: Final = (
    "-m", "pytest", "-p", "suite_pytest", "-p", "no:randomly", "-p", "no:cacheprovider",
    "-p", "no:xdist", "-q", "-o", "addopts=", "-W", "default",
)  # fmt: skip


@dataclass(frozen=True)
class Suite:
    """A suite of another project.

    Attributes:
        name: what it is called in the output and in the table of differences.
        package: the distribution whose source has the tests; "" for the interpreter itself.
        arguments: of the interpreter, in the folder of the source.
        folder: where in the source it is run.
        modes: what the library does beside it: "active", "aside" (set up, its handler taken away for good),
            "after" (set up and shut down). Each is compared with a run without the library.

    """

    name: str
    package: str
    arguments: tuple[str, ...]
    folder: str = "."
    modes: tuple[str, ...] = ("active", "after")

    @property
    def requirement(self) -> str:
        """The version that is installed here, as a requirement; "" for the interpreter."""
        return f"{self.package}=={version(self.package)}" if self.package else ""


SUITES: Final = (
    Suite(
        "cpython",
        "",
        ("-m", "suite_unittest", "unittest", "-q", "test.test_logging"),
        modes=("aside", "after"),
    ),
    Suite("structlog", "structlog", (*_PYTEST, "--import-mode=importlib", "tests")),
    Suite(
        "sentry",
        "sentry-sdk",
        (
            *_PYTEST,
            "tests/integrations/logging",
            "tests/integrations/loguru",
            "tests/integrations/threading",
            "tests/test_logs.py",
        ),
    ),
    Suite("pytest", "pytest", (*_PYTEST, "-p", "pytester", "testing/logging")),
    Suite(
        "django",
        "django",
        ("-m", "suite_unittest", "runtests.py", "--parallel", "1", "logging_tests"),
        folder="tests",
    ),
    Suite(
        "uvicorn",
        "uvicorn",
        (
            *_PYTEST,
            "tests/test_config.py",
            "tests/test_lifespan.py",
            "tests/middleware/test_logging.py",
            "tests/middleware/test_message_logger.py",
        ),
    ),
    Suite("gunicorn", "gunicorn", (*_PYTEST, "tests/test_logger.py")),
)
"""ecs-logging's source distribution has no tests; `tests/test_formatters_beside_ecs_logging.py`
compares our formatters with it field by field."""
