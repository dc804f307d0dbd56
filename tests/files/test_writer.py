"""One process, one series of files: numbers, names, rotation, threads, signals, forks, ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.files.conftest import Logs, read

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")


def ok(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr


def test_names_header_and_closing_record(logs: Logs) -> None:
    ok(logs.run("log.info('one'); flowery_logging.get_logger().info('two', order_id=7)"))
    (path,) = logs.files()
    assert re.fullmatch(r"svc-\d{8}T\d{6}Z-[0-9a-f]{24}-0001\.ndjson", path.name)
    first = path.read_bytes().splitlines(keepends=True)[0]
    assert len(first) >= 1024
    assert logs.messages() == ["one", "two"]
    assert logs.actions() == ["log-file-opened", "log-closed"]
    closing = logs.records()[-1]
    assert closing["numeric_labels"]["events"] == closing["event"]["sequence"] == 4
    logs.check_sequences()


def test_the_closing_count_is_right_even_if_the_closing_record_opens_a_file(logs: Logs) -> None:
    ok(logs.run("for n in range(40): log.info('event %d', n)", setup="max_bytes=1_900"))
    closing = logs.records()[-1]
    assert closing["event"]["action"] == "log-closed"
    assert closing["numeric_labels"]["events"] == closing["event"]["sequence"]
    logs.check_sequences()


def test_a_process_that_logs_nothing_leaves_no_file(logs: Logs) -> None:
    ok(logs.run("pass"))
    assert logs.files() == []


def test_one_write_a_line(logs: Logs, tmp_path: Path) -> None:
    written = tmp_path / "written"
    program = f"""
        with open({str(written)!r}, "w") as out:
            real = os.write
            target = writer()._journal.target
            target.write = lambda fd, data: (print(len(data), data.count(b"\\n"), file=out), real(fd, data))[1]
            for n in range(20): log.info("line %d", n, extra={{"n": n}})
            target.write = real
    """
    ok(logs.run(program))
    calls = [tuple(map(int, line.split())) for line in written.read_text().splitlines()]
    lines = [len(line) for line in logs.files()[0].read_bytes().splitlines(keepends=True)]
    assert calls == [(length, 1) for length in lines[:21]]


def test_rotation_by_size_keeps_below_the_limit(logs: Logs) -> None:
    ok(logs.run("for n in range(500): log.info('event %d', n)", setup="max_bytes=20_000"))
    files = logs.files()
    assert len(files) > 5
    assert all(path.stat().st_size <= 20_000 for path in files)
    assert [path.name[-11:-7] for path in files] == [f"{n:04d}" for n in range(1, len(files) + 1)]
    heads = {path.read_bytes()[:1024] for path in files}
    assert len(heads) == len(files), "Filebeat could not tell the files apart"
    assert all(read(path)[0]["event"]["action"] == "log-file-opened" for path in files)
    assert len(logs.messages()) == 500
    logs.check_sequences()


@pytest.mark.slow
def test_rotation_by_age(logs: Logs) -> None:
    program = """
        for n in range(3):
            time.sleep(0.3)
            log.info("e")
        # Without a closing record, which may come late enough for a file of its own.
        os.kill(os.getpid(), 9)
    """
    assert logs.run(program, setup="max_age=0.25").returncode == -9
    assert len(logs.files()) == 3
    logs.check_sequences()


def test_an_event_larger_than_a_file_is_written_all_the_same(logs: Logs) -> None:
    ok(logs.run("log.info('x' * 5000); log.info('y')", setup="max_bytes=1500"))
    assert [len(message) for message in logs.messages()] == [5000, 1]


@pytest.mark.parametrize("mask", ["0", "0o77"])
def test_permissions_do_not_depend_on_the_umask(logs: Logs, mask: str) -> None:
    ok(logs.run(f"os.umask({mask}); log.info('x')"))
    assert logs.files()[0].stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("mask", ["0", "0o22", "0o77"])
def test_a_directory_that_is_made_can_be_read_by_its_group(tmp_path: Path, mask: str) -> None:
    """Of which a shipper is: what is in it can be read by the group, too."""
    above = tmp_path / "above"
    above.mkdir()
    above.chmod(0o2755)  # what is made here has its group
    program = f"""
        import os, flowery_logging
        os.umask({mask})
        flowery_logging.setup("x", directory={str(above / "logs")!r}, output="file")
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)
    assert (above / "logs").stat().st_mode & 0o7777 == 0o2750


