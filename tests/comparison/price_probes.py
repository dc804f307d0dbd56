"""What comes with the library."""

from __future__ import annotations

import logging
import sys
import threading
from importlib import metadata
from pathlib import Path

from tests.comparison.asking import answer, probe
from tests.comparison.libraries import Library


@probe
def classes_of_logging_as_they_were(library: Library, folder: Path) -> str:
    before = dict(vars(logging.Logger)), sys.excepthook, threading.excepthook
    library.start(folder)
    return answer(before == (dict(vars(logging.Logger)), sys.excepthook, threading.excepthook))


@probe
def packages_it_brings(library: Library, _folder: Path) -> str:
    """Count what is installed with it everywhere; some need more on old Pythons and Windows."""
    needs = metadata.requires(library.distribution) or () if library.distribution else ()
    return str(sum(";" not in need for need in needs))


@probe
def maturity(library: Library, _folder: Path) -> str:
    """Return what its own classifier says."""
    if library.distribution is None:
        return "in Python"
    (status,) = _classified(library.distribution, "Development Status")
    return status.rpartition(" - ")[2]


@probe
def systems_it_names(library: Library, _folder: Path) -> str:
    """Return for which its own classifiers say that it is."""
    if library.distribution is None:
        return "any"
    names = [one.rpartition(" :: ")[2] for one in _classified(library.distribution, "Operating")]
    return {(): "none named", ("OS Independent",): "any"}.get(tuple(names), ", ".join(names))


def _classified(distribution: str, start: str) -> list[str]:
    said = metadata.metadata(distribution).get_all("Classifier") or []
    return [one for one in said if one.startswith(start)]
