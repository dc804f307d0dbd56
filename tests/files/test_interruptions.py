"""A signal handler at every point where Python runs one, in every state of the writer.

It logs, or raises, or both. Whatever it does: no gap that is not announced, no number twice, each
event once whose call has returned, each file with its header, each removed file announced.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flowery_logging.files import Writer, complaints
from flowery_logging.files.retention import Retention, RetentionSettings
from tests.files.cases import HALF, NOTHING, Case, halves, identity, record
from tests.files.interruptions import Handler, Interruption

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="full disks as POSIX has them")

OLD = "s-20200101T000000Z-0123456789abcdef01234567-0001.ndjson"


def plain(case: Case) -> None:
    pass


def rotation(case: Case) -> None:
    case.place.max_size = case.place.size


def full(case: Case) -> None:
    case.on_a_bad_day(errno.ENOSPC)


def slow_reader(case: Case) -> None:
    case.on_a_bad_day(errno.EAGAIN, None)


def half_then_full(case: Case) -> None:
    case.on_a_bad_day(HALF, errno.ENOSPC)


def half_then_whole(case: Case) -> None:
    case.on_a_bad_day(HALF, None)


def nothing_for_ever(case: Case) -> None:
    case.on_a_bad_day(NOTHING)


def half_then_nothing(case: Case) -> None:
    case.on_a_bad_day(HALF, NOTHING)


def too_big_a_file(case: Case) -> None:
    case.on_a_bad_day(HALF, errno.EFBIG, errno.EFBIG, None)


def waiting(case: Case) -> None:
    full(case)
    case.log("waits 1")
    case.log("waits 2")
    case.recover()


def dropping(case: Case) -> None:
    case.writer._journal.backlog.max_bytes = 150
    full(case)
    case.log("waits")
    case.log("is dropped " + "x" * 100)


def dropped(case: Case) -> None:
    dropping(case)
    case.recover()


def removed(case: Case) -> None:
    case.place.look_at = 0.0
    case.may_repeat = True
    for path in case.directory.iterdir():
        path.unlink()


def removed_with_a_torn_line(case: Case) -> None:
    half_then_full(case)
    case.log("torn")
    removed(case)
    case.recover()


def closed_by_somebody(case: Case) -> None:
    case.may_repeat = True  # nothing can be learnt of a line then
    os.close(case.place.descriptor)


def another_file_by_now(case: Case) -> None:
    case.may_repeat = True
    case.place.look_at = 0.0
    with (case.directory / "foreign").open("wb") as foreign:
        os.dup2(foreign.fileno(), case.place.descriptor)


def postponed(case: Case) -> None:
    """The next file cannot be opened: its directory is a file by now."""
    rotation(case)
    case.place._settings = case.place._settings._replace(directory=f"{case.directory}/foreign/x")
    (case.directory / "foreign").touch()


def retention(case: Case) -> None:
    old = case.directory / OLD
    old.write_bytes(b'{"event":{"sequence":1}}\n')
    os.utime(old, (1, 1))
    case.keep_seconds = 1.0
    settings = RetentionSettings(str(case.directory), "s", 1 << 40, case.keep_seconds)
    case.place._retention = Retention(settings)
    case.place._retain_now = True
    case.place.look_at = 0.0


def interrupted_before(case: Case) -> None:
    half_then_full(case)

    def stop() -> None:
        raise Interruption

    try:
        with Handler(9, stop):
            case.writer.write(*halves("interrupted before"))
    except Interruption:
        pass
    half_then_whole(case)


def first(case: Case) -> None:
    """No file yet."""
    case.writer.close()
    for path in case.directory.iterdir():
        path.unlink()
    case.returned.clear()
    case.writer = Writer(case.target, identity, record, case.counters)


STATES = [
    plain, first, rotation, full, slow_reader, half_then_full, half_then_whole, nothing_for_ever,
    half_then_nothing, too_big_a_file, waiting, dropping, dropped, removed,
    removed_with_a_torn_line, closed_by_somebody, another_file_by_now, postponed, retention,
    interrupted_before,
]  # fmt: skip


FORKS = [
    plain, first, rotation, half_then_whole, waiting, dropped, removed_with_a_torn_line, postponed,
    interrupted_before,
]  # fmt: skip
"""Without `retention`: what a child removes before it notices that it is one, it cannot announce."""


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
    pid = ctypes.PyDLL(None).fork()
    case.is_child = pid == 0
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
        for slow in [case[2] is not logs_and_raises or case[0] is not write]
    ]  # fmt: skip


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(complaints, "complain", lambda *_, **__: None)


# An interrupted scandir() cannot be closed: Python does it, and says so.
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
    # In a thread of its own: where an exception is raised in the middle of another's handling, the
    # interpreter may go on for ever to take that for the one that is being handled.
    with ThreadPoolExecutor(1) as thread:
        points = thread.submit(interrupt_everywhere, tmp_path, call, state, action).result()
    # Python 3.13 tells of no instruction in the outermost frame.
    assert points > 2 or sys.version_info >= (3, 13), "no code was interrupted"


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


def faults_of(case: Case) -> list[str]:
    """Tell what is wrong with the files of a case."""
    paths = sorted(case.directory.glob("*.ndjson"))
    own = [path for path in paths if case.writer.entity in path.name]
    lines = [line for path in own for line in whole(path)]
    records = [json.loads(line) for line in lines]
    return [
        *children_at_fault([path for path in paths if path not in own]),
        *numbers_at_fault(case, lines, records),
        *events_at_fault(case, lines, records),
        *files_at_fault(case, [json.loads(line) for path in paths for line in whole(path)]),
    ]


def children_at_fault(paths: list[Path]) -> list[str]:
    """Each child of a fork has files of its own, in which its numbers begin at 1."""
    return [
        f"numbers {numbers} in {path.name}"
        for path in paths
        for numbers in [[json.loads(line)["event"]["sequence"] for line in whole(path)]]
        if numbers != [*range(1, len(numbers) + 1)]
    ]


def whole(path: Path) -> list[bytes]:
    """The lines of a file but for a torn last one, which no reader takes."""
    return [] if path.name == OLD else path.read_bytes().split(b"\n")[:-1]


def numbers_at_fault(case: Case, lines: list[bytes], records: list[Any]) -> list[str]:
    counted = Counter(r["event"]["sequence"] for r in records)
    different = Counter(r["event"]["sequence"] for r in map(json.loads, dict.fromkeys(lines)))
    twice = different if case.may_repeat else counted
    missing = set(range(1, max(counted) + 1)) - set(counted) - announced(records)
    return [
        *(f"number {number} {times} times" for number, times in twice.items() if times > 1),
        *(f"number {number} is missing" for number in missing),
    ]


def announced(records: list[Any]) -> set[int]:
    """The numbers that are announced as dropped."""
    texts = [
        r["facts"].get("dropped_sequences", "") for r in records if r.get("kind") == "recovered"
    ]
    pairs = [map(int, pair.split("-")) for text in texts for pair in text.split(",") if pair]
    return {number for low, high in pairs for number in range(low, high + 1)}


def events_at_fault(case: Case, lines: list[bytes], records: list[Any]) -> list[str]:
    """Each event is there once if its call returned, else at most once, or was dropped."""
    found = Counter(json.loads(line).get("message") for line in dict.fromkeys(lines))
    may_miss = len(announced(records))
    lost = [text for text in case.returned if not found[text]]
    if case.may_repeat and case.place.descriptor != -1:
        lost = []
    twice = [text for text, times in found.items() if text and times > 1]
    return [*(f"{t!r} twice" for t in twice), *(f"{t!r} lost" for t in lost[may_miss:])]


def files_at_fault(case: Case, records: list[Any]) -> list[str]:
    told = [r["facts"]["removed_files"] for r in records if r.get("kind") == "removed"]
    gone = case.keep_seconds == 1.0 and not (case.directory / OLD).exists() and [OLD] not in told
    heads = [path for path in case.directory.glob("s-*-0*.ndjson") if path.name != OLD]
    return [
        *(["a removal that nobody announces"] if gone else []),
        *(f"no header in {path.name}" for path in heads if not has_header(path)),
    ]


def has_header(path: Path) -> bool:
    """Tell whether a file begins as Filebeat needs it; an empty one is that of an interruption."""
    first, end, _ = path.read_bytes().partition(b"\n")
    return not first or not end or (len(first) >= 1023 and b'"opened"' in first)
