"""Standard output and standard error whose reader is slow, gone or somebody else's."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from flowery_logging.files.lock_files import open_lock
from tests.files.test_outputs import parsed, program, run

DEADLINE = 300

CLOSED = "log closed"


class Reader(threading.Thread):
    """Reads a pipe to its end, from when it is told to."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(daemon=True)
        self.descriptor = descriptor
        self.content = b""
        self.may_read = threading.Event()
        self.start()

    def run(self) -> None:
        self.may_read.wait()
        while chunk := os.read(self.descriptor, 65_536):
            self.content += chunk

    def drain(self) -> None:
        """Read what is in the pipe now."""
        self.may_read.set()
        while not self.content or select.select([self.descriptor], [], [], 0)[0]:
            time.sleep(0.01)

    def all(self) -> str:
        self.may_read.set()
        self.join(DEADLINE)
        assert not self.is_alive()
        os.close(self.descriptor)
        return self.content.decode()


def started(text: str, *, blocking: bool = True, **options: Any) -> tuple[Any, Reader]:
    """A process whose standard output nobody reads yet."""
    reading, writing = os.pipe()
    os.set_blocking(writing, blocking)
    options = {"stderr": subprocess.PIPE, "text": True} | options
    process = subprocess.Popen([sys.executable, "-c", text], stdout=writing, **options)
    os.close(writing)
    return process, Reader(reading)


BURST = """
    for n in range(1000): log.info("event %d %s", n, "x" * 500)
    print("done", file=sys.stderr, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("blocking", [True, False])
def test_a_reader_that_is_late_gets_every_line(blocking: bool) -> None:
    process, reader = started(program(BURST, output="stdout"), blocking=blocking)
    time.sleep(0.5)
    records = parsed(reader.all())
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    assert [r["event"]["sequence"] for r in records] == list(range(1, 1002))
    assert errors == "done\n"


@pytest.mark.slow
@pytest.mark.parametrize("blocking", [True, False])
def test_a_reader_that_never_comes_holds_nobody_up(blocking: bool) -> None:
    """What it has not read stands on stderr, from the very byte on where it stopped."""
    process, reader = started(program(BURST, output="stdout"), blocking=blocking)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    first, *rest = errors.splitlines()
    assert first.startswith("flowery_logging: cannot write standard output")
    assert rest[0] == "done"
    assert "events could not be written to standard output" in rest[1]
    whole = reader.all().rpartition("\n")[0]
    numbers = [r["event"]["sequence"] for r in parsed(whole) + parsed("\n".join(rest[2:]))]
    assert numbers == list(range(1, 1002))


@pytest.mark.slow
def test_it_waits_once_and_not_for_each_line() -> None:
    text = """
        for n in range(100): log.info("x" * 1000)
        begun = time.monotonic()
        for n in range(2000): log.info("x" * 1000)
        print(time.monotonic() - begun < 60, flowery_logging.stats()["waiting"], file=sys.stderr)
        os._exit(0)
    """
    process, reader = started(program(text, output="stdout"))
    _, errors = process.communicate(timeout=DEADLINE)
    reader.all()
    (told,) = [line for line in errors.splitlines() if line.startswith(("True", "False"))]
    assert told.startswith("True 20"), errors


@pytest.mark.slow
def test_lines_that_have_waited_come_when_the_reader_comes_back() -> None:
    text = """
        for n in range(200): log.info("event %d %s", n, "x" * 1000)
        print("stuck", file=sys.stderr, flush=True)
        sys.stdin.readline()
        log.info("again")
    """
    process, reader = started(program(text, output="stdout"), stdin=subprocess.PIPE)
    while process.stderr.readline() != "stuck\n":
        pass
    reader.drain()
    process.communicate("\n", timeout=DEADLINE)
    records = parsed(reader.all())
    assert process.returncode == 0
    *lines, last = records
    assert last["message"] == CLOSED
    assert sorted(r["event"]["sequence"] for r in records) == list(range(1, len(records) + 1))
    assert [r["message"] for r in lines][-2:] == ["log can be written again", "again"]


@pytest.mark.slow
def test_a_lock_that_somebody_holds_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    inode = os.fstat(writing)
    name = f"flowery-logging-{os.geteuid()}-{inode.st_dev}-{inode.st_ino}-0.lock"
    lock = os.open(tmp_path / name, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    done = subprocess.run(
        [sys.executable, "-c", program("log.info('one'); log.info('two')", output="stdout")],
        stdout=writing, stderr=subprocess.PIPE, text=True, timeout=DEADLINE, check=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    os.close(writing)
    os.close(lock)
    assert os.read(reading, 1) == b""
    os.close(reading)
    assert [r["message"] for r in parsed("\n".join(done.stderr.splitlines()[2:]))] == [
        "one", "two", CLOSED,
    ]  # fmt: skip


def plant(path: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(path.with_name("target"))
    else:
        path.touch()
        os.link(path, path.with_name("another name"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pipe", "directory", "link", "hard link"])
def test_what_somebody_has_put_in_the_place_of_the_lock_is_passed_by(
    tmp_path: Path, kind: str
) -> None:
    reading, writing = os.pipe()
    inode = os.fstat(writing)
    stem = f"flowery-logging-{os.geteuid()}-{inode.st_dev}-{inode.st_ino}"
    plant(tmp_path / f"{stem}-0.lock", kind)
    lock = str(tmp_path / f"{stem}-1.lock")
    text = f"import os, stat; log.info('one'); assert stat.S_ISREG(os.lstat({lock!r}).st_mode)"
    subprocess.run(
        [sys.executable, "-c", program(text, output="stdout")],
        stdout=writing, timeout=DEADLINE, check=True, env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    os.close(writing)
    with open(reading) as file:
        assert [r["message"] for r in parsed(file.read())] == ["one", CLOSED]
    assert not (tmp_path / "target").exists()
    assert not os.path.exists(lock)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another user")
def test_a_lock_of_another_user_is_passed_by(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    lock.touch()
    os.chown(lock, 1, 1)
    assert open_lock(str(lock)) == -1


@pytest.mark.slow
def test_a_pipe_that_others_fill_first_is_tried_again() -> None:
    text = program(
        """
        from flowery_logging.files import channel
        own, refused = channel._write, []
        def write(descriptor, data):
            if not refused:
                refused.append(data)
                raise BlockingIOError(11, "somebody else was faster")
            return own(descriptor, data)
        channel._write = write
        log.info("one")
        assert refused
        assert flowery_logging.stats()["waiting"] == 0
        """,
        output="stdout",
    )
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=DEADLINE, check=True
    )
    assert [r["message"] for r in parsed(done.stdout)] == ["one", CLOSED]
    assert done.stderr == ""


FORKS = """
    import ctypes
    fork = ctypes.PyDLL(None).fork if {in_c} else os.fork
    children = []
    log.info("opened before the fork")
    for worker in range(4):
        pid = fork()
        if pid == 0:
            for n in range(60): log.{level}("worker %d event %d %s", worker, n, "x" * 20_000)
            os._exit(0)
        children.append(pid)
    for pid in children: os.waitpid(pid, 0)
