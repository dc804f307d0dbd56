"""What `make mutants` changes, and how it tells whether a test has noticed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from scripts import chosen_tests, entered, mutants
from scripts.mutants import ROOMS, ROOT, Mutant

MODULE = """\
def free(count: int = 2) -> bool:
    if count < 2 and not known:
        note(count)
        return True
    return count + 1 in known
"""


def test_a_mutant_is_one_change() -> None:
    found = [(m.line, m.new.strip()) for m in mutants.mutants("a.py", MODULE)]
    assert sorted(found) == [
        (1, "def free(count: int = 3) -> bool:"),
        (2, "if ((count < 2) or (not known)):"),
        (2, "if ((count < 2)):"),
        (2, "if ((count) <= (2)) and not known:"),
        (2, "if ((not known)):"),
        (2, "if False:"),
        (2, "if True:"),
        (2, "if count < 2 and (known):"),
        (2, "if count < 3 and not known:"),
        (3, "pass"),
        (4, "return False"),
        (4, "return None"),
        (5, "return ((count + 1) not in (known))"),
        (5, "return ((count) - (1)) in known"),
        (5, "return None"),
        (5, "return count + 2 in known"),
    ]


def test_each_room_has_its_modules_and_its_tests() -> None:
    for *patterns, tests in ROOMS.values():
        assert all([*(ROOT / "flowery_logging").glob(pattern)] for pattern in patterns)
        assert all((ROOT / path).exists() for path in tests.split())


def test_what_is_explained_stands_in_the_code() -> None:
    for path, was, now in mutants.explained():
        assert was != now
        assert was in " ".join((ROOT / path).read_text("utf-8").split()), (path, was)


@pytest.mark.slow
def test_a_mutant_dies_where_a_test_fails(tmp_path: Path) -> None:
    source = "def double(number):\n    print(number)\n    return number + number\n"
    (tmp_path / "doubles.py").write_text(source)
    test = "from doubles import double\ndef test_two():\n    assert double(2) == 4\n"
    (tmp_path / "test_doubles.py").write_text(test)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    returned = Mutant("doubles.py", 3, "    return number + number\n", "    return None\n")
    printed = Mutant("doubles.py", 2, "    print(number)\n", "    pass\n")
    assert mutants.killed(tmp_path, returned, "test_doubles.py") is not None
    assert mutants.killed(tmp_path, printed, "test_doubles.py") is None
    assert (tmp_path / "doubles.py").read_text() == source


DOUBLES = """\
def double(number):
    return number + number

def half(number):
    return number / 2

FOUR = half(8)
"""
USES = """\
import subprocess, sys
from flowery_logging.doubles import double, half

def test_double():
    assert double(2) == 4

def test_program():
    program = "from flowery_logging import doubles; doubles.double(1)"
    subprocess.run([sys.executable, "-c", program], check=True)

def test_half():
    assert half(4) == 2
"""


@pytest.mark.slow
def test_the_tests_that_enter_a_function_are_found_the_fastest_first(tmp_path: Path) -> None:
    root = tmp_path / "project"
    for name in ("scripts", "flowery_logging"):
        (root / name).mkdir(parents=True)
    for module in (chosen_tests, entered):
        shutil.copy(str(module.__file__), root / "scripts")
    package = root / "flowery_logging"
    (package / "__init__.py").touch()
    (package / "doubles.py").write_text(DOUBLES)
    (root / "test_doubles.py").write_text(USES)
    (root / "pytest.ini").write_text("[pytest]\n")
    record = mutants.recorded(root, "test_doubles.py")
    doubles = "test_doubles.py::test_double", "test_doubles.py::test_program"
    path = "flowery_logging/doubles.py"
    assert record.tests_of(path, 2, DOUBLES) == [*doubles]
    assert record.tests_of(path, 5, DOUBLES) == [], "it is entered as the module is imported"
    assert record.tests_of(path, 7, DOUBLES) == [], "it stands in no function"
    mutant = Mutant(path, 2, "    return number + number\n", "    return None\n")
    assert mutants.killed(root, mutant, "test_doubles.py", doubles[1:]) is None
    assert "test_double" in str(mutants.killed(root, mutant, "test_doubles.py", doubles))


def test_a_room_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["mutants", "cellar"])
    with pytest.raises(SystemExit):
        mutants.main()
