"""Threads that follow one another fast: each line is there once, whatever they meet."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from flowery_logging.files import crowd, writer
from flowery_logging.system import System
from tests.files.cases import Case, first, follow, gathered_crowd
from tests.files.conftest import Logs, parse
from tests.files.faults_found import faults_of
from tests.files.interruptions import swallowed

pytestmark = pytest.mark.skipif(
    crowd.find_held_write() is None, reason="write() cannot keep the interpreter's lock here"
)

CROWD = """
    def work(name):
        for number in range(3000):
            log.info(f"{name} {number}")
    def meet():
        threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
        [t.start() for t in threads]
        [t.join() for t in threads]
    def is_crowd():
        return "write" in vars(writer())
    def follow(lines):  # two threads, one after the other, however busy the machine is
        turns = threading.Semaphore(1), threading.Semaphore(0)
        def take_turns(mine, other):
            for _ in range(lines // 2):
                mine.acquire()
                log.info("follows")
                other.release()
        both = [threading.Thread(target=take_turns, args=order) for order in (turns, turns[::-1])]
        [t.start() for t in both]
        [t.join() for t in both]
    def gather():
        while not is_crowd():
            follow(4000)
"""
ALL = sorted(f"{name} {number}" for name in range(8) for number in range(3000))


def run(logs: Logs, *parts: str) -> None:
    done = logs.run("\n".join(map(textwrap.dedent, parts)))
    assert done.returncode == 0, done.stderr


def of_the_crowd(messages: list[str]) -> list[str]:
    return sorted(message for message in messages if message != "follows")


@pytest.mark.slow
def test_each_line_of_a_crowd_is_there_once(logs: Logs) -> None:
    run(logs, CROWD, "gather()", "meet()", "assert is_crowd()")
    logs.check_sequences()
    assert of_the_crowd(logs.messages()) == ALL


@pytest.mark.slow
def test_a_thread_alone_needs_no_turns(logs: Logs) -> None:
    run(logs, CROWD, "work(0)", "assert not is_crowd()")


@pytest.mark.slow
def test_standard_output_in_a_file_is_no_log_file(logs: Logs, tmp_path: Path) -> None:
    """Its lines go through what keeps those of other processes apart."""
    out = tmp_path / "out"
    to_file = f"os.dup2(os.open({str(out)!r}, os.O_CREAT | os.O_WRONLY | os.O_APPEND), 1)"
    stdout = "flowery_logging.setup('s', output='stdout')"
    run(logs, CROWD, to_file, stdout, "follow(8000)", "assert not is_crowd()", "meet()")
    assert len(out.read_bytes().splitlines()) >= 8000 + len(ALL)


@pytest.mark.slow
def test_a_file_that_may_not_grow_is_followed_by_the_next(logs: Logs) -> None:
    """What the system answers then is the same, whoever asks."""
    limit = """
        import resource
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        size = os.stat(writer().path).st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100_000, resource.RLIM_INFINITY))
    """
    run(logs, CROWD, "gather()", limit, "meet()", "assert is_crowd()")
    lines = [line for path in logs.files() for line in path.read_bytes().split(b"\n")[:-1]]
    records = sorted(map(parse, lines), key=lambda record: record["event"]["sequence"])
    assert [record["event"]["sequence"] for record in records] == [*range(1, len(records) + 1)]
    assert len(logs.files()) > 1
    told = [record["message"] for record in records if record["log"]["logger"] == "app"]
    assert of_the_crowd(told) == ALL


@pytest.fixture
def case(tmp_path: Path) -> Case:
    case = Case(tmp_path / "logs")
    case.directory.mkdir()
    first(case)
    return case


def is_crowd(case: Case) -> bool:
    return "write" in vars(case.writer)


def end(case: Case) -> None:
    case.log("last")
    case.writer.close()
    assert not faults_of(case)


def test_a_slow_disk_disperses_them_for_a_while(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered_crowd(case)
    assert is_crowd(case)
    monkeypatch.setattr(crowd, "SLOW_SECONDS", -1.0)
    case.log("slow")
    assert not is_crowd(case)
    assert case.place.write is os.write
    monkeypatch.setattr(crowd, "SLOW_SECONDS", 10.0)
    gathered_crowd(case)
    assert not is_crowd(case)
    monkeypatch.setattr(case.writer._crowd, "_calm_until", 0.0)
    gathered_crowd(case)
    assert is_crowd(case)
    end(case)


def test_who_cannot_give_way_is_no_crowd(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may have the turn at the first line: while it is looked what can be had."""
    monkeypatch.setattr(crowd, "give_way", None)
    case.writer._crowd._turn["turn"] = 0
    gathered_crowd(case)
    assert not is_crowd(case)
    end(case)


def test_lines_that_follow_slowly_are_no_crowd(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(100_000))
    monkeypatch.setattr(System, "monotonic", lambda: next(now) / 500)
    follow(case, 3 * crowd.OFTEN)
    assert not is_crowd(case)
    monkeypatch.undo()
    end(case)


