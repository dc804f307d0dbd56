"""A disk that is full, a directory that goes away, rights that are withdrawn: and back again."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import flowery_logging
from tests.files.conftest import Logs, parse
from tests.files.test_retention import plant

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's file systems")

root_only = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting needs root"
)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 kB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)], check=False
    )
    if mounted.returncode:
        pytest.skip("this machine does not let us mount a tmpfs")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def ok(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr


FILL = """
    ballast = os.path.join({directory!r}, "ballast")
    def fill():
        file = os.open(ballast, os.O_WRONLY | os.O_CREAT)
        try:
            for size in (4096, 512, 1):
                try:
                    while True: os.write(file, b"x" * size)
                except OSError: pass
        finally:
            os.close(file)
"""


@root_only
def test_a_full_disk_loses_nothing_that_fits_into_memory(small_disk: Path) -> None:
    logs = Logs(small_disk)
    program = (
        FILL.format(directory=str(small_disk))
        + """
    log.info("before")
    fill()
    for n in range(500): log.info("while full %d", n)
    assert flowery_logging.stats()["write_errors"] > 0
    assert flowery_logging.stats()["waiting"] > 100
    os.unlink(ballast)
    log.info("after")
    assert flowery_logging.stats()["waiting"] == 0, flowery_logging.stats()
    """
    )
    done = logs.run(program, setup="max_bytes=10_000_000")
    ok(done)
    assert done.stderr.count("cannot write") == 1, "complaints more than once a minute"
    logs.check_sequences()
    expected = ["before", *(f"while full {n}" for n in range(500)), "after"]
    assert [m for m in logs.messages() if m != "log can be written again"] == expected
    recovered = [r for r in logs.records() if r["event"].get("action") == "log-recovered"]
    assert len(recovered) == 1
    assert recovered[0]["numeric_labels"]["delayed_events"] > 400
    assert recovered[0]["numeric_labels"]["dropped_events"] == 0


@root_only
@pytest.mark.parametrize("setup", ["keep_days=7", "keep_bytes=1_000"])
def test_old_files_of_ours_do_not_keep_the_disk_full(small_disk: Path, setup: str) -> None:
    """Of those before us, and of the time when there was room: retention has to go on."""
    logs = Logs(small_disk)
    old = [plant(logs, n, days=9, size=20_000) for n in range(1, 6)]
    program = (
        FILL.format(directory=str(small_disk))
        + """
    fill()
    for n in range(100): log.info("while full %d", n)
    assert flowery_logging.stats()["write_errors"] > 0
    assert flowery_logging.stats()["waiting"] == 0, flowery_logging.stats()
    """
    )
    ok(logs.run(program, setup=f"max_bytes=10_000_000, {setup}"))
    assert not any(path.exists() for path in old)
    messages = logs.messages()
    assert [m for m in messages if m.startswith("while")] == [f"while full {n}" for n in range(100)]
    removed = [r for r in logs.records() if r["event"].get("action") == "log-files-removed"]
    names = [name for record in removed for name in record["labels"]["removed_files"]]
    assert sorted(names) == [path.name for path in old]


@root_only
def test_more_old_files_than_one_record_names_do_not_keep_the_disk_full(small_disk: Path) -> None:
    """What waits needs more room than the first of them give, and is written before they are told."""
    logs = Logs(small_disk)
    old = [plant(logs, n, days=9, size=500) for n in range(80)]
    program = (
        FILL.format(directory=str(small_disk))
        + """
    from flowery_logging.files import retention
    retention.ROOM_SECONDS = 0.0
    fill()
    for n in range(100): log.info("while full %d %s", n, "x" * 2000)
    assert flowery_logging.stats()["write_errors"] > 0
    assert flowery_logging.stats()["waiting"] == 0, flowery_logging.stats()
    os.unlink(ballast)
    """
    )
    ok(logs.run(program, setup="keep_days=7"))
    gone = [path.name for path in old if not path.exists()]
    for path in old:
        path.unlink(missing_ok=True)
    logs.check_sequences(ordered=False)
    removed = [r for r in logs.records() if r["event"].get("action") == "log-files-removed"]
    names = [name for record in removed for name in record["labels"]["removed_files"]]
    assert sorted(names) == gone
    assert len(names) > 32
    assert sum(m.startswith("while full") for m in logs.messages()) == 100


@pytest.mark.slow
@root_only
def test_old_files_of_ours_do_not_keep_the_disk_without_inodes(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,nr_inodes=50", str(small_disk)], check=True)
    logs = Logs(small_disk)
    program = f"""
        import time
        log.info("first")
        sys.path.insert(0, {os.getcwd()!r})
        from tests.files.conftest import Logs
        from tests.files.test_retention import plant
        from pathlib import Path
        try:
            for n in range(100): plant(Logs(Path({str(small_disk)!r})), n, days=9, size=500)
        except OSError: pass
        for n in range(60): log.info("while full %d", n)
        time.sleep(1.1)
        log.info("with room")
    """
    ok(logs.run(program, setup="max_bytes=20_000, keep_days=7"))
    assert not list(small_disk.glob(f"*-{'ab' * 12}-*"))
    assert len(logs.files()) > 1
    removed = [r for r in logs.records() if r["event"].get("action") == "log-files-removed"]
    names = [name for record in removed for name in record["labels"]["removed_files"]]
    assert len(names) == len(set(names)) > 30
    logs.check_sequences()


@pytest.mark.slow
@root_only
def test_what_does_not_fit_into_memory_is_dropped_and_announced(small_disk: Path) -> None:
    logs = Logs(small_disk)
    program = (
        FILL.format(directory=str(small_disk))
        + f"""
    log.info("before")
    fill()
    for n in range(1000): log.info("x" * 20_000)
    dropped = flowery_logging.stats()["dropped"]
    assert dropped > 300, flowery_logging.stats()
    # Memory holds 8 MiB and this disk takes 512 kB: hand the lines to a larger one.
    os.unlink(ballast)
    import subprocess
    subprocess.run(["mount", "-o", "remount,size=32m", {str(small_disk)!r}], check=True)
    log.info("after")
    assert flowery_logging.stats()["waiting"] == 0
    """
    )
    ok(logs.run(program, setup="max_bytes=10_000_000"))
    records = logs.records()
    (recovered,) = [r for r in records if r["event"].get("action") == "log-recovered"]
    first, last = map(int, recovered["labels"]["dropped_sequences"].split("-"))
    numbers = [r["event"]["sequence"] for r in records]
    assert numbers == sorted(numbers)
    missing = set(range(1, numbers[-1] + 1)) - set(numbers)
    assert missing == set(range(first, last + 1))
    assert recovered["numeric_labels"]["dropped_events"] == len(missing)


def test_a_limit_on_the_size_of_a_file_only_opens_the_next(logs: Logs) -> None:
    program = """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        for n in range(500): log.info("event %d", n)
    """
    ok(logs.run(program, setup="max_bytes=1_000_000"))
    torn = [path for path in logs.files() if not path.read_bytes().endswith(b"\n")]
    for path in torn:  # a torn tail stays, as no reader takes a line without its end
        data = path.read_bytes()
        path.write_bytes(data[: data.rfind(b"\n") + 1])
    logs.check_sequences(ordered=False)
    assert [m for m in logs.messages() if m.startswith("event")] == [
        f"event {n}" for n in range(500)
    ]
    assert len(logs.files()) > 5


@pytest.mark.slow
def test_where_no_file_can_take_a_header_no_files_are_strewn_about(logs: Logs) -> None:
    program = """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 10_000_000))
        for n in range(2000): log.info("event %d", n)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000_000, 10_000_000))
        log.info("after")
    """
    ok(logs.run(program))
    assert len(logs.files()) <= 5
    logs.check_sequences(ordered=False)
    assert len([m for m in logs.messages() if m.startswith(("event", "after"))]) == 2001


def test_ranges_that_look_like_resident_numbers_are_not_hidden(logs: Logs) -> None:
    program = """
        from flowery_logging.redaction import is_resident
        last = next(n for n in range(1_000_000, 1_999_999) if is_resident(f"900101{n}"))
        journal = writer()._journal
        log.info("one")
        journal.backlog.dropped = ((900101, last),)
        journal.backlog.active = True
        log.info("two")
        print(last)
    """
    done = logs.run(program)
    ok(done)
    (recovered,) = [r for r in logs.records() if r["event"].get("action") == "log-recovered"]
    assert recovered["labels"]["dropped_sequences"] == f"900101-{done.stdout.strip()}"


def test_many_dropped_ranges_are_announced_in_several_records(logs: Logs) -> None:
    program = """
        journal = writer()._journal
        log.info("one")
        journal.backlog.dropped = tuple((n, n + 1) for n in range(10**9, 10**9 + 10_000, 10))
        journal.backlog.active = True
        log.info("two")
    """
    ok(logs.run(program))
    recovered = [r for r in logs.records() if r["event"].get("action") == "log-recovered"]
    ranges = ",".join(r["labels"]["dropped_sequences"] for r in recovered).split(",")
    assert ranges == [f"{n}-{n + 1}" for n in range(10**9, 10**9 + 10_000, 10)]
    assert recovered[0]["numeric_labels"]["dropped_events"] == 2000


def test_a_directory_that_is_removed_is_made_again(logs: Logs) -> None:
    program = f"""
        import shutil
        log.info("one")
        shutil.rmtree({str(logs.directory)!r})
        writer()._journal.target.look_at = 0
        for n in range(3): log.info("later %d", n)
    """
    ok(logs.run(program))
    assert logs.messages()[-3:] == ["later 0", "later 1", "later 2"]


def test_the_directories_above_it_too(tmp_path: Path) -> None:
    logs = Logs(tmp_path / "a" / "b" / "logs")
    program = f"""
        import shutil
        log.info("one")
        shutil.rmtree({str(tmp_path / "a")!r})
        writer()._journal.target.look_at = 0
        log.info("two")
    """
    ok(logs.run(program))
    assert logs.messages()[-1] == "two"


def test_a_file_removed_under_us_loses_only_what_readers_had_time_for(logs: Logs) -> None:
    program = f"""
        import shutil
        target = writer()._journal.target
        log.info("seen")
        target.look_at = 0
        log.info("looked")
        target.look_at = float("inf")  # else a slow machine looks once more
        for n in range(5): log.info("just before %d", n)
        for name in os.listdir({str(logs.directory)!r}):
            os.unlink(os.path.join({str(logs.directory)!r}, name))
        for n in range(5): log.info("into the void %d", n)
        target.look_at = 0
        log.info("after")
        assert flowery_logging.stats()["rewritten"] >= 10
    """
    ok(logs.run(program))
    messages = logs.messages()
    assert messages[-11:] == [
        *(f"just before {n}" for n in range(5)),
        *(f"into the void {n}" for n in range(5)),
        "after",
    ]


IN_ITS_PLACE = {
    "a link to nothing": 'lambda path: os.symlink("nowhere", path)',
    "a link to itself": "lambda path: os.symlink(path, path)",
    "a file": 'lambda path: open(path, "w").close()',
}

GONE = """
    import shutil
    in_its_place = {in_its_place}
    os.makedirs({there!r}, exist_ok=True)
    log.info("one")
    shutil.rmtree({above!r})
    in_its_place({above!r})  # so that nobody can make it again
    log.info("before it is noticed")
    writer()._journal.target.look_at = 0
    for n in range(100): log.info("gone %d", n)
