"""Each cell of the comparison is what the library answers, asked here."""

import json
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

from scripts.comparison_table import Comparison, versions
from tests.comparison.asking import YES
from tests.comparison.libraries import LIBRARIES
from tests.comparison.probes import PROBES
from tests.comparison.variants import VARIANTS

ROOT = Path(__file__).resolve().parents[1]
FOUND = Comparison()
CELLS = [(row, library) for library in FOUND.libraries for row in FOUND.rows]


@cache
def answers(library):
    """Return what a library answers, alone and with more."""
    command = [sys.executable, "-m", "tests.comparison.child", library]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(ran.stdout.splitlines()[-1])


def test_every_probe_is_a_row_and_every_library_is_asked():
    assert FOUND.rows.keys() == PROBES.keys()
    assert FOUND.libraries == [library.name for library in LIBRARIES]
    assert {cell for cell in CELLS if FOUND.more(*cell)} == VARIANTS.keys()


def test_the_versions_are_those_that_are_asked():
    for pinned in versions(FOUND).split(", "):
        name, _, version = pinned.rpartition(" ")
        assert metadata.version(name) == version


@pytest.mark.slow
@pytest.mark.parametrize("library", FOUND.libraries)
def test_a_library_answers_as_the_table_says(library):
    said = answers(library)["alone"]
    assert said == {row: FOUND.answer(row, library) for row in FOUND.rows}


@pytest.mark.slow
@pytest.mark.parametrize("library", FOUND.libraries)
def test_what_it_takes_for_a_yes_makes_it_one(library):
    wanted = [row for row in FOUND.rows if FOUND.more(row, library)]
    assert answers(library)["with"] == dict.fromkeys(wanted, YES)
