"""Children of `multiprocessing` that die of an exception: logged once, and printed as before."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ends.servers import ROOT, ends

pytestmark = pytest.mark.slow

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PROGRAM = """
import multiprocessing, os, sys
import flowery_logging
from flowery_logging import continue_trace, outgoing_headers

flowery_logging.setup("svc", directory=os.environ["LOGS"], output="file")
TRACE = {{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}

def boom(number, headers):
    with continue_trace(headers, order_id=number):
        raise ValueError("boom")

def fine():
    pass

class Child(multiprocessing.Process):
    def run(self):
        raise ValueError("boom")

{more}
if __name__ == "__main__":
    multiprocessing.set_start_method({method!r})
{main}
"""


PACKAGES = ["multiprocessing", "multiprocess"]


def run(
    folder: Path,
    main: str,
    method: str = "fork",
    more: str = "",
    package: str = "multiprocessing",
):
    """Run a program; return what it printed, and the events of uncaught exceptions."""
    main = "\n".join(f"    {line}" for line in main.splitlines())
    program = PROGRAM.format(main=main, method=method, more=more)
    (folder / "main.py").write_text(program.replace("multiprocessing", package))
    done = subprocess.run(
        [sys.executable, "main.py"], cwd=folder, capture_output=True, text=True, timeout=300,
        env={**os.environ, "LOGS": str(folder / "logs"), "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    lines = [line for path in (folder / "logs").glob("*") for line in path.read_text().splitlines()]
    return done, [event for event in map(json.loads, lines) if "error" in event]


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_process_that_dies_of_an_exception(tmp_path, method, package):
    main = "child = multiprocessing.Process(target=boom, args=(7, TRACE), name='worker')\nchild.start()\nchild.join()\nsys.exit(child.exitcode)"
    done, (event,) = run(tmp_path, main, method, package=package)
    assert done.returncode == 1
    assert event["log.level"] == "critical"
    assert event["message"] == "Uncaught exception in process worker"
    assert event["log"]["logger"] == "multiprocessing.process"
    assert event["log"]["origin"]["function"] == "boom"
    assert event["error"]["message"] == "boom"
    assert "in boom" in event["error"]["stack_trace"]
    assert event["trace"]["id"] == TRACE
    assert event["numeric_labels"]["order_id"] == 7
    printed = done.stderr[done.stderr.index("Process worker:") :].splitlines()
    assert printed[1] == "Traceback (most recent call last):"
    assert printed[-1] == "ValueError: boom"
    assert not [line for line in printed if "flowery_logging" in line]
    assert set(ends(tmp_path / "logs")) == {"clean"}


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_process_that_sets_up_itself_and_dies(tmp_path, method, package):
    more = (
        "flowery_logging.shutdown()\n"
        "def begin():\n"
        "    flowery_logging.setup('svc', directory=os.environ['LOGS'], output='file')\n"
        "    boom(7, TRACE)"
    )
    main = (
        "child = multiprocessing.Process(target=begin, name='worker')\nchild.start()\nchild.join()"
    )
    done, (event,) = run(tmp_path, main, method, more, package)
    assert event["message"] == "Uncaught exception in process worker"
    assert event["trace"]["id"] == TRACE
    assert done.stderr.count("ValueError: boom") == 1
    assert "flowery_logging/" not in done.stderr[done.stderr.index("Process worker:") :]
    assert set(ends(tmp_path / "logs")) == {"clean"}


@pytest.mark.parametrize("target", ["fine", "set_up_again"])
def test_what_a_process_dies_of_is_no_event_where_nothing_uncaught_is(tmp_path, target):
    more = (
        "def set_up(**options):\n"
        "    flowery_logging.setup('svc', directory=os.environ['LOGS'], output='file', **options)\n"
        "def set_up_again():\n"
        "    flowery_logging.shutdown()\n"
        "    set_up(capture_uncaught=False)\n"
        "set_up(capture_uncaught=False)\n"
        f"def begin():\n    {target}()\n    boom(7, TRACE)"
    )
    main = "child = multiprocessing.Process(target=begin)\nchild.start()\nchild.join()"
    done, events = run(tmp_path, main, more=more)
    assert done.stderr.count("ValueError: boom") == 1
    assert events == []


def test_what_dies_below_a_process_that_sets_up_itself_is_told_once(tmp_path):
    more = (
        "flowery_logging.shutdown()\n"
        "def begin():\n"
        "    flowery_logging.setup('svc', directory=os.environ['LOGS'], output='file')\n"
        "    child = multiprocessing.Process(target=boom, args=(7, TRACE), name='below')\n"
        "    child.start()\n"
        "    child.join()\n"
        "    try:\n"
        "        boom(8, TRACE)\n"
        "    except ValueError:\n"
        "        import traceback\n"
        "        traceback.print_exc()"
    )
    main = "child = multiprocessing.Process(target=begin)\nchild.start()\nchild.join()"
    done, (event,) = run(tmp_path, main, more=more)
    assert event["message"] == "Uncaught exception in process below"
    assert done.stderr.count("ValueError: boom") == 2


def test_a_process_carries_the_trace_of_the_request_that_forked_it(tmp_path):
    main = "with continue_trace(TRACE):\n    child = Child()\n    child.start()\nchild.join()"
    _, (event,) = run(tmp_path, main)
    assert event["trace"]["id"] == TRACE


def test_what_the_parent_was_handling_when_it_forked_is_no_error_of_the_child(tmp_path):
    main = (
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n"
        "    child = multiprocessing.Process(target=fine)\n    child.start()\n    child.join()"
    )
    done, events = run(tmp_path, main)
    assert done.returncode == 0, done.stderr
    assert events == []


@pytest.mark.parametrize("code", ["sys.exit(3)", "raise KeyboardInterrupt"])
def test_ways_to_end_are_no_errors(tmp_path, code):
    more = f"def leave():\n    {code}"
    main = "child = multiprocessing.Process(target=leave)\nchild.start()\nchild.join()"
    done, events = run(tmp_path, main, more=more)
    assert done.returncode == 0, done.stderr
    assert events == []


def test_a_worker_of_a_pool_whose_initializer_fails(tmp_path):
    more = "def fail():\n    raise ValueError('boom')"
    main = (
        "import time\n"
        "pool = multiprocessing.Pool(1, initializer=fail)\n"
        "while not (workers := list(pool._pool)):  # between one that has died and the next\n"
        "    time.sleep(0.01)\n"
        "workers[0].join()\n"
        "pool.terminate()\npool.join()"
    )
    done, events = run(tmp_path, main, more=more)
    assert done.returncode == 0, done.stderr
    assert {event["error"]["message"] for event in events} == {"boom"}


def test_the_exception_of_a_task_goes_to_the_parent_as_it_was(tmp_path):
    main = (
        "from concurrent.futures import ProcessPoolExecutor\n"
        "with ProcessPoolExecutor(1) as pool:\n"
        "    error = pool.submit(boom, 7, TRACE).exception()\n"
        "    assert repr(error) == \"ValueError('boom')\", error\n"
    )
    done, events = run(tmp_path, main)
    assert done.returncode == 0, done.stderr
    assert events == []


def test_a_process_of_billiard(tmp_path):
    main = "import billiard\nchild = billiard.Process(target=boom, args=(7, TRACE))\nchild.start()\nchild.join()"
    done, (event,) = run(tmp_path, main)
    assert event["error"]["message"] == "boom"
    assert event["trace"]["id"] == TRACE
    assert "ValueError: boom" in done.stderr


def test_an_uncaught_exception_of_a_script_carries_the_trace_that_it_has_left(tmp_path):
    done, (event,) = run(tmp_path, "boom(7, TRACE)")
    assert done.returncode == 1
    assert event["message"] == "Uncaught exception"
    assert event["trace"]["id"] == TRACE


CALCULATES = """
import hashlib, signal

def calculate(started):
    flowery_logging.get_logger().info("begins")
    started.set()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)  # in C, for an hour
