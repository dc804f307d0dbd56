"""One process, one identity, however it was made: by Python, in C, in a hook, in a signal handler."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.files.conftest import Logs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform"),
]

IN_C = """
    import ctypes, warnings
    warnings.simplefilter("ignore")  # 3.12 warns of forks in threaded programs
    fork_in_c = ctypes.PyDLL(None).fork
    def child_of(fork, what):
        pid = fork()
        if pid == 0:
            signal.alarm(200)  # a child that waits for ever is a failure, not a hanging test
            what()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
"""

BUSY_THREADS = """
    stop = False
    def work():
        while not stop:
            log.info("busy")
            time.sleep(0.0002)  # else the main thread hardly comes to fork
    threads = [threading.Thread(target=work, daemon=True) for _ in range(3)]
    [t.start() for t in threads]
    def middle():
        return flowery_logging.runtime._sink.writer._journal.busy
"""

SLOW_DISK = """
    write, is_slow = os.write, False
    def slow_write(*args):
        if is_slow and threading.current_thread() is not threading.main_thread():
            time.sleep(0.001)  # the main thread comes to fork in the middle of the write
        return write(*args)
    os.write = slow_write
"""


def run(logs: Logs, *parts: str) -> None:
    done = logs.run("\n".join(map(dedented, parts)))
    assert done.returncode == 0, done.stderr


def dedented(part: str) -> str:
    import textwrap

    return textwrap.dedent(part)


def check(logs: Logs, processes: int) -> None:
    """Each process has its own identity and its own files; no number stands twice."""
    logs.check_sequences()
    found = logs.by_process()
    assert len(found) == processes
    for entity in found:
        assert all(
            record["process"]["entity_id"] == entity
            for path in logs.files()
            if entity in path.name
            for record in Logs.records_of(path)
        )
    assert len({r["process"]["pid"] for r in logs.records()}) == processes


@pytest.mark.parametrize("wipes", [True, False])
def test_a_fork_in_c_gives_the_child_its_own_file(logs: Logs, wipes: bool) -> None:
    """Also where the kernel wipes no memory."""
    no_page = (
        "" if wipes else "import mmap; mmap.mmap = lambda *_, **__: (_ for _ in ()).throw(OSError)"
    )
    program = f"""
{no_page}
import logging, os, signal
import flowery_logging
from flowery_logging import process
assert isinstance(process.mark, process._ProcessID) is {not wipes}
flowery_logging.setup("svc", directory={str(logs.directory)!r}, output="file")
log = logging.getLogger("app")
{dedented(IN_C)}
def grandchild(): log.info("grandchild")
def child():
    log.info("child")
    child_of(fork_in_c, grandchild)
    child_of(os.fork, grandchild)
    log.info("child again")
