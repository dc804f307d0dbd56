"""Signals that the main thread does not get to, and the thread that waits for them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flowery_logging import overdue
from tests.ends.servers import ROOT, ends
from tests.ends.test_programs import LONG_CALL, SETUP, last, run, start

pytestmark = pytest.mark.skipif(not overdue.POSSIBLE, reason="the system tells no sender")

TASKS = """
def tasks():
    return len(os.listdir("/proc/self/task"))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_long_call_in_c_does_not_delay_the_end(tmp_path, number):
    assert run(tmp_path, LONG_CALL, number) == -number
    assert ends(tmp_path / "logs") == ["signal"]
    assert last(tmp_path)["event"]["reason"] == signal.Signals(number).name


def test_in_a_child_too(tmp_path):
    program = f"""
child = os.fork()
if not child:
    {LONG_CALL.replace(chr(10), chr(10) + "    ")}
log.info("one")
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.exit(0 if status == -signal.SIGTERM else status)
"""
    process = start(tmp_path, program)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGTERM)
    process.communicate(timeout=300)
    assert process.returncode == 0
    assert sorted(ends(tmp_path / "logs")) == ["clean", "signal"]


def test_what_ends_a_child_that_was_made_in_c_does_not_end_its_parent(tmp_path):
    program = """
import ctypes
log.info("one")
child = ctypes.PyDLL(None).fork()
if not child:
    while True:
        signal.pause()
os.kill(child, signal.SIGTERM)
os.waitpid(child, 0)
time.sleep(1)  # longer than the main thread has for a signal of its own
log.info("two")
"""
    assert run(tmp_path, program) == 0
    assert sorted(ends(tmp_path / "logs")) == ["clean", "signal"]


def test_a_handler_of_the_application_has_the_time_that_it_needs(tmp_path):
    program = """
import hashlib
def stop(*_):
    log.info("stopping")
    hashlib.pbkdf2_hmac("sha256", b"", b"", 4_000_000)  # more than a second
    log.info("stopped")
    sys.exit(3)
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
while True:
    time.sleep(0.01)
"""
    assert run(tmp_path, program, signal.SIGTERM) == 3
    assert ends(tmp_path / "logs") == ["clean"]


def test_who_blocks_a_signal_to_wait_for_it_gets_it(tmp_path):
    program = """
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("ready", flush=True)
assert signal.sigwait({signal.SIGTERM}) == signal.SIGTERM
log.info("got it")
"""
    assert run(tmp_path, program, signal.SIGTERM) == 0
    assert ends(tmp_path / "logs") == ["clean"]


def test_no_thread_is_there_while_the_process_forks(tmp_path):
    """From Python 3.12 on `os.fork` warns where there are two."""
    before = f"{TASKS}\nseen = []\nos.register_at_fork(before=lambda: seen.append(tasks()))"
    program = """
assert tasks() == 2
for _ in range(50):
    child = os.fork()
    if not child:
        os._exit(tasks())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
assert seen == [1] * 50, seen
assert tasks() == 2
"""
    assert run(tmp_path, program, before=before) == 0


def test_a_child_that_is_ended_before_it_has_run_ends(tmp_path):
    """Python forgets the signals that came before: a pool would wait for its worker for ever."""
    program = """
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # a child runs when its parent waits
for _ in range(300):
    child = os.fork()
    if not child:
        time.sleep(300)
        os._exit(0)
    os.kill(child, signal.SIGTERM)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == -signal.SIGTERM, status
assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())
"""
    assert run(tmp_path, program) == 0


def test_shutdown_leaves_nothing_behind(tmp_path):
    before = f"{TASKS}\noriginal = signal.set_wakeup_fd"
    program = """
def sockets():
    found = [os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")]
    return [name for name in found if "socket" in name]
assert len(sockets()) == 2
assert signal.set_wakeup_fd is not original
flowery_logging.shutdown()
assert signal.set_wakeup_fd is original
assert signal.set_wakeup_fd(-1) == -1
assert tasks() == 1
assert sockets() == []
"""
    assert run(tmp_path, program, before=before) == 0