"""


def gone(directory: Path, stands_there: str) -> str:
    """The program that loses a directory with what lies above it, and goes on."""
    return GONE.format(
        above=str(directory.parent), there=str(directory), in_its_place=IN_ITS_PLACE[stands_there]
    )


@pytest.mark.parametrize("stands_there", IN_ITS_PLACE)
def test_what_comes_while_a_directory_cannot_be_made_again_waits(
    tmp_path: Path, stands_there: str
) -> None:
    """It went into a file that nobody could find any more, without a word."""
    above, logs = tmp_path / "above", Logs(tmp_path / "above" / "logs")
    back = f"""
    os.unlink({str(above)!r})
    writer()._journal.target.look_at = 0
    log.info("back")
"""
    ok(logs.run(gone(logs.directory, stands_there) + back))
    expected = ["before it is noticed", *(f"gone {n}" for n in range(100)), "back"]
    found = logs.messages()
    assert [message for message in found if message in expected] == expected


@pytest.mark.parametrize("stands_there", IN_ITS_PLACE)
def test_at_the_end_it_goes_to_stderr(tmp_path: Path, stands_there: str) -> None:
    logs = Logs(tmp_path / "above" / "logs")
    done = logs.run(gone(logs.directory, stands_there))
    ok(done)
    assert all(f'"gone {n}"' in done.stderr for n in range(100))
    assert "before it is noticed" in done.stderr


@pytest.mark.slow
def test_files_that_are_fetched_as_soon_as_they_are_there_do_not_grow(
    logs: Logs, tmp_path: Path
) -> None:
    """Each repeats what nobody had time to see before it: a mover would get the square of it all."""
    program = f"""
        target = writer()._journal.target
        for n in range(60):
            for m in range(100): log.info("%d " + 5_000 * "x", 100 * n + m)
            for entry in os.scandir({str(logs.directory)!r}):
                os.rename(entry.path, os.path.join({str(tmp_path)!r}, entry.name))
            target.look_at = 0
    """
    ok(logs.run(program))
    paths = [*tmp_path.glob("*.ndjson"), *logs.directory.glob("*.ndjson")]
    lines = [line for path in paths for line in path.read_bytes().splitlines()]
    found = Counter(json.loads(line)["message"].partition(" ")[0] for line in lines)
    assert {str(n) for n in range(6_000)} <= set(found)
    assert sum(map(len, lines)) < 3 * 6_000 * 5_400


def test_a_directory_replaced_by_another(logs: Logs) -> None:
    directory = str(logs.directory)
    program = f"""
        log.info("one")
        os.rename({directory!r}, {directory + ".old"!r})
        os.mkdir({directory!r})
        writer()._journal.target.look_at = 0
        log.info("two")
    """
    ok(logs.run(program))
    assert "two" in logs.messages()


@pytest.mark.slow
def test_descriptors_run_out(logs: Logs) -> None:
    program = """
        import resource
        log.info("one")
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        held = []
        try:
            while True: held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError: pass
        for n in range(200): log.info("no descriptor left %d", n)
        [os.close(fd) for fd in held]
        time.sleep(1.1)  # the next file is tried again after a second
        log.info("after")
    """
    ok(logs.run(program, setup="max_bytes=20_000"))
    logs.check_sequences()
    assert len(logs.messages()) == 202
    assert len(logs.files()) >= 2


def test_first_unusual_values_without_a_descriptor(logs: Logs) -> None:
    program = """
        import datetime, enum, resource
        class Color(enum.Enum): RED = "red"
        log.info("one")
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        held = []
        try:
            while True: held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError: pass
        when = datetime.datetime(2026, 1, 2)
        log.info("odd", extra={"when": when, "color": Color.RED, "url.query": "a=%41&token=x"})
    """
    ok(logs.run(program))
    (odd,) = [r for r in logs.records() if r["message"] == "odd"]
    assert odd["labels"] == {"when": "2026-01-02T00:00:00", "color": "red"}
    assert odd["url"]["query"] == "a=%41&token=[redacted]"


def test_first_file_without_a_descriptor(logs: Logs) -> None:
    program = """
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        held = []
        try:
            while True: held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError: pass
        for n in range(20): log.info("early %d", n)
        [os.close(fd) for fd in held]
        log.info("after")
    """
    ok(logs.run(program))
    logs.check_sequences(ordered=False)
    assert logs.messages() == [*(f"early {n}" for n in range(20)), "after"]


def test_descriptors_that_somebody_closes(logs: Logs) -> None:
    """As what makes a daemon of a process does, after it has logged."""
    program = """
        log.info("before")
        os.closerange(3, 256)
        for n in range(5): log.info("after %d", n)
        assert flowery_logging.stats()["waiting"] == 0, flowery_logging.stats()
        os.closerange(3, 256)
        flowery_logging.shutdown()
    """
    ok(logs.run(program))
    logs.check_sequences(ordered=False)
    own = [m for m in logs.messages() if m != "log can be written again"]
    assert own == ["before", *(f"after {n}" for n in range(5))]


def test_a_descriptor_that_is_another_file_by_now_is_left_alone(logs: Logs, tmp_path: Path) -> None:
    other = tmp_path / "other"
    program = f"""
        log.info("before")
        target = writer()._journal.target
        foreign = os.open({str(other)!r}, os.O_CREAT | os.O_RDWR)
        os.dup2(foreign, target.descriptor)
        target.look_at = 0
        log.info("after")
        os.write(foreign, b"its own")
    """
    ok(logs.run(program))
    logs.check_sequences(ordered=False)
    assert logs.messages() == ["before", "after"]
    assert other.read_text() == "its own"


def test_a_descriptor_that_is_another_file_at_the_end_is_left_alone(
    logs: Logs, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    program = f"""
        log.info("before")
        target = writer()._journal.target
        flowery_logging.runtime.checkpoint()
        foreign = os.open({str(other)!r}, os.O_CREAT | os.O_RDWR)
        os.dup2(foreign, target.descriptor)
        number = target.descriptor
        flowery_logging.shutdown()
        os.write(number, b"its own")
    """
    ok(logs.run(program))
    assert other.read_text() == "its own"


def test_a_file_that_is_full_is_closed(logs: Logs) -> None:
    program = """
        log.info("first")
        before = len(os.listdir("/proc/self/fd"))
        for n in range(200): log.info("event %d", n)
        assert flowery_logging.stats()["files"] > 3
        assert len(os.listdir("/proc/self/fd")) == before
    """
    ok(logs.run(program, setup="max_bytes=20_000"))


BAD_DISK = """
    log.info('one')
    from tests.files.interruptions import as_ours
    target = writer()._journal.target
    own, is_full, parts = target.write, [True], []
    def write(descriptor, line):
        if is_full:
            raise OSError(28, "No space left on device")
        if b"log can be written again" in line and not parts:
            parts.append(line)
            line = line[:100]
        return own(descriptor, line)
    target.write = as_ours(write)
