"""The ends of programs that are no servers: scripts, notebooks, long calls in C, greenlets."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.ends.servers import ROOT, ends

pytestmark = pytest.mark.slow

SETUP = """
import logging, os, signal, sys, threading, time
{before}
import flowery_logging
flowery_logging.setup("svc", directory="logs", output="file")
log = logging.getLogger("app")
"""
WAIT = """
print("ready", flush=True)
while True:
    time.sleep(0.01)
"""


def start(folder: Path, program: str, before: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SETUP.format(before=before) + program], cwd=folder, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run(folder: Path, program: str, number: int = 0, before: str = "") -> int:
    """Run a program, send it a signal when it is ready; return how it has ended."""
    process = start(folder, program, before)
    if number:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
    process.communicate(timeout=300)
    return process.returncode


def last(folder: Path) -> dict[str, Any]:
    (path,) = (folder / "logs").glob("*.ndjson")
    record: dict[str, Any] = json.loads(path.read_text().splitlines()[-1])
    return record


@pytest.mark.parametrize(
    "program", ["", "sys.exit(3)", "raise ValueError", "os.fork() or log.info('x')"]
)
def test_a_script_that_ends_by_itself(tmp_path, program):
    run(tmp_path, f"log.info('one')\n{program}")
    assert set(ends(tmp_path / "logs")) == {"clean"}


@pytest.mark.parametrize("status", [0, 3])
def test_a_script_that_ends_at_once(tmp_path, status):
    assert run(tmp_path, f"log.info('one')\nos._exit({status})") == status
    assert ends(tmp_path / "logs") == ["clean"]


def test_children_of_a_fork_that_end_at_once(tmp_path):
    program = """
for number in range(3):
    if not os.fork():
        if number:
            log.info("child %d", number)
        os._exit(status=number)
for _ in range(3):
    os.wait()
log.info("parent")
"""
    run(tmp_path, program)
    assert ends(tmp_path / "logs") == ["clean"] * 3  # one of them has had nothing to say


def test_processes_that_socketserver_forks_for_requests(tmp_path):
    program = """
import socket, socketserver
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        log.info("got %r", self.rfile.readline())
        self.wfile.write(b"done")
with socketserver.ForkingTCPServer(("127.0.0.1", 0), Handler) as server:
    for _ in range(2):
        client = socket.create_connection(server.server_address)
        client.sendall(b"x\\n")
        server.handle_request()
        assert client.recv(9) == b"done"
        os.wait()
log.info("parent")
"""
    run(tmp_path, program)
    assert ends(tmp_path / "logs") == ["clean"] * 3


HANGING_DISK = """
write = os.write
def hanging(*args):
    if threading.current_thread().name == "hangs":
        held.set()
        time.sleep(3600)
    return write(*args)
os.write, held = hanging, threading.Event()
"""


def test_who_ends_at_once_does_not_wait_for_a_thread_that_hangs(tmp_path):
    program = """
log.info("one")
threading.Thread(target=log.info, args=["two"], name="hangs", daemon=True).start()
held.wait()
os._exit(3)
"""
    assert run(tmp_path, program, before=HANGING_DISK) == 3
    assert ends(tmp_path / "logs") == ["unclean"]


@pytest.mark.parametrize(
    "run_another",
    ["os.execv(sys.executable, [sys.executable, '-c', ''])",
     "os.execlp('env', 'env', sys.executable, '-c', '')",
     "os.execve(path=sys.executable, argv=[sys.executable, '-c', ''], env={})"],
)  # fmt: skip
def test_a_script_that_puts_another_program_in_its_place(tmp_path, run_another):
    assert run(tmp_path, f"log.info('one')\n{run_another}") == 0
    assert ends(tmp_path / "logs") == ["clean"]


def test_a_program_that_cannot_be_run_takes_nobodys_place(tmp_path):
    program = """
log.info("one")
try:
    os.execv("/nonexistent", ["x"])
except FileNotFoundError:
    log.info("two")
log.info("three")
os.kill(os.getpid(), signal.SIGKILL)"""
    run(tmp_path, program)
    assert ends(tmp_path / "logs") == ["unclean"]
    assert last(tmp_path)["message"] == "three"


BEFORE_OURS = """
class Before(logging.Handler):
    def emit(self, record):
        if record.levelno == logging.CRITICAL:
            {does}
logging.getLogger().addHandler(Before())
"""


@pytest.mark.parametrize(
    ("does", "end"),
    [
        ("os._exit(3)", "clean"),
        ("os.execv(sys.executable, [sys.executable, '-c', ''])", "clean"),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)", "signal"),
        ("os.abort()", "unclean"),
    ],
)
def test_an_event_at_which_a_handler_before_ours_ends_the_program(tmp_path, does, end):
    """As absl's does at FATAL; or a signal comes while such a handler waits for its network."""
    before = BEFORE_OURS.format(does=does)
    run(tmp_path, "log.info('one')\nlog.critical('the last one')", before=before)
    assert ends(tmp_path / "logs") == [end]
    assert messages(tmp_path).count("the last one") == 1


