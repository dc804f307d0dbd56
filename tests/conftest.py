"""What the tests of the package share: a set-up that is undone, and a strict reader of its lines."""

import gc
import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, Phase, settings

import flowery_logging
from flowery_logging import context
from tests import left_behind
from tests.dispositions import as_from_a_terminal
from tests.programs import Programs

as_from_a_terminal()
PHASES = tuple(Phase) if "TESTS_OF_MUTANTS" not in os.environ else (Phase.explicit, Phase.generate)
settings.register_profile(
    "flowery",
    phases=PHASES,  # a mutant's failure need not be made smaller (see scripts/mutants.py)
    deadline=None,  # other programs run beside the tests
    derandomize=True,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("flowery")

FIRST_KEYS = ["@timestamp", "log.level", "message", "ecs.version"]


def strict(line: str | bytes) -> dict[str, Any]:
    """Parse one line as the strictest of readers: no key twice, no NaN, no dotted-nested clash."""
    document: dict[str, Any] = json.loads(line, object_pairs_hook=_unique, parse_constant=_refuse)
    paths = list(_paths("", document))
    assert len(set(paths)) == len(paths), paths
    scalars = set(paths)
    for path in paths:
        parents = (path[:end] for end, character in enumerate(path) if character == ".")
        assert not scalars.intersection(parents), path
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    assert len(found) == len(pairs), pairs
    return found


def _refuse(constant: str) -> None:
    raise AssertionError(constant)


def _paths(prefix: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _paths(f"{prefix}.{key}" if prefix else key, item)
    else:
        yield prefix


class Logged:
    """A set-up whose files are read back strictly."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def setup(self, service: str = "shop", **options: Any) -> "Logged":
        # asyncio tells at DEBUG how it waits.
        defaults: dict[str, Any] = {
            "directory": self.directory,
            "output": "file",
            "level": "DEBUG",
            "levels": {"asyncio": "INFO"},
        }
        flowery_logging.setup(service, **(defaults | options))
        return self

    def lines(self) -> list[bytes]:
        """Every line as it stands in the files, in order."""
        texts = [path.read_bytes() for path in sorted(self.directory.glob("*.ndjson"))]
        whole = b"".join(texts)
        assert whole == b"" or whole.endswith(b"\n")
        return whole.split(b"\n")[:-1]

    def records(self) -> list[dict[str, Any]]:
        """Every record, also the library's own."""
        return [strict(line) for line in self.lines()]

    def events(self) -> list[dict[str, Any]]:
        """The callers' events."""
        own = "flowery_logging"
        return [e for e in self.records() if e.get("log", {}).get("logger") != own]

    def event(self) -> dict[str, Any]:
        """The only event."""
        (event,) = self.events()
        return event

    def last(self) -> dict[str, Any]:
        return self.events()[-1]

    def count(self, name: str) -> int:
        return flowery_logging.stats()[name]


def pytest_collection_finish() -> None:
    """Keep what thousands of collected tests are made of out of each collection of garbage."""
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    """Fail a test that leaves its process otherwise than it has found it.

    What structlog keeps of each name that was ever bound, and shows no way to forget, is forgotten
    here: from the first of them on, events take the general way.
    """
    structlog.contextvars._CONTEXT_VARS.clear()
    before = left_behind.state()
    yield
    changes = left_behind.changes(before, left_behind.state())
    assert not changes, "\n".join(changes)


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Logged]:
    """A set-up in `tmp_path`, for a service "shop" at DEBUG; all that it did is undone."""
    hooks = (sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning)
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    found = Logged(tmp_path / "logs")
    scope = context._scope.get()
    try:
        yield found.setup()
    finally:
        flowery_logging.shutdown()
        structlog.reset_defaults()  # what a test has configured is kept by shutdown()
        context._scope.set(scope)
        structlog.contextvars.clear_contextvars()
        root.setLevel(before[0])
        root.handlers[:] = before[1]
    assert (
        sys.excepthook,
        threading.excepthook,
        sys.unraisablehook,
        warnings.showwarning,
    ) == hooks


@pytest.fixture
def counted(logged: Logged) -> Callable[[str], int]:
    """A function that says by how much a count of `stats()` has grown since the test began."""
    before = dict(flowery_logging.stats())
    return lambda name: flowery_logging.stats()[name] - before.get(name, 0)


@pytest.fixture(scope="session")
def programs() -> Iterator[Programs]:
    """Runs programs in processes of their own."""
    found = Programs()
    yield found
    found.close()