"""


def test_of_the_record_of_a_recovery_too_a_part_may_be_written_first(logs: Logs) -> None:
    program = (
        BAD_DISK
        + """
    for text in ("two", "three"): log.info(text)
    is_full.clear()
    for text in ("four", "five"): log.info(text)
    assert parts
    """
    )
    ok(logs.run(program))
    logs.check_sequences()
    assert [m for m in logs.messages() if " " not in m] == [
        "one", "two", "three", "four", "five",
    ]  # fmt: skip


def test_of_several_records_of_a_recovery_a_part_of_the_first_may_be_written(logs: Logs) -> None:
    program = (
        BAD_DISK
        + """
    is_full.clear()
    backlog = writer()._journal.backlog
    backlog.dropped = tuple((n, n + 1) for n in range(10**9, 10**9 + 10_000, 10))
    backlog.active = True
    for text in ("two", "three"): log.info(text)
    assert parts
    """
    )
    ok(logs.run(program))
    logs.check_sequences()
    recovered = [r for r in logs.records() if r["event"].get("action") == "log-recovered"]
    texts = [r["labels"]["dropped_sequences"] for r in recovered if "labels" in r]
    ranges = ",".join(texts).split(",")
    assert ranges == [f"{n}-{n + 1}" for n in range(10**9, 10**9 + 10_000, 10)]
    assert [m for m in logs.messages() if " " not in m] == ["one", "two", "three"]


def test_what_has_waited_counts_for_the_size_of_its_file(logs: Logs) -> None:
    program = (
        BAD_DISK
        + """
    for n in range(20): log.info("waits %d %s", n, "x" * 1000)
    is_full.clear()
    for n in range(10): log.info("after %d %s", n, "x" * 1000)
    assert len(os.listdir(os.path.dirname(target.path))) == 2
    """
    )
    ok(logs.run(program, setup="max_bytes=40_000"))
    assert all(path.stat().st_size <= 40_000 for path in logs.files())


@pytest.mark.parametrize("finishes", ["", "0123456789abcdef"])
def test_what_waits_is_tried_again_at_each_end(logs: Logs, finishes: str) -> None:
    """Also where the process is one that finishes what retention has to do."""
    program = (
        BAD_DISK
        + f"""
    from flowery_logging.files import retention
    retention.FINISHING = {finishes!r}
    """
        + """
    for text in ("two", "three"): log.info(text)
    flowery_logging.runtime.checkpoint()
    assert flowery_logging.stats()["waiting"] == 3
    is_full.clear()
    parts.append(None)
    flowery_logging.runtime.checkpoint()
    assert flowery_logging.stats()["waiting"] == 0
    os._exit(0)
    """
    )
    ok(logs.run(program))
    logs.check_sequences()
    assert "log-closed" in logs.actions()


@pytest.fixture
def open_logs() -> Iterator[Logs]:
    """A directory that every user may enter and change, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        logs = Logs(Path(folder) / "logs")
        logs.directory.mkdir()
        logs.directory.chmod(0o777)
        if any(os.stat(parent).st_mode & 0o005 != 0o005 for parent in logs.directory.parents):
            pytest.skip("the temporary directory is closed to other users")
        yield logs