def test_a_service_whose_letters_the_locale_does_not_know(
    logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONUTF8", "0")  # else Python takes UTF-8 for this locale
    program = f"""
        import logging, flowery_logging
        flowery_logging.setup({"주문-a"!a}, directory={str(logs.directory)!r}, output="file")
        logging.getLogger("app").info("x")
    """
    done = subprocess.run(
        [sys.executable, "-"], input=textwrap.dedent(program).encode(),
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (path,) = logs.files()
    assert path.name.startswith("_-a-")
    assert {record["service"]["name"] for record in logs.records()} == {"주문-a"}


def test_sixteen_threads_lose_and_mix_nothing(logs: Logs) -> None:
    program = """
        def work(k):
            for n in range(300):
                log.info("thread %d event %d", k, n, extra={"payload": "x" * (n % 200)})
        threads = [threading.Thread(target=work, args=(k,)) for k in range(16)]
        [t.start() for t in threads]; [t.join() for t in threads]
    """
    ok(logs.run(program, setup="max_bytes=200_000"))
    logs.check_sequences()
    messages = logs.messages()
    assert len(messages) == len(set(messages)) == 16 * 300
    for k in range(16):
        own = [m for m in messages if m.startswith(f"thread {k} ")]
        assert own == [f"thread {k} event {n}" for n in range(300)]


SIGNALS = """
    import random, itertools
    returned, logged, interrupted, handled, left = [], [], 0, 0, 0
    class Interruption(BaseException): pass
    busy = False
    def arm():
        signal.setitimer(signal.ITIMER_REAL, 0.00005)
    def handler(number, frame):
        # Handlers interrupt handlers, but at most so many at one event: where a handler takes
        # longer than the timer, they would else do nothing but that.
        global handled, busy, left
        left -= 1
        if left > 0: arm()
        handled += 1
        n = handled
        log.info("handler %d", n)
        logged.append(n)
        if busy and handled % {every} == 0:
            busy = False
            raise {error}
    signal.signal(signal.SIGALRM, handler)
    random.seed(7)
    log.info("start")
    numbers = itertools.count()
    while len(logged) < 4000 or interrupted < 200:
        n = next(numbers)
        left = 5
        if not any(signal.getitimer(signal.ITIMER_REAL)): arm()
        try:
            busy = True
            log.info("event %d", n)
            busy = False
        except {error}:
            interrupted += 1
        else:
            returned.append(n)
    signal.setitimer(signal.ITIMER_REAL, 0)
    log.info("last")
    import json
    json.dump([returned, logged, interrupted], open({out!r}, "w"))
"""


@pytest.mark.slow
@pytest.mark.parametrize("error", ["Interruption", "TimeoutError"])
def test_signal_handlers_that_log_and_raise_leave_no_gap_and_no_torn_line(
    logs: Logs, tmp_path: Path, error: str
) -> None:
    import json

    out = tmp_path / "out.json"
    program = SIGNALS.format(every=2, error=error, out=str(out))
    ok(logs.run(program, setup="max_bytes=300_000"))
    returned, logged, interrupted = json.loads(out.read_text())
    logs.check_sequences()
    # A handler that raises an Exception while the message is formatted: the arguments stand apart.
    messages = [
        r["message"].replace("%d", *r.get("labels", {}).get("message_args", ["%d"]))
        for r in logs.records()
    ]
    assert len(logged) >= 4000
    assert interrupted >= 200
    assert {f"event {n}" for n in returned} <= set(messages)
    assert {f"handler {n}" for n in logged} <= set(messages)
    events = [m for m in messages if m.startswith(("event", "handler"))]
    assert len(events) == len(set(events)), "an event was written twice"


def test_a_destructor_that_logs_in_the_middle_of_a_call(logs: Logs) -> None:
    program = """
        import gc
        class Noisy:
            def __init__(self): self.me = self
            def __del__(self): log.info("del")
        gc.set_threshold(5)
        for n in range(300):
            Noisy()
            log.info("event %d", n, extra={"list": [n]})
        gc.collect()
    """
    ok(logs.run(program))
    logs.check_sequences()
    assert logs.messages().count("del") == 300


@needs_fork
def test_bare_fork_gives_the_child_its_own_file(logs: Logs) -> None:
    program = """
        log.info("parent before")
        pid = os.fork()
        if pid == 0:
            log.info("child")
            os._exit(0)
        os.waitpid(pid, 0)
        log.info("parent after")
    """
    ok(logs.run(program))
    logs.check_sequences()
    assert len(logs.by_process()) == len(logs.files()) == 2
    assert sorted(logs.messages()) == ["child", "parent after", "parent before"]
    pids = {r["process"]["pid"] for r in logs.records() if r["message"] != "child"}
    child = [r for r in logs.records() if r["message"] == "child"]
    assert child[0]["process"]["pid"] not in pids - {child[0]["process"]["pid"]}


@pytest.mark.slow
@needs_fork
def test_forks_while_threads_write_never_block_the_child(logs: Logs) -> None:
    program = """
        import warnings
        warnings.simplefilter("ignore")  # 3.12 warns of forks in threaded programs
        stop = False
        def work():
            while not stop:
                log.info("busy")
                time.sleep(0.0002)  # else the main thread hardly comes to fork
        target = writer()._journal.target
        write = target.write
        def slow_write(descriptor, line):
            if b'"busy"' in line:
                time.sleep(0.001)  # the main thread comes to fork in the middle of the write
            return write(descriptor, line)
        threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
        [t.start() for t in threads]
        n = in_the_middle = 0
        while n < 40 or in_the_middle < 5:
            target.write = slow_write if n % 2 else write
            in_the_middle += writer()._journal.busy
            pid = os.fork()
            if pid == 0:
                signal.alarm(120)
                log.info("child %d", n)
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
            n += 1
        stop = True
        [t.join() for t in threads]
        print(n)
    """
    done = logs.run(program)
    ok(done)
    logs.check_sequences()
    assert sorted(m for m in logs.messages() if m != "busy") == sorted(
        f"child {n}" for n in range(int(done.stdout))
    )


@pytest.mark.slow
@needs_fork
def test_a_fork_in_a_signal_handler_in_the_middle_of_writes(logs: Logs) -> None:
    program = """
        children = []
        def handler(number, frame):
            pid = os.fork()
            if pid == 0:
                signal.setitimer(signal.ITIMER_REAL, 0)
                log.info("child of a handler")
                return  # the child goes on in the frame that was interrupted
            children.append(pid)
            signal.setitimer(signal.ITIMER_REAL, 0.01)  # a fork takes longer on a busy machine
        signal.signal(signal.SIGALRM, handler)
        parent = os.getpid()
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        while len(children) <= 30:
            log.info("event")
            if os.getpid() != parent:
                os._exit(0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for pid in children: os.waitpid(pid, 0)
    """
    ok(logs.run(program))
    logs.check_sequences()
    assert logs.messages().count("child of a handler") > 30


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "early", "late"),
    [(method, ", multiprocessing", "") for method in ("fork", "spawn", "forkserver")]
    + [("fork", "", "import multiprocessing")],
)
def test_multiprocessing_children_end_with_a_closing_record(
    logs: Logs, tmp_path: Path, method: str, early: str, late: str
) -> None:
    script = tmp_path / "main.py"
    script.write_text(
        f"""
import sys, logging, flowery_logging{early}
assert {bool(early)} or "multiprocessing" not in sys.modules
flowery_logging.setup("svc", directory={str(logs.directory)!r}, output="file")
{late}
def work(n):
    logging.getLogger("app").info("worker %d", n)
if __name__ == "__main__":
    logging.getLogger("app").info("main")
    context = multiprocessing.get_context({method!r})
    children = [context.Process(target=work, args=(n,)) for n in range(3)]
    [c.start() for c in children]; [c.join() for c in children]
    assert all(c.exitcode == 0 for c in children)
"""
    )
    ok(subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False))
    logs.check_sequences()
    assert sorted(logs.messages()) == ["main", "worker 0", "worker 1", "worker 2"]
    for records in logs.by_process().values():
        assert records[-1]["event"]["action"] == "log-closed"


