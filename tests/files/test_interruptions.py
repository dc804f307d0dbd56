"""A signal handler at every point where Python runs one, in every state of the writer.

It logs, or raises, or both. Whatever it does: no gap that is not announced, no number twice, each
event once whose call has returned, each file with its header, each removed file announced.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from flowery_logging.files import Nowhere, complaints, crowd
from tests.files.cases import (
    STATES,
    Case,
    crowd_whose_turn_is_lost,
    dropped,
    first,
    gathered_crowd,
    half_then_full,
    half_then_whole,
    halves,
    interrupted_before,
    nearly_a_crowd,
    new_crowd,
    plain,
    postponed,
    removed_with_a_torn_line,
    rotation,
    waiting,
)
from tests.files.faults_found import faults_of
from tests.files.interruptions import Handler, Interruption

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="full disks as POSIX has them")


FORKS = [
    plain, first, rotation, half_then_whole, waiting, dropped, removed_with_a_torn_line, postponed,
    interrupted_before, new_crowd, gathered_crowd, crowd_whose_turn_is_lost,
]  # fmt: skip
"""Without `retention`: what a child removes before it notices that it is one, it cannot announce."""


CROWDS = [nearly_a_crowd, new_crowd, gathered_crowd, crowd_whose_turn_is_lost]


def write(case: Case) -> None:
    case.log("interrupted")


def checkpoint(case: Case) -> None:
    case.writer.checkpoint("SIGTERM")


def close(case: Case) -> None:
    case.writer.close()


def reconfigure(case: Case) -> None:
    case.writer.reconfigure(case.target)


def logs(case: Case) -> None:
    case.log("of the handler")


def raises(case: Case) -> None:
    raise Interruption


def logs_and_raises(case: Case) -> None:
    case.log("of the handler")
    raise Interruption


def forks_in_c(case: Case) -> None:
    """Neither Python's hooks nor ours hear of it; the child goes on with what was interrupted."""
    before = sys.getswitchinterval()
    # A thread that has asked for the GIL is not in the child, which would wait for it to take that.
    sys.setswitchinterval(1000)
    time.sleep(2 * before)  # who waits by the interval of before, takes it now
    pid = ctypes.PyDLL(None).fork()
    sys.setswitchinterval(before)
    case.is_child = pid == 0
    if case.is_child:
        signal.alarm(200)  # one that waits for ever is a failure, not a hanging test
    if pid:
        assert os.waitpid(pid, 0)[1] == 0


def raises_an_os_error(case: Case) -> None:
    raise TimeoutError("of the application's")


def cases() -> list[Any]:
    actions = [logs, raises, logs_and_raises, raises_an_os_error]
    every = [(write, state, action) for state in STATES for action in actions]
    others = [(call, state, logs_and_raises) for call in (checkpoint, close) for state in STATES]
    others += [(reconfigure, state, logs_and_raises) for state in (plain, waiting, half_then_full)]
    others += [(write, state, forks_in_c) for state in FORKS]
    return [
        pytest.param(*case, marks=pytest.mark.slow if slow else (), id="-".join(c.__name__ for c in case))
        for case in [*every, *others]
        for slow in [case[2] is not logs_and_raises or case[0] is not write or case[1] in CROWDS]
    ]  # fmt: skip


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(complaints, "complain", lambda *_, **__: None)
    monkeypatch.setattr(crowd, "OFTEN", 3)


# An interrupted scandir() cannot be closed: Python does it, and says so.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:unclosed scandir iterator:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize(("call", "state", "action"), cases())
def test_interrupted_at_every_point(
    tmp_path: Path,
    call: Callable[[Case], None],
    state: Callable[[Case], None],
    action: Callable[[Case], None],
) -> None:
    if action is forks_in_c:  # beside another thread, the child waits for that to take the GIL
        points = interrupt_everywhere(tmp_path, call, state, action)
    else:
        points = in_a_thread(tmp_path, call, state, action)
    assert points > 2, "no code was interrupted"


@pytest.mark.slow
@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("raised", [False, True])
def test_numbers_that_nobody_has_seen_are_used_again_once(tmp_path: Path, raised: bool) -> None:
    point = 0
    while True:
        point += 1
        case = Case(tmp_path / str(point))
        where = _come_back(case, point, raised=raised)
        faults = faults_of(case)
        assert not faults, f"{where} (point {point}): {faults}"
        if not where:
            break
    assert point > 10, "no code was interrupted"


def _come_back(case: Case, point: int, *, raised: bool) -> str:
    """Leave the place of lines, log, and come back, interrupted at one point; tell where."""

    def act() -> None:
        case.writer.write(*halves("of the handler"))  # in the one place or in the other
        if raised:
            raise Interruption

    case.directory.mkdir()
    case.log("before")
    case.writer.reconfigure(Nowhere)
    case.writer.write(*halves("unseen"))
    handler = Handler(point, act)
    with suppress(Interruption), handler:
        case.writer.write(*halves("unseen, unless it was interrupted"))
        case.writer.reconfigure(case.target)
    case.writer.reconfigure(case.target)
    case.log("after")
    case.writer.close()
    return handler.where


def in_a_thread(*given: Any) -> int:
    """Interrupt in a thread of its own.

    Where an exception is raised in the middle of another's handling, the interpreter may go on for
    ever to take that for the one that is being handled.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(interrupt_everywhere, *given).result()


def interrupt_everywhere(
    directory: Path,
    call: Callable[[Case], None],
    state: Callable[[Case], None],
    action: Callable[[Case], None],
) -> int:
    """Interrupt a call at one point after the other; return the number of the first too many."""
    point = 0
    while True:
        point += 1
        case, where = interrupted(directory / str(point), point, call, state, action)
        if not where:
            return point
        faults = faults_of(case)
        assert not faults, f"{where} (point {point}): {faults}"
        shutil.rmtree(case.directory)


def interrupted(
    directory: Path,
    point: int,
    call: Callable[[Case], None],
    state: Callable[[Case], None],
    action: Callable[[Case], None],
) -> tuple[Case, str]:
    """Interrupt a call; tell where, "" if it has fewer points than that."""
    directory.mkdir()
    case = Case(directory)
    case.log("before 1")
    case.log("before 2")
    state(case)
    try:
        with Handler(point, lambda: action(case)) as handler:
            call(case)
            if case.is_child:
                os._exit(0)
    except (Interruption, TimeoutError):
        pass
    case.place._settings = case.place._settings._replace(directory=str(directory))
    case.recover()
    case.log("after 1")
    case.place.look_at = 0.0  # so that what was postponed is done
    case.log("after 2")
    case.writer.close()
    return case, handler.where