@pytest.mark.slow
@root_only
def test_permission_withdrawn_and_given_back(open_logs: Logs) -> None:
    logs = open_logs
    directory = str(logs.directory)
    program = f"""
        told, tell = os.pipe()
        allowed, allow = os.pipe()
        if os.fork() == 0:  # an ordinary user: root may do everything
            os.setgid(65534); os.setuid(65534)
            log.info("one")
            os.write(tell, b".")
            os.read(allowed, 1)
            for n in range(200): log.info("closed %d", n)
            assert flowery_logging.stats()["write_errors"], flowery_logging.stats()
            os.write(tell, b".")
            os.read(allowed, 1)
            time.sleep(1.1)  # the next file is tried again after a second
            for n in range(100): log.info("open again %d", n)
            os._exit(0)
        os.close(tell)
        for mode in (0o555, 0o777):
            os.read(told, 1)
            os.chmod({directory!r}, mode)
            os.write(allow, b".")
        assert os.wait()[1] == 0
    """
    ok(logs.run(program, setup="max_bytes=20_000"))
    logs.check_sequences()
    assert len(logs.messages()) == 301
    assert len(logs.files()) >= 2


@root_only
def test_a_remount_for_reading_only(small_disk: Path) -> None:
    directory = str(small_disk)
    program = f"""
        import subprocess
        remount = lambda how: subprocess.run(["mount", "-o", "remount," + how, {directory!r}], check=True)
        log.info("one")
        writer().close()  # else the mount is busy
        writer().go_on()
        remount("ro")
        for n in range(20): log.info("waits %d", n)
        assert flowery_logging.stats()["waiting"] == 20
        remount("rw")
        log.info("two")
    """
    logs = Logs(small_disk)
    ok(logs.run(program))
    logs.check_sequences(ordered=False)
    messages = [m for m in logs.messages() if m != "log can be written again"]
    assert messages == ["one", *(f"waits {n}" for n in range(20)), "two"]


