"""Signals that end a process: forks, loops of greenlets and waits of the application beside ours."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.ends.servers import ROOT, ends
from tests.ends.test_programs import SETUP, last, run, start


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_a_child_that_is_ended_before_it_has_run_ends(tmp_path):
    """Python forgets the signals that came before: who waits for its end would wait for ever."""
    program = """
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # a child runs when its parent waits
for _ in range(300):
    child = os.fork()
    if not child:
        for _ in range(30_000):
            time.sleep(0.01)  # not long: a signal may come right before it, and waits for its end
        os._exit(0)
    os.kill(child, signal.SIGTERM)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == -signal.SIGTERM, status
assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())
"""
    assert run(tmp_path, program) == 0


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_fork_after_another_set_up_blocks_nothing(tmp_path):
    program = """
flowery_logging.shutdown()
flowery_logging.setup("svc", directory="logs", output="file")
child = os.fork()
blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
if not child:
    os._exit(bool(blocked))
assert os.waitpid(child, 0)[1] == 0
assert not blocked
"""
    assert run(tmp_path, program) == 0


@pytest.mark.slow
def test_who_blocks_a_signal_to_wait_for_it_gets_it(tmp_path):
    program = """
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("ready", flush=True)
assert signal.sigwait({signal.SIGTERM}) == signal.SIGTERM
log.info("got it")
"""
    assert run(tmp_path, program, signal.SIGTERM) == 0
    assert ends(tmp_path / "logs") == ["clean"]


@pytest.mark.slow
def test_a_subinterpreter_that_handles_no_signals_logs_too(tmp_path):
    """As those of a program in C that embeds Python; Python calls their first thread a main one."""
    pytest.importorskip("_testcapi")
    setup = f"flowery_logging.setup(directory={str(tmp_path)!r}, output='file')"
    inner = f"import flowery_logging, logging; {setup}; logging.error('inside')"
    program = f"import _testcapi; assert _testcapi.run_in_subinterp({inner!r}) == 0"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert done.returncode == 0
    assert ends(tmp_path) == ["clean"]


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


@pytest.mark.slow
def test_a_second_signal_while_the_closing_record_is_written(tmp_path):
    """As a supervisor sends that does not wait; the program's own handler raises for it."""
    program = """
from flowery_logging.system import System
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
log.info("one")
fstat, sent = System.fstat, []
def once_more(*given):
    if not sent:
        sent.append(os.kill(os.getpid(), signal.SIGTERM))
    return fstat(*given)
System.fstat = once_more
"""
    run(tmp_path, program)
    assert ends(tmp_path / "logs") == ["clean"]


@pytest.mark.slow
def test_a_signal_before_it_is_begun(tmp_path):
    program = """
import atexit
log.info("one")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
profile = []
def at_the_first_instruction(frame, event, argument):
    if event == "call" and frame.f_code.co_name == "_at_exit" and not profile:
        profile.append(os.kill(os.getpid(), signal.SIGTERM))
atexit.register(sys.setprofile, at_the_first_instruction)
"""
    run(tmp_path, program)
    assert ends(tmp_path / "logs") == ["clean"]


@pytest.mark.slow
def test_the_terminal_is_given_back(tmp_path):
    """As ncurses does itself where SIGTERM has its default when it begins."""
    program = """
import curses
def main(screen):
    screen.addstr(0, 0, "ready")
    screen.refresh()
    while True:
        time.sleep(0.1)  # a signal right before a wait does not end it
curses.wrapper(main)
"""
    shown = _shown_until_the_end(tmp_path, program)
    assert (shown.count(SCREEN_TAKEN), shown.count(SCREEN_GIVEN_BACK)) == (1, 1)


@pytest.mark.slow
def test_a_terminal_that_the_program_has_given_back_is_left_alone(tmp_path):
    """A second time would put the cursor over what has been printed since."""
    program = """
import curses
curses.wrapper(lambda screen: screen.refresh())
print("ready", flush=True)
while True:
    time.sleep(0.1)  # a signal right before a wait does not end it
"""
    shown = _shown_until_the_end(tmp_path, program)
    assert (shown.count(SCREEN_TAKEN), shown.count(SCREEN_GIVEN_BACK)) == (1, 1)


SCREEN_TAKEN, SCREEN_GIVEN_BACK = b"\x1b[?1049h", b"\x1b[?1049l"


def _shown_until_the_end(folder, program):
    """Return what a program shows on a terminal that SIGTERM ends as soon as it is ready."""
    pty = pytest.importorskip("pty")
    pytest.importorskip("curses")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SETUP.format(before="") + program], cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"},
        stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while b"ready" not in shown:
        shown += os.read(ours, 4096)
    process.send_signal(signal.SIGTERM)
    assert process.wait(300) == -signal.SIGTERM
    with suppress(OSError):  # the end of a terminal
        while piece := os.read(ours, 4096):
            shown += piece
    os.close(ours)
    assert ends(folder / "logs") == ["signal"]
    return shown
