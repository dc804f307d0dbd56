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


@pytest.fixture
def run(tmp_path, programs):
    def run(after, before="", options=""):
        directory = tmp_path / "logs"
        code = PROGRAM.format(before=before, after=after, directory=str(directory), options=options)
        done = programs.run(code, tmp_path)
        lines = [line for path in directory.glob("*") for line in path.read_text().splitlines()]
        events = [json.loads(line) for line in lines]
        return done, [e for e in events if e["log"]["logger"] != "flowery_logging"]

    return run


def test_an_uncaught_exception(run):
    done, events = run(BOOM + "boom()")
    (event,) = events
    assert event["log.level"] == "critical"
    assert event["message"] == "Uncaught exception"
    assert event["log"]["logger"] == "sys.excepthook"
    assert event["log"]["origin"]["function"] == "boom"
    assert event["error"]["type"] == "ValueError"
    assert "in boom" in event["error"]["stack_trace"]
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "ValueError: boom"


def test_the_hook_that_was_there_before_still_runs(run):
    hook = "sys.excepthook = lambda *error: print('theirs', error[1])"
    done, events = run(BOOM + "boom()", before=hook)
    assert done.stdout == "theirs boom\n"
    assert len(events) == 1


def test_the_errors_of_a_group_where_it_comes_from_a_backport(run):
    """Before Python 3.11 anyio brings one, which is loaded by the first task group."""
    after = """
import anyio
async def fail(number):
    raise ValueError(f"inner {number}")
async def main():
    async with anyio.create_task_group() as group:
        group.start_soon(fail, 1)
        group.start_soon(fail, 2)
anyio.run(main)
"""
    done, (event,) = run(after)
    for text in (event["error"]["stack_trace"], done.stderr):
        assert "ValueError: inner 1" in text
        assert "ValueError: inner 2" in text


def test_an_uncaught_exception_in_a_thread(run):
    after = (
        BOOM
        + "thread = threading.Thread(target=boom, name='worker')\nthread.start()\nthread.join()"
    )
    done, events = run(after)
    (event,) = events
    assert event["message"] == "Uncaught exception in thread worker"
    assert event["process"]["thread"]["name"] == "worker"
    assert event["error"]["type"] == "ValueError"
    assert "Exception in thread worker" in done.stderr
    assert done.returncode == 0


def test_an_exception_in_a_finalizer(run):
    after = (
        "class Order:\n    def __del__(self):\n        raise ValueError('late')\n"
        "    def __repr__(self):\n        raise RuntimeError\n"
        "Order()\n"
    )
    done, events = run(after)
    (event,) = events
    assert event["log.level"] == "error"
    assert event["message"].startswith("Exception ignored")
    assert event["error"]["message"] == "late"
    assert "ValueError: late" in done.stderr


def test_a_warning(run):
    done, events = run("warnings.warn('old', FutureWarning)")
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
def test_ways_to_end_are_no_errors(run, after, code):
    done, events = run(after)
    assert done.returncode == code
    assert events == []


@pytest.mark.skipif(sys.version_info < (3, 11), reason="needs groups of exceptions")
@pytest.mark.parametrize(
    ("inner", "count"),
    [
        ("[KeyboardInterrupt()]", 0),
        ("[KeyboardInterrupt(), BaseExceptionGroup('', [SystemExit(1)])]", 0),
        ("[KeyboardInterrupt(), ValueError('failed')]", 1),
    ],
)
def test_a_group_of_ways_to_end_is_none_either(run, inner, count):
    """What Trio raises where Ctrl-C is pressed in a nursery."""
    _, events = run(f"raise BaseExceptionGroup('unhandled', {inner})")
    assert len(events) == count


def test_a_thread_that_ends_itself_is_no_error(run):
    after = "thread = threading.Thread(target=sys.exit)\nthread.start()\nthread.join()"
    done, events = run(after)
    assert events == []
    assert done.stderr.count("\n") == 1  # where the logs go