def test_events_that_stay_unwritten_at_the_end_are_said_on_stderr(logs: Logs) -> None:
    program = """
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        held = []
        try:
            while True: held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError: pass
        log.info("never written")
    """
    done = logs.run(program)
    assert "could not be written" in done.stderr


def test_a_closing_record_that_the_file_takes_half_goes_on_in_the_next(logs: Logs) -> None:
    program = """
        import resource
        log.info("one")
        size = os.stat(writer()._journal.target.path).st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, size + 100))
    """
    done = logs.run(program)
    ok(done)
    assert "could not be written" not in done.stderr
    assert len(logs.files()) == 2
    last = parse(logs.files()[1].read_bytes().splitlines()[-1])
    assert last["event"]["action"] == "log-closed"


def test_a_directory_that_cannot_be_looked_at_takes_no_file_away(logs: Logs) -> None:
    """Its descriptor still writes; here links in a circle stand in the directory's place."""
    program = f"""
        from flowery_logging import runtime
        directory = {str(logs.directory)!r}
        log.info("one")
        os.rename(directory, directory + ".kept")
        os.symlink(directory, directory)
        for n in range(3):
            runtime.checkpoint()  # looks at the file before the next event
            log.info("event %d", n)
        os.unlink(directory)
        os.rename(directory + ".kept", directory)
        assert flowery_logging.stats()["write_errors"] == 0, flowery_logging.stats()
    """
    ok(logs.run(program))
    assert len(logs.files()) == 1
    assert logs.messages() == ["one", *(f"event {n}" for n in range(3))]
    logs.check_sequences()