log.info("parent")
child_of(fork_in_c, child)
log.info("parent again")
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    check(logs, processes=4)
    assert sorted(logs.messages()) == [
        "child", "child again", "grandchild", "grandchild", "parent", "parent again",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "first",
    [
        "flowery_logging.stats()",
        "flowery_logging.shutdown()",
        "flowery_logging.setup('svc', directory=os.environ['OTHER'], output='file')",
        "flowery_logging.set_level('DEBUG')",
        "flowery_logging.runtime.checkpoint()",
        "writer().when_idle(lambda: None)",
        "writer().entity",
    ],
)
def test_whatever_a_child_does_first(
    logs: Logs, tmp_path: Path, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parent's lock is held, by a thread that the child does not have."""
    monkeypatch.setenv("OTHER", str(tmp_path / "other"))
    program = f"""
        log.info("parent")
        held, go_on = threading.Event(), threading.Event()
        def hold():
            with writer()._journal.lock, flowery_logging.runtime._lock:
                held.set()
                go_on.wait()
        threading.Thread(target=hold).start()
        held.wait()
        def child():
            {first}
            logging.getLogger("app").warning("child")
        child_of(fork_in_c, child)
        child_of(os.fork, child)
        go_on.set()
    """
    run(logs, IN_C, program)
    logs.check_sequences()
    assert "parent" in logs.messages()
    assert len(logs.by_process()[logs.records()[0]["process"]["entity_id"]]) >= 2


def test_the_child_of_a_fork_in_c_has_counted_nothing_yet(logs: Logs) -> None:
    program = """
        tally = flowery_logging.runtime.count_lines()
        log.info("parent")
        def child():
            assert sum(count.events for count in tally) == 0
            log.info("child")
            assert sum(count.events for count in tally) == 2  # with the header
        child_of(fork_in_c, child)
        assert sum(count.events for count in tally) == 2
    """
    run(logs, IN_C, program)
    check(logs, processes=2)


def test_a_hook_of_the_application_that_logs_before_ours_has_run(logs: Logs) -> None:
    program = f"""
import logging, os, signal, sys, threading, time
os.register_at_fork(after_in_child=lambda: logging.getLogger("app").info("hook"))
{dedented(SLOW_DISK)}
import flowery_logging
flowery_logging.setup("svc", directory={str(logs.directory)!r}, output="file")
log = logging.getLogger("app")
{dedented(IN_C)}
{dedented(BUSY_THREADS)}
n = in_the_middle = 0
while n < 20 or in_the_middle < 5:
    n += 1
    is_slow = n % 2 == 0
    in_the_middle += middle()
    child_of(os.fork, lambda: log.info("child"))
stop = True
[t.join() for t in threads]
print(n)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    check(logs, processes=int(done.stdout) + 1)
    assert logs.messages().count("hook") == logs.messages().count("child") == int(done.stdout)


def test_a_fork_in_a_fork_hook(logs: Logs) -> None:
    program = """
        inside = False
        def again():
            global inside
            if not inside:
                inside = True
                child_of(os.fork, lambda: log.info("grandchild"))
                log.info("in the hook")
        os.register_at_fork(after_in_child=again)
        log.info("parent")
        child_of(os.fork, lambda: log.info("child"))
    """
    run(logs, IN_C, program)
    check(logs, processes=3)
    assert sorted(logs.messages()) == ["child", "grandchild", "in the hook", "parent"]


@pytest.mark.parametrize("fork", ["os.fork", "fork_in_c"])
@pytest.mark.parametrize("logs_first", [True, False])
def test_forks_in_a_signal_handler_in_the_middle_of_writes(
    logs: Logs, fork: str, logs_first: bool
) -> None:
    """The child goes on in the frame that was interrupted."""
    program = f"""
        children, parent, count = [], os.getpid(), 0
        def handler(number, frame):
            if {logs_first}: log.info("handler")
            pid = {fork}()
            if pid == 0:
                signal.signal(signal.SIGPROF, signal.SIG_IGN)
                signal.alarm(200)
            else:
                children.append(pid)
        signal.signal(signal.SIGPROF, handler)
        while len(children) < 40:
            # Once at a time: a handler in a handler would fork again in each child.
            if not any(signal.getitimer(signal.ITIMER_PROF)):
                signal.setitimer(signal.ITIMER_PROF, 0.0001 * (1 + count % 7))
            count += 1
            log.info("event %d", count)
            if os.getpid() != parent:
                log.info("child")
                os._exit(0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        assert all(os.waitpid(pid, 0)[1] == 0 for pid in children)
    """
    run(logs, IN_C, program)
    logs.check_sequences()
    children = [m for m in logs.messages() if m == "child"]
    assert len(children) >= 40


def test_a_fork_in_a_signal_handler_while_threads_write(logs: Logs) -> None:
    """The frame that goes on in the child may wait for the lock of a thread that is not there."""
    program = """
        children, parent = [], os.getpid()
        def handler(number, frame):
            pid = os.fork()
            if pid == 0:
                signal.signal(signal.SIGPROF, signal.SIG_IGN)
                signal.alarm(200)
            else:
                children.append(pid)
        signal.signal(signal.SIGPROF, handler)
        while len(children) < 30:
            if not any(signal.getitimer(signal.ITIMER_PROF)):
                signal.setitimer(signal.ITIMER_PROF, 0.001)
            log.info("event")
            if os.getpid() != parent:
                log.info("child")
                os._exit(0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        stop = True
        assert all(os.waitpid(pid, 0)[1] == 0 for pid in children)
    """
    run(logs, IN_C, BUSY_THREADS, program)
    logs.check_sequences()
    assert logs.messages().count("child") >= 30


def test_locks_of_requests_counters_and_the_flight_recorder_are_a_childs_own(
    logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is held by a thread that the child does not have."""
    monkeypatch.setenv("LOGS", str(logs.directory))
    program = """
        from flowery_logging import context, request, runtime
        flowery_logging.setup("svc", directory=os.environ["LOGS"], output="file", flight_recorder="DEBUG")
        held, go_on = threading.Event(), threading.Event()
        def hold():
            with request._lock, runtime._installation.recorder.lock, runtime.counters()._lock:
                held.set()
                go_on.wait()
        def child():
            flowery_logging.bind(a=1)
            log.debug("recorded")
            log.info("child", extra={"message": "counted"})
            context.current_request().fail()
        with flowery_logging.continue_trace({}):
            log.info("parent")
            threading.Thread(target=hold).start()
            held.wait()
            here = context.current_request()
            child_of(fork_in_c, child)
            child_of(os.fork, child)
            for first in (flowery_logging.outgoing_headers, lambda: here.queried(1), lambda: here.waited_for_call(1)):
                child_of(fork_in_c, first)
            go_on.set()
    """
    run(logs, IN_C, program)
    logs.check_sequences()
    assert logs.messages().count("child") == 2
    assert logs.messages().count("recorded") == 2