def test_sigterm_with_the_default_disposition_writes_the_closing_record(logs: Logs) -> None:
    done = logs.run("log.info('x'); os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)")
    assert done.returncode == -signal.SIGTERM
    assert logs.actions()[-1] == "log-closed"
    assert logs.records()[-1]["event"]["reason"] == "SIGTERM"


@pytest.mark.slow
def test_sigterm_while_writing_loses_nothing(logs: Logs) -> None:
    program = """
        def kill():
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGTERM)
        threading.Thread(target=kill, daemon=True).start()
        while True: log.info("busy")
    """
    assert logs.run(program).returncode == -signal.SIGTERM
    logs.check_sequences()
    assert logs.actions()[-1] == "log-closed"


def test_a_handler_of_the_application_for_sigterm_stays(logs: Logs) -> None:
    directory = str(logs.directory)
    program = f"""
import signal, os
signal.signal(signal.SIGTERM, lambda *a: print("mine"))
import flowery_logging
flowery_logging.setup("svc", directory={directory!r}, output="file")
os.kill(os.getpid(), signal.SIGTERM)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "mine\n"


@pytest.mark.slow
def test_kill_9_loses_nothing_that_a_call_returned_from(logs: Logs, tmp_path: Path) -> None:
    counted = tmp_path / "counted"
    program = f"""
        counter = os.open({str(counted)!r}, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        def kill():
            time.sleep(0.3)
            os.kill(os.getpid(), signal.SIGKILL)
        threading.Thread(target=kill, daemon=True).start()
        while True:
            log.info("event")
            os.write(counter, b".")
    """
    assert logs.run(program, setup="max_bytes=50_000").returncode == -signal.SIGKILL
    logs.cut_torn_line()
    logs.check_sequences()
    returned = counted.stat().st_size
    assert returned <= len(logs.messages()) <= returned + 1


def test_events_at_interpreter_shutdown(logs: Logs) -> None:
    program = """
        import atexit
        class Late:
            def __init__(self): self.log = log
            def __del__(self): self.log.info("from a destructor")
        late = Late()
        atexit.register(lambda: log.info("from atexit"))
    """
    ok(logs.run(program))
    logs.check_sequences()
    assert logs.messages() == ["from atexit", "from a destructor"]
    assert logs.records()[-1]["event"]["action"] == "log-closed"


@pytest.mark.slow
def test_daemon_threads_that_log_until_the_end(logs: Logs) -> None:
    program = """
        def work():
            while True:
                log.info("daemon")
        for _ in range(4): threading.Thread(target=work, daemon=True).start()
        time.sleep(0.2)
    """
    ok(logs.run(program))
    logs.check_sequences()
    assert "log-closed" in logs.actions()


def test_shutdown_closes_and_a_new_setup_goes_on_counting(logs: Logs) -> None:
    program = f"""
        log.info("one")
        flowery_logging.shutdown()
        log.info("nobody hears this")
        flowery_logging.setup("svc", directory={str(logs.directory)!r}, output="file")
        log.info("two")
    """
    ok(logs.run(program))
    logs.check_sequences()
    assert logs.messages() == ["one", "two"]


def test_after_an_end_as_many_events_have_a_closing_record_each_as_make_100_with_it(
    logs: Logs,
) -> None:
    program = """
        log.info("one")
        flowery_logging.runtime.checkpoint()
        for n in range(102): log.info("more %d", n)
        os._exit(0)
    """
    ok(logs.run(program))
    logs.check_sequences()
    actions = [r["event"].get("action") == "log-closed" for r in logs.records()]
    behind = actions[actions.index(True) + 1 :]  # the first end's own
    assert behind == [False, True] * 99 + [False] * 3 + [True]


def test_a_second_setup_in_another_directory_loses_nothing(logs: Logs, tmp_path: Path) -> None:
    other = tmp_path / "other"
    program = f"""
        log.info("one")
        flowery_logging.setup("svc", directory={str(other)!r}, output="file")
        log.info("two")
    """
    ok(logs.run(program))
    (first,), (second,) = logs.files(), sorted(other.glob("*"))
    numbers = [r["event"]["sequence"] for r in [*read(first), *read(second)]]
    assert numbers == list(range(1, len(numbers) + 1))