def test_both_can_be_turned_off(run):
    options = ", capture_uncaught=False, capture_warnings=False"
    done, events = run("warnings.warn('old')\n1 / 0", options=options)
    assert events == []
    assert "ZeroDivisionError" in done.stderr


def test_a_second_setup_logs_once_and_shutdown_puts_back(run):
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
    done, events = run(after)
    assert done.returncode == 0, done.stderr
    assert len(events) == 1


def test_a_hook_that_others_put_in_front_stays_after_shutdown(run):
    after = (
        "ours = sys.excepthook\n"
        "theirs = sys.excepthook = lambda *error: ours(*error)\n"
        "flowery_logging.shutdown()\n"
        "assert sys.excepthook is theirs\n"
        "setup()\n"
        "sys.excepthook(ValueError, ValueError('once'), None)\n"
    )
    done, events = run(after)
    assert done.returncode == 0, done.stderr
    assert len(events) == 1
    assert done.stderr.count("ValueError: once") == 1


def test_a_warning_for_a_file_of_somebody_s_is_theirs(run):
    done, events = run("warnings.showwarning('x', UserWarning, 'a.py', 1, sys.stdout)")
    assert events == []
    assert "UserWarning: x" in done.stdout


REPLACED = {
    "rich": "import rich.traceback; rich.traceback.install()",
    "silently": "sys.excepthook = lambda *error: None",
    "in front": "theirs = sys.excepthook; sys.excepthook = lambda *error: theirs(*error)",
    "and the set-up repeated": "sys.excepthook = lambda *error: None\nsetup()",
    "twice": (
        "for _ in range(2):\n"
        "    sys.excepthook = lambda *error, old=sys.excepthook: old(*error)\n"
        "    setup()"
    ),
}


@pytest.mark.parametrize("kind", REPLACED)
def test_a_hook_that_others_set_later_loses_nothing(run, kind):
    done, events = run(f"{REPLACED[kind]}\n{BOOM}boom()")
    (event,) = events
    assert event["message"] == "Uncaught exception"
    assert event["log"]["origin"]["function"] == "boom"
    assert done.returncode == 1


@pytest.mark.slow
def test_a_command_of_typer_that_fails(run):
    after = "import typer\napp = typer.Typer()\n@app.command()\ndef main():\n    1 / 0\napp([])"
    done, events = run(after)
    (event,) = events
    assert event["error"]["type"] == "ZeroDivisionError"
    assert done.returncode == 1


TOOL = """
def tool():
    try:
        boom()
    except ValueError as error:
        sys.last_value, sys.last_traceback = error, error.__traceback__
tool()
"""


@pytest.mark.parametrize(
    "after",
    [
        "sys.last_value, sys.last_traceback = ValueError('shown'), None",
        TOOL,
    ],
)
def test_what_a_tool_has_shown_is_not_uncaught(run, after):
    done, events = run(BOOM + after)
    assert events == []
    assert done.returncode == 0, done.stderr


def test_a_hook_of_threads_that_others_set_later_loses_nothing(run):
    after = (
        BOOM + "def mine(args): print('theirs', args.exc_value)\n"
        "threading.excepthook = mine\n"
        "assert threading.excepthook is mine\n"
        "thread = threading.Thread(target=boom)\nthread.start()\nthread.join()\n"
        "flowery_logging.shutdown()\n"
        "assert threading.excepthook is mine\n"
        "assert vars(threading)['excepthook'] is mine\n"
        "assert type(threading) is type(warnings) is type(sys)"
    )
    done, events = run(after)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "theirs boom\n"
    assert [event["error"]["message"] for event in events] == ["boom"]


def test_a_hook_that_is_put_back_is_as_before(run):
    after = (
        BOOM + "old = threading.excepthook\n"
        "threading.excepthook = lambda args: old(args)\n"
        "threading.excepthook = old\n"
        "from unittest import mock\n"
        "with mock.patch('threading.excepthook', lambda args: None): pass\n"
        "thread = threading.Thread(target=boom)\nthread.start()\nthread.join()\n"
    )
    done, events = run(after)
    assert len(events) == 1
    assert done.stderr.count("ValueError: boom") == 1


