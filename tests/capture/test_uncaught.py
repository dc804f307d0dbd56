"""Uncaught errors and warnings: each logged once, and what was there before still happens."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import gc, sys, threading, warnings
import flowery_logging
{before}
def setup():
    flowery_logging.setup("shop", directory={directory!r}, output="file"{options})
setup()
{after}
"""

BOOM = "def boom():\n    raise ValueError('boom')\n"


def run(tmp_path, after, before="", options=""):
    directory = tmp_path / "logs"
    code = PROGRAM.format(before=before, after=after, directory=str(directory), options=options)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    lines = [line for path in directory.glob("*") for line in path.read_text().splitlines()]
    events = [json.loads(line) for line in lines]
    return done, [e for e in events if e["log"]["logger"] != "flowery_logging"]


def test_an_uncaught_exception(tmp_path):
    done, events = run(tmp_path, BOOM + "boom()")
    (event,) = events
    assert event["log.level"] == "critical"
    assert event["message"] == "Uncaught exception"
    assert event["log"]["logger"] == "sys.excepthook"
    assert event["log"]["origin"]["function"] == "boom"
    assert event["error"]["type"] == "ValueError"
    assert "in boom" in event["error"]["stack_trace"]
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "ValueError: boom"


def test_the_hook_that_was_there_before_still_runs(tmp_path):
    hook = "sys.excepthook = lambda *error: print('theirs', error[1])"
    done, events = run(tmp_path, BOOM + "boom()", before=hook)
    assert done.stdout == "theirs boom\n"
    assert len(events) == 1


def test_an_uncaught_exception_in_a_thread(tmp_path):
    after = (
        BOOM
        + "thread = threading.Thread(target=boom, name='worker')\nthread.start()\nthread.join()"
    )
    done, events = run(tmp_path, after)
    (event,) = events
    assert event["message"] == "Uncaught exception in thread worker"
    assert event["process"]["thread"]["name"] == "worker"
    assert event["error"]["type"] == "ValueError"
    assert "Exception in thread worker" in done.stderr
    assert done.returncode == 0


def test_an_exception_in_a_finalizer(tmp_path):
    after = (
        "class Order:\n    def __del__(self):\n        raise ValueError('late')\n"
        "    def __repr__(self):\n        raise RuntimeError\n"
        "Order()\n"
    )
    done, events = run(tmp_path, after)
    (event,) = events
    assert event["log.level"] == "error"
    assert event["message"].startswith("Exception ignored")
    assert event["error"]["message"] == "late"
    assert "ValueError: late" in done.stderr


def test_a_warning(tmp_path):
    done, events = run(tmp_path, "warnings.warn('old', FutureWarning)")
    (event,) = events
    assert event["log.level"] == "warning"
    assert event["message"] == "old"
    assert event["log"]["logger"] == "py.warnings"
    assert event["labels"] == {"warning_category": "FutureWarning"}
    assert "FutureWarning: old" in done.stderr


@pytest.mark.parametrize(
    ("after", "code"),
    [("raise KeyboardInterrupt", -2), ("raise SystemExit(3)", 3), ("sys.exit(4)", 4)],
)
def test_ways_to_end_are_no_errors(tmp_path, after, code):
    done, events = run(tmp_path, after)
    assert done.returncode == code
    assert events == []


def test_a_thread_that_ends_itself_is_no_error(tmp_path):
    after = "thread = threading.Thread(target=sys.exit)\nthread.start()\nthread.join()"
    done, events = run(tmp_path, after)
    assert events == []
    assert done.stderr.count("\n") == 1  # where the logs go


def test_both_can_be_turned_off(tmp_path):
    options = ", capture_uncaught=False, capture_warnings=False"
    done, events = run(tmp_path, "warnings.warn('old')\n1 / 0", options=options)
    assert events == []
    assert "ZeroDivisionError" in done.stderr


def test_a_second_setup_logs_once_and_shutdown_puts_back(tmp_path):
    after = (
        "before = sys.excepthook\n"
        "setup()\n"
        "assert sys.excepthook is before\n"
        "sys.excepthook(ValueError, ValueError('once'), None)\n"
        "flowery_logging.shutdown()\n"
        "assert sys.excepthook is sys.__excepthook__\n"
        "assert threading.excepthook is threading.__excepthook__\n"
        "assert sys.unraisablehook is sys.__unraisablehook__\n"
    )
    done, events = run(tmp_path, after)
    assert done.returncode == 0, done.stderr
    assert len(events) == 1


def test_a_hook_that_others_put_in_front_stays_after_shutdown(tmp_path):
    after = (
        "ours = sys.excepthook\n"
        "theirs = sys.excepthook = lambda *error: ours(*error)\n"
        "flowery_logging.shutdown()\n"
        "assert sys.excepthook is theirs\n"
        "setup()\n"
        "sys.excepthook(ValueError, ValueError('once'), None)\n"
    )
    done, events = run(tmp_path, after)
    assert done.returncode == 0, done.stderr
    assert len(events) == 1
    assert done.stderr.count("ValueError: once") == 1


def test_a_warning_for_a_file_of_somebody_s_is_theirs(tmp_path):
    done, events = run(tmp_path, "warnings.showwarning('x', UserWarning, 'a.py', 1, sys.stdout)")
    assert events == []
    assert "UserWarning: x" in done.stdout
