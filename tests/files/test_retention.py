"""What retention removes, and what it never touches."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.files.conftest import Logs

pytest.importorskip("fcntl")

HEADER = (
    '{{"service":{{"name":"{service}"}},"event":{{"sequence":{first}}}}}\n'
    '{{"event":{{"sequence":{last}}}}}\n'
)


SIZE = 50_000
OWN = 40_000
"""What a process's own file takes at most, however long the paths and the names of the machine."""


def plant(
    logs: Logs, number: int, *, days: float, size: int = 2_000, service: str = "svc",
    part: str | None = None,
) -> Path:  # fmt: skip
    """A file as a process of another time has left it."""
    logs.directory.mkdir(exist_ok=True)
    name = f"{part or service}-20260101T000000Z-{'ab' * 12}-{number:04d}.ndjson"
    path = logs.directory / name
    text = HEADER.format(service=service, first=number * 10, last=number * 10 + 9)
    path.write_text(text.replace("\n", " " * (size - len(text)) + "\n", 1))
    moment = time.time() - days * 86_400
    os.utime(path, (moment, moment))
    return path


def ok(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr


def test_beyond_the_days_and_announced(logs: Logs) -> None:
    old = [plant(logs, n, days=8 + n) for n in range(1, 4)]
    young = plant(logs, 9, days=6)
    ok(logs.run("log.info('x')", setup="keep_days=7"))
    assert not any(path.exists() for path in old)
    assert young.exists()
    (record,) = [r for p in logs.files() if p != young for r in _records(p, "log-files-removed")]
    assert set(record["labels"]["removed_files"]) == {path.name for path in old}
    entity = "ab" * 12
    assert set(record["labels"]["removed_sequences"]) == {
        f"{entity}:{n * 10}-{n * 10 + 9}" for n in range(1, 4)
    }
    assert record["numeric_labels"]["removed_bytes"] == 3 * 2_000
    assert record["numeric_labels"]["removed_oldest_days"] == pytest.approx(11, abs=0.1)


def _records(path: Path, action: str) -> list[dict[str, Any]]:
    from tests.files.conftest import read

    return [r for r in read(path) if r.get("event", {}).get("action") == action]


def test_beyond_the_bytes_the_oldest_goes_first(logs: Logs) -> None:
    paths = [plant(logs, n, days=n / 10, size=SIZE) for n in range(1, 11)]
    ok(logs.run("log.info('x')", setup=f"keep_bytes={3 * SIZE + OWN}"))
    assert [path.exists() for path in paths] == [True] * 3 + [False] * 7


def test_what_was_written_while_the_clock_was_years_ahead_goes_before_what_came_since(
    logs: Logs,
) -> None:
    ahead = [plant(logs, n, days=-3_650 + n, size=SIZE) for n in range(1, 4)]
    since = [plant(logs, n, days=1 / n, size=SIZE) for n in range(4, 7)]
    ok(logs.run("log.info('x')", setup=f"keep_bytes={3 * SIZE + OWN}"))
    assert not any(path.exists() for path in ahead)
    assert all(path.exists() for path in since)


def test_never_another_service_nor_a_foreign_name(logs: Logs) -> None:
    kept = [
        plant(logs, 1, days=99, service="other"),
        plant(logs, 2, days=99, service="svc-other"),
        plant(logs, 3, days=99, service="a/b", part="svc"),  # another name, sanitised alike
    ]
    foreign = [
        "svc.ndjson", "svc-20260101T000000Z-short-0001.ndjson", "svc-readme.txt",
        f"svc-20269901T000000Z-{'ab' * 12}-0001.ndjson", f"svc-20260101T000000Z-{'ab' * 12}-1.ndjson",
        f"svc-20260101T000000Z-{'ab' * 12}-0001.ndjson.gz",
    ]  # fmt: skip
    for name in foreign:
        path = logs.directory / name
        path.write_text("x")
        os.utime(path, (1, 1))
        kept.append(path)
    ok(logs.run("log.info('x')", setup="keep_days=1, keep_bytes=1"))
    assert all(path.exists() for path in kept)


def test_never_a_file_in_use_nor_one_closed_just_now(logs: Logs) -> None:
    held = plant(logs, 1, days=30)
    descriptor = os.open(held, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    fresh = plant(logs, 2, days=30 / 86_400)
    try:
        ok(logs.run("log.info('x')", setup="keep_days=1, keep_bytes=1"))
    finally:
        os.close(descriptor)
    assert held.exists()
    assert fresh.exists()


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_nor_one_that_seems_old_because_the_clock_was_set(logs: Logs, seconds: int) -> None:
    """For a minute: then what was there has been there for a minute."""
    program = f"""
        from flowery_logging.system import System
        set_at, real = [0.0], os.utime
        def utime(descriptor):
            moment = time.time() + set_at[0]
            real(descriptor, (moment, moment))
        System.utime = utime
        for n in range(100): log.info("before %d", n)
        set_at[0] = {seconds}
        for n in range(100): log.info("behind %d", n)
        assert flowery_logging.stats()["files_removed"] == 0, flowery_logging.stats()
        later = time.monotonic() + 61
        System.monotonic = lambda: later
        set_at[0] += 61
        log.info("a minute later")
        assert flowery_logging.stats()["files_removed"] > 2, flowery_logging.stats()
    """
    ok(logs.run(program, setup="max_bytes=10_000, keep_bytes=20_000"))
    removed = [r for r in logs.records() if r["event"].get("action") == "log-files-removed"]
    assert removed


def test_no_clock_is_told_from_a_time_that_cannot_be_set(logs: Logs) -> None:
    """As on Btrfs when it is full: that of the last write stands still while the clock goes on."""
    old = plant(logs, 1, days=2)
    aside = old.rename(old.with_suffix(".aside"))
    program = f"""
        from functools import partial
        from flowery_logging.system import System
        System.utime = partial(os.open, "/nowhere/x")
        real, later = time.monotonic, 0
        System.monotonic = lambda: real() + later
        log.info("x")
        os.rename({str(aside)!r}, {str(old)!r})
        later = 15
        for n in range(20): log.info("next file %d", n)
    """
    ok(logs.run(program, setup="max_bytes=5_000, keep_days=1"))
    assert not old.exists()


@pytest.mark.slow
def test_a_file_whose_writer_sleeps_is_in_use(logs: Logs) -> None:
    """A writer's own lock protects it, however old its last line is."""
    directory = str(logs.directory)
    sleeper = subprocess.Popen(
        [sys.executable, "-c", f"""
import logging, sys, flowery_logging, os
flowery_logging.setup("svc", directory={directory!r}, output="file")
logging.info("sleeping")
for path in os.scandir({directory!r}): os.utime(path.path, (1, 1))
print("ready", flush=True)
sys.stdin.read()
logging.info("awake")
"""],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert sleeper.stdout is not None
    assert sleeper.stdin is not None
    sleeper.stdout.readline()
    ok(logs.run("log.info('x')", setup="keep_days=1, keep_bytes=1"))
    sleeper.stdin.close()
    assert sleeper.wait(300) == 0
    sleeper.stdout.close()
    assert {"sleeping", "awake", "x"} <= set(logs.messages())


def test_where_the_file_system_has_no_locks_it_goes_by_age(logs: Logs) -> None:
    """As Lustre's by default. What is young may be in use, as nobody can tell."""
    old = [plant(logs, n, days=8) for n in range(1, 4)]
    young = [plant(logs, n, days=2) for n in range(4, 7)]
    program = """
        import errno, fcntl
        def flock(descriptor, how):
            raise OSError(errno.ENOLCK, "No locks available")
        fcntl.flock = flock
        log.info("x")
    """
    ok(logs.run(program, setup="keep_days=7, keep_bytes=1"))
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in young)


def test_where_only_who_may_write_a_file_can_lock_it_alone(logs: Logs) -> None:
    """A mock, as NFS 4 cannot be mounted here: its client refuses so what the others allow."""
    old = plant(logs, 1, days=8)
    held, excess = plant(logs, 2, days=2), plant(logs, 3, days=1)
    program = f"""
        import fcntl
        from flowery_logging.files import reader
        from tests.files.interruptions import as_ours
        theirs = fcntl.flock
        def flock(descriptor, how):
            if how & fcntl.LOCK_EX and not fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE:
                raise OSError(9, "Bad file descriptor")
            theirs(descriptor, how)
        fcntl.flock = as_ours(flock)
        holder = os.open({str(held)!r}, os.O_RDWR)
        fcntl.flock(holder, fcntl.LOCK_SH)
        log.info("x")
        print([reader.is_in_use(file) for file in reader.find({str(logs.directory)!r})])
    """
    done = logs.run(program, setup="keep_days=7, keep_bytes=1")
    ok(done)
    assert held.exists()
    assert [path for path in (old, excess) if path.exists()] == []
    assert done.stdout == "[True, True]\n"


def test_links_and_pipes_are_left_alone(logs: Logs, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    logs.directory.mkdir()
    link = logs.directory / f"svc-20260101T000000Z-{'ab' * 12}-0001.ndjson"
    link.symlink_to(victim)
    os.utime(link, (1, 1), follow_symlinks=False)
    os.mkfifo(logs.directory / f"svc-20260101T000000Z-{'ab' * 12}-0002.ndjson")
    ok(logs.run("log.info('x')", setup="keep_days=1, keep_bytes=1"))
    assert victim.read_text() == "precious"
    assert link.is_symlink()


@pytest.mark.slow
def test_at_rotation_too(logs: Logs) -> None:
    program = """
        log.info("start")
        import pathlib
        for n in range(200): log.info("event %d", n)
    """
    old = plant(logs, 1, days=1.5)
    ok(logs.run(program, setup="max_bytes=20_000, keep_days=2"))
    assert old.exists()
    ok(logs.run(program, setup="max_bytes=20_000, keep_days=1"))
    assert not old.exists()


def test_one_record_names_no_more_than_32_files(logs: Logs) -> None:
    old = [plant(logs, n, days=9) for n in range(1, 36)]
    program = """
        log.info("first")
        writer()._journal.target.look_at = 0
        log.info("second")
    """
    ok(logs.run(program, setup="keep_days=7"))
    assert not any(path.exists() for path in old)
    (own,) = logs.files()
    named = [r["labels"]["removed_files"] for r in _records(own, "log-files-removed")]
    assert [len(names) for names in named] == [32, 3]


def test_a_look_frees_no_more_than_the_bytes_of_a_file_or_two(logs: Logs) -> None:
    """A file system takes a second for gigabytes, in the middle of a call: a start after a week."""
    old = [plant(logs, n, days=9) for n in range(1, 6)]
    for path in old:
        os.truncate(path, 40_000_000)
        os.utime(path, (path.stat().st_mtime - 9 * 86_400,) * 2)
    program = """
        removed = []
        for _ in range(3):
            log.info("x")
            removed.append(flowery_logging.stats()["files_removed"])
            writer()._journal.target.look_at = 0
        assert removed == [2, 4, 5], removed
    """
    ok(logs.run(program, setup="keep_days=7"))
    assert not any(path.exists() for path in old)


def test_a_file_in_use_counts_among_the_bytes_that_are_kept(logs: Logs) -> None:
    held = plant(logs, 1, days=0.9, size=20_000)
    descriptor = os.open(held, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    others = [plant(logs, n, days=0.9 - n / 10, size=20_000) for n in range(2, 5)]
    try:
        ok(logs.run("log.info('x')", setup="keep_bytes=50_000"))
    finally:
        os.close(descriptor)
    assert held.exists()
    assert [path.exists() for path in others] == [False, False, True]


@pytest.mark.slow
def test_many_processes_at_once_announce_each_file_once(logs: Logs, tmp_path: Path) -> None:
    old = [plant(logs, n, days=9) for n in range(1, 101)]
    directory, ready = str(logs.directory), tmp_path / "ready"
    ready.mkdir()
    program = f"""
import glob, logging, os, time, flowery_logging
flowery_logging.setup("svc", directory={directory!r}, output="file", max_bytes=20_000, keep_days=7)
open(os.path.join({str(ready)!r}, str(os.getpid())), "x").close()
while len(os.listdir({str(ready)!r})) < 4: time.sleep(0.001)
while glob.glob({directory + "/*" + "ab" * 12 + "*"!r}):
    logging.info("busy")
    flowery_logging.runtime._sink.writer._journal.target.look_at = 0
    time.sleep(0.005)
logging.info("last")
"""
    children = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(4)]
    assert [child.wait(300) for child in children] == [0] * 4
    assert not any(path.exists() for path in old)
    announced = [
        name
        for path in logs.files()
        for record in _records(path, "log-files-removed")
        for name in record["labels"]["removed_files"]
    ]
    assert sorted(announced) == sorted(path.name for path in old)
    logs.check_sequences()


def test_what_another_process_has_removed_is_not_made_up_for(logs: Logs) -> None:
    """Of many processes that start at once each would else remove as much, of other files."""
    old = [plant(logs, n, days=3, size=SIZE) for n in range(1, 21)]
    program = f"""
        from flowery_logging.system import System
        scandir, monotonic = System.scandir, System.monotonic
        listed, others = [], {[str(path) for path in old[:10]]!r}
        System.scandir = lambda path: listed.append(path) or scandir(path)
        def when_all_are_looked_up():
            while listed and others: os.unlink(others.pop())
            return monotonic()
        System.monotonic = when_all_are_looked_up
        log.info("x")
    """
    ok(logs.run(program, setup=f"keep_bytes={10 * SIZE + OWN}"))
    assert [path for path in old if path.exists()] == old[10:]


@pytest.mark.slow
def test_a_huge_directory_is_read_in_steps(logs: Logs) -> None:
    """Each step reads 20 000 entries, so a million of them never stall a call."""
    logs.directory.mkdir()
    for n in range(50_000):
        os.close(os.open(logs.directory / f"foreign-{n}", os.O_CREAT, 0o600))
    old = plant(logs, 1, days=9)
    program = """
        from contextlib import contextmanager
        from flowery_logging.system import System
        read = []
        scandir = os.scandir
        def counted(entries):
            for entry in entries:
                read.append(1)
                yield entry
        @contextmanager
        def counting(path):
            with scandir(path) as entries:
                yield counted(entries)
        System.scandir = counting
        def look():
            read.clear()
            writer()._journal.target.look_at = 0
            log.info("look")
            return len(read)
        log.info("first")
        assert len(read) == 20_000, len(read)
        assert look() == 40_000  # those that it knows are passed over
        assert 50_000 < look() <= 50_002
    """
    ok(logs.run(program, setup="keep_days=7"))
    assert not old.exists()


@pytest.mark.slow
def test_no_descriptor_is_held_from_one_step_to_the_next(logs: Logs) -> None:
    """Who closes all descriptors would get its number, and lose his file with the next step."""
    for n in range(1, 2_001):
        plant(logs, n, days=1)
    program = f"""
        log.info("first")
        assert writer()._journal.target.retention.is_due
        os.closerange(3, 4_096)
        mine = open({str(logs.directory / "mine")!r}, "w")
        for n in range(5):
            writer()._journal.target.look_at = 0
            log.info("look")
        mine.write("mine")
        mine.close()
        assert open(mine.name).read() == "mine"
    """
    ok(logs.run(program, setup="keep_days=7"))


def check_own(logs: Logs) -> None:
    """See that the numbers of each process are whole, and its last record is the closing one."""
    from tests.files.conftest import read

    for path in logs.files():
        if "ab" * 12 not in path.name:
            events = [record["event"] for record in read(path)]
            assert [event["sequence"] for event in events] == [*range(1, len(events) + 1)]
            assert events[-1]["action"] == "log-closed"


@pytest.mark.slow
def test_short_processes_remove_what_is_too_old_in_a_huge_directory(logs: Logs) -> None:
    """As a script that is run each minute: none reads the whole directory by its looks."""
    old = [plant(logs, n, days=9) for n in range(1, 6_001)]
    ok(logs.run("log.info('x')", setup="keep_days=7"))
    left = sum(path.exists() for path in old)
    assert left <= len(old) - 32
    ok(logs.run("log.info('x')", setup="keep_days=7"))
    assert sum(path.exists() for path in old) <= max(0, left - 32)  # one in eight removes all
    check_own(logs)


@pytest.mark.slow
def test_one_in_some_short_processes_finishes_what_the_bytes_ask_for(logs: Logs) -> None:
    planted = [plant(logs, n, days=n / 1e4, size=200) for n in range(1, 4_001)]
    oldest = planted[-1]
    for _ in range(300):
        ok(logs.run("log.info('x')", setup="keep_bytes=790_000"))
        if not oldest.exists():
            break
    assert not oldest.exists()
    assert planted[0].exists()
    check_own(logs)


@pytest.mark.slow
def test_a_forked_child_leaves_the_directory_to_its_parent_at_first(logs: Logs) -> None:
    """It may be there for one task: RQ forks for each job."""
    plant(logs, 1, days=9)
    program = """
        from flowery_logging.system import System
        log.info("parent")
        read, scandir = [], System.scandir
        System.scandir = lambda path: read.append(path) or scandir(path)
        if os.fork():
            assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
        else:
            log.info("child")
            log.info("child again")
            os._exit(len(read))
    """
    ok(logs.run(program, setup="keep_days=9_999"))
    program = """
        from flowery_logging.system import System
        if not os.fork():
            log.info("child")
            writer()._journal.target.retention.after = 0
            writer()._journal.target.look_at = 0
            log.info("a minute later")
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
    """
    ok(logs.run(program, setup="keep_days=7"))
    assert not [path for path in logs.files() if "ab" * 12 in path.name]
