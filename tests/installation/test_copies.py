"""The package imported once more beside an older copy of itself: each event is written once."""

import json

import pytest

AGAIN = """
import logging, sys, warnings
from unittest import mock
def purge():
    for name in [name for name in sys.modules if name.partition(".")[0] == "flowery_logging"]:
        del sys.modules[name]
purge()
before = logging.Logger.callHandlers, sys.excepthook, logging.getLogger().level
with mock.patch.dict(sys.modules):
    import flowery_logging
    first = flowery_logging
    flowery_logging.setup("svc", directory="logs", output="file")
    old = flowery_logging.get_logger("old")
    old.info("of the first")
import flowery_logging
assert flowery_logging is not first
flowery_logging.setup("svc", directory="logs", output="file")
logging.getLogger("t").info("once")
flowery_logging.get_logger("new").info("direct")
old.info("of a logger of the first")
warnings.warn("old")
"""


@pytest.fixture
def run(programs, tmp_path):
    def run(code, status=0):
        done = programs.run(AGAIN + code, tmp_path)
        assert done.returncode == status, done.stderr
        lines = [x for path in tmp_path.glob("logs/*") for x in path.read_text().splitlines()]
        return [json.loads(line) for line in lines]

    return run


def messages(events):
    return [e["message"] for e in events if e["log"].get("logger") != "flowery_logging"]


SAID = ["of the first", "once", "direct", "of a logger of the first", "old"]


@pytest.mark.slow
def test_each_event_is_written_once_and_both_close(run):
    events = run("1 / 0", status=1)
    assert sorted(messages(events)) == sorted([*SAID, "Uncaught exception"])
    assert [e["message"] for e in events].count("log closed") == 2


@pytest.mark.slow
def test_the_newer_one_ends_all(run):
    end = """
flowery_logging.shutdown()
logging.getLogger("t").info("after")
assert (logging.Logger.callHandlers, sys.excepthook, logging.getLogger().level) == before
assert logging.getLogger().handlers == []
assert [name for name in vars(logging) if "flowery" in name] == []
first.shutdown()
"""
    assert sorted(messages(run(end))) == sorted(SAID)


@pytest.mark.slow
def test_the_older_one_may_come_back(run):
    events = run("first.setup()\nlogging.getLogger('t').info('back')\nold.info('old')\n")
    assert messages(events).count("back") == 1
    assert messages(events).count("old") == 2
