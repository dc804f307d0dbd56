"""Each call to the system refused once, or interrupted there by a handler that raises an OSError."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from flowery_logging.files import complaints, platform
from flowery_logging.files.log_files import LOOKS
from flowery_logging.system import System
from tests.files.cases import Case, first, plain, removed, retention, rotation, waiting
from tests.files.faults_found import faults_of
from tests.files.interruptions import as_ours

CALLS = {
    **dict.fromkeys(
        (
            "close",
            "fstat",
            "mkdir",
            "open",
            "scandir",
            "set_inheritable",
            "stat",
            "unlink",
            "utime",
        ),
        System,
    ),
    "_pread": platform,
    "_fchmod": platform,
}
"""By name: what keeps the call."""


@pytest.fixture(autouse=True)
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(complaints, "complain", lambda *_, **__: None)


class Refused:
    """Lets the system refuse one call of a name: the `place`-th; `happened` tells whether it came."""

    def __init__(self, place: int, error: OSError) -> None:
        self._left = place
        self._error = error
        self.happened = False

    def instead_of(self, call: Any) -> Callable[..., Any]:
        def called(*args: Any, **options: Any) -> Any:
            self._left -= 1
            if self._left == 0:
                self.happened = True
                raise self._error
            return call(*args, **options)

        return called


def refused(
    directory: Path, state: Callable[[Case], None], name: str, place: int, *, by_us: bool
) -> tuple[Case, bool, BaseException | None]:
    """Log in a state in which a call is refused; tell whether that came, and what was raised."""
    directory.mkdir()
    case = Case(directory)
    case.log("before")
    state(case)
    case.place.look_at = case.place._first_look = 0.0
    number = errno.EIO if by_us else errno.ETIMEDOUT
    refusal, raised = Refused(place, OSError(number, "refused")), None
    original = getattr(CALLS[name], name)
    called: Any = refusal.instead_of(original)
    setattr(CALLS[name], name, _kept(name, as_ours(called) if by_us else called))
    try:
        case.log("while refused")
    except TimeoutError as error:
        raised = error
    finally:
        setattr(CALLS[name], name, _kept(name, original))
    case.log("after")
    case.place.look_at = 0.0
    case.log("at last")
    case.writer.close()
    return case, refusal.happened, raised


def _kept(name: str, call: Any) -> Any:
    return staticmethod(call) if CALLS[name] is System else call


STATES = [plain, first, rotation, removed, retention, waiting]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("by_us", [True, False])
def test_a_call_that_is_refused(
    tmp_path: Path, state: Callable[[Case], None], name: str, by_us: bool
) -> None:
    for place in range(1, 100):
        case, happened, raised = refused(tmp_path / str(place), state, name, place, by_us=by_us)
        if not happened:
            return
        assert (raised is None) is by_us, f"{name} {place}"
        assert faults_of(case) == [], f"{name} {place}"
        if by_us and name != "close":
            assert left_open(case.directory) == [], f"{name} {place}"
        shutil.rmtree(case.directory)


def left_open(directory: Path) -> list[str]:
    """Return what lies in a directory and is open, where the system tells."""
    found = []
    with suppress(OSError):
        for entry in os.scandir("/proc/self/fd"):
            with suppress(OSError):  # closed by now, as the one that reads this
                found.append(os.readlink(entry.path))
    return [path for path in found if path.startswith(f"{directory}{os.sep}")]


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EIO])
def test_a_file_system_that_never_changes_a_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "refused")

    case = Case(tmp_path)
    monkeypatch.setattr(platform, "_fchmod", as_ours(refuse))  # type: ignore[arg-type]
    for text in ("one", "two"):
        case.log(text)
    is_without_modes = number == errno.ENOSYS
    assert len([*tmp_path.iterdir()]) == len(left_open(tmp_path)) == is_without_modes
    assert case.writer.waiting == (0 if is_without_modes else 2)
    monkeypatch.undo()
    case.log("three")
    case.writer.close()
    assert faults_of(case) == []


def test_a_removed_file_that_can_never_be_read_is_left_at_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it held is gone then, and each attempt was told."""
    case = Case(tmp_path)
    monkeypatch.setattr(platform, "_pread", as_ours(_refuse))  # type: ignore[arg-type]
    for turn in range(1, 3):
        case.log("before")
        removed(case)
        for number in range(LOOKS):
            assert not [*tmp_path.glob("*.ndjson")]
            _look_again(case)
            case.log(f"event {number}")
        assert case.counters.snapshot()["write_errors"] == turn * (LOOKS - 1)
        (path,) = tmp_path.glob("*.ndjson")
        assert f"event {LOOKS - 1}" in path.read_text()


def test_what_a_handler_raises_there_goes_on_its_way_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Case(tmp_path)
    case.log("before")
    removed(case)
    monkeypatch.setattr(platform, "_pread", _refuse)
    for _ in range(LOOKS + 1):
        _look_again(case)
        with pytest.raises(OSError, match="refused"):
            case.log("interrupted")
    monkeypatch.undo()
    _look_again(case)
    case.returned.clear()
    case.log("after")
    assert faults_of(case) == []


def _look_again(case: Case) -> None:
    case.place._expires_at = case.place._first_look = case.place.look_at = 0.0


def _refuse(*_: object) -> bytes:
    raise OSError(errno.EIO, "refused")