"""
ENDS_IT = """
child.start()
assert started.wait(200)
child.terminate()
child.join(200)
exitcode = child.exitcode
child.kill()
assert exitcode == -signal.SIGTERM, exitcode
"""


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_process_ends_when_its_parent_ends_it_whatever_it_does(tmp_path, method, package):
    """The parent waits without a limit, and a handler in Python waits for the call in C."""
    main = (
        "started = multiprocessing.Event()\n"
        "child = multiprocessing.Process(target=calculate, args=(started,))"
    )
    done, _ = run(tmp_path, main + ENDS_IT, method, CALCULATES, package)
    assert done.returncode == 0, done.stderr
    assert ends(tmp_path / "logs") == ["unclean"]


@pytest.mark.parametrize(
    ("parent", "child"),
    [
        ("signal.signal(signal.SIGTERM, handle)", "signal.signal(signal.SIGTERM, signal.SIG_DFL)"),
        (
            "flowery_logging.shutdown()",
            "flowery_logging.setup('svc', directory=os.environ['LOGS'])",
        ),
    ],
)
def test_a_process_ends_so_where_it_puts_the_default_back_or_sets_up_itself(
    tmp_path, parent, child
):
    more = CALCULATES + (
        "def handle(number, frame):\n    pass\n"
        f"def begin(started):\n    {child}\n"
        "    signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "    calculate(started)\n"
    )
    main = (
        f"{parent}\n"
        "started = multiprocessing.Event()\n"
        "child = multiprocessing.Process(target=begin, args=(started,))"
    )
    done, _ = run(tmp_path, main + ENDS_IT, more=more)
    assert done.returncode == 0, done.stderr


def test_a_process_in_which_a_server_puts_the_default_back_ends_by_signal(tmp_path):
    more = (
        "import signal\n"
        "def serve():\n"
        "    before = signal.signal(signal.SIGTERM, lambda *_: None)\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
        "    signal.signal(signal.SIGTERM, before)\n"
        "    flowery_logging.get_logger().info('stopped')\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
    )
    main = (
        "child = multiprocessing.Process(target=serve)\nchild.start()\nchild.join()\n"
        "assert child.exitcode == -15, child.exitcode"
    )
    done, _ = run(tmp_path, main, more=more)
    assert done.returncode == 0, done.stderr
    assert ends(tmp_path / "logs") == ["signal"]


SERVES = """
import asyncio
import signal