UNWRITABLE = """
    import resource
    from flowery_logging import runtime
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
"""


def test_each_event_that_stays_unwritten_is_shown_once(logs: Logs) -> None:
    """A server that ends says so more than once, and goes on meanwhile."""
    program = f"""{UNWRITABLE}
    for part in ("ab", "cd", ""):
        for name in part: log.info("event %s", name)
        runtime.checkpoint()
    """
    done = logs.run(program)
    ok(done)
    shown = [record["message"] for line in done.stderr.splitlines() if (record := event(line))]
    assert [message for message in shown if message.startswith("event")] == [
        f"event {name}" for name in "abcd"
    ]
    assert "more were dropped" not in done.stderr


@pytest.mark.slow
def test_how_many_events_are_shown_and_how_many_were_dropped(logs: Logs) -> None:
    program = f"""{UNWRITABLE}
    for n in range(500): log.info("%d " % n + "x" * 20_000)
    dropped = flowery_logging.stats()["dropped"]
    assert dropped > 50
    print(dropped)
    """
    done = logs.run(program)
    ok(done)
    lines = [line for line in done.stderr.splitlines() if event(line)]
    dropped = int(done.stdout) + 1  # the closing record
    (said,) = [line for line in done.stderr.splitlines() if "could not be written" in line]
    assert f" {len(lines)} events could not be written to {logs.directory}" in said
    assert said.endswith(f", they follow, {dropped} more were dropped")