def test_an_event_at_which_a_handler_before_ours_fails_to_end_the_program(tmp_path):
    does = "try: os.execv('/nonexistent', ['x'])\n            except OSError: pass"
    run(tmp_path, "log.critical('one')\nlog.critical('two')", before=BEFORE_OURS.format(does=does))
    assert [text for text in messages(tmp_path) if len(text) == 3] == ["one", "two"]


def test_an_event_at_which_a_handler_before_ours_forks_is_the_parents(tmp_path):
    does = "child = os.fork()\n            os.waitpid(child, 0) if child else os._exit(0)"
    run(tmp_path, "log.critical('one')", before=BEFORE_OURS.format(does=does))
    assert messages(tmp_path).count("one") == 1


def messages(folder: Path) -> list[str]:
    texts = [path.read_text() for path in (folder / "logs").glob("*.ndjson")]
    return [json.loads(line)["message"] for text in texts for line in text.splitlines()]


def test_the_functions_of_os_are_as_before_after_shutdown(tmp_path):
    before = "theirs = os.execv, os.execve, os._exit, os.abort"
    program = """
assert os.execv is not theirs[0]
assert os._exit is not theirs[2]
flowery_logging.setup()
flowery_logging.shutdown()
assert (os.execv, os.execve, os._exit, os.abort) == theirs"""
    assert run(tmp_path, program, before=before) == 0


@pytest.mark.parametrize(
    ("number", "end"),
    [
        (signal.SIGTERM, "signal"),
        (signal.SIGHUP, "signal"),
        (signal.SIGINT, "clean"),
        (signal.SIGKILL, "unclean"),
    ],
)
def test_a_script_that_a_signal_ends(tmp_path, number, end):
    assert run(tmp_path, "log.info('one')" + WAIT, number) == -number
    assert ends(tmp_path / "logs") == [end]
    if end == "signal":
        assert last(tmp_path)["event"]["reason"] == signal.Signals(number).name


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_handler_that_is_put_back_to_the_default_while_the_program_runs(tmp_path, number):
    """As uvicorn does it, which then sends itself the signal again."""
    program = f"""
log.info("one")
def handle(number, frame):
    log.info("stopping")
    signal.signal(number, before)
    log.info("stopped")
    signal.raise_signal(number)
before = signal.signal({int(number)}, signal.SIG_DFL)
before = signal.signal({int(number)}, handle)
assert signal.getsignal({int(number)}) is handle
{WAIT}"""
    assert run(tmp_path, program, number) == -number
    assert ends(tmp_path / "logs") == ["signal"]


ENDLESS = """
import ctypes
libc, lock = ctypes.CDLL(None), ctypes.create_string_buffer(64)
libc.pthread_mutex_lock(lock)
print("ready", flush=True)
libc.pthread_mutex_lock(lock)"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs the C library's names")
@pytest.mark.parametrize(
    "given", ["signal.SIGINT, signal.SIG_DFL", "signalnum=signal.SIGINT, handler=signal.SIG_DFL"]
)
def test_a_program_that_wants_the_default_of_sigint_is_ended_in_a_loop_in_c(tmp_path, given):
    """As those with Qt do, whose loop lets no handler in Python run."""
    program = f"log.info('one')\nsignal.signal({given}){ENDLESS}"
    assert run(tmp_path, program, signal.SIGINT) == -signal.SIGINT
    assert ends(tmp_path / "logs") == ["unclean"]


@pytest.mark.parametrize(
    "later",
    ["signal.signal(signal.SIGUSR1, signal.SIG_IGN)",
     "from flowery_logging.integrations import wsgi; wsgi.RequestMiddleware(lambda *_: [])({}, None)"],
    ids=["a handler", "a request"],
)  # fmt: skip
def test_a_set_up_in_another_thread_takes_the_signals_when_the_main_thread_comes_by(
    tmp_path, later
):
    program = f"""
flowery_logging.shutdown()
set_up = threading.Thread(target=flowery_logging.setup, args=("svc",), kwargs={{"directory": "logs"}})
set_up.start()
set_up.join()
log.info("one")
{later}
{WAIT}"""
    assert run(tmp_path, program, signal.SIGTERM) == -signal.SIGTERM
    assert ends(tmp_path / "logs") == ["signal"]


def test_handlers_that_were_there_before_stay_and_shutdown_gives_back_the_default(tmp_path):
    before = "def mine(*_): pass\nsignal.signal(signal.SIGHUP, mine)\noriginal = signal.signal"
    program = """
