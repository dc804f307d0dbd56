"""Notes which functions of the package a test enters, in every process that the test starts.

The `sitecustomize` of a recorded copy (see chosen_tests.py) imports this module.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

RECORD: Final = "MUTANTS_RECORD"
"""The variable that names the file to which a line is added: test, module, first line."""

_PACKAGE: Final = str(Path(__file__).parents[1] / "flowery_logging") + os.sep
_ROOT: Final = len(str(Path(__file__).parents[1])) + 1
_open, _write, _close = os.open, os.write, os.close  # as they are without a test's own

_seen: set[CodeType] = set()
_test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]  # of whoever has started us


def begin(test: str = _test) -> None:
    """Note from now on what is entered in this process, for this test."""
    global _test
    _test = test
    _seen.clear()
    sys.settrace(_enter)
    threading.settrace(_enter)


def note(*facts: object) -> None:
    """Add a line to the record, whole beside those of other processes."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    record = _open(os.environ.get(RECORD, os.devnull), flags, 0o600)
    try:
        _write(record, ("\t".join(map(str, facts)) + "\n").encode())
    finally:
        _close(record)


def _enter(frame: FrameType, _event: str, _argument: object) -> None:
    code = frame.f_code
    if code not in _seen and code.co_filename.startswith(_PACKAGE):
        _seen.add(code)
        if code.co_name != "<module>":  # it begins in line 1, as a function may
            note(_test, code.co_filename[_ROOT:], code.co_firstlineno)