def event(line: str) -> dict[str, Any] | None:
    """Return the event that is a line of stderr, or None."""
    return parse(line.encode()) if line.startswith("{") else None


def test_clock_that_steps_back(logs: Logs) -> None:
    program = """
        log.info("one")
        real = time.time
        import logging as l
        l.time.time = time.time = lambda: real() - 86400 * 30
        for n in range(300): log.info("event %d", n)
    """
    ok(logs.run(program, setup="max_bytes=20_000, keep_days=1"))
    assert len(logs.messages()) == 301
    numbers = [r["event"]["sequence"] for r in logs.records()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_planted_links_are_not_followed(logs: Logs, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    program = f"""
        from flowery_logging.files import log_files
        real = log_files.platform.create
        def planted(path):
            if not os.path.lexists(path) and path.endswith("-0001.ndjson"):
                os.symlink({str(victim)!r}, path)
            return real(path)
        log_files.platform.create = planted
        log.info("x")
    """
    ok(logs.run(program))
    assert victim.read_text() == "precious"
    written = [path for path in logs.files() if not path.is_symlink()]
    assert [path.name[-11:] for path in written] == ["0002.ndjson"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_directory_that_is_there_need_not_be_made(logs: Logs, number: int) -> None:
    """NFS, for one, may refuse to make it without a look whether it is there (mkdir(2))."""
    program = f"""
        from flowery_logging.system import System
        from tests.files.interruptions import as_ours
        def refuse(path, mode):
            raise OSError({number}, "refused")
        System.mkdir = staticmethod(as_ours(refuse))
        directory = {str(logs.directory)!r}
        flowery_logging.setup("svc", directory=directory, output="file", max_bytes=2500)
        for number in range(20):
            log.info("event %d", number)
        print(flowery_logging.stats()["write_errors"])
        try:
            flowery_logging.setup("svc", directory=f"{{directory}}/new", output="file")
        except flowery_logging.ConfigError as error:
            print("refused" in str(error))
    """
    done = logs.run(program)
    assert done.stdout == "0\nTrue\n", done.stderr
    assert len(logs.files()) > 2


def test_a_directory_from_which_nothing_can_be_removed(logs: Logs) -> None:
    """Append-only by `chattr +a`, so that nobody removes what was logged."""
    logs.directory.mkdir()
    change = shutil.which("chattr")
    if change is None or subprocess.run([change, "+a", logs.directory], check=False).returncode:
        pytest.skip("chattr +a is for root, on some file systems")
    try:
        done = logs.run("for number in range(20): log.info('x')", setup="max_bytes=2500")
        assert done.returncode == 0, done.stderr
        logs.check_sequences()
        assert logs.messages() == ["x"] * 20
    finally:
        subprocess.run([change, "-a", logs.directory], check=True)


def test_a_symlinked_directory_is_used(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "logs").symlink_to(tmp_path / "real")
    logs = Logs(tmp_path / "logs")
    ok(logs.run("log.info('x')"))
    assert len(list((tmp_path / "real").iterdir())) == 1


def test_a_volume_behind_a_link_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    """Nothing can be made below a link to nothing, although the link is there."""
    volume, away = tmp_path / "volume", tmp_path / "away"
    volume.mkdir()
    (tmp_path / "link").symlink_to(volume)
    logs = Logs(tmp_path / "link" / "logs")
    program = f"""
        log.info("one")
        os.rename({str(volume)!r}, {str(away)!r})
        writer()._journal.target.look_at = 0
        for n in range(20): log.info("later %d", n)
        os.rename({str(away)!r}, {str(volume)!r})
    """
    ok(logs.run(program))
    assert logs.messages() == ["one", *(f"later {n}" for n in range(20))]
    logs.check_sequences(ordered=False)


def test_a_volume_behind_a_link_that_is_not_there_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "volume")
    with pytest.raises(flowery_logging.ConfigError, match="No such file or directory"):
        flowery_logging.setup("svc", directory=tmp_path / "link" / "logs")


@pytest.mark.slow
def test_interrupted_system_calls(logs: Logs) -> None:
    """EINTR: Python repeats the call (PEP 475); the handler's events come in between."""
    program = """
        count = 0
        def handler(*_):
            global count
            count += 1
        signal.signal(signal.SIGALRM, handler)
        signal.siginterrupt(signal.SIGALRM, True)
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        for n in range(5000): log.info("event %d", n)
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert count > 10
    """
    ok(logs.run(program))
    logs.check_sequences()
    assert len(logs.messages()) == 5000


def test_a_part_that_cannot_be_looked_at_is_left_where_it_is(logs: Logs) -> None:
    """As on a network mount that fails: nothing is written behind the part, into one broken line."""
    program = """
        import errno
        from tests.files.interruptions import as_ours
        from flowery_logging.system import System
        log.info("before")
        target = writer()._journal.target
        own, fstat, faults = target.write, System.fstat, []
        def write(descriptor, line):
            if faults:
                return own(descriptor, line)
            faults.append(own(descriptor, line[:50]))
            raise OSError(errno.EIO, "Input/output error")
        def blind(descriptor):
            if faults and len(faults) < 3 and descriptor == target.descriptor:
                faults.append("blind")
                raise OSError(errno.EIO, "Input/output error")
            return fstat(descriptor)
        target.write, System.fstat = as_ours(write), staticmethod(as_ours(blind))
        log.info("torn")
        log.info("after")
        assert faults == [50, "blind", "blind"], faults
    """
    ok(logs.run(program))
    first, second = logs.files()
    assert not first.read_bytes().endswith(b"\n")
    found = [json.loads(line) for line in first.read_bytes().splitlines()[:-1]]
    found += [json.loads(line) for line in second.read_bytes().splitlines()]
    assert [one["message"] for one in found if "origin" in one["log"]] == [
        "before",
        "torn",
        "after",
    ]
    numbers = [one["event"]["sequence"] for one in found]
    assert sorted(numbers) == [*range(1, len(numbers) + 1)]


def test_a_file_removed_just_before_a_second_setup(logs: Logs) -> None:
    program = f"""
        for n in range(3): log.info("one %d", n)
        for name in os.listdir({str(logs.directory)!r}):
            os.unlink(os.path.join({str(logs.directory)!r}, name))
        flowery_logging.setup(max_bytes="1MB")
        log.info("two")
    """
    ok(logs.run(program))
    assert logs.messages() == ["one 0", "one 1", "one 2", "two"]


def test_an_event_that_the_disk_refuses_is_shown_all_the_same(logs: Logs) -> None:
    program = """
        import errno
        from flowery_logging.system import System
        from tests.files.interruptions import as_ours

        def refuse(descriptor, line):
            raise OSError(errno.ENOSPC, "full")

        def take_half(descriptor, line):
            target.write = as_ours(refuse)
            return System.write(descriptor, line[: len(line) // 2])

        target = writer()._journal.target
        log.error("one")
        target.write = as_ours(refuse)
        for text in ("two", "three"): log.error(text)
        target.write = System.write
        log.error("four")
        target.write = take_half
        log.error("in two halves")
        target.write = System.write
        log.error("and then")
        target.look_at, target.write = 0, as_ours(refuse)  # now on the careful way
        log.error("five")
        target.write = System.write
        log.error("six")
    """
    done = logs.run(program, setup="stderr_level='ERROR'")
    ok(done)
    shown = [line.rpartition(" app: ")[2] for line in done.stderr.splitlines() if "app: " in line]
    texts = ["one", "two", "three", "four", "in two halves", "and then", "five", "six"]
    assert shown == texts
    assert [text for text in logs.messages() if text in texts] == texts
