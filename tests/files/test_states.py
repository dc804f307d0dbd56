"""A call inside another, a disk that takes lines in parts, a system that refuses what is by the way."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flowery_logging.counters import Counters
from flowery_logging.files import Writer, complaints, stderr
from flowery_logging.files.mirrors import Mirrors
from flowery_logging.files.stream import Nowhere
from flowery_logging.files.tally import WRITE_SECONDS, Tally, Writes
from flowery_logging.system import System
from tests.files.cases import HALF, NOTHING, OLD, Case, halves, identity, record, retention
from tests.files.interruptions import as_ours


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    monkeypatch.setattr(complaints, "complain", lambda *_, **__: None)
    found = Case(tmp_path)
    yield found
    found.recover()
    found.writer.close()


def messages(case: Case) -> list[str]:
    """The callers' events, as they lie in the files; a torn last line is none."""
    paths = sorted(case.directory.glob("*.ndjson"))
    records = [json.loads(line) for p in paths for line in p.read_bytes().split(b"\n")[:-1]]
    return [record["message"] for record in records if "message" in record]


def inside_the_next_write(case: Case, call: Callable[[], Any]) -> None:
    """Call something in the middle of the next write, as a signal handler would."""
    write = case.place.write

    def writing(descriptor: int, line: bytes) -> int:
        case.place.write = write
        call()
        written: int = write(descriptor, line)
        return written

    case.place.write = writing


def test_what_is_logged_inside_a_call_is_written_before_that_returns(case: Case) -> None:
    case.log("before")

    def twice() -> None:
        case.log("first inside")
        case.log("second inside")

    inside_the_next_write(case, twice)
    case.log("outside")
    assert case.writer.waiting == 0
    assert messages(case) == ["before", "outside", "first inside", "second inside"]


def test_what_waits_for_a_pause_is_called_once_after_the_write(case: Case) -> None:
    case.log("before")
    seen: list[int] = []
    inside_the_next_write(
        case, lambda: case.writer.when_idle(lambda: seen.append(case.writer.number))
    )
    before = case.writer.number
    case.log("outside")
    case.log("after")
    assert seen == [before + 1]


def test_a_close_inside_a_call_is_done_behind_that(case: Case) -> None:
    case.log("before")
    inside_the_next_write(case, case.writer.close)
    case.log("outside")
    case.log("after")
    assert messages(case) == ["before", "outside", "after"]
    first, second = sorted(case.directory.iterdir())
    for file in (first, second):
        assert b'"closed"' in file.read_bytes().splitlines()[-1]
    assert not case.counters.snapshot().get("write_errors")


def test_a_close_inside_a_call_shows_lines_while_other_threads_may_log(case: Case) -> None:
    """What shows them may wait for a thread that is just about to log."""
    free: list[bool] = []

    class Shows:
        threshold = 0

        def __call__(self, line: bytes) -> None:
            seen = len(free)
            with ThreadPoolExecutor(1) as thread:
                thread.submit(case.writer.within, 0, lambda: free.append(True)).result()
            free.extend([False] * (len(free) == seen))

    case.writer.mirror(Mirrors([Shows()]))
    case.log("before")
    inside_the_next_write(case, case.writer.close)
    case.log("outside")
    assert len(free) > 1
    assert all(free)


def test_another_place_inside_a_call_is_taken_after_it(case: Case, tmp_path: Path) -> None:
    case.log("before")
    first, case.directory = case.directory, tmp_path / "other"
    inside_the_next_write(case, lambda: case.writer.reconfigure(case.target))
    case.log("outside")
    case.log("after")
    assert messages(case) == ["after"]
    assert sum(path.read_bytes().count(b'"message"') for path in first.glob("*.ndjson")) == 2


ANSWERS = [
    (None,), (HALF, None), (HALF, HALF, None), (errno.ENOSPC, None), (HALF, errno.ENOSPC, None),
    (errno.ENOSPC, HALF, None), (errno.ENOSPC, errno.ENOSPC, None), (NOTHING, None),
    (HALF, errno.EFBIG, None),
]  # fmt: skip


@pytest.mark.parametrize("answers", ANSWERS)
def test_the_size_that_is_known_is_that_of_the_file(
    case: Case, answers: tuple[int | None, ...]
) -> None:
    case.log("before")
    case.on_a_bad_day(*answers)
    for number in range(4):
        case.log(f"event {number}")
        assert case.place.size == os.stat(case.writer.path).st_size
    assert messages(case) == ["before", *(f"event {number}" for number in range(4))]