WRAPPED = "warnings.showwarning = lambda *given, old=warnings.showwarning: old(*given)"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import logging; logging.captureWarnings(True)", ""),
        ("", "import logging; logging.captureWarnings(True)"),
        ("", "warnings.showwarning = lambda *given: None"),
        ("", WRAPPED),
        ("import logging; logging.captureWarnings(True)\n" + WRAPPED, ""),
        ("", "with warnings.catch_warnings(): warnings.simplefilter('ignore')"),
    ],
)
def test_each_warning_is_logged_once(run, before, after):
    done, events = run(f"{after}\nwarnings.warn('old', FutureWarning)", before=before)
    assert done.returncode == 0, done.stderr
    (event,) = events
    assert event["message"] == "old"
    assert event["labels"] == {"warning_category": "FutureWarning"}


def test_a_warning_that_somebody_records_is_not_shown(run):
    after = (
        "with warnings.catch_warnings(record=True) as caught:\n    warnings.warn('old')\n"
        "assert len(caught) == 1\nwarnings.warn('new')"
    )
    done, events = run(after)
    assert done.returncode == 0, done.stderr
    assert [event["message"] for event in events] == ["new"]


@pytest.mark.parametrize("sender", ["cloudpickle", "dill"])
def test_a_function_that_uses_modules_with_hooks_can_be_sent_to_another_process(run, sender):
    after = (
        f"import {sender} as sender\n"
        "def work():\n    warnings.warn('old')\n    return threading.current_thread().name\n"
        "assert sender.loads(sender.dumps(work))() == 'MainThread'\n"
        "assert sender.loads(sender.dumps(threading)) is threading\n"
    )
    done, events = run(after)
    assert done.returncode == 0, done.stderr
    assert [event["message"] for event in events] == ["old"]


