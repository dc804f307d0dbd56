"""Following a directory: new lines, new files, new processes, half lines."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from flowery_logging.files.follow import Follower
from flowery_logging.files.reader import Kind, Selection, find
from tests.files.conftest import Logs


def ok(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr


def messages(follower: Follower) -> list[str]:
    """What the programs have logged since the last look."""
    records = [line.record for line in follower.look()]
    return [r["message"] for r in records if r["log"]["logger"] != "flowery_logging"]


@pytest.mark.slow
def test_everything_comes_once_over_rotations_and_processes(logs: Logs) -> None:
    stop, seen = threading.Event(), list[tuple[str, int]]()
    follower = Follower(logs.directory)  # the directory is not there yet

    def follow() -> None:
        seen.extend((line.entity, line.sequence) for line in follower.lines(stop, poll=0.01))

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        for _ in range(2):
            program = "for n in range(500): log.info('event %d', n); time.sleep(0.0005)"
            ok(logs.run(program, setup="max_bytes=9_000"))
        deadline = time.monotonic() + 300
        while len(seen) < len(logs.records()) and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        stop.set()
        thread.join()
    assert len(logs.files()) > 20
    processes = logs.by_process()
    assert len(processes) == 2
    for entity, records in processes.items():
        own = [number for process, number in seen if process == entity]
        assert own == list(range(1, len(records) + 1))
    assert len(seen) == len(logs.records())


@pytest.mark.slow
def test_only_what_comes_from_now_on(logs: Logs) -> None:
    ok(logs.run("log.info('before')"))
    follower = Follower(logs.directory)
    assert messages(follower) == []
    ok(logs.run("log.info('after')"))
    assert messages(follower) == ["after"]
    assert messages(follower) == []


def test_from_the_start(logs: Logs) -> None:
    ok(logs.run("log.info('before')"))
    assert messages(Follower(logs.directory, from_start=True)) == ["before"]


@pytest.mark.slow
def test_only_what_is_selected_new_processes_too(logs: Logs) -> None:
    follower = Follower(logs.directory, Selection(service="other"))
    ok(logs.run("log.info('one')"))
    ok(
        logs.run(
            f"flowery_logging.setup('other', directory={str(logs.directory)!r}); log.info('two')"
        )
    )
    assert messages(follower) == ["two"]


def test_a_half_line_is_yielded_when_it_is_whole(logs: Logs) -> None:
    ok(logs.run("log.info('one'); log.info('two')"))
    (path,) = logs.files()
    content = path.read_bytes()
    half = content.index(b'"two"')
    path.write_bytes(content[:half])
    follower = Follower(logs.directory)
    late = Follower(logs.directory, from_start=True)
    assert messages(late) == ["one"]
    assert messages(follower) == []
    with path.open("ab") as stream:
        stream.write(content[half:])
    assert messages(late) == messages(follower) == ["two"]


def test_a_half_line_that_is_the_first_of_its_file_is_yielded_when_it_is_whole(logs: Logs) -> None:
    ok(logs.run("log.info('one')"))
    (path,) = logs.files()
    content = path.read_bytes()
    path.write_bytes(content[:700])
    follower = Follower(logs.directory)
    assert list(follower.look()) == []
    path.write_bytes(content)
    assert [line.sequence for line in follower.look()] == [1, 2, 3]


def test_a_half_line_is_torn_when_the_process_has_gone_on_in_another_file(logs: Logs) -> None:
    ok(logs.run("for n in range(20): log.info('event %d', n)", setup="max_bytes=9_000"))
    path, *_ = logs.files()
    path.write_bytes(path.read_bytes()[:-5])
    lines = list(Follower(logs.directory, from_start=True).look())
    assert [line.kind for line in lines].count(Kind.TORN) == 1
    assert len(lines) == sum(len(f.read_bytes().splitlines()) for f in logs.files())


@pytest.mark.parametrize("service", ["alpha", "zeta"])
def test_a_half_line_of_a_process_that_has_another_service_now_waits(
    logs: Logs, service: str
) -> None:
    """Its new file is the last one, whatever the names say; the one before it is left."""
    move = f"flowery_logging.setup({service!r}, directory={str(logs.directory)!r}, output='file')"
    ok(logs.run(f"log.info('one')\n{move}\nlog.info('two')"))
    old, new = sorted(logs.files(), key=lambda path: path.name.startswith(service))
    whole = new.read_bytes()
    new.write_bytes(whole[:-5])
    old.write_bytes(old.read_bytes()[:-5])
    follower = Follower(logs.directory, from_start=True)
    kinds = [(Path(line.file.path), line.kind) for line in follower.look()]
    assert (old, Kind.TORN) in kinds
    assert (new, Kind.TORN) not in kinds
    new.write_bytes(whole)
    assert [line.record["message"] for line in follower.look()] == ["log closed"]


@pytest.mark.slow
def test_removed_files_are_no_fault(logs: Logs) -> None:
    ok(logs.run("log.info('one')"))
    follower = Follower(logs.directory, from_start=True)
    assert messages(follower) == ["one"]
    os.unlink(find(logs.directory)[0].path)
    assert messages(follower) == []
    ok(logs.run("log.info('two')"))
    assert messages(follower) == ["two"]
