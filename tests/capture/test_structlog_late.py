"""structlog that a program imports after `setup()`, or never: its events are in the file all the same."""

import json

import pytest

SETUP = """
import sys, flowery_logging
flowery_logging.setup('shop', directory='logs', output='file')
assert not {"structlog", "asyncio"} & set(sys.modules)
"""


@pytest.fixture
def run(tmp_path, programs):
    def run(code, setup=SETUP):
        (tmp_path / "program.py").write_text(setup + code)
        done = programs.run(
            "import runpy; runpy.run_path('program.py', run_name='__main__')", tmp_path
        )
        assert done.returncode == 0, done.stderr
        lines = [line for path in tmp_path.glob("logs/*") for line in path.read_text().splitlines()]
        events = [json.loads(line) for line in lines]
        return [event for event in events if event["log"]["logger"] != "flowery_logging"]

    return run


# How a program comes to have structlog, and logs "one" with order_id=7 by it.
WAYS = {
    "imported": "import structlog; structlog.get_logger().info('one', order_id=7)",
    "a name of it": "from structlog import get_logger; get_logger().info('one', order_id=7)",
    "a module of it": "import structlog.stdlib; structlog.get_logger().info('one', order_id=7)",
    "get_logger": "flowery_logging.get_logger().info('one', order_id=7)",
    "its contextvars": """
import logging, structlog
structlog.contextvars.bind_contextvars(order_id=7)
logging.getLogger("app").warning("one")
""",
    "in a thread": """
import threading
def work():
    import structlog
    structlog.get_logger().info("one", order_id=7)
threading.Thread(target=work).start()
""",
    "configured afterwards": """
import structlog
structlog.configure(processors=[structlog.processors.JSONRenderer()])
structlog.get_logger().info("one", order_id=7)
""",
    "configured to print": """
import structlog
structlog.configure(logger_factory=structlog.PrintLoggerFactory())
structlog.get_logger().info("one", order_id=7)
""",
    "before a second setup": """
flowery_logging.setup(version="2")
import structlog
structlog.get_logger().info("one", order_id=7)
""",
    "after a set-up that has ended": """
flowery_logging.shutdown()
import structlog
flowery_logging.setup()
structlog.get_logger().info("one", order_id=7)
""",
    "in a fork": """
import os
if pid := os.fork():
    os.waitpid(pid, 0)
else:
    import structlog
    structlog.get_logger().info("one", order_id=7)
""",
    "where somebody else finds it": """
import sys
from importlib.machinery import PathFinder
class Finder:
    find_spec = PathFinder.find_spec
sys.meta_path.insert(0, Finder)
flowery_logging.get_logger().info("one", order_id=7)
""",
}


@pytest.mark.parametrize("way", WAYS)
def test_its_events_are_ours_however_it_came(run, way):
    (event,) = run(WAYS[way])
    assert event["message"] == "one"
    placed = {**event.get("labels", {}), **event.get("numeric_labels", {})}
    assert placed == {"order_id": 7}
    assert event["log"]["origin"]["file"]["name"] == "program.py"


def test_loggers_that_are_sent_to_a_new_process_come_with_all_they_need(run):
    run("""
import pickle, subprocess, sys
sent = pickle.dumps(flowery_logging.get_logger("app").bind(order_id=7))
code = f'''
import pickle, flowery_logging
flowery_logging.setup("shop", directory="logs", output="file")
pickle.loads({sent!r}).info("one")
import structlog
assert structlog.is_configured()
structlog.get_logger("app").info("two")
'''
subprocess.run([sys.executable, "-c", code], check=True)
""")


def test_levels_that_were_set_before_hold(run):
    events = run("""
import logging
flowery_logging.set_level("WARNING")
import structlog
for log in (structlog.get_logger(), flowery_logging.get_logger()):
    log.info("below")
    log.warning("above")
assert not flowery_logging.get_logger().isEnabledFor(logging.INFO)
""")
    assert [event["message"] for event in events] == ["above", "above"]


def test_the_flight_recorder_has_what_was_below_the_level(run):
    events = run(
        """
import flowery_logging.context
import structlog
with flowery_logging.continue_trace({}):
    structlog.get_logger().debug("kept")
    flowery_logging.get_logger().debug("kept too")
    flowery_logging.context.current_request().ring.write_out()
""",
        setup=SETUP.replace("output='file'", "output='file', flight_recorder='DEBUG'"),
    )
    assert [event["message"] for event in events] == ["kept", "kept too"]


def test_shutdown_leaves_structlog_as_it_was(run):
    run("""
import structlog
assert structlog.is_configured()
flowery_logging.shutdown()
assert not structlog.is_configured()
assert not hasattr(structlog.BoundLoggerBase._process_event, "__wrapped__")
""")


def test_where_structlog_is_imported_after_shutdown_nothing_is_done(run):
    run("""
flowery_logging.shutdown()
import structlog
assert not structlog.is_configured()
""")


def test_what_cannot_be_kept_is_told_once(run, tmp_path):
    run("""
import structlog
structlog.configure(logger_factory=structlog.PrintLoggerFactory(), processors=[str])
for _ in range(2): structlog.get_logger().info("one")
""")
    lines = [line for path in tmp_path.glob("logs/*") for line in path.read_text().splitlines()]
    assert sum("structlog was configured to print" in line for line in lines) == 1


def test_an_import_that_fails_may_be_tried_again(run, tmp_path):
    events = run("""
import sys
class Failing:
    def find_spec(self, name, path=None, target=None):
        if name == "structlog.dev": raise ImportError("no disk")
sys.meta_path.insert(0, Failing())
for _ in range(2):
    try: flowery_logging.get_logger()
    except ImportError: pass
    else: raise SystemExit("imported")
sys.meta_path.pop(0)
flowery_logging.get_logger().info("one")
import structlog
structlog.get_logger().info("two")
""")
    assert [event["message"] for event in events] == ["one", "two"]
