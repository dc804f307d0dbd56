"""The lock files of streams that processes share: they are removed again, and keep lines whole."""

import fcntl
import json
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no locks there")

SETUP = """
import logging, multiprocessing, os, signal, sys, time
import flowery_logging
flowery_logging.setup("svc", output={output!r}, directory="logs")
log = logging.getLogger("app")
"""
STDOUT = SETUP.format(output="stdout")
FILE = SETUP.format(output="file")


def start(
    folder: Path, program: str, stdout: int = subprocess.PIPE, stdin: int | None = None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", program], cwd=folder, stdout=stdout, stderr=subprocess.PIPE,
        stdin=stdin, env={**os.environ, "TMPDIR": str(folder)},
    )  # fmt: skip


def locks(folder: Path) -> list[Path]:
    return [*folder.glob("*.lock")]


@pytest.mark.slow
@pytest.mark.parametrize("end", ["", "flowery_logging.shutdown()"])
@pytest.mark.parametrize("output", ["stdout", "file,stdout", "file,console,stdout", "file"])
def test_setting_up_again_leaves_no_descriptor_open(tmp_path, output, end):
    program = (
        SETUP.format(output="none")
        + f"""
counts = []
for number in range(6):
    flowery_logging.setup("svc", output={output!r}, directory="logs", version=str(number))
    log.error("a")
    {end}
    counts.append(len(os.listdir("/proc/self/fd")))
assert len(set(counts[1:])) == 1, counts
"""
    )
    with start(tmp_path, program) as process:
        _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert b"Exception ignored" not in errors


BEGIN = """
log.error("a")
assert [name for name in os.listdir(os.environ["TMPDIR"]) if name.endswith(".lock")], "no lock"
"""
ENDS = {
    "by itself": "",
    "by an exception": "raise ValueError",
    "by a signal": "os.kill(os.getpid(), signal.SIGTERM); time.sleep(300)",
    "after a shutdown": "flowery_logging.shutdown(); os._exit(0)",
    "after a child": "if not os.fork(): log.error('b'); sys.exit()\nos.wait()",
    "after a child of multiprocessing": (
        "multiprocessing.set_start_method('fork')\n"
        "child = multiprocessing.Process(target=log.error, args=('b',))\n"
        "child.start(); child.join()"
    ),
    "in another program": "os.execv(sys.executable, [sys.executable, '-c', ''])",
}


@pytest.mark.slow
@pytest.mark.parametrize("setup", [STDOUT, FILE])
@pytest.mark.parametrize("end", ENDS)
def test_a_process_that_ends_leaves_none(tmp_path, setup, end):
    process = start(tmp_path, f"{setup}{BEGIN}{ENDS[end]}")
    _, printed = process.communicate(timeout=300)
    assert b"no lock" not in printed
    assert locks(tmp_path) == []


@pytest.mark.slow
def test_who_finds_the_file_removed_takes_the_lock_of_the_new_one(tmp_path):
    readable, writable = os.pipe()
    program = STDOUT + "log.info('one'); sys.stdin.readline(); log.info('two')"
    process = start(tmp_path, program, writable, stdin=subprocess.PIPE)
    os.close(writable)
    with open(readable, "rb", buffering=0) as lines:
        assert b"one" in lines.read(65536)
        (path,) = (path for path in locks(tmp_path) if str(os.fstat(readable).st_ino) in path.name)
        path.unlink()
        with path.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            assert process.stdin is not None
            process.stdin.write(b"\n")
            process.stdin.flush()
            assert not select.select([lines], [], [], 1.0)[0], "it was written without the lock"
        assert b"two" in lines.read(65536)
        process.communicate(timeout=300)
    assert locks(tmp_path) == []


@pytest.mark.slow
def test_lines_stay_whole_while_processes_come_and_go(tmp_path):
    """Each that ends takes the file away, which the others then make anew."""
    long = STDOUT + "for n in range(300): log.info('%d %s', n, 'x' * 9000)"
    short = STDOUT + "for n in range(3): log.info('%d %s', n, 'y' * 9000)"
    readable, writable = os.pipe()
    running = [start(tmp_path, long, writable) for _ in range(2)]
    code = f"import subprocess, sys\nfor _ in range(8): subprocess.run([sys.executable, '-c', {short!r}])"
    running.append(start(tmp_path, code, writable))
    os.close(writable)
    with open(readable, "rb") as lines:
        read = [json.loads(line) for line in lines]
    for process in running:
        process.communicate(timeout=300)
        assert process.returncode == 0
    assert sum(len(line["message"]) > 9000 for line in read) == 2 * 300 + 8 * 3
    assert locks(tmp_path) == []