assert signal.getsignal(signal.SIGHUP) is mine
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
assert signal.signal(signal.SIGTERM, signal.SIG_IGN) is not signal.SIG_IGN
assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
signal.signal(signal.SIGTERM, signal.SIG_DFL)
flowery_logging.shutdown()
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
assert signal.getsignal(signal.SIGHUP) is mine
assert signal.signal is original
"""
    assert run(tmp_path, program, before=before) == 0


def test_threads_that_log_while_a_signal_ends_the_program(tmp_path):
    program = f"""
def work():
    while True:
        log.info("work")
for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
{WAIT}"""
    assert run(tmp_path, program, signal.SIGTERM) == -signal.SIGTERM
    assert ends(tmp_path / "logs") == ["signal"]


def test_a_process_that_goes_on_after_a_server_has_stopped_in_it(tmp_path):
    program = """
from flowery_logging import runtime
log.info("one")
runtime.checkpoint()
for number in range(500):
    log.info("on %d", number)
"""
    assert run(tmp_path, program) == 0
    assert ends(tmp_path / "logs") == ["clean"]
    closed = (tmp_path / "logs").glob("*.ndjson")
    assert sum(path.read_text().count('"log closed"') for path in closed) < 110


def test_a_notebook(tmp_path, monkeypatch):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    cells = [SETUP.format(before=""), "log.info('one')", "log.info('two')"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    client = nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3")
    client.create_kernel_manager().shutdown_wait_time = 300  # on a busy machine five are too few
    client.execute()
    deadline = time.monotonic() + 300
    while "running" in ends(tmp_path / "logs") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert ends(tmp_path / "logs") == ["clean"]
    written = "".join(path.read_text() for path in (tmp_path / "logs").glob("*.ndjson"))
    assert "execute_request" not in written  # of the kernel's own logger: the code of each cell


GREENLETS = """
import gevent
def work(number):
    flowery_logging.bind(number=number)
    for step in range(50):
        log.info("work", extra={"wanted": number})
        gevent.sleep(0)
def threaded(number):
    with flowery_logging.bound(number=number):
        for step in range(50):
            log.info("work", extra={"wanted": number})
jobs = [gevent.spawn(work, number) for number in range(20)]
pool = gevent.get_hub().threadpool
jobs += [pool.spawn(threaded, number) for number in range(20, 30)]
gevent.wait(jobs)
sys.exit(log.handlers != [])
"""


@pytest.mark.parametrize("patched", ["before", "after"])
def test_greenlets(tmp_path, patched):
    patch = "from gevent import monkey; monkey.patch_all()"
    before, after = (patch, "") if patched == "before" else ("", patch)
    assert run(tmp_path, f"{after}\n{GREENLETS}", before=before) == 0
    assert ends(tmp_path / "logs") == ["clean"]
    (path,) = (tmp_path / "logs").glob("*.ndjson")
    events = [json.loads(line) for line in path.read_text().splitlines()]
    shown = [e["numeric_labels"] for e in events if e["message"] == "work"]
    assert len(shown) == 30 * 50
    assert all(labels["number"] == labels["wanted"] for labels in shown)


def _may_be_first() -> bool:
    """Tell whether a test may make a process the first one of a container."""
    tried = ["unshare", "--pid", "--fork", "true"]
    return bool(shutil.which("unshare")) and subprocess.run(tried, check=False).returncode == 0


@pytest.mark.skipif(not _may_be_first(), reason="no namespaces here")
@pytest.mark.parametrize("wait", ["time.sleep(0.01)", "signal.sigtimedwait((), 0)"])
def test_the_first_process_of_a_container_goes_on_as_it_would_without_us(tmp_path, wait):
    """The kernel keeps from it each signal of the default disposition, so SIGTERM ends nothing."""
    program = f"""
assert os.getpid() == 1
for number in range(3):
    log.info("before %d", number)
    os.kill(1, signal.SIGTERM)
    {wait}
for number in range(20):
    log.info("after %d", number)
"""
    code = SETUP.format(before="") + program
    subprocess.run(
        ["unshare", "--pid", "--fork", sys.executable, "-c", code], cwd=tmp_path, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
    )  # fmt: skip
    assert ends(tmp_path / "logs") == ["clean"]
    (path,) = (tmp_path / "logs").glob("*.ndjson")
    assert path.read_text().count('"log closed"') == 3 + 1


LONG_CALL = """
import hashlib
log.info("one")
print("ready", flush=True)
hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)  # takes longer than the test waits
"""


def test_without_our_handler_a_long_call_in_c_does_not_delay_the_end(tmp_path):
    program = "flowery_logging.setup('svc', directory='logs', output='file', capture_signals=False)"
    assert run(tmp_path, program + LONG_CALL, signal.SIGTERM) == -signal.SIGTERM
    assert ends(tmp_path / "logs") == ["unclean"]
