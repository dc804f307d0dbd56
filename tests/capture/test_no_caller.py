"""Calls that no Python code makes: of `atexit`, of `_thread`, of modules in C and their threads."""

import json

import pytest

SETUP = """
import _thread, atexit, logging, logging.config, signal, sys, threading, warnings, weakref
from functools import partial
import structlog
import flowery_logging

log, own = logging.getLogger("shop"), flowery_logging.get_logger("shop")
loggers = [log, own, flowery_logging.get_logger(), own.bind(a=1), structlog.get_logger("shop")]

def call(function, *args, **named):
    "Call from no frame, and wait for the end: then the thread forgets what it was to call."
    target, ended = partial(function, *args, **named), threading.Event()
    weakref.finalize(target, ended.set)
    _thread.start_new_thread(target, ())
    del target
    assert ended.wait(300)

{before}
flowery_logging.setup("svc", directory="logs", output="file", stderr_level="OFF")
{program}
"""


def run(programs, tmp_path, program, before=""):
    """Run a program; return its events and what it has said of itself."""
    done = programs.run(SETUP.format(before=before, program=program), tmp_path)
    assert done.returncode == 0, done.stderr
    lines = [line for path in tmp_path.glob("logs/*") for line in path.read_text().splitlines()]
    return [json.loads(line) for line in lines], done.stderr


def test_each_method_writes_its_event(programs, tmp_path):
    program = """
for one in loggers:
    for name in ("info", "warning", "error", "critical", "exception"):
        call(getattr(one, name), "called %s", name)
    call(one.log, logging.INFO, "called %s", "log")
"""
    events, said = run(programs, tmp_path, program)
    called = [event for event in events if event["message"].startswith("called")]
    assert len(called) == 5 * 6
    assert not [event for event in called if "error" in event]
    assert "Traceback" not in said


def test_the_stack_of_a_call_from_nowhere_is_empty(programs, tmp_path):
    events, _ = run(programs, tmp_path, "call(own.error, 'x', stack_info=True)")
    (event,) = [event for event in events if event["message"] == "x"]
    assert event["error"]["stack_trace"] == "Stack (most recent call last):"


@pytest.mark.parametrize(
    "call",
    [
        "call(setattr, log, 'disabled', True); assert log.disabled",
        "call(log.setLevel, logging.ERROR); assert log.level == logging.ERROR",
        "call(setattr, logging.root, 'level', 50); assert logging.root.level == 50",
        "call(logging.basicConfig, force=True)",
        "call(logging.config.dictConfig, {'version': 1})",
        "call(flowery_logging.bind, a=1)",
        "call(warnings.warn, 'old')",
        "call(getattr, sys, 'excepthook'); call(getattr, warnings, 'showwarning')",
        "call(setattr, sys, 'excepthook', sys.__excepthook__)",
        "call(setattr, warnings, 'showwarning', print)",
        "call(structlog.configure); call(structlog.reset_defaults)",
        "call(flowery_logging.setup)",
        "atexit.register(own.info, 'at the end')",
        "atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)",
        "atexit.register(setattr, log, 'disabled', True)",
        "atexit.register(flowery_logging.shutdown)",
    ],
)
def test_what_is_replaced_works_without_a_caller(programs, tmp_path, call):
    events, said = run(programs, tmp_path, call + "\nlog.critical('after')")
    assert "ValueError" not in said
    assert "Traceback" not in said
    assert "at the end" in str(events) or "at the end" not in call


def test_who_calls_from_nowhere_before_the_set_up_is_told(programs, tmp_path):
    before = "call(own.info, 'too early'); call(flowery_logging.bind, a=1)"
    _, said = run(programs, tmp_path, "", before)
    assert "setup() was not called" in said
    assert "Traceback" not in said