"""


@pytest.mark.slow
@pytest.mark.parametrize("in_c", [False, True])
def test_a_mirror_opened_before_a_fork_never_tears_lines(tmp_path: Path, in_c: bool) -> None:
    text = FORKS.format(in_c=in_c, level="info")
    done = run(text, output="file,stdout", directory=str(tmp_path), limits={"line_bytes": 60_000})
    messages = [r["message"] for r in parsed(done.stdout)]
    assert sum(m.startswith("worker") for m in messages) == 240


@pytest.mark.slow
@pytest.mark.parametrize("output", ["console", "file"])
def test_lines_for_people_are_not_torn_either(tmp_path: Path, output: str) -> None:
    options = {"directory": str(tmp_path)} if output == "file" else {}
    text = FORKS.format(in_c=False, level="error")
    shown = run(text, output=output, limits={"line_bytes": 60_000}, **options).stderr.splitlines()
    assert sum(line.count("worker ") for line in shown) == 240
    workers = [line for line in shown if "worker " in line]
    assert len(workers) == 240
    assert all(line.count("x") >= 8_000 for line in workers)


@pytest.mark.slow
def test_a_full_device_is_a_full_disk() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", program("log.info('one')", output="stdout")],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=DEADLINE, check=True,
        )  # fmt: skip
    assert os.strerror(errno.ENOSPC) in done.stderr
    assert '"message":"one"' in done.stderr


@pytest.mark.slow
def test_a_data_file_that_got_the_number_of_standard_output_is_left_alone(tmp_path: Path) -> None:
    text = f"""
        log.info("one")
        os.close(1)
        data = open({str(tmp_path / "data")!r}, "w+b", buffering=0)
        assert data.fileno() == 1
        log.info("two")
        data.write(b"the application's")
    """
    done = run(text, output="stdout")
    assert [r["message"] for r in parsed(done.stdout)] == ["one"]
    assert (tmp_path / "data").read_bytes() == b"the application's"
    assert '"message":"two"' in done.stderr


@pytest.mark.slow
def test_without_any_standard_stream_nothing_is_written_elsewhere(tmp_path: Path) -> None:
    text = f"""
        import os, sys
        data = [open({str(tmp_path / "data")!r} + str(n), "wb") for n in range(4)]
        import flowery_logging, logging
        flowery_logging.setup("svc", output="stdout")
        logging.getLogger("app").error("nobody hears it")
    """
    script = tmp_path / "script.py"
    script.write_text("\n".join(line.strip() for line in text.splitlines()))
    shell = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, str(script)]
    subprocess.run(shell, timeout=DEADLINE, check=True)
    assert [path.read_bytes() for path in sorted(tmp_path.glob("data*"))] == [b""] * 4


@pytest.mark.slow
def test_a_stream_that_takes_nothing_is_an_error() -> None:
    text = """
        from flowery_logging.files import channel
        channel._write = lambda descriptor, data: 0 if descriptor == 1 else os.write(descriptor, data)
        log.info("one")
        channel._write = os.write
        log.info("two")
    """
    done = run(text, output="stdout")
    assert [r["message"] for r in parsed(done.stdout)][:1] == ["one"]
    assert "a write took no byte" in done.stderr
