"""What a probe is: it asks a library one thing, in a process and an empty folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.comparison.libraries import Library

ROOT: Final = Path(__file__).resolve().parents[2]
DEADLINE: Final = 120
"""Seconds that anything may take on a loaded machine."""

YES: Final = "yes"
NO: Final = "no"

Probe = Callable[[Library, Path], str]
PROBES: Final[dict[str, Probe]] = {}
"""By the name of the row."""


def probe(function: Probe) -> Probe:
    """Make a function the probe of the row of its name."""
    PROBES[function.__name__] = function
    return function


def answer(holds: object) -> str:
    """Return whether something holds, as a cell says it."""
    return YES if holds else NO