@pytest.mark.parametrize(
    "call",
    [
        "sys.excepthook(None, None, None)",
        "sys.excepthook('a', 'b', 'c')",
        "sys.unraisablehook(None)",
        "threading.excepthook(None)",
        "sys.excepthook()",
        "warnings.showwarning(None, None, None, None)",
    ],
)
def test_odd_arguments_raise_what_they_raise_without_us(run, call):
    program = f"try:\n    {call}\nexcept BaseException as error:\n    print(type(error))"
    done, _ = run(program)
    alone = subprocess.run(
        [sys.executable, "-c", f"import sys, threading, warnings\n{program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == alone.stdout
    assert done.returncode == 0


def test_an_exception_whose_text_ends_the_program(run):
    after = "class Bad(Exception):\n    def __str__(self): raise SystemExit(3)\nraise Bad"
    done, events = run(after)
    (event,) = events
    assert event["error"]["type"].endswith("Bad")
    assert done.returncode == 1


EVENTLET = """
import traceback, types
class BaseHub:
    def squelch_timer_exception(self, timer, exc_info):
        traceback.print_exception(*exc_info)
module = sys.modules["eventlet.hubs.hub"] = types.ModuleType("eventlet.hubs.hub")
module.BaseHub = BaseHub
"""
GREENPOOL = """
import traceback, types
class GreenPool:
    def _spawn_n_impl(self, func, args, kwargs, coro):
        try:
            func(*args, **kwargs)
        except (KeyboardInterrupt, SystemExit):
            raise
        except:
            traceback.print_exc()
module = sys.modules["eventlet.greenpool"] = types.ModuleType("eventlet.greenpool")
module.GreenPool = GreenPool
"""
IN_A_GREENLET = {
    "gevent": ("import gevent", "gevent.spawn(worker).join()"),
    "eventlet": (
        EVENTLET,  # which is no dependency of ours: what its hub does
        "try:\n    worker()\nexcept ValueError:\n    BaseHub().squelch_timer_exception(0, sys.exc_info())",
    ),
    "eventlet.greenpool": (GREENPOOL, "GreenPool()._spawn_n_impl(worker, (), {}, True)"),
}
WORKER = """
def worker():
    with flowery_logging.continue_trace({}, order_id=7):
        boom()
"""


@pytest.mark.parametrize("kind", IN_A_GREENLET)
def test_an_uncaught_exception_in_a_greenlet(run, kind):
    before, after = IN_A_GREENLET[kind]
    done, (event,) = run(BOOM + WORKER + after, before=before)
    assert event["log.level"] == "critical"
    assert event["message"] == "Uncaught exception in greenlet"
    assert event["log"]["logger"].startswith(kind)
    assert event["log"]["origin"]["function"] == "boom"
    assert event["numeric_labels"]["order_id"] == 7
    assert len(event["trace"]["id"]) == 32
    assert done.stderr.count("ValueError: boom") == 1


LEFT_BEHIND = """
from gevent import monkey
monkey.patch_all()
import flowery_logging
flowery_logging.setup("shop", directory="logs", output="file")
class Left:
    def __del__(self):
        raise ValueError("boom")
left = Left()
left.itself = left
"""


@pytest.mark.slow
def test_beside_gevent_what_fails_as_the_interpreter_ends_is_printed(tmp_path):
    """As Celery's worker with a gevent pool leaves results behind: greenlet then answers nobody.

    `programs` would have imported us before gevent puts its own locals in place.
    """
    command = [sys.executable, "-c", LEFT_BEHIND]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr.count("ValueError: boom") == 1
    assert "sys.unraisablehook" not in done.stderr


def test_after_shutdown_a_greenlet_dies_as_before(run):
    after = "flowery_logging.shutdown()\nassert theirs is Hub.print_exception\n" + BOOM
    before = "import gevent\nfrom gevent.hub import Hub\ntheirs = Hub.print_exception"
    done, events = run(after + "gevent.spawn(boom).join()", before=before)
    assert (done.returncode, events) == (0, [])
    assert "ValueError: boom" in done.stderr


def test_what_a_middleware_has_reported_is_not_uncaught(run):
    """As gevent's own server does it."""
    before = "import gevent\nfrom flowery_logging.integrations.wsgi import RequestMiddleware"
    after = (
        "def app(environ, start_response):\n    boom()\n"
        "gevent.spawn(RequestMiddleware(app), {'REQUEST_METHOD': 'GET'}, None).join()\n"
        "gevent.spawn(boom).join()"
    )
    _, events = run(BOOM + after, before=before)
    assert [e["log"]["logger"] for e in events if "stack_trace" in e.get("error", {})] == [
        "flowery_logging.integrations.wsgi",
        "gevent.hub",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "console",
    ["import code\ncode.interact(banner='')", "sys.flags.interactive or sys.exit('no')"],
    ids=["code", "-i"],
)
def test_what_a_person_types_is_no_program(tmp_path, console):
    """`manage.py shell`, `flask shell`, `python -i`."""
    program = PROGRAM.format(
        before="", after=BOOM + console, directory=str(tmp_path / "logs"), options=""
    )
    (tmp_path / "main.py").write_text(program)
    typed = "import flowery_logging\nflowery_logging.get_logger().info('typed')\n1 / 0\nprnt(1)\nx = = 1\n"
    flags = ["-i"] if "interactive" in console else []
    done = subprocess.run(
        [sys.executable, *flags, "main.py"], cwd=tmp_path, input=typed, text=True,
        capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert "ZeroDivisionError" in done.stderr
    lines = [
        line for path in (tmp_path / "logs").glob("*") for line in path.read_text().splitlines()
    ]
    events = map(json.loads, lines)
    assert [e["message"] for e in events if e["log"]["logger"] != "flowery_logging"] == ["typed"]


def test_a_program_that_fails_after_somebody_has_typed_is_uncaught(run):
    _, (event,) = run("import code\ncode.interact(banner='')\n" + BOOM + "boom()")
    assert event["message"] == "Uncaught exception"


def test_what_fails_at_the_end_is_named_once(run):
    _, events = run("import atexit\natexit.register(lambda: 1/0)")
    (event,) = events
    assert event["message"].startswith("Exception ignored in atexit callback")
    assert event["message"].count("<function <lambda> at ") == 1
    assert "None" not in event["message"]