async def wait(started):
    flowery_logging.get_logger().info("begins")
    started.set()
    await asyncio.Event().wait()  # without a limit

def serve(started):
    asyncio.run(wait(started))

def serve_with_uvloop(started):
    import uvloop
    uvloop.run(wait(started))

def set_up_inside(started):
    flowery_logging.shutdown()
    async def begin():
        flowery_logging.setup("svc", directory=os.environ["LOGS"], output="file")
        await wait(started)
    asyncio.run(begin())

async def later(started):
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leave, started)
    await wait(started)

def leave(started):
    flowery_logging.get_logger().info("leaves")
    signal.raise_signal(signal.SIGKILL)

def serve_with_its_own(started):
    asyncio.run(later(started))

def calculate_after_loops(started):
    for _ in range(2):
        asyncio.run(asyncio.sleep(0))
    calculate(started)
"""


def ended(folder, target, signal, method="fork"):
    """Run a child until its parent ends it, and return what the audit says."""
    main = (
        "started = multiprocessing.Event()\n"
        f"child = multiprocessing.Process(target={target}, args=(started,))"
    )
    more = CALCULATES + SERVES
    done, _ = run(folder, main + ENDS_IT.replace("SIGTERM", signal), method, more)
    assert done.returncode == 0, done.stderr
    return ends(folder / "logs")


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_process_that_runs_an_event_loop_ends_by_signal(tmp_path, method):
    """As hypercorn's workers do, which handle no SIGTERM."""
    assert ended(tmp_path, "serve", "SIGTERM", method) == ["signal"]


@pytest.mark.parametrize("target", ["serve_with_uvloop", "set_up_inside"])
def test_other_event_loops(tmp_path, target):
    assert set(ended(tmp_path, target, "SIGTERM")) == {"signal"}


def test_an_event_loop_whose_program_handles_the_signal(tmp_path):
    assert ended(tmp_path, "serve_with_its_own", "SIGKILL") == ["unclean"]
    assert b"leaves" in b"".join(path.read_bytes() for path in (tmp_path / "logs").iterdir())


def test_after_an_event_loop_a_process_ends_whatever_it_does(tmp_path):
    """A task of a pool may have been `asyncio.run`; what ends the pool waits without a limit."""
    assert ended(tmp_path, "calculate_after_loops", "SIGTERM") == ["unclean"]


RUNS_UVLOOP = """
def run_uvloop():
    import uvloop
    loop = uvloop.new_event_loop()
    loop.call_soon(boom, 7, TRACE)
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
"""


def test_the_origin_of_what_uvloop_reports_in_a_child_is_never_ours(tmp_path):
    """It logs from C, so whoever runs the loop is taken for its caller; as in granian's workers."""
    main = "child = multiprocessing.Process(target=run_uvloop)\nchild.start()\nchild.join()"
    done, (event,) = run(tmp_path, main, "spawn", RUNS_UVLOOP)
    assert done.returncode == 0, done.stderr
    assert event["log"]["logger"] == "asyncio"
    assert event["log"]["origin"]["function"] == "run_uvloop"
