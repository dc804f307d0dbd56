"""Signals that end a process: forks, loops of greenlets and waits of the application beside ours."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.ends.servers import ends
from tests.ends.test_programs import last, run, start


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_a_child_that_is_ended_before_it_has_run_ends(tmp_path):
    """Python forgets the signals that came before: who waits for its end would wait for ever."""
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


def test_what_a_fork_finds_blocked_stays_so(tmp_path):
    program = """
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
child = os.fork()
blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
if not child:
    os._exit(blocked != {signal.SIGUSR1})
assert os.waitpid(child, 0)[1] == 0
assert blocked == {signal.SIGUSR1}
"""
    assert run(tmp_path, program) == 0


def test_who_blocks_a_signal_to_wait_for_it_gets_it(tmp_path):
    program = """
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("ready", flush=True)
assert signal.sigwait({signal.SIGTERM}) == signal.SIGTERM
log.info("got it")
"""
    assert run(tmp_path, program, signal.SIGTERM) == 0
    assert ends(tmp_path / "logs") == ["clean"]


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
    before = f"from gevent import monkey, spawn\nmonkey.patch_all()\nplace = {place!r}"
    process = start(tmp_path, program, before)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    _wait_until_idle(process.pid)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=300)
    assert process.returncode == -signal.SIGTERM
    assert ends(tmp_path / "logs")[-1] == "signal"
    assert last(tmp_path)["event"]["reason"] == "SIGTERM"