@pytest.mark.parametrize("major", [0, 8])
def test_a_disk_elsewhere_may_hang(case: Case, monkeypatch: pytest.MonkeyPatch, major: int) -> None:
    """A mock, as no network file system can be mounted here."""
    monkeypatch.setattr(os, "major", lambda device: major)
    gathered_crowd(case)
    assert is_crowd(case) == (major != 0)
    assert (case.place.write is not os.write) == (major != 0)
    end(case)


def test_a_thread_that_goes_on_alone_needs_turns_no_more(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "ALONE", 100)
    gathered_crowd(case)
    for number in range(50):
        case.log(f"alone {number}")
    assert is_crowd(case)
    for number in range(50, 110):
        case.log(f"alone {number}")
    assert not is_crowd(case)
    assert case.place.write is os.write
    end(case)


def test_what_a_handler_raises_as_they_gather_reaches_the_caller(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the next line gathers them."""

    def ends(*_: object) -> None:
        raise TimeoutError("a time limit of the application's")

    def gather() -> None:
        crowd.find_held_write.cache_clear()
        case.writer._crowd.is_gathered = False
        case.log("gathers")

    monkeypatch.setattr(crowd, "OFTEN", 3)
    former = signal.signal(signal.SIGUSR1, ends)
    try:
        follow(case, crowd.OFTEN)
        missed, points = swallowed(gather, lambda: ends(), TimeoutError)
    finally:
        signal.signal(signal.SIGUSR1, former)
    gathering = [where for where in missed if where.startswith("crowd.py")]
    assert not gathering
    assert points > 50
    gather()
    assert case.writer._crowd.is_gathered
    assert case.place.write is not os.write


def test_in_another_place_they_gather_anew(case: Case) -> None:
    gathered_crowd(case)
    case.writer.reconfigure(case.target)
    assert not is_crowd(case)
    gathered_crowd(case)
    assert is_crowd(case)
    assert case.place.write is not os.write  # it is looked anew whether it may keep the GIL
    end(case)


def test_a_turn_that_nobody_gives_back_is_taken(case: Case) -> None:
    gathered_crowd(case)
    waiting = threading.Thread(target=case.writer._crowd.take_turn)
    waiting.start()
    waiting.join()
    case.log("goes on")
    case.log("and on")
    assert case.writer._crowd._turn == {}
    end(case)


def test_a_handler_that_logs_while_its_thread_waits_does_not_wait(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the next signal comes as it waits, and so on, until there are too many frames."""
    gathered_crowd(case)
    interrupted: list[str] = []
    within: list[int] = []

    def interrupt() -> None:
        within.append(len(interrupted))
        if len(within) > 9:
            return
        interrupted.append("yes")
        case.log(f"in handler {len(within)}")
        interrupted.pop()

    monkeypatch.setattr(crowd, "give_way", interrupt)
    case.writer._crowd._turn["turn"] = 0
    case.log("waits")
    assert set(within) == {0}
    end(case)


def test_who_waits_long_gets_on_while_nobody_has_the_turn(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `write()` that keeps the GIL gives it to nobody."""
    gathered_crowd(case)
    taken: list[dict[str, int]] = []
    monkeypatch.setattr(System, "sleep", lambda _: taken.append({**case.writer._crowd._turn}))
    monkeypatch.setattr(crowd, "_REST_AFTER", 100.0)
    case.log("nobody waits")
    assert taken == []
    case.writer._crowd._waiting[0] = True
    case.log("somebody waits")
    case.log("the next rest is not yet due")
    assert taken == [{}]
    end(case)


def test_the_turn_that_another_has_taken_is_left_to_it() -> None:
    """Else two that wait at the lock take each other's turns without end."""
    turns, others = crowd.Crowd(lambda: None), list[int]()
    mine = turns.take_turn()
    impatient = threading.Thread(target=lambda: others.append(turns.take_turn()))
    impatient.start()
    impatient.join()
    turns.leave(mine)
    assert [*turns._turn.values()] == others != [mine]
    turns.leave(others[0])
    assert not turns._turn


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_the_child_of_a_crowd_is_alone(logs: Logs) -> None:
    run(
        logs,
        CROWD,
        """
        import warnings
        warnings.simplefilter("ignore")  # of a fork beside threads: the last ones may just end
        gather()
        pid = os.fork()
        if not pid:
            log.info("child")
            os._exit(is_crowd())
        assert os.waitpid(pid, 0)[1] == 0
        """,
    )
    logs.check_sequences()
    assert of_the_crowd(logs.messages()) == ["child"]


def test_what_cannot_be_had_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    found: Any = crowd.find_held_write
    try:
        for name, value in (("give_way", None), ("_has_gil", lambda: False)):
            with monkeypatch.context() as patched:
                patched.setattr(crowd, name, value)
                found.cache_clear()
                assert found() is None
        with monkeypatch.context() as patched:
            patched.setitem(sys.modules, "ctypes", None)
            found.cache_clear()
            assert found() is None
    finally:
        found.cache_clear()