@pytest.mark.parametrize("answers", ANSWERS)
def test_each_line_is_counted_once(
    case: Case, answers: tuple[int | None, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    case.log("before")
    case.on_a_bad_day(*answers)
    monkeypatch.setattr(System, "write", staticmethod(case.place.write))
    tally = Tally()
    tally.name("s")
    before = case.writer.number
    case.writer.count(tally)
    for number in range(4):
        case.log(f"event {number}")
    assert sum(count.events for count in tally) == case.writer.number - before >= 4


def test_a_rotation_that_was_put_off_comes_before_the_next_line(case: Case) -> None:
    case.log("before")
    case.on_a_bad_day(errno.ENOSPC)
    case.log("waits")
    case.recover()
    case.place.max_size = case.place.size
    case.log("after")
    first, second = sorted(case.directory.glob("*.ndjson"))
    assert b'"waits"' in first.read_bytes()
    assert b'"after"' in second.read_bytes()


def test_where_a_file_takes_no_line_no_other_is_opened(case: Case) -> None:
    case.on_a_bad_day(None, errno.EFBIG)  # the header alone
    for number in range(5):
        case.log(f"event {number}")
    assert len([*case.directory.glob("*.ndjson")]) == 1
    case.recover()
    case.log("after")
    assert messages(case) == [*(f"event {number}" for number in range(5)), "after"]


def test_an_object_in_the_place_of_standard_error_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for odd in (None, object()):
        monkeypatch.setattr(sys, "stderr", odd)
        assert not stderr.is_terminal()


def test_how_long_writes_take_is_told_by_upper_bounds() -> None:
    writes = Writes()
    for bound in WRITE_SECONDS:
        writes.note(bound)
        writes.note(bound * 1.01)
    assert writes.classes == [1, *[2] * (len(WRITE_SECONDS) - 1), 1]
    assert writes.seconds == pytest.approx(2.01 * sum(WRITE_SECONDS))
    assert writes.last == len(WRITE_SECONDS)


def test_lines_of_a_stream_are_counted_and_no_more_when_that_ends() -> None:
    writer = Writer(Nowhere, identity, record, Counters())
    tally = Tally()
    tally.name("s")
    for counting, events in ((tally, 2), (None, 2)):
        writer.count(counting)
        writer.write(*halves("one"))
        writer.write(*halves("two"))
        assert sum(count.events for count in tally) == sum(tally.writes.classes) == events


def test_a_file_that_grows_as_it_is_to_be_removed_stays(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.log("before")
    retention(case)
    opened = System.open

    def growing(path: str, *args: Any) -> int:
        if path.endswith(OLD):
            with open(path, "ab") as file:
                file.write(b"more\n")
        return opened(path, *args)

    monkeypatch.setattr(System, "open", staticmethod(growing))
    case.log("after")
    assert (case.directory / OLD).read_bytes().endswith(b"more\n")
    assert b'"removed"' not in Path(case.writer.path).read_bytes()


def refused(number: int) -> Callable[..., Any]:
    def refusing(*_: object, **__: object) -> None:
        raise OSError(number, "refused")

    return refusing


@pytest.mark.parametrize(("call", "number"), [("utime", errno.EPERM), ("close", errno.EIO)])
def test_what_the_system_refuses_by_the_way_stops_no_rotation(
    case: Case, call: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.log("before")
    case.place.max_size = 0
    case.place.retention.is_due = True
    with monkeypatch.context() as patched:
        patched.setattr(System, call, staticmethod(as_ours(refused(number))))  # type: ignore[arg-type]
        case.log("in the next file")
    assert not case.counters.snapshot().get("write_errors")
    assert messages(case) == ["before", "in the next file"]
    assert len([*case.directory.iterdir()]) == 2


@pytest.mark.parametrize("call", ["utime", "close"])
def test_what_a_handler_raises_there_is_the_applications(
    case: Case, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.log("before")
    case.place.max_size = 0
    with monkeypatch.context() as patched:
        patched.setattr(System, call, staticmethod(refused(errno.ETIMEDOUT)))
        with pytest.raises(TimeoutError):
            case.log("interrupted")
    case.log("after")
    found = messages(case)
    assert found in (["before", "after"], ["before", "interrupted", "after"])