def test_signals_that_are_left_alone_have_no_thread(tmp_path):
    program = """
assert tasks() == 2
flowery_logging.setup(capture_signals=False)
assert tasks() == 1
flowery_logging.setup(capture_signals=True)
assert tasks() == 2
signal.signal(signal.SIGTERM, signal.SIG_IGN)
assert tasks() == 1
signal.signal(signal.SIGTERM, signal.SIG_DFL)
assert tasks() == 2
"""
    assert run(tmp_path, program, before=TASKS) == 0


@pytest.mark.parametrize(
    "loop",
    ["""
import trio
trio.run(trio.sleep, 0)
""", """
import asyncio
async def main():
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, lambda: got.set())
    got = asyncio.Event()
    os.kill(os.getpid(), signal.SIGUSR1)
    await got.wait()
    loop.remove_signal_handler(signal.SIGUSR1)
asyncio.run(main())
"""],
    ids=["trio", "asyncio"],
)  # fmt: skip
def test_an_event_loop_takes_the_descriptor_and_gives_it_back(tmp_path, loop):
    before = "import warnings\nwarnings.simplefilter('error', RuntimeWarning)"
    program = f"{loop}" + LONG_CALL
    assert run(tmp_path, program, signal.SIGTERM, before) == -signal.SIGTERM
    assert ends(tmp_path / "logs") == ["signal"]


def test_a_set_up_in_a_loop_leaves_the_loop_its_descriptor(tmp_path):
    program = """
import asyncio
flowery_logging.shutdown()
async def main():
    loop, got = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, got.set)
    flowery_logging.setup("svc", directory="logs", output="file")
    os.kill(os.getpid(), signal.SIGUSR1)
    await got.wait()
    loop.remove_signal_handler(signal.SIGUSR1)
asyncio.run(asyncio.wait_for(main(), 300))
"""
    assert run(tmp_path, program + LONG_CALL, signal.SIGTERM) == -signal.SIGTERM
    assert ends(tmp_path / "logs") == ["signal"]


def _wait_until_idle(pid: int) -> None:
    """Wait until a loop waits: gevent's does not notice what comes right before it does."""
    deadline = time.monotonic() + 300
    while "poll" not in Path(f"/proc/{pid}/wchan").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["main", "greenlet"])
def test_a_program_of_greenlets_that_a_signal_ends(tmp_path, place):
    """Their loop runs the handler, and `threading` takes it for another thread than the main one."""
    program = """
assert signal.set_wakeup_fd is original  # no thread waits beside a loop
def work():
    if place == "greenlet":
        flowery_logging.shutdown()
        flowery_logging.setup("svc", directory="logs", output="file")
    log.info("one")
    print("ready", flush=True)
    time.sleep(300)
spawn(work)
time.sleep(300)
"""
    before = "from gevent import monkey, spawn\nmonkey.patch_all()\n"
    before += f"original = signal.set_wakeup_fd\nplace = {place!r}"
    process = start(tmp_path, program, before)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    _wait_until_idle(process.pid)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=300)
    assert process.returncode == -signal.SIGTERM
    assert ends(tmp_path / "logs")[-1] == "signal"
    assert last(tmp_path)["event"]["reason"] == "SIGTERM"


def test_the_record_of_an_end_in_place_of_the_main_thread_is_an_event_like_others(tmp_path):
    run(tmp_path, LONG_CALL, signal.SIGTERM)
    (path,) = (tmp_path / "logs").glob("*.ndjson")
    events = [json.loads(line)["event"]["sequence"] for line in path.read_text().splitlines()]
    assert events == [1, 2, 3]


def test_a_program_that_ends_leaves_no_warning_of_the_thread(tmp_path):
    process = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", SETUP.format(before="")],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=True,
    )  # fmt: skip
    assert b"Warning" not in process.stderr
